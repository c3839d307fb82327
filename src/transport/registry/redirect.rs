//! Reading a URL, and where it leads: registries lead to where blobs are kept.

use super::Session;
use super::token::Actions;
use crate::copy::CopyError;
use crate::error::Category;
use crate::net::{Answer, Exchange, Verb};

/// Redirects of one request.
const REDIRECTS: usize = 5;

/// Reads a URL of the registry, and what it is redirected to. On another host nobody is told who asks, and who leads back
/// from there is not told either: what keeps blobs for registries refuses requests that say so beside a signature in the
/// URL. Never http from https.
pub(super) async fn read(
    session: &Session,
    what: &str,
    url: &str,
    headers: &[(&'static str, String)],
) -> Result<Answer, CopyError> {
    let make = |url: &str| {
        headers.iter().fold(Exchange::new(Verb::Get, url), |ask, (name, value)| ask.header(name, value.clone()))
    };
    let mut answer = session.ask(Actions::Pull, || make(url)).await?;
    let mut is_own = session.is_own(url);
    for _ in 0..REDIRECTS {
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(answer);
        }
        let Some((next, _)) = answer.location() else {
            return Err(refused(session, what, "it redirects to no URL, or from https to http".to_owned()));
        };
        is_own = is_own && session.is_own(&next);
        answer = match is_own {
            true => session.ask(Actions::Pull, || make(&next)).await?,
            false => session.stray(make(&next)).await?,
        };
    }
    match answer.status {
        301 | 302 | 303 | 307 | 308 => {
            Err(refused(session, what, format!("it redirects more than {REDIRECTS} times in a row")))
        }
        _ => Ok(answer),
    }
}

/// The error of an answer that makes no sense.
pub(super) fn refused(session: &Session, what: &str, why: String) -> CopyError {
    failed(session, what, why, Category::Refused)
}

/// The error of bytes that are others than those that were asked for.
pub(super) fn wrong(session: &Session, what: &str, why: String) -> CopyError {
    failed(session, what, why, Category::Verification)
}

fn failed(session: &Session, what: &str, why: String, category: Category) -> CopyError {
    let place = format!("docker://{}", session.repository().full_name());
    CopyError::Failed { place, what: what.to_owned(), why, category, hint: None }
}

/// Whether an answer is a page for people, as portals and proxies give with 200: neither blobs nor manifests are that.
pub(super) fn is_page(answer: &Answer) -> bool {
    answer.header("content-type").is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// What is told of one.
pub(super) const PAGE: &str = "a web page was answered, as by a portal or a proxy on the way";
