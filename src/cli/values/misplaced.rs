//! Locations that are none: what is wrong, and what may be meant.

use super::InvalidValue;
use crate::definition::nearest;
use crate::oci::{InvalidReference, Reference};

/// The words before the `:`, as skopeo has them, and kimg's own.
pub(super) const TRANSPORTS: [&str; 6] = ["docker", "oci", "oci-archive", "docker-archive", "docker-daemon", "store"];

/// What kimg will know one day, and what other tools know.
const ELSEWHERE: [(&str, &str); 5] = [
    ("bundle", "write oci-archive:FILE, which every tool reads"),
    ("dir", "write oci:DIR; `skopeo copy dir:DIR oci:DIR` makes one of the other"),
    ("containers-storage", "write it into an archive by `podman save --format oci-archive`, and name oci-archive:FILE"),
    ("podman", "write it into an archive by `podman save --format oci-archive`, and name oci-archive:FILE"),
    ("containerd", "write it into an archive by `ctr images export`, and name oci-archive:FILE"),
];

const FORMS: &str =
    "write docker://NAME:TAG, oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME:TAG or store:NAME";

/// A text that names a place only, if anything.
pub(super) fn without_transport(text: &str) -> InvalidValue {
    let hint = match text {
        "" | "-" => FORMS.to_owned(),
        "docker" => "write docker://NAME:TAG".to_owned(),
        kind if TRANSPORTS.contains(&kind) => FORMS.to_owned(),
        text if text.ends_with(".tar") => format!("did you mean oci-archive:{text} or docker-archive:{text}?"),
        text if is_in_registry(text) => format!("did you mean docker://{text}?"),
        text => format!("did you mean oci:{text}?"),
    };
    InvalidValue::new("it does not say what kind of place it is", hint)
}

/// A text with a `:` after a word that is no transport.
pub(super) fn unknown_transport(kind: &str, text: &str) -> InvalidValue {
    if let Some((_, hint)) = ELSEWHERE.iter().find(|(other, _)| *other == kind) {
        let why = match kind {
            "bundle" => "kimg knows no bundles yet".to_owned(),
            _ => format!("kimg neither reads nor writes {kind}:"),
        };
        return InvalidValue::new(why, *hint);
    }
    if let ("http" | "https", Some((_, rest))) = (kind, text.split_once("://")) {
        // A password in the URL does not come back.
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest).trim_end_matches('/');
        return InvalidValue::new("a registry is not written as a URL", format!("write docker://{rest}"));
    }
    let lower = kind.to_lowercase();
    let near = nearest(&lower, TRANSPORTS);
    let hint = match near.first().copied().or_else(|| shuffled(&lower)) {
        _ if is_in_registry(text) => format!("did you mean docker://{text}?"),
        Some(near) => format!("did you mean {near}:{}?", if near == "docker" { "//" } else { "" }),
        None if text.parse::<Reference>().is_ok() => format!("did you mean docker://{text} or store:{text}?"),
        None => FORMS.to_owned(),
    };
    InvalidValue::new("there is no such kind of location", hint)
}

/// The transport of the same letters in another order: short words are too different from each other to be near.
fn shuffled(word: &str) -> Option<&'static str> {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    TRANSPORTS.into_iter().find(|transport| sorted(transport) == sorted(word))
}

/// A location where a repository is to stand. `docker:24` and `store:1` are repositories of Docker Hub.
pub(super) fn location_for_reference(text: &str) -> Option<InvalidValue> {
    let (kind, rest) = text.split_once(':')?;
    match kind {
        "oci" | "oci-archive" | "docker-archive" | "docker-daemon" => {
            Some(InvalidValue::new("it is no repository of a registry", "`kimg copy SRC DST` takes any location"))
        }
        "docker" if rest.starts_with('/') && !rest.starts_with("//") => {
            let hint = format!("write {}", rest.trim_start_matches('/'));
            Some(InvalidValue::new("a registry is written with two slashes, or without docker:", hint))
        }
        "http" | "https" if rest.starts_with("//") => {
            let rest = rest.trim_matches('/');
            let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
            Some(InvalidValue::new("a registry is not written as a URL", format!("write {rest}")))
        }
        _ => None,
    }
}

/// A reference that is none, with the grammar's own words.
pub(super) fn invalid_reference(text: &str, error: &InvalidReference) -> InvalidValue {
    let lower = text.to_lowercase();
    let before = text.split('@').next().unwrap_or_default();
    let hint = if before != text && before.contains(':') && !before.contains('/') {
        "a name holds no user and password: log in, or name a file of credentials by --authfile".to_owned()
    } else if let Some(rest) = text.strip_prefix('/') {
        format!("did you mean {}?", rest.trim_start_matches('/'))
    } else if text.contains('@') && error.why.contains('@') {
        "a digest is written sha256: and 64 hexadecimal digits".to_owned()
    } else if lower != text && lower.parse::<Reference>().is_ok() {
        // The tag may have capital letters, and keeps them.
        let (path, tag) = text.split_at(text.rfind(':').filter(|at| !text[*at..].contains('/')).unwrap_or(text.len()));
        format!("did you mean {}{tag}?", path.to_lowercase())
    } else {
        "write HOST/PATH:TAG or HOST/PATH@DIGEST, such as registry.example/team/kafka:3.5.2".to_owned()
    };
    InvalidValue::new(error.why, hint)
}

/// Whether it looks like a reference with a host: `registry.example/x:1`, `localhost:5000/x`.
fn is_in_registry(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let is_host = host != text && !host.starts_with('.') && (host.contains(['.', ':']) || host == "localhost");
    is_host && text.parse::<Reference>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::{location, reference};

    #[test]
    fn what_may_be_meant() {
        for (text, hint) in [
            ("registry.example/kafka:3.5.2", "did you mean docker://registry.example/kafka:3.5.2?"),
            ("localhost:5000/kafka", "did you mean docker://localhost:5000/kafka?"),
            ("localhost/kafka", "did you mean docker://localhost/kafka?"),
            ("kafka:3.5.2", "did you mean docker://kafka:3.5.2 or store:kafka:3.5.2?"),
            ("https://registry.example/x/", "write docker://registry.example/x"),
            ("https://me:secret@registry.example/x", "write docker://registry.example/x"),
            ("docker:/registry.example/x", "write docker://registry.example/x"),
            ("docker:registry.example/x", "write docker://registry.example/x"),
            ("dokcer://registry.example/x", "did you mean docker://?"),
            ("OCI:out", "did you mean oci:?"),
            ("oic:out", "did you mean oci:?"),
            ("oci-archvie:x.tar", "did you mean oci-archive:?"),
            ("./out/x", "did you mean oci:./out/x?"),
            ("x.tar", "did you mean oci-archive:x.tar or docker-archive:x.tar?"),
            ("docker://registry.example/Kafka:V1", "did you mean registry.example/kafka:V1?"),
            (
                "docker://me:secret@registry.example/x",
                "a name holds no user and password: log in, or name a file of credentials by --authfile",
            ),
            ("docker://registry.example/x@sha256:00", "a digest is written sha256: and 64 hexadecimal digits"),
        ] {
            assert_eq!(location(text).unwrap_err().hint.as_deref(), Some(hint), "{text}");
        }
        for wrong in ["oci:out", "docker-daemon:x", "docker:/x", "https://registry.example/x", "", "X", "a b"] {
            assert!(reference(wrong).is_err(), "{wrong}");
        }
        for right in ["docker:24", "store:1", "docker://x", "localhost:5000/x:1"] {
            assert!(reference(right).is_ok(), "{right}");
        }
    }
}
