//! What an answer that is no success means.

use serde::Deserialize;

use super::Repository;
use crate::copy::CopyError;
use crate::digest::Digest;
use crate::error::Category;
use crate::net::{Answer, Failure};

/// The errors of an answer (distribution-spec 1.1, "Error Codes").
#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    detail: serde_json::Value,
}

/// The most of an answer's body that is looked into.
const BODY: usize = 8 << 10;

/// The error of a request about `what` that was answered, and not with a success.
pub(super) async fn refusal(repository: &Repository, what: &str, mut answer: Answer, logged_in: bool) -> CopyError {
    let status = answer.status;
    let body = answer.beginning(BODY).await;
    if let Some(blobs) = unknown_blobs(&body) {
        let place = format!("docker://{}", repository.full_name());
        return CopyError::Incomplete { place, what: what.to_owned(), blobs };
    }
    let told = words(&body);
    let registry = &repository.registry;
    let (why, category, hint) = match status {
        404 => (told.unwrap_or("there is no such thing".to_owned()), Category::NotFound, None),
        401 if logged_in => ("the credentials are not accepted".to_owned(), Category::Refused, Some(login(registry))),
        401 => ("it wants to know who asks".to_owned(), Category::Refused, Some(login(registry))),
        403 => {
            let why = format!("it is not allowed{}", told.map(|told| format!(" ({told})")).unwrap_or_default());
            (why, Category::Refused, Some("ask whoever runs the registry for the right to it".to_owned()))
        }
        429 => ("it was asked too often".to_owned(), Category::Refused, Some("try again later, or log in".to_owned())),
        _ => (told.unwrap_or_else(|| "it does not say why".to_owned()), Category::Refused, None),
    };
    let place = format!("docker://{}", repository.full_name());
    CopyError::Failed { place, what: what.to_owned(), why: format!("{why} (status {status})"), category, hint }
}

/// The error of a request that was not answered.
pub(super) fn unanswered(repository: &Repository, what: &str, failure: &Failure) -> CopyError {
    let place = format!("docker://{}", repository.full_name());
    let hint = match failure.why {
        crate::net::Why::Tls(_) => Some(
            "trust its authority by `authorities` in the configuration, or name it by --plain-http where it has no TLS"
                .to_owned(),
        ),
        _ => None,
    };
    CopyError::Failed { place, what: what.to_owned(), why: failure.to_string(), category: Category::Refused, hint }
}

fn login(registry: &str) -> String {
    format!("log in at {registry} (`docker login`, `podman login`), or name a file of credentials by --authfile")
}

/// What the body says, on one line; `None` where it is not what registries answer.
fn words(body: &[u8]) -> Option<String> {
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let first = errors.errors.first()?;
    let text = if first.message.is_empty() { &first.code } else { &first.message };
    let line: String = text.lines().next()?.chars().take(200).collect();
    (!line.is_empty()).then(|| line.escape_debug().to_string())
}

/// The blobs of a manifest that the registry does not have, as far as it says which (distribution-spec 1.1, "Error
/// Codes", code-1); `None` where that is not what it says.
fn unknown_blobs(body: &[u8]) -> Option<Vec<Digest>> {
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let unknown: Vec<OneError> =
        errors.errors.into_iter().filter(|error| error.code == "MANIFEST_BLOB_UNKNOWN").collect();
    let digest = |error: &OneError| {
        let text = error.detail.as_str().or_else(|| error.detail.get("digest")?.as_str());
        text.and_then(|text| text.parse().ok())
    };
    (!unknown.is_empty()).then(|| unknown.iter().filter_map(digest).collect())
}

#[cfg(test)]
mod tests {
    use super::{unknown_blobs, words};
    use crate::digest::Digest;

    #[test]
    fn errors_of_registries() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}"#;
        assert_eq!(words(body).as_deref(), Some("manifest unknown"));
        assert_eq!(words(br#"{"errors":[{"code":"DENIED"}]}"#).as_deref(), Some("DENIED"));
        assert_eq!(words(b"{\"errors\":[{\"message\":\"\x1b[31m\"}]}"), None);
        assert_eq!(words(br#"{"errors":[{"message":"a\u001b[31mb"}]}"#).as_deref(), Some("a\\u{1b}[31mb"));
        assert_eq!((words(b"<html>"), words(br#"{"errors":[]}"#)), (None, None));
    }

    #[test]
    fn blobs_that_are_not_there() {
        let digest = Digest::of(b"a blob");
        let body = |detail: &str| format!(r#"{{"errors":[{{"code":"MANIFEST_BLOB_UNKNOWN","detail":{detail}}}]}}"#);
        for detail in [format!("\"{digest}\""), format!(r#"{{"digest":"{digest}"}}"#)] {
            assert_eq!(unknown_blobs(body(&detail).as_bytes()), Some(vec![digest]));
        }
        assert_eq!(unknown_blobs(body("7").as_bytes()), Some(Vec::new()));
        assert_eq!(unknown_blobs(br#"{"errors":[{"code":"DENIED"}]}"#), None);
    }
}
