//! The ordinal of a pod of a StatefulSet, out of its host name.

/// Letters and digits of the names that Kubernetes makes up (k8s.io/apimachinery, util/rand).
const MADE_UP: &str = "bcdfghjklmnpqrstvwxz2456789";

/// The ordinal of a host name `NAME-N`; `None` for names of another shape: a container id, a pod of a Deployment.
pub fn of_host(host: &str) -> Option<u32> {
    let host = host.split('.').next().unwrap_or_default();
    let (name, number) = host.rsplit_once('-')?;
    let canonical = number == "0" || !number.starts_with('0');
    let digits = !number.is_empty() && number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_digit());
    let named = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    if !canonical || !digits || !named || is_of_deployment(name, number) || is_address(name) {
        return None;
    }
    number.parse().ok()
}

/// `NAME-HASH-SUFFIX`, where the suffix has five letters of the alphabet above and may be digits only.
fn is_of_deployment(name: &str, suffix: &str) -> bool {
    let made_up = |text: &str| text.chars().all(|letter| MADE_UP.contains(letter));
    let hash = name.rsplit('-').next().unwrap_or_default();
    let is_hash =
        (8..=10).contains(&hash.len()) && made_up(hash) && hash.contains(|letter: char| letter.is_ascii_digit());
    suffix.len() == 5 && made_up(suffix) && is_hash && name.contains('-')
}

/// `ip-10-0-0-12`: a machine's name made of its address, which a container has that shares the machine's network.
fn is_address(name: &str) -> bool {
    let mut parts = name.rsplit('-');
    parts.by_ref().take(3).filter(|part| part.parse::<u8>().is_ok()).count() == 3 && parts.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::of_host;

    #[test]
    fn only_pods_of_stateful_sets_have_one() {
        for (host, ordinal) in [
            ("kafka-0", Some(0)),
            ("my-kafka-12", Some(12)),
            ("kafka-2.kafka-hs.default.svc.cluster.local", Some(2)),
            ("kafka", None),
            ("3f9a1b2c77", None),
            ("3f9a1b2c7712", None),
            ("kafka-01", None),
            ("kafka-", None),
            ("-1", None),
            ("10-0", None),
            ("kafka-7d9c5b6f48-24567", None),
            ("kafka-7d9c5b6f48-x2x4z", None),
            ("kafka-1234567", None),
            ("ip-10-0-0-12", None),
            ("ip-10-0-0-12.eu-west-1.compute.internal", None),
            ("kafka-1-2-3", Some(3)),
            ("-kafka-3", Some(3)),
            ("käfka-3", Some(3)),
        ] {
            assert_eq!(of_host(host), ordinal, "{host}");
        }
    }
}
