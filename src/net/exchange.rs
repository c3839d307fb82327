//! One request of a protocol that is more than downloads, such as a registry's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, Url};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::base::{host_of, same_owner, shown};
use super::client::{Shared, told};
use super::error::{Failure, Why};
use super::request::{Failed, Stop, again, unanswered};
use super::retry::{self, Tries};

/// What is done to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Read it.
    Get,
    /// Ask for its headers only.
    Head,
    /// Begin something below it.
    Post,
    /// Make it what the body is.
    Put,
    /// Add the body to it.
    Patch,
    /// Remove it.
    Delete,
}

/// What is sent.
#[derive(Debug)]
pub enum Body {
    /// Nothing.
    Empty,
    /// These bytes; they can be sent again.
    Bytes(Vec<u8>),
    /// So many bytes, as they come; an error among them breaks the request off.
    Stream {
        /// How many.
        length: u64,
        /// The bytes, in pieces.
        pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    },
}

/// A request. Its headers may hold secrets, so that it is never printed.
pub struct Exchange {
    /// What is done.
    pub verb: Verb,
    /// To what.
    pub url: String,
    /// With which headers.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Body,
}

impl Exchange {
    /// A request without headers and body.
    pub fn new(verb: Verb, url: impl Into<String>) -> Exchange {
        Exchange { verb, url: url.into(), headers: Vec::new(), body: Body::Empty }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Exchange {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Exchange {
        self.body = body;
        self
    }
}

/// What was answered, whatever the status is.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The URL that was asked, which relative ones in the answer are relative to.
    url: Url,
    headers: HeaderMap,
    /// What was looked at of the body, and not taken.
    ahead: Vec<u8>,
    response: Response,
    stall: std::time::Duration,
}

impl Answer {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers of a name.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// How long the host asks to wait before the next try.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        retry::asked(&self.headers)
    }

    /// Whether the same request may do better later.
    pub fn passes(&self) -> bool {
        retry::passes(self.status)
    }

    /// The absolute URL of `Location`, and whether what was shown to the URL that was asked may be shown to it too.
    pub fn location(&self) -> Option<(String, bool)> {
        let mut location = self.url.join(self.headers.get(LOCATION)?.to_str().ok()?).ok()?;
        // Nobody tells us who to be. Both calls only fail for URLs without a host.
        let _ = location.set_username("");
        let _ = location.set_password(None);
        let allowed = matches!(location.scheme(), "http" | "https")
            && !(self.url.scheme() == "https" && location.scheme() == "http");
        allowed.then(|| (location.to_string(), same_owner(&self.url, &location)))
    }

    /// The next piece of the body; `None` at its end.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        match self.ahead.is_empty() {
            true => self.next().await,
            false => Ok(Some(std::mem::take(&mut self.ahead))),
        }
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let why = match timeout(self.stall, self.response.chunk()).await {
            Ok(Ok(piece)) => return Ok(piece.map(|bytes| bytes.to_vec())),
            Ok(Err(error)) => told(error),
            Err(_) => format!("nothing came for {:?}", self.stall),
        };
        Err(self.failure(Why::Broken(format!("the answer broke off: {why}"))))
    }

    /// The whole body, of `limit` bytes at most.
    pub async fn whole(&mut self, limit: u64) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await? {
            if piece.len() as u64 > limit - all.len() as u64 {
                return Err(self.failure(Why::TooLong(limit)));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    /// The first bytes of the body, whatever happens to the rest: for what a refusal says.
    pub async fn beginning(&mut self, limit: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while let Ok(Some(piece)) = self.piece().await {
            all.extend_from_slice(&piece);
            if all.len() >= limit {
                all.truncate(limit);
                break;
            }
        }
        all
    }

    /// The first bytes of the body, which stay where they are: whoever reads it then gets them too.
    pub async fn peek(&mut self, limit: usize) -> &[u8] {
        while self.ahead.len() < limit {
            match self.next().await {
                Ok(Some(piece)) => self.ahead.extend_from_slice(&piece),
                _ => break,
            }
        }
        &self.ahead[..limit.min(self.ahead.len())]
    }

    /// A failure at this URL.
    pub fn failure(&self, why: Why) -> Failure {
        Failure { url: shown(&self.url), why }
    }
}

/// Asks. What the host may do better another time (429, 503, a broken connection) is tried again where all of the body
/// can be sent again, as often and with as long waits as downloads are; any other status is an answer.
pub(super) async fn exchange(shared: &Shared, ask: Exchange) -> Result<Answer, Failure> {
    let url = parsed(&ask.url)?;
    let mut tries = Tries::new(shared.settings());
    let mut body = ask.body;
    loop {
        let (sent, kept) = match body {
            Body::Bytes(bytes) => (Body::Bytes(bytes.clone()), Some(Body::Bytes(bytes))),
            Body::Empty => (Body::Empty, Some(Body::Empty)),
            stream @ Body::Stream { .. } => (stream, None),
        };
        let failed = match once(shared, ask.verb, &url, &ask.headers, sent).await {
            Ok(answer) if !retry::passes(answer.status) || kept.is_none() => return Ok(answer),
            Ok(answer) => {
                let asked = retry::asked(&answer.headers);
                Failed { asked, ..Failed::new(&url, Why::Status(answer.status)) }
            }
            Err(failed) => failed,
        };
        let Some(kept) = kept else { return Err(failed.failure) };
        body = kept;
        match again(shared, &shown(&url), &mut tries, Box::new(failed)).await {
            Ok(()) => {}
            Err(Stop::Failed(failed)) => return Err(failed.failure),
            Err(Stop::Fatal(error)) => return Err(Failure { url: shown(&url), why: Why::Broken(error.to_string()) }),
        }
    }
}

/// See [`super::Client::exchange_once`].
pub(super) async fn exchange_once(shared: &Shared, ask: Exchange) -> Result<Answer, Failure> {
    let url = parsed(&ask.url)?;
    once(shared, ask.verb, &url, &ask.headers, ask.body).await.map_err(|failed| failed.failure)
}

fn parsed(url: &str) -> Result<Url, Failure> {
    let told = || url.split(['?', '#']).next().unwrap_or_default().escape_debug().to_string();
    Url::parse(url).map_err(|_| Failure { url: told(), why: Why::Redirect("it is no URL".to_owned()) })
}

async fn once(
    shared: &Shared,
    verb: Verb,
    url: &Url,
    headers: &[(&'static str, String)],
    body: Body,
) -> Result<Answer, Failed> {
    let host = shared.hosts.get(&host_of(url));
    host.quiet().await;
    if let Some(why) = host.lost() {
        return Err(Failed::new(url, why.clone()));
    }
    let unreachable = |why: String| Failed::new(url, Why::Unreachable(why));
    let http = shared.http(url).await.map_err(|error| unreachable(error.to_string()))?;
    let mut request = http.request(method(verb), url.clone());
    request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| unreachable(format!("{name} has unfit letters")))?;
        value.set_sensitive(*name == "authorization");
        request = request.header(HeaderName::from_static(name), value);
    }
    let patience = shared.settings().connect_timeout.saturating_add(shared.settings().stall_timeout);
    let sending = match body {
        Body::Empty => request.send(),
        Body::Bytes(bytes) => request.body(bytes).send(),
        Body::Stream { length, pieces } => {
            // The time of a stream is that of whoever fills it.
            let response = request.body(reqwest::Body::wrap(Pieces { left: length, pieces })).send().await;
            return finished(shared, url, response.map_err(|error| unanswered(url, error))?);
        }
    };
    match timeout(patience, sending).await {
        Ok(Ok(response)) => finished(shared, url, response),
        Ok(Err(error)) => Err(unanswered(url, error)),
        Err(_) => Err(Failed::new(url, Why::Broken(format!("no answer within {patience:?}")))),
    }
}

fn finished(shared: &Shared, url: &Url, response: Response) -> Result<Answer, Failed> {
    shared.hosts.get(&host_of(url)).answers();
    Ok(Answer {
        status: response.status().as_u16(),
        url: url.clone(),
        headers: response.headers().clone(),
        ahead: Vec::new(),
        response,
        stall: shared.settings().stall_timeout,
    })
}

fn method(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Head => Method::HEAD,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Patch => Method::PATCH,
        Verb::Delete => Method::DELETE,
    }
}

/// A body of known length, whose pieces another thread makes.
struct Pieces {
    left: u64,
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(context).map(|piece| {
            let piece = match piece {
                Some(Ok(piece)) => piece,
                Some(Err(error)) => return Some(Err(error)),
                None if self.left > 0 => return Some(Err(io::ErrorKind::UnexpectedEof.into())),
                None => return None,
            };
            self.left = self.left.saturating_sub(piece.len() as u64);
            Some(Ok(Frame::data(Bytes::from(piece))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
