//! Whether a place answers at all, and how large its file is.

use reqwest::header::CONTENT_LENGTH;
use tokio::time::timeout;

use super::Found;
use super::base::{Base, Place, host_of};
use super::client::Shared;
use super::error::{NetError, Why};
use super::request::{Ask, Failed, Hop, MOST_REDIRECTS, Stop, hop};

/// See [`super::Client::probe`].
pub(super) async fn probe(shared: &Shared, places: &[(Base, String)]) -> Result<Found, NetError> {
    let name = places.first().map(|(_, path)| path.as_str()).unwrap_or_default();
    let mut failures = Vec::new();
    for (index, (base, path)) in places.iter().enumerate() {
        let place = Place::new(base, path)?;
        let host = shared.hosts.get(&host_of(&place.url));
        if let Some(why) = host.silent() {
            failures.push(Failed::new(&place.url, why.clone()).failure);
            continue;
        }
        let _permit = host.turn().await;
        let patience = shared.settings().probe_timeout;
        let answer = timeout(patience, ask(shared, &place)).await;
        let late = || Failed::new(&place.url, Why::Unreachable(format!("no answer within {patience:?}"))).into();
        match answer.unwrap_or_else(|_| Err(late())) {
            Ok(size) => return Ok(Found { place: index, size }),
            Err(Stop::Fatal(error)) => return Err(error),
            Err(Stop::Failed(failed)) => {
                if matches!(failed.failure.why, Why::Unreachable(_)) {
                    host.was_silent(&failed.failure.why);
                }
                failures.push(failed.failure);
            }
        }
    }
    Err(NetError::from_failures(name, None, failures))
}

/// The size that the answer tells.
async fn ask(shared: &Shared, place: &Place) -> Result<Option<u64>, Stop> {
    let mut url = place.url.clone();
    for _ in 0..=MOST_REDIRECTS {
        match hop(shared, place, &url, Ask::Head).await? {
            Hop::To(next) => url = next,
            Hop::Answer(response) if response.status().as_u16() == 200 => {
                let length = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
                return Ok(length.and_then(|text| text.trim().parse().ok()));
            }
            Hop::Answer(response) => return Err(Failed::new(&url, Why::Status(response.status().as_u16())).into()),
        }
    }
    let why = format!("redirects more than {MOST_REDIRECTS} times");
    Err(Failed::new(&place.url, Why::Redirect(why)).into())
}
