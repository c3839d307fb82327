use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::refusal::{refusal, unanswered};
use super::token::{self, Actions, Token, basic};
use super::{Challenge, Credentials, Repository, Transport, challenges};
use crate::copy::CopyError;
use crate::net::{Answer, Client, Exchange};

/// Whom a session trusts, and who it is.
#[derive(Debug, Clone)]
pub struct Trust {
    /// With TLS or without.
    pub transport: Transport,
    /// Who to be, where that is known.
    pub credentials: Option<Credentials>,
}

/// Requests to one repository, with what the registry wants to be told with each. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    client: Client,
    repository: Repository,
    root: String,
    credentials: Option<Credentials>,
    known: Mutex<Known>,
}

/// What was learnt of the registry.
#[derive(Default)]
struct Known {
    challenge: Option<Challenge>,
    tokens: BTreeMap<Actions, Token>,
}

impl Session {
    /// A session; nothing is asked yet.
    pub fn new(client: Client, repository: Repository, trust: Trust) -> Session {
        let root = repository.root(trust.transport);
        let credentials = trust.credentials;
        Session(Arc::new(Shared { client, repository, root, credentials, known: Mutex::default() }))
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.0.repository
    }

    /// The client that asks.
    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    /// A URL below the repository: `blobs/DIGEST`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{}/{path}", self.0.root, self.0.repository.name)
    }

    /// Whether a URL is the registry's own, so that it may see who asks.
    pub(super) fn is_own(&self, url: &str) -> bool {
        let root = self.0.root.trim_end_matches("v2/");
        url.starts_with(root)
    }

    /// Asks, as often as it takes to say who asks. `make` makes the request each time.
    pub(super) async fn ask(&self, actions: Actions, make: impl Fn() -> Exchange) -> Result<Answer, CopyError> {
        for attempt in 0.. {
            let answer = self.send(actions, make()).await?;
            if answer.status != 401 || attempt == 2 || !self.learn(&answer, actions, attempt).await {
                return Ok(answer);
            }
        }
        unreachable!("the loop above ends by itself")
    }

    /// Asks once, as who is known by now: for bodies that cannot be sent again.
    pub(super) async fn send(&self, actions: Actions, ask: Exchange) -> Result<Answer, CopyError> {
        let what = what(&ask);
        let ask = match self.is_own(&ask.url) {
            true => match self.authorization(actions).await? {
                Some(value) => ask.header("authorization", value),
                None => ask,
            },
            false => ask,
        };
        self.0.client.exchange(ask).await.map_err(|failure| unanswered(&self.0.repository, &what, &failure))
    }

    /// Asks as nobody.
    pub(super) async fn stray(&self, ask: Exchange) -> Result<Answer, CopyError> {
        let what = what(&ask);
        self.0.client.exchange(ask).await.map_err(|failure| unanswered(&self.0.repository, &what, &failure))
    }

    /// The error of an answer that is no success.
    pub(super) async fn refused(&self, what: &str, answer: Answer) -> CopyError {
        refusal(&self.0.repository, what, answer, self.0.credentials.is_some()).await
    }

    /// What the registry is told with a request, as far as it is known.
    async fn authorization(&self, actions: Actions) -> Result<Option<String>, CopyError> {
        let mut known = self.0.known.lock().await;
        let Some(challenge) = known.challenge.clone() else { return Ok(None) };
        if challenge.scheme == "basic" {
            return Ok(self.0.credentials.as_ref().and_then(|credentials| match credentials {
                Credentials::Password { user, password } => Some(basic(user, password)),
                Credentials::IdentityToken(_) => None,
            }));
        }
        if let Some(token) = known.tokens.get(&actions).filter(|token| token.is_good()) {
            return Ok(Some(format!("Bearer {}", token.text)));
        }
        let shared = &self.0;
        let credentials = shared.credentials.as_ref();
        let fetched =
            token::fetch(&shared.client, &shared.repository, &shared.root, &challenge, actions, credentials).await?;
        let value = format!("Bearer {}", fetched.text);
        known.tokens.insert(actions, fetched);
        Ok(Some(value))
    }

    /// Learns how the registry wants to be told who asks; whether the request is worth another try.
    async fn learn(&self, answer: &Answer, actions: Actions, attempt: usize) -> bool {
        let all: Vec<Challenge> = answer.headers("www-authenticate").into_iter().flat_map(challenges).collect();
        let can_basic = matches!(self.0.credentials, Some(Credentials::Password { .. }));
        let bearer = all.iter().find(|challenge| challenge.scheme == "bearer");
        let basic = all.iter().find(|challenge| challenge.scheme == "basic" && can_basic);
        let Some(challenge) = bearer.or(basic) else { return false };
        let mut known = self.0.known.lock().await;
        // A token may have ended early; a second refusal of a fresh one is a refusal.
        let is_new =
            known.challenge.as_ref() != Some(challenge) || known.tokens.remove(&actions).is_some() && attempt == 0;
        known.challenge = Some(challenge.clone());
        is_new
    }
}

/// What a request is about, for errors: the URL without host and query.
fn what(ask: &Exchange) -> String {
    let path = ask.url.split_once("/v2/").map_or(ask.url.as_str(), |(_, path)| path);
    path.split('?').next().unwrap_or_default().to_owned()
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("repository", &self.0.repository).finish_non_exhaustive()
    }
}
