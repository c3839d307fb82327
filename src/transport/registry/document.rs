use super::Session;
use super::redirect::{read, refused};
use crate::copy::CopyError;
use crate::net::{Answer, Why};

/// A small document, not verified.
pub(super) struct Document {
    /// Its media type, without parameters, as it was told.
    pub(super) media_type: String,
    /// Its Link headers.
    pub(super) links: Vec<String>,
    /// It, whole.
    pub(super) bytes: Vec<u8>,
}

/// Reads a document of `limit` bytes at most, and again where it breaks off. Where there is none, what was answered.
pub(super) async fn document(
    session: &Session,
    what: &str,
    url: &str,
    accept: &str,
    limit: u64,
) -> Result<Result<Document, Answer>, CopyError> {
    let mut tries = session.client().tries();
    loop {
        let mut answer = read(session, what, url, &[("accept", accept.to_owned())]).await?;
        if answer.status != 200 {
            return Ok(Err(answer));
        }
        let media_type = plain(answer.header("content-type").unwrap_or_default()).to_owned();
        let links = answer.headers("link").into_iter().map(str::to_owned).collect();
        let failure = match answer.whole(limit).await {
            Ok(bytes) => return Ok(Ok(Document { media_type, links, bytes })),
            Err(failure) => failure,
        };
        let wait = if matches!(failure.why, Why::Broken(_)) { tries.failed(0, None) } else { None };
        let Some(wait) = wait else { return Err(refused(session, what, failure.to_string())) };
        tokio::time::sleep(wait).await;
    }
}

/// A media type without parameters.
pub(super) fn plain(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}
