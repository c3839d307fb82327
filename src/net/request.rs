//! One request: to whom, as whom, and what its redirects may do.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderValue, LOCATION, RANGE};
use reqwest::{Response, Url};
use tokio::time::timeout;

use super::base::{Place, host_of, same_owner, shown};
use super::client::{Shared, told};
use super::error::{Failure, NetError, Why};
use super::retry::{self, Tries};
use crate::store::StoreError;

/// Redirects that are followed for one file; reqwest's own default.
pub(super) const MOST_REDIRECTS: usize = 10;

/// A try that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// What is told of it.
    pub(super) failure: Failure,
    /// The host that failed, which a redirect may have led to.
    pub(super) host: String,
    /// What it asked for in Retry-After.
    pub(super) asked: Option<Duration>,
    /// Bytes that came nevertheless.
    pub(super) gained: u64,
    /// That it failed by a timeout while connecting, which was long enough for a host that never answered.
    pub(super) slow: bool,
}

impl Failed {
    /// A failure at `url` that nothing else is known of.
    pub(super) fn new(url: &Url, why: Why) -> Failed {
        let failure = Failure { url: shown(url), why };
        Failed { failure, host: host_of(url), asked: None, gained: 0, slow: false }
    }

    /// Whether another try may do better.
    pub(super) fn passes(&self) -> bool {
        match &self.failure.why {
            Why::Status(status) => retry::passes(*status),
            Why::Unreachable(_) | Why::Broken(_) => true,
            Why::Absent(_) | Why::Tls(_) | Why::Redirect(_) | Why::TooLong(_) | Why::Wrong(_) => false,
        }
    }
}

/// Why a try ended without what it was for.
pub(super) enum Stop {
    /// This place failed; another try or place may do better.
    Failed(Box<Failed>),
    /// Nothing will: the disk is full, say.
    Fatal(NetError),
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Stop {
        Stop::Failed(Box::new(failed))
    }
}

impl From<NetError> for Stop {
    fn from(error: NetError) -> Stop {
        Stop::Fatal(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Stop {
        Stop::Fatal(error.into())
    }
}

/// What one request led to.
pub(super) enum Hop {
    /// An answer with a body, 2xx or 416.
    Answer(Response),
    /// A redirect that may be followed.
    To(Url),
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    /// The file from this byte on.
    From(u64),
    /// What would be answered, without the file.
    Head,
}

/// Asks for `url`, on the way from `place`.
pub(super) async fn hop(shared: &Shared, place: &Place, url: &Url, ask: Ask) -> Result<Hop, Stop> {
    let host = shared.hosts.get(&host_of(url));
    host.quiet().await;
    if let Some(why) = host.lost() {
        return Err(Failed::new(url, why.clone()).into());
    }
    let http = shared.http(url).await?;
    let request = match ask {
        Ask::From(0) => http.get(url.clone()),
        Ask::From(offset) => http.get(url.clone()).header(RANGE, format!("bytes={offset}-")),
        Ask::Head => http.head(url.clone()),
    };
    let mut request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some((user, password)) = credentials(shared, place, url) {
        request = request.basic_auth(user, Some(password));
    }
    let patience = shared.settings().connect_timeout.saturating_add(shared.settings().stall_timeout);
    let response = match timeout(patience, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(unanswered(url, error).into()),
        Err(_) => return Err(Failed::new(url, Why::Broken(format!("no answer within {patience:?}"))).into()),
    };
    host.answers();
    let status = response.status().as_u16();
    match status {
        200..=299 | 416 => Ok(Hop::Answer(response)),
        301 | 302 | 303 | 307 | 308 => Ok(Hop::To(target(url, response.headers().get(LOCATION))?)),
        404 | 410 => Err(Failed::new(url, Why::Absent(status)).into()),
        _ => {
            let asked = retry::asked(response.headers());
            Err(Failed { asked, ..Failed::new(url, Why::Status(status)) }.into())
        }
    }
}

/// Those of the base, else of netrc, and only for the base's own host.
fn credentials<'a>(shared: &'a Shared, place: &'a Place, url: &Url) -> Option<(&'a str, &'a str)> {
    if !same_owner(&place.url, url) {
        return None;
    }
    let configured = place.credentials.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
    // URLs write IPv6 addresses in brackets, netrc does not.
    configured.or_else(|| shared.netrc.find(url.host_str()?.trim_matches(['[', ']'])))
}

/// Where a redirect of `url` leads, if it may be followed there.
fn target(url: &Url, location: Option<&HeaderValue>) -> Result<Url, Failed> {
    let refused = |why: &str| Failed::new(url, Why::Redirect(why.to_owned()));
    let location = location.and_then(|value| value.to_str().ok());
    let mut next = location.and_then(|text| url.join(text).ok()).ok_or_else(|| refused("redirects to no URL"))?;
    if !matches!(next.scheme(), "http" | "https") || next.host_str().is_none_or(str::is_empty) {
        return Err(refused("redirects to what is neither http nor https"));
    }
    if url.scheme() == "https" && next.scheme() == "http" {
        return Err(refused("redirects from https to http, which kimg does not follow"));
    }
    next.set_fragment(None);
    // Nobody tells us who to be. Both calls only fail for URLs without a host.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    Ok(next)
}

/// What it means that a request was not answered.
pub(super) fn unanswered(url: &Url, error: reqwest::Error) -> Failed {
    let slow = error.is_connect() && error.is_timeout();
    let connecting = error.is_connect();
    let invalid = causes(&error).any(|io| io.kind() == io::ErrorKind::InvalidData);
    let text = told(error);
    // A host that wants to see a certificate says so after TLS 1.3 came about for us.
    let alert = text.contains("received fatal alert");
    let why = match (connecting, invalid) {
        (true, true) => Why::Tls(text),
        (false, true) if alert => Why::Tls(text),
        (true, false) => Why::Unreachable(text),
        (false, _) => Why::Broken(text),
    };
    Failed { slow, ..Failed::new(url, why) }
}

/// The I/O errors among the causes of an error; rustls reports what it does not accept as invalid data.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &io::Error> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| match error.downcast_ref::<io::Error>() {
        // `source` of an I/O error skips the error that it wraps.
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
    .filter_map(|error| error.downcast_ref())
}

/// Waits for the next try of `name`, where there is one; else gives the failure back. A host that no connection came
/// about with is given up, so that other files don't wait for it too.
pub(super) async fn again(shared: &Shared, name: &str, tries: &mut Tries, failed: Box<Failed>) -> Result<(), Stop> {
    let host = shared.hosts.get(&failed.host);
    let hopeless = !failed.passes() || host.lost().is_some() || failed.slow && !host.has_answered();
    let wait = if hopeless { None } else { tries.failed(failed.gained, failed.asked) };
    let Some(wait) = wait else {
        if matches!(failed.failure.why, Why::Unreachable(_) | Why::Tls(_)) {
            host.give_up(&failed.failure.why);
        }
        return Err(Stop::Failed(failed));
    };
    shared.events.detail(format!("{}: {}; trying again in {wait:?}", name.escape_debug(), failed.failure));
    if failed.asked.is_some() {
        // The host asked for it, so it is left alone by the other downloads too.
        host.pause(wait);
    }
    tokio::time::sleep(wait).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(url: &str, location: Option<&str>) -> Result<String, String> {
        let location = location.map(|text| HeaderValue::from_str(text).unwrap());
        target(&Url::parse(url).unwrap(), location.as_ref())
            .map(|url| url.to_string())
            .map_err(|failed| failed.failure.to_string())
    }

    #[test]
    fn redirects_lead_to_http_and_never_from_https_to_http() {
        let ok = |url: &str, location: &str| redirect(url, Some(location)).unwrap();
        assert_eq!(ok("https://a.example/x/y", "z?q=1#f"), "https://a.example/x/z?q=1");
        assert_eq!(ok("https://a.example/x/y", "//b.example/z"), "https://b.example/z");
        assert_eq!(ok("http://a.example/", "https://b.example/"), "https://b.example/");
        assert_eq!(ok("http://a.example/", "http://eve:evil@b.example/"), "http://b.example/");
        let no = |location| redirect("https://a.example/x?secret", location).unwrap_err();
        assert_eq!(
            no(Some("http://a.example/x")),
            "https://a.example/x: redirects from https to http, which kimg does not follow"
        );
        assert_eq!(no(None), "https://a.example/x: redirects to no URL");
        assert_eq!(no(Some("https://[")), "https://a.example/x: redirects to no URL");
        for other in ["ftp://a.example/", "data:,x", "unix:/run/x"] {
            assert_eq!(no(Some(other)), "https://a.example/x: redirects to what is neither http nor https");
        }
    }
}
