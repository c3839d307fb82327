//! One small document, whose digest nobody knows yet.

use reqwest::{Response, Url};
use tokio::time::timeout;

use super::base::{Base, Place, host_of, shown};
use super::client::{Shared, told};
use super::error::{NetError, Why};
use super::request::{Ask, Failed, Hop, MOST_REDIRECTS, Stop, again, hop};
use super::retry::Tries;

/// See [`super::Client::get`].
pub(super) async fn get(
    shared: &Shared,
    places: &[(Base, String)],
    limit: u64,
) -> Result<Option<(Vec<u8>, String)>, NetError> {
    let Some((_, name)) = places.first() else { return Ok(None) };
    let mut failures = Vec::new();
    for (base, path) in places {
        let place = Place::new(base, path)?;
        let _permit = shared.hosts.get(&host_of(&place.url)).turn().await;
        match visit(shared, &place, path, limit).await {
            Ok(bytes) => return Ok(Some((bytes, shown(&place.url)))),
            Err(Stop::Fatal(error)) => return Err(error),
            Err(Stop::Failed(failed)) => failures.push(failed.failure),
        }
    }
    match NetError::from_failures(name, None, failures) {
        NetError::NotFound { .. } => Ok(None),
        error => Err(error),
    }
}

/// Tries until the document is there or the place is given up.
async fn visit(shared: &Shared, place: &Place, name: &str, limit: u64) -> Result<Vec<u8>, Stop> {
    let mut tries = Tries::new(shared.settings());
    loop {
        match step(shared, place, limit).await {
            Err(Stop::Failed(failed)) => again(shared, name, &mut tries, failed).await?,
            end => return end,
        }
    }
}

async fn step(shared: &Shared, place: &Place, limit: u64) -> Result<Vec<u8>, Stop> {
    let mut url = place.url.clone();
    for _ in 0..=MOST_REDIRECTS {
        match hop(shared, place, &url, Ask::From(0)).await? {
            Hop::To(next) => url = next,
            Hop::Answer(response) => return read(shared, &url, response, limit).await.map_err(Stop::from),
        }
    }
    let why = format!("redirects more than {MOST_REDIRECTS} times");
    Err(Failed::new(&place.url, Why::Redirect(why)).into())
}

async fn read(shared: &Shared, url: &Url, mut response: Response, limit: u64) -> Result<Vec<u8>, Failed> {
    let status = response.status().as_u16();
    if !matches!(status, 200 | 203) {
        return Err(Failed::new(url, Why::Status(status)));
    }
    let too_long = || Failed::new(url, Why::TooLong(limit));
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_long());
    }
    let stall = shared.settings().stall_timeout;
    let mut bytes = Vec::new();
    loop {
        let why = match timeout(stall, response.chunk()).await {
            Ok(Ok(Some(chunk))) if chunk.len() as u64 > limit - bytes.len() as u64 => return Err(too_long()),
            Ok(Ok(Some(chunk))) => {
                bytes.extend_from_slice(&chunk);
                continue;
            }
            Ok(Ok(None)) => return Ok(bytes),
            Ok(Err(error)) => format!("broke off after {} bytes: {}", bytes.len(), told(error)),
            Err(_) => format!("stood still after {} bytes: nothing came for {stall:?}", bytes.len()),
        };
        return Err(Failed::new(url, Why::Broken(why)));
    }
}
