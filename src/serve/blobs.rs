use std::fs;
use std::io::{self, Read};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE};
use hyper::{HeaderMap, StatusCode};
use tokio::sync::mpsc;

use super::answer::{Answer, Body, Refused, empty, start, with};
use super::repositories::Repositories;
use crate::digest::Digest;
use crate::oci::Descriptor;

/// Bytes that are read and sent at a time.
const PIECE: usize = 1 << 20;

/// Pieces that wait to be sent.
const WAITING: usize = 2;

pub(super) fn unknown() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry")
}

/// Distribution-spec 1.1, "Pulling blobs", with one range of bytes (RFC 9110, 14.2).
pub(super) fn get(
    repositories: &Repositories,
    repository: &str,
    digest: Digest,
    headers: &HeaderMap,
    is_head: bool,
) -> Result<Answer, Refused> {
    if !repositories.has_blob(repository, &digest)? {
        return Err(unknown());
    }
    let store = &repositories.store;
    let size = fs::metadata(store.layout().blob_path(&digest)).map_err(|_| unknown())?.len();
    let etag = format!("\"{digest}\"");
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let range = text(RANGE).filter(|_| text(IF_RANGE).is_none_or(|known| known == etag));
    let mut builder = start(StatusCode::OK);
    let (mut from, mut until) = (0, size);
    match range.map_or(Wanted::All, |range| wanted(range, size)) {
        Wanted::All => {}
        Wanted::Part(first, last) => {
            (from, until) = (first, last + 1);
            builder = start(StatusCode::PARTIAL_CONTENT).header(CONTENT_RANGE, format!("bytes {first}-{last}/{size}"));
        }
        Wanted::None => {
            let refused = Refused::new(StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID", "there are no such bytes");
            return Err(refused.header("content-range", format!("bytes */{size}")));
        }
    }
    let builder = builder
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_LENGTH, until - from)
        .header(ACCEPT_RANGES, "bytes")
        .header("docker-content-digest", digest.to_string())
        .header("etag", etag);
    if is_head {
        return Ok(empty(builder));
    }
    let content = store.open_blob_at(&Descriptor::new("", digest, size), from)?;
    // All of it, so that its end is seen and it is verified.
    let content = if until == size { content } else { Box::new(content.take(until - from)) };
    Ok(with(builder, streamed(content)))
}

/// Which bytes a Range asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(u64, u64),
    None,
}

/// What is no range of bytes, or more than one, is ignored (RFC 9110, 14.2).
fn wanted(range: &str, size: u64) -> Wanted {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Wanted::All;
    };
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u64>().ok(),
        false => None,
    };
    match (number(first), number(last)) {
        (None, Some(0)) if first.is_empty() => Wanted::None,
        (None, Some(count)) if first.is_empty() && size > 0 => Wanted::Part(size.saturating_sub(count), size - 1),
        (Some(first), _) if first >= size => Wanted::None,
        (Some(first), None) if last.is_empty() => Wanted::Part(first, size - 1),
        (Some(first), Some(last)) if first <= last => Wanted::Part(first, last.min(size - 1)),
        _ => Wanted::All,
    }
}

/// A body whose bytes a thread reads, which may wait for the disk. The last piece goes when the end was seen, and with it
/// that the bytes are right: what is damaged never comes whole.
fn streamed(mut content: Box<dyn Read + Send>) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut before = Bytes::new();
        loop {
            let next = piece(&mut content);
            let goes_on = next.as_ref().is_ok_and(|piece| !piece.is_empty());
            let sent = match next {
                Ok(next) => Ok(std::mem::replace(&mut before, next)),
                Err(error) => Err(error),
            };
            let is_nothing = sent.as_ref().is_ok_and(Bytes::is_empty);
            if (!is_nothing && sender.blocking_send(sent).is_err()) || !goes_on {
                return;
            }
        }
    });
    let pieces = stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((piece.map(Frame::data), receiver))
    });
    StreamBody::new(pieces).boxed_unsync()
}

fn piece(content: &mut dyn Read) -> io::Result<Bytes> {
    let mut piece = Vec::with_capacity(PIECE);
    content.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(Bytes::from(piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(wanted("bytes=2-", 10), Wanted::Part(2, 9));
        assert_eq!(wanted("bytes=2-3", 10), Wanted::Part(2, 3));
        assert_eq!(wanted("bytes=2-30", 10), Wanted::Part(2, 9));
        assert_eq!(wanted("bytes=-3", 10), Wanted::Part(7, 9));
        assert_eq!(wanted("bytes=-30", 10), Wanted::Part(0, 9));
        for none in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            assert_eq!(wanted(none, 10), Wanted::None, "{none}");
        }
        for all in ["", "bytes", "items=0-1", "bytes=0-1,4-5", "bytes=3-2", "bytes=-", "bytes=+1-2"] {
            assert_eq!(wanted(all, 10), Wanted::All, "{all}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::None);
    }
}
