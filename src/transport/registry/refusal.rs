//! What an answer that is no success means.

use serde::Deserialize;

use super::{Repository, challenges};
use crate::copy::CopyError;
use crate::digest::Digest;
use crate::error::Category;
use crate::net::{Answer, Failure, Why};

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

/// What to do where a registry may speak TLS and was asked without.
const WITH_TLS: &str = "if it speaks TLS, leave out --plain-http; for a registry on this machine, say --tls-verify";

/// The most of an answer's body that is looked into.
const BODY: usize = 8 << 10;

/// Who asked.
pub(super) struct Asked {
    /// Whether there were credentials.
    pub(super) has_credentials: bool,
    /// Whether it was asked without TLS.
    pub(super) is_plain: bool,
    /// Why they were not shown to the token server, and what to do, where they were not.
    pub(super) withheld: Option<(String, String)>,
}

/// The error of a request about `what` that was answered, and not with a success.
pub(super) async fn refusal(repository: &Repository, what: &str, mut answer: Answer, asked: Asked) -> CopyError {
    let status = answer.status;
    let body = answer.beginning(BODY).await;
    if let Some(blobs) = unknown_blobs(&body) {
        let place = repository.place();
        return CopyError::Incomplete { place, what: what.to_owned(), blobs };
    }
    let told = errors(&body);
    let registry = &repository.registry;
    // A token that is good, but for less, is refused as if there were none (RFC 6750, 3.1).
    let mut challenges = answer.headers("www-authenticate").into_iter().flat_map(challenges);
    let lacks_rights =
        challenges.any(|own| own.parameters.get("error").is_some_and(|error| error == "insufficient_scope"));
    let words = told.as_ref().and_then(|(_, message)| message.clone());
    let ask = "ask whoever runs the registry for the right to it";
    let (why, category, hint) = match (status, asked.withheld) {
        (401 | 403, Some((why, hint))) => (why, Category::Refused, Some(hint)),
        (404, _) => {
            let is_new = told.as_ref().is_some_and(|(code, _)| code == "NAME_UNKNOWN");
            let hint = is_new.then(|| {
                "check the repository's name; some registries want it, or its project, to be made there first"
                    .to_owned()
            });
            (words.unwrap_or("there is no such thing".to_owned()), Category::NotFound, hint)
        }
        (401, _) if asked.has_credentials && lacks_rights => {
            ("it is not allowed".to_owned(), Category::Refused, Some(ask.to_owned()))
        }
        (401, _) if asked.has_credentials => {
            ("the credentials are not accepted".to_owned(), Category::Refused, Some(login(registry)))
        }
        (401, _) => ("it wants to know who asks".to_owned(), Category::Refused, Some(login(registry))),
        (403, _) => {
            let why = format!("it is not allowed{}", words.map(|told| format!(" ({told})")).unwrap_or_default());
            let hint = if asked.has_credentials { ask.to_owned() } else { login(registry) };
            (why, Category::Refused, Some(hint))
        }
        (429, _) => {
            let wait = answer.header("retry-after").filter(|text| text.len() < 40);
            let when = wait.map_or("later".to_owned(), |wait| match wait.trim().parse::<u64>() {
                Ok(seconds) => format!("in {seconds} seconds"),
                Err(_) => "later".to_owned(),
            });
            let or = if asked.has_credentials { "" } else { ", or log in: some registries allow more then" };
            ("it was asked too often".to_owned(), Category::Refused, Some(format!("try again {when}{or}")))
        }
        // What was asked by HEAD is refused without a word.
        (400, _) if asked.is_plain && body.is_empty() => {
            ("it does not say why".to_owned(), Category::Refused, Some(WITH_TLS.to_owned()))
        }
        (400, _) if wants_tls(&body) => {
            ("it speaks TLS, and was asked without".to_owned(), Category::Refused, Some(WITH_TLS.to_owned()))
        }
        _ => (words.unwrap_or_else(|| "it does not say why".to_owned()), Category::Refused, None),
    };
    let why = format!("{why} (status {status})");
    CopyError::Failed { place: repository.place(), what: what.to_owned(), why, category, hint }
}

/// The error of a request that was not answered.
pub(super) fn unanswered(repository: &Repository, what: &str, failure: &Failure) -> CopyError {
    let why = failure.to_string();
    let hint = hint(&repository.registry, &failure.why);
    CopyError::Failed { place: repository.place(), what: what.to_owned(), why, category: Category::Refused, hint }
}

fn hint(registry: &str, why: &Why) -> Option<String> {
    let text = match why {
        Why::Tls(text) => text,
        Why::Unreachable(text) if text.contains("tls handshake eof") => return Some(without_tls(registry)),
        Why::Broken(text) if text.contains("invalid HTTP version") => return Some(WITH_TLS.to_owned()),
        Why::Unreachable(_) => {
            return Some(
                "check the host and port, the network, and the proxy variables (https_proxy, no_proxy)".to_owned(),
            );
        }
        Why::Status(429) => {
            return Some("try again later, or log in: some registries allow more to who is known".to_owned());
        }
        Why::Status(_) => return Some("the registry has trouble of its own: try again later".to_owned()),
        _ => return None,
    };
    // As rustls words them.
    let folder = format!("~/.config/containers/certs.d/{registry}");
    let one_of = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Some(if one_of(&["UnknownIssuer", "CaUsedAsEndEntity"]) {
        format!(
            "if you trust it, put the certificate of its authority into {folder}/ca.crt, or name its folder by --cert-dir"
        )
    } else if one_of(&["InvalidContentType", "corrupt message"]) {
        without_tls(registry)
    } else if one_of(&["not valid for name", "NotValidForName"]) {
        "its certificate is for another name: write the registry as the certificate does".to_owned()
    } else if one_of(&["certificate expired", "not valid yet", "Expired", "NotValidYet"]) {
        "check this machine's clock; else whoever runs the registry must renew its certificate".to_owned()
    } else if one_of(&["CertificateRequired", "HandshakeFailure", "BadCertificate", "UnknownCA", "CertificateUnknown"])
    {
        format!("it wants a certificate of yours: put it and its key into {folder}/client.cert and {folder}/client.key")
    } else {
        format!("put the certificate of its authority into {folder}/ca.crt, or say --plain-http where it has no TLS")
    })
}

fn without_tls(registry: &str) -> String {
    format!(
        "if it has no TLS, say so: --plain-http, or `plain-http = true` below `[registry.\"{registry}\"]` in the \
         configuration file"
    )
}

/// How to log in.
pub(super) fn login(registry: &str) -> String {
    format!("log in by `kimg login {registry}`, or name a file of credentials by --authfile")
}

/// What Go's server and nginx answer on a port for TLS to who speaks without.
fn wants_tls(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("HTTP request to an HTTPS server") || text.contains("plain HTTP request was sent to HTTPS port")
}

/// The code of the first error in the body, and what it says on one line; `None` where it is not what registries answer.
fn errors(body: &[u8]) -> Option<(String, Option<String>)> {
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let first = errors.errors.into_iter().next()?;
    let text = if first.message.is_empty() { &first.code } else { &first.message };
    let line: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
    let words = (!line.is_empty()).then(|| line.escape_debug().to_string());
    Some((first.code, words))
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
    use super::*;

    #[test]
    fn errors_of_registries() {
        let words = |body: &[u8]| errors(body).and_then(|(_, words)| words);
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}"#;
        assert_eq!(words(body).as_deref(), Some("manifest unknown"));
        assert_eq!(words(br#"{"errors":[{"code":"DENIED"}]}"#).as_deref(), Some("DENIED"));
        assert_eq!(words(b"{\"errors\":[{\"message\":\"\x1b[31m\"}]}"), None);
        assert_eq!(words(br#"{"errors":[{"message":"a\u001b[31mb"}]}"#).as_deref(), Some("a\\u{1b}[31mb"));
        assert_eq!((words(b"<html>"), words(br#"{"errors":[]}"#)), (None, None));
    }

    #[test]
    fn hints_name_the_file_to_place() {
        let hint = |text: &str| hint("registry.example:5000", &Why::Tls(text.to_owned())).unwrap();
        assert!(hint("invalid peer certificate: UnknownIssuer").contains("certs.d/registry.example:5000/ca.crt"));
        assert!(hint("received corrupt message of type InvalidContentType").contains("--plain-http"));
        assert!(hint("received fatal alert: CertificateRequired").contains("client.key"));
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
