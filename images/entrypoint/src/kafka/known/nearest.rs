//! The property that was meant.

use crate::nearest::distance;

/// How many letters may differ.
const FAR: usize = 3;

/// The name that is nearest to a misspelt one; the first of them, where several are.
pub(super) fn nearest(wrong: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // A topic's property often stands where that of the broker is meant: retention.ms, cleanup.policy.
    let of_topic = format!("log.{wrong}");
    let rank = |name: &str| if name == of_topic { 0 } else { distance(wrong, name) };
    let ranked = names.filter(|name| name.len().abs_diff(wrong.len()) <= FAR || *name == of_topic);
    let near = ranked.map(|name| (rank(name), name)).min_by_key(|(rank, _)| *rank)?;
    // A short name is near to many.
    (near.0 <= FAR && near.0 * 4 < wrong.len()).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_near() {
        let names = ["log.cleanup.policy", "log.retention.ms", "num.partitions", "node.id"];
        for (wrong, near) in [
            ("log.cleanup.ploicy", Some("log.cleanup.policy")),
            ("cleanup.policy", Some("log.cleanup.policy")),
            ("num.partition", Some("num.partitions")),
            ("node.di", Some("node.id")),
            ("user", None),
            ("something.else.entirely", None),
        ] {
            assert_eq!(nearest(wrong, names.into_iter()), near, "{wrong}");
        }
    }
}
