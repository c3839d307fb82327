//! Tokens of a registry's token server (distribution's "Token Authentication Specification").

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::{Challenge, Credentials, Repository, profile};
use crate::copy::CopyError;
use crate::error::Category;
use crate::net::{Body, Client, Exchange, Verb};

/// What may be done to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Actions {
    /// Read it.
    Pull,
    /// Read and write it.
    Push,
}

impl Actions {
    fn text(self) -> &'static str {
        match self {
            Actions::Pull => "pull",
            Actions::Push => "pull,push",
        }
    }
}

/// A token, and until when it is good.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    until: Instant,
}

impl Token {
    /// Whether it is good for a request that begins now.
    pub(super) fn is_good(&self) -> bool {
        Instant::now() < self.until
    }
}

#[derive(Deserialize)]
struct Answered {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// How long a token without `expires_in` is good, by the specification.
const LEAST: u64 = 60;

/// So long before its end a token is renewed.
const MARGIN: u64 = 10;

/// The most of a token server's answer.
const ANSWER: u64 = 64 << 10;

/// Fetches the token that a challenge asks for. Credentials are shown to a token server only where it is the registry's
/// own (the same host and port) or known to belong to it; never without TLS where the registry has TLS.
pub(super) async fn fetch(
    client: &Client,
    repository: &Repository,
    root: &str,
    challenge: &Challenge,
    actions: Actions,
    credentials: Option<&Credentials>,
) -> Result<Token, CopyError> {
    let failed = |why: String, hint: Option<String>| CopyError::Failed {
        place: format!("docker://{}", repository.full_name()),
        what: "its token server".to_owned(),
        why,
        category: Category::Refused,
        hint,
    };
    let realm = challenge.parameters.get("realm").map(String::as_str).unwrap_or_default();
    let (Ok(mut url), Ok(root)) = (Url::parse(realm), Url::parse(root)) else {
        return Err(failed("it is given as what is no URL".to_owned(), None));
    };
    if !matches!(url.scheme(), "http" | "https") || (root.scheme() == "https" && url.scheme() == "http") {
        return Err(failed("it has no TLS, and the registry has".to_owned(), None));
    }
    let is_own = url.origin() == root.origin();
    let is_known =
        url.scheme() == "https" && url.host_str().is_some_and(|host| profile::has_realm(&repository.registry, host));
    let shown = credentials.filter(|_| is_own || is_known);
    let service = challenge.parameters.get("service").cloned();
    let scope = format!("repository:{}:{}", repository.name, actions.text());
    let ask = match shown {
        Some(Credentials::IdentityToken(token)) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token").append_pair("client_id", "kimg");
            form.append_pair("refresh_token", token).append_pair("scope", &scope);
            form.extend_pairs(service.iter().map(|service| ("service", service)));
            Exchange::new(Verb::Post, url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::Bytes(form.finish().into_bytes()))
        }
        shown => {
            url.query_pairs_mut().extend_pairs(service.iter().map(|service| ("service", service)));
            url.query_pairs_mut().append_pair("scope", &scope);
            let ask = Exchange::new(Verb::Get, url.clone());
            match shown {
                Some(Credentials::Password { user, password }) => ask.header("authorization", basic(user, password)),
                _ => ask,
            }
        }
    };
    let mut answer = client.exchange(ask).await.map_err(|failure| failed(failure.to_string(), None))?;
    if answer.status != 200 {
        let hidden = credentials.is_some() && shown.is_none();
        let hint = match hidden {
            true => format!(
                "kimg did not show it the credentials of {}, for it is on another host that is not known to belong to it",
                repository.registry
            ),
            false => format!("log in at {}", repository.registry),
        };
        return Err(failed(format!("it gives no token (status {})", answer.status), Some(hint)));
    }
    let body = answer.whole(ANSWER).await.map_err(|failure| failed(failure.to_string(), None))?;
    let answered: Answered =
        serde_json::from_slice(&body).map_err(|_| failed("it does not answer as one".to_owned(), None))?;
    let text = answered.token.or(answered.access_token).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| failed("there is no token in its answer".to_owned(), None))?;
    let lasts = answered.expires_in.unwrap_or(LEAST).clamp(MARGIN + 1, 24 * 3600);
    Ok(Token { text, until: Instant::now() + Duration::from_secs(lasts - MARGIN) })
}

/// The value of `Authorization` for a user and a password.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
