use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use url::Url;

use super::realm::{self, realm};
use super::refusal::{Asked, refusal, unanswered};
use super::token::{self, Actions, Asking, NoToken, Token, basic};
use super::{Challenge, Credentials, Repository, Transport, challenges};
use crate::copy::CopyError;
use crate::error::Category;
use crate::net::{Answer, Client, Exchange, Verb};

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
    /// Origins that may see the credentials besides those that are known to belong to the registry.
    token_servers: Vec<String>,
    known: Mutex<Known>,
}

/// What was learnt of the registry.
#[derive(Default)]
struct Known {
    challenge: Option<Challenge>,
    tokens: BTreeMap<Wanted, Token>,
    /// Why the credentials were not shown, and what to do, where they were not.
    withheld: Option<(String, String)>,
    /// Whether its token server gives no token for two repositories at once.
    one_at_a_time: bool,
}

/// What a token is wanted for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    actions: Actions,
    /// Another repository of the registry that is read too.
    from: Option<String>,
}

/// What a registry was told about who asks.
struct Shown {
    value: String,
    /// Whether it was got for this very request.
    is_fresh: bool,
}

/// The most scopes of a challenge that are asked for besides our own.
const OTHER_SCOPES: usize = 4;

impl Session {
    /// A session; nothing is asked yet.
    pub fn new(client: Client, repository: Repository, trust: Trust) -> Session {
        Session::trusting(client, repository, trust, Vec::new())
    }

    /// A session whose credentials may also be shown to token servers at these origins (`https://HOST[:PORT]`).
    pub fn trusting(client: Client, repository: Repository, trust: Trust, token_servers: Vec<String>) -> Session {
        let root = repository.root(trust.transport);
        let credentials = trust.credentials;
        let known = Mutex::default();
        Session(Arc::new(Shared { client, repository, root, credentials, token_servers, known }))
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

    /// Enters the registry and does nothing there (distribution-spec 1.1, "Determining Support"): whether it wanted to
    /// know who asks.
    pub async fn enter(&self) -> Result<bool, CopyError> {
        let answer = self.ask(Actions::Enter, || Exchange::new(Verb::Get, &self.0.root)).await?;
        match answer.status {
            200..=299 => self.entered().await,
            _ => Err(self.refused("its root", answer).await),
        }
    }

    async fn entered(&self) -> Result<bool, CopyError> {
        let known = self.0.known.lock().await;
        match known.withheld.clone() {
            // It was entered as nobody.
            Some((why, hint)) => Err(CopyError::Failed {
                place: self.0.repository.place(),
                what: "its token server".to_owned(),
                why,
                category: Category::Refused,
                hint: Some(hint),
            }),
            None => Ok(known.challenge.is_some()),
        }
    }

    /// Asks, as often as it takes to say who asks. `make` makes the request each time.
    pub(super) async fn ask(&self, actions: Actions, make: impl Fn() -> Exchange) -> Result<Answer, CopyError> {
        self.ask_for(&Wanted { actions, from: None }, make).await
    }

    /// The same, to write into the repository what another one of the registry has: with a token that reads that one too,
    /// where the token server gives such.
    pub(super) async fn ask_mounting(&self, from: &str, make: impl Fn() -> Exchange) -> Result<Answer, CopyError> {
        let from = Some(from.to_owned()).filter(|from| *from != self.0.repository.name);
        self.ask_for(&Wanted { actions: Actions::Push, from }, make).await
    }

    async fn ask_for(&self, wanted: &Wanted, make: impl Fn() -> Exchange) -> Result<Answer, CopyError> {
        let mut attempt = 0;
        loop {
            let ask = make();
            let is_own = self.is_own(&ask.url);
            let (answer, shown) = self.once(wanted, ask).await?;
            // What others want to be told is nothing to learn from.
            if answer.status != 401 || !is_own || attempt == 2 {
                return Ok(answer);
            }
            if !self.learn(&answer, shown.as_ref()).await {
                return Ok(answer);
            }
            attempt += 1;
        }
    }

    /// Asks once, as who is known by now: for bodies that cannot be sent again. A token near its end is renewed before. A
    /// 401 is learnt from, so that the same request, made again, is worth one more try.
    pub(super) async fn send(&self, actions: Actions, ask: Exchange) -> Result<Answer, CopyError> {
        let wanted = Wanted { actions, from: None };
        let is_own = self.is_own(&ask.url);
        let (answer, shown) = self.once(&wanted, ask).await?;
        if answer.status == 401 && is_own {
            self.learn(&answer, shown.as_ref()).await;
        }
        Ok(answer)
    }

    /// Asks once; what the registry was told comes with the answer.
    async fn once(&self, wanted: &Wanted, mut ask: Exchange) -> Result<(Answer, Option<Shown>), CopyError> {
        let what = self.what(&ask);
        let shown = if self.is_own(&ask.url) { self.authorization(wanted).await? } else { None };
        if let Some(shown) = &shown {
            ask = ask.header("authorization", shown.value.clone());
        }
        let answer = self.0.client.exchange(ask).await;
        let answer = answer.map_err(|failure| unanswered(&self.0.repository, &what, &failure))?;
        Ok((answer, shown))
    }

    /// Asks as nobody.
    pub(super) async fn stray(&self, ask: Exchange) -> Result<Answer, CopyError> {
        let what = self.what(&ask);
        self.0.client.exchange(ask).await.map_err(|failure| unanswered(&self.0.repository, &what, &failure))
    }

    /// The error of an answer that is no success.
    pub(super) async fn refused(&self, what: &str, answer: Answer) -> CopyError {
        let withheld = self.0.known.lock().await.withheld.clone();
        let is_plain = self.0.root.starts_with("http:");
        let asked = Asked { has_credentials: self.0.credentials.is_some(), is_plain, withheld };
        refusal(&self.0.repository, what, answer, asked).await
    }

    /// Whether a URL is the registry's own, so that it may see who asks.
    pub(super) fn is_own(&self, url: &str) -> bool {
        let (Ok(url), Ok(root)) = (Url::parse(url), Url::parse(&self.0.root)) else { return false };
        url.origin() == root.origin()
    }

    /// What a request is about, for errors: the URL below the repository, without a query.
    fn what(&self, ask: &Exchange) -> String {
        let path = ask.url.strip_prefix(&self.0.root).unwrap_or(&ask.url);
        let path = path.strip_prefix(&format!("{}/", self.0.repository.name)).unwrap_or(path);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if path.is_empty() { "its root".to_owned() } else { path.escape_debug().to_string() }
    }

    /// What the registry is told with a request, as far as it is known.
    async fn authorization(&self, wanted: &Wanted) -> Result<Option<Shown>, CopyError> {
        let known_before = |value: String| Ok(Some(Shown { value, is_fresh: false }));
        let mut known = self.0.known.lock().await;
        let Some(challenge) = known.challenge.clone() else { return Ok(None) };
        match (challenge.scheme.as_str(), &self.0.credentials) {
            ("basic", Some(Credentials::Password { user, password })) => return known_before(basic(user, password)),
            ("basic", _) => return Ok(None),
            (_, Some(Credentials::RegistryToken(token))) => return known_before(format!("Bearer {token}")),
            _ => {}
        }
        if let Some(token) = known.token(wanted) {
            return known_before(format!("Bearer {}", token.text));
        }
        let wanted = match known.one_at_a_time {
            true => Wanted { from: None, ..wanted.clone() },
            false => wanted.clone(),
        };
        let (wanted, token) = match self.fetch(&challenge, &wanted, &mut known).await {
            Ok(token) => (wanted, token),
            Err(NoToken { status: Some(_), .. }) if wanted.from.is_some() => {
                // Some token servers give tokens for one repository only: the registry will say that it cannot mount.
                known.one_at_a_time = true;
                let alone = Wanted { from: None, ..wanted };
                match known.token(&alone).cloned() {
                    Some(token) => (alone, token),
                    None => {
                        let fetched = self.fetch(&challenge, &alone, &mut known).await;
                        (alone, fetched.map_err(|failure| failure.error)?)
                    }
                }
            }
            Err(failure) => return Err(failure.error),
        };
        let value = format!("Bearer {}", token.text);
        known.tokens.insert(wanted, token);
        Ok(Some(Shown { value, is_fresh: true }))
    }

    async fn fetch(&self, challenge: &Challenge, wanted: &Wanted, known: &mut Known) -> Result<Token, NoToken> {
        let shared = &self.0;
        let place = shared.repository.place();
        let realm = realm(challenge, &shared.repository.registry, &shared.root, &shared.token_servers);
        let realm = realm.map_err(|why| {
            let (what, why) = ("its token server".to_owned(), why.to_owned());
            let error = CopyError::Failed { place: place.clone(), what, why, category: Category::Refused, hint: None };
            NoToken { status: None, error }
        })?;
        let registry = &shared.repository.registry;
        known.withheld = match shared.credentials.is_some() && !realm.is_trusted {
            true => Some((realm::withheld(registry, &realm.url), realm::hint(registry, &realm.url))),
            false => None,
        };
        token::fetch(&Asking {
            client: &shared.client,
            place: &place,
            registry,
            realm,
            challenge,
            scopes: &self.scopes(challenge, wanted),
            credentials: shared.credentials.as_ref(),
        })
        .await
    }

    /// What a token is asked for. A registry that stands before others calls repositories otherwise than we do: what it
    /// asks for is asked for too.
    fn scopes(&self, challenge: &Challenge, wanted: &Wanted) -> Vec<String> {
        let name = &self.0.repository.name;
        let mut scopes: Vec<String> = wanted.actions.scope(name).into_iter().collect();
        scopes.extend(wanted.from.iter().filter_map(|from| Actions::Pull.scope(from)));
        let asked = challenge.parameters.get("scope").map(String::as_str).unwrap_or_default();
        let ours = format!("repository:{name}:");
        if wanted.actions != Actions::Enter && !asked.split_whitespace().any(|scope| scope.starts_with(&ours)) {
            scopes.extend(asked.split_whitespace().take(OTHER_SCOPES).map(str::to_owned));
        }
        scopes
    }

    /// Learns how the registry wants to be told who asks; whether the request is worth another try. `shown` is what it
    /// was told.
    async fn learn(&self, answer: &Answer, shown: Option<&Shown>) -> bool {
        let all: Vec<Challenge> = answer.headers("www-authenticate").into_iter().flat_map(challenges).collect();
        let can_basic = matches!(self.0.credentials, Some(Credentials::Password { .. }));
        let bearer = all.iter().find(|challenge| challenge.scheme == "bearer");
        let basic = all.iter().find(|challenge| challenge.scheme == "basic" && can_basic);
        let Some(challenge) = bearer.or(basic) else { return false };
        let mut known = self.0.known.lock().await;
        let before = known.challenge.replace(challenge.clone());
        if !before.is_some_and(|before| is_same(&before, challenge)) {
            known.tokens.clear();
            return true;
        }
        let Some(shown) = shown else { return true };
        if challenge.scheme == "basic" || matches!(self.0.credentials, Some(Credentials::RegistryToken(_))) {
            return false;
        }
        match known.tokens.iter().find(|(_, token)| token.is(&shown.value)).map(|(wanted, _)| wanted.clone()) {
            // A token may have ended early; the refusal of a fresh one is a refusal.
            Some(own) => {
                known.tokens.remove(&own);
                !shown.is_fresh
            }
            // Another request has got a new one meanwhile.
            None => true,
        }
    }
}

impl Known {
    /// A token that is good for it: what writes also reads.
    fn token(&self, wanted: &Wanted) -> Option<&Token> {
        let pushing = Wanted { actions: Actions::Push, from: None };
        let own = self.tokens.get(wanted).filter(|token| token.is_good());
        let may_other = wanted.actions == Actions::Pull && wanted.from.is_none();
        own.or_else(|| self.tokens.get(&pushing).filter(|token| may_other && token.is_good()))
    }
}

/// Whether two challenges ask for the same; the scope differs with every request.
fn is_same(one: &Challenge, other: &Challenge) -> bool {
    let parameter = |challenge: &Challenge, name: &str| challenge.parameters.get(name).cloned();
    one.scheme == other.scheme && ["realm", "service"].iter().all(|name| parameter(one, name) == parameter(other, name))
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("repository", &self.0.repository).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
