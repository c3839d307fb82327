use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;

/// The name of an image: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`, as distribution-spec 1.1 ("Pulling manifests") and
/// Docker write it. Nothing is added that was not written: no default host and no `latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Host and path.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest.
    pub digest: Option<Digest>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// Text that names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference: {why}")]
pub struct InvalidReference {
    /// What was written, escaped.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Reference, InvalidReference> {
        let invalid = |why| InvalidReference { text: text.escape_default().collect(), why };
        let (name, digest) = match text.split_once('@') {
            None => (text, None),
            Some((name, digest)) => (name, Some(digest.parse().map_err(|_| invalid("the part after @ is no digest"))?)),
        };
        let last_slash = name.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match name[last_slash..].split_once(':') {
            None => (name, None),
            Some((last, tag)) => (&name[..last_slash + last.len()], Some(tag)),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(invalid(
                "a tag has 1 to 128 letters, digits, `_`, `.` and `-` and begins with neither `.` nor `-`",
            ));
        }
        let mut components = repository.split('/');
        let first = components.clone().next().unwrap_or_default();
        if repository.contains('/') && (first.contains(['.', ':']) || first == "localhost") {
            components.next();
            if !is_host(first) {
                return Err(invalid("the part before the first / is no host"));
            }
        }
        if !components.clone().all(is_path_component) || repository.len() > 255 {
            return Err(invalid("a path has lower-case letters and digits, parted by `.`, `_`, `__`, `-` or `/`"));
        }
        Ok(Reference { repository: repository.to_owned(), tag: tag.map(str::to_owned), digest })
    }
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (text, None),
    };
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-.[]:".contains(&byte);
    !name.is_empty() && name.bytes().all(letters) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// distribution-spec 1.1: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_path_component(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).filter(|run| !run.is_empty());
    text.bytes().next().is_some_and(word)
        && text.bytes().last().is_some_and(word)
        && separators.into_iter().all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let parse = |text: &str| text.parse::<Reference>().unwrap();
        assert_eq!(parse("localhost:5000/kafka").repository, "localhost:5000/kafka");
        assert_eq!(parse("localhost:5000/kafka").tag, None);
        assert_eq!(parse("kafka:3.5.2").tag.as_deref(), Some("3.5.2"));
        let digest = Digest::of(b"");
        let full = format!("[::1]:5000/a/b__c--d:v1@{digest}");
        assert_eq!(parse(&full).to_string(), full);
        assert_eq!(parse(&full).digest, Some(digest));
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in ["", "Kafka", "kafka:", "kafka:-x", "a//b", "a_-b", "-a", "a@sha256:00", "host:port/a", "a b"] {
            assert!(wrong.parse::<Reference>().is_err(), "{wrong}");
        }
    }
}
