//! What an image is called where it goes.

use crate::cli::values::Location;
use crate::digest::Digest;

/// The tag of who names none, as all clients of registries have it.
const LATEST: &str = "latest";

/// The names that the image gets in the target, in the target's own words.
pub(super) fn names(source: &Location, target: &Location) -> Vec<String> {
    let name = match target {
        Location::Registry { reference, .. } => match (&reference.tag, reference.digest) {
            (Some(tag), _) => Some(tag.clone()),
            // A manifest needs no tag to be found by its digest.
            (None, Some(_)) => None,
            (None, None) => Some(LATEST.to_owned()),
        },
        other => other.name().cloned().or_else(|| own(source)),
    };
    name.into_iter().collect()
}

/// The digest that the target's name asks for.
pub(super) fn asked(target: &Location) -> Option<Digest> {
    match target {
        Location::Registry { reference, .. } => reference.digest,
        _ => None,
    }
}

/// The name that an image brings along: of two repositories, the same tag is not the same image.
fn own(source: &Location) -> Option<String> {
    let name = match source {
        Location::Registry { reference, .. } => match (&reference.tag, reference.digest) {
            (None, Some(_)) => return None,
            (tag, _) => format!("{}:{}", reference.repository, tag.as_deref().unwrap_or(LATEST)),
        },
        other => other.name()?.split('@').next()?.to_owned(),
    };
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::values;

    #[test]
    fn tags_in_registries_and_whole_names_elsewhere() {
        let digest = Digest::of(b"");
        let both = format!("docker://a.example/x:1@{digest}");
        let by_digest = format!("docker://a.example/x@{digest}");
        for (source, target, expected) in [
            ("docker://a.example/x:1", "docker://b.example/y:2", Some("2")),
            ("docker://a.example/x:1", "docker://b.example/y", Some("latest")),
            ("store:x:1", &by_digest, None),
            ("docker://a.example/x:1", "oci:out", Some("a.example/x:1")),
            ("docker://a.example/x", "oci-archive:x.tar", Some("a.example/x:latest")),
            (&both, "oci:out", Some("a.example/x:1")),
            (&by_digest, "oci:out", None),
            ("oci:out", "docker-archive:x.tar", None),
            ("oci:out:x:1", "docker-archive:x.tar", Some("x:1")),
            ("store:x:1", "oci:out:y:2", Some("y:2")),
        ] {
            let (from, to) = (values::source(source).unwrap(), values::location(target).unwrap());
            assert_eq!(names(&from, &to).first().map(String::as_str), expected, "{source} {target}");
        }
        assert_eq!(asked(&values::location(&both).unwrap()), Some(digest));
    }
}
