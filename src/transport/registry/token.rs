//! Tokens of a registry's token server (distribution's "Token Authentication Specification" and its OAuth 2 form).

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::realm::{self, Realm};
use super::{Challenge, Credentials};
use crate::copy::CopyError;
use crate::error::Category;
use crate::lock::seconds;
use crate::net::{Answer, Body, Client, Exchange, Verb};

/// What may be done to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Actions {
    /// Nothing: to learn whether one is let in.
    Enter,
    /// Read it.
    Pull,
    /// Read and write it.
    Push,
}

impl Actions {
    /// The scope that names them (distribution's "Token Scope Documentation").
    pub(super) fn scope(self, repository: &str) -> Option<String> {
        match self {
            Actions::Enter => None,
            Actions::Pull => Some(format!("repository:{repository}:pull")),
            Actions::Push => Some(format!("repository:{repository}:pull,push")),
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

    /// Whether it was used in a request that was made with this `Authorization`.
    pub(super) fn is(&self, authorization: &str) -> bool {
        authorization.strip_prefix("Bearer ") == Some(&self.text)
    }
}

/// Why there is no token.
pub(super) struct NoToken {
    /// The status of the token server, where it answered.
    pub(super) status: Option<u16>,
    /// What is told of it.
    pub(super) error: CopyError,
}

#[derive(Deserialize)]
struct Answered {
    token: Option<String>,
    access_token: Option<String>,
    /// Seconds; a number, but as text it was seen too.
    expires_in: Option<Value>,
    issued_at: Option<String>,
}

/// How long a token without `expires_in` is good, by the specification.
const LEAST: u64 = 60;

/// So long before its end a token is renewed, or half its time where that is less.
const MARGIN: Duration = Duration::from_secs(10);

/// The longest that a token is used.
const LONGEST: u64 = 24 * 3600;

/// The most of a token server's answer.
const ANSWER: u64 = 64 << 10;

/// The user in whose name an identity token stands (docker-credential-helpers).
const TOKEN_USER: &str = "<token>";

/// Who asks a token server, and for what.
pub(super) struct Asking<'a> {
    pub(super) client: &'a Client,
    /// What messages call the registry's place.
    pub(super) place: &'a str,
    /// The registry as people write it.
    pub(super) registry: &'a str,
    pub(super) realm: Realm,
    pub(super) challenge: &'a Challenge,
    pub(super) scopes: &'a [String],
    pub(super) credentials: Option<&'a Credentials>,
}

/// Fetches a token. Credentials are shown only where the realm belongs to the registry; redirects are not followed.
pub(super) async fn fetch(asking: &Asking<'_>) -> Result<Token, NoToken> {
    let shown = asking.credentials.filter(|_| asking.realm.is_trusted);
    let mut answer = match shown {
        Some(Credentials::IdentityToken(token)) => {
            let answer = asking.send(asking.post(token)).await?;
            match answer.status {
                // It knows the older form only.
                404 | 405 => asking.send(asking.get(Some(basic(TOKEN_USER, token)))).await?,
                _ => answer,
            }
        }
        Some(Credentials::Password { user, password }) => asking.send(asking.get(Some(basic(user, password)))).await?,
        Some(Credentials::RegistryToken(_)) | None => asking.send(asking.get(None)).await?,
    };
    if answer.status != 200 {
        return Err(asking.refused(answer.status, shown.is_some()));
    }
    let body = answer.whole(ANSWER).await.map_err(|failure| asking.failed(None, failure.to_string(), None))?;
    let wrong = |why: &str| asking.failed(None, why.to_owned(), None);
    let answered: Answered = serde_json::from_slice(&body).map_err(|_| wrong("it does not answer as one"))?;
    let lasts = lasts(&answered, answer.header("date"));
    let text = answered.token.filter(|text| !text.is_empty()).or(answered.access_token);
    let text = text.filter(|text| !text.is_empty()).ok_or_else(|| wrong("there is no token in its answer"))?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("its token has letters that no header holds"));
    }
    Ok(Token { text, until: Instant::now() + (lasts - MARGIN.min(lasts / 2)) })
}

impl Asking<'_> {
    fn get(&self, authorization: Option<String>) -> Exchange {
        let mut url = self.realm.url.clone();
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(self.challenge.parameters.get("service").map(|service| ("service", service)));
            query.extend_pairs(self.scopes.iter().map(|scope| ("scope", scope)));
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        let ask = Exchange::new(Verb::Get, url);
        match authorization {
            Some(value) => ask.header("authorization", value),
            None => ask,
        }
    }

    /// The OAuth 2 form, which takes all scopes in one word.
    fn post(&self, token: &str) -> Exchange {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("client_id", "kimg");
        form.append_pair("refresh_token", token);
        form.extend_pairs(self.challenge.parameters.get("service").map(|service| ("service", service)));
        if !self.scopes.is_empty() {
            form.append_pair("scope", &self.scopes.join(" "));
        }
        Exchange::new(Verb::Post, self.realm.url.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::Bytes(form.finish().into_bytes()))
    }

    async fn send(&self, ask: Exchange) -> Result<Answer, NoToken> {
        let answer = self.client.exchange(ask).await;
        answer.map_err(|failure| self.failed(None, failure.to_string(), None))
    }

    fn refused(&self, status: u16, was_shown: bool) -> NoToken {
        let registry = self.registry;
        if !was_shown && self.credentials.is_some() && !self.realm.is_trusted {
            let hint = realm::hint(registry, &self.realm.url);
            return self.failed(Some(status), realm::withheld(registry, &self.realm.url), Some(hint));
        }
        let login = Some(super::refusal::login(registry));
        match status {
            400 | 401 | 403 if was_shown => {
                self.failed(Some(status), format!("the credentials are not accepted (status {status})"), login)
            }
            401 | 403 => self.failed(Some(status), format!("it wants to know who asks (status {status})"), login),
            301..=308 => {
                let why = format!("it leads elsewhere (status {status}), where kimg shows nobody's credentials");
                self.failed(Some(status), why, None)
            }
            429 => {
                let hint = "try again later, or log in".to_owned();
                self.failed(Some(status), format!("it was asked too often (status {status})"), Some(hint))
            }
            _ => self.failed(Some(status), format!("it gives no token (status {status})"), None),
        }
    }

    fn failed(&self, status: Option<u16>, why: String, hint: Option<String>) -> NoToken {
        let host = self.realm.url.host_str().unwrap_or_default().escape_debug();
        let what = format!("the token server {host}");
        let error = CopyError::Failed { place: self.place.to_owned(), what, why, category: Category::Refused, hint };
        NoToken { status, error }
    }
}

/// How long a token is good from now on: `expires_in` counts from `issued_at`, which may lie back where a token is
/// handed out twice. It is compared with the Date of the same answer, so that no clock of ours needs to be right.
fn lasts(answered: &Answered, date: Option<&str>) -> Duration {
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    let whole = answered.expires_in.as_ref().and_then(number).unwrap_or(LEAST).clamp(1, LONGEST);
    let issued = answered.issued_at.as_deref().and_then(issued);
    let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let now = now.and_then(|time| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs()));
    let age = now.zip(issued).map_or(0, |(now, issued)| now.saturating_sub(issued));
    Duration::from_secs(whole.saturating_sub(age).max(1))
}

/// RFC 3339 in UTC, of which registries write fractions of seconds too.
fn issued(text: &str) -> Option<u64> {
    let whole = text.split(['.', 'Z']).next()?;
    if text.strip_prefix(whole)?.trim_start_matches(['.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) != "Z" {
        return None;
    }
    seconds(&format!("{whole}Z"))
}

/// The value of `Authorization` for a user and a password.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_of(json: &str, date: &str) -> u64 {
        lasts(&serde_json::from_str(json).unwrap(), Some(date)).as_secs()
    }

    #[test]
    fn how_long_tokens_last() {
        let date = "Fri, 20 Nov 2026 12:00:00 GMT";
        assert_eq!(seconds_of(r#"{"expires_in": 300}"#, date), 300);
        assert_eq!(seconds_of(r#"{"expires_in": "1800"}"#, date), 1800);
        assert_eq!(seconds_of(r#"{"expires_in": null}"#, date), 60);
        assert_eq!(seconds_of(r#"{"expires_in": -1}"#, date), 60);
        assert_eq!(seconds_of(r#"{"expires_in": 0}"#, date), 1);
        assert_eq!(seconds_of(r#"{"expires_in": 18446744073709551615}"#, date), LONGEST);
        // Handed out a second time, four minutes later.
        let again = r#"{"expires_in": 300, "issued_at": "2026-11-20T11:56:00.123456789Z"}"#;
        assert_eq!((seconds_of(again, date), seconds_of(again, "now")), (60, 300));
        assert_eq!(seconds_of(r#"{"expires_in": 300, "issued_at": "2026-11-20T13:00:00Z"}"#, date), 300);
        assert_eq!(seconds_of(r#"{"expires_in": 300, "issued_at": "yesterday"}"#, date), 300);
        assert_eq!(seconds_of(r#"{"expires_in": 300, "issued_at": "2026-11-20T11:56:00+02:00"}"#, date), 300);
    }
}
