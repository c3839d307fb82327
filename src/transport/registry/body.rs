//! The body of an upload: read and hashed on the thread that copies, sent by another.

use std::io::{self, Read};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Session;
use super::token::Actions;
use crate::copy::{Blob, CopyError};
use crate::net::{Answer, Body, Exchange};
use crate::store::Verified;

/// Bytes that are read and sent at a time: what the slowest line that is still one takes within the patience for it.
const PIECE: usize = 256 << 10;

/// Pieces that wait to be sent.
const WAITING: usize = 8;

/// So many times the patience for a transfer, a registry may take to answer when it has all: some read the blob again.
const ANSWER: u32 = 20;

/// The rest of a blob, from an offset on. From the start, it is verified.
pub(super) struct Content<'a> {
    reader: Box<dyn Read + Send + 'a>,
    left: u64,
    pub(super) offset: u64,
}

/// Why no answer came to be looked at.
pub(super) enum Unsent {
    /// The source failed.
    Source(io::Error),
    /// The registry did not answer.
    Registry(CopyError),
    /// It took nothing, or did not answer, for long.
    Stalled,
}

impl<'a> Content<'a> {
    pub(super) fn open(blob: &Blob<'a>, offset: u64) -> Result<Content<'a>, CopyError> {
        let descriptor = blob.descriptor();
        let reader = blob.open(offset)?;
        let reader: Box<dyn Read + Send + 'a> = match offset {
            0 => Box::new(Verified::new(reader, descriptor.digest, descriptor.size)),
            // Whoever has the first bytes verifies the whole.
            _ => reader,
        };
        Ok(Content { reader, left: descriptor.size.saturating_sub(offset), offset })
    }

    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The next piece, of `limit` bytes at most. The last one comes when the end was seen, and so verified.
    fn piece(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        let count = limit.min(self.left).min(PIECE as u64);
        let mut piece = Vec::with_capacity(usize::try_from(count).unwrap_or(PIECE));
        self.reader.by_ref().take(count).read_to_end(&mut piece)?;
        if (piece.len() as u64) < count {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends early"));
        }
        self.left -= count;
        if self.left == 0 && self.reader.read(&mut [0])? > 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "there is more of it than its descriptor says"));
        }
        self.offset += count;
        Ok(piece)
    }
}

/// Sends the next `length` bytes as the body of `ask`; `progress` is called with the offset that was reached.
pub(super) fn send(
    session: &Session,
    runtime: &Handle,
    ask: Exchange,
    content: &mut Content<'_>,
    length: u64,
    progress: &dyn Fn(u64),
) -> Result<Answer, Unsent> {
    let patience = session.client().settings().stall_timeout;
    // Before the registry is asked to wait for it: one that is the source too may answer nothing while it takes a blob.
    let mut first = if length > 0 { Some(content.piece(length).map_err(Unsent::Source)?) } else { None };
    let (sender, pieces) = mpsc::channel(WAITING);
    let ask = ask.header("content-type", "application/octet-stream").body(Body::Stream { length, pieces });
    let sending = session.clone();
    let mut answer = runtime.spawn(async move { sending.send(Actions::Push, ask).await });
    let mut left = length;
    while left > 0 {
        let next = match first.take() {
            Some(piece) => Ok(piece),
            None => content.piece(left),
        };
        let piece = match next {
            Ok(piece) => piece,
            Err(error) => {
                // The request breaks off, so that the registry does not take what is there for the whole.
                answer.abort();
                return Err(Unsent::Source(error));
            }
        };
        let count = piece.len() as u64;
        match runtime.block_on(async { timeout(patience, sender.send(Ok(piece))).await }) {
            Ok(Ok(())) => {}
            // Nobody takes it any more: the answer says why.
            Ok(Err(_)) => break,
            Err(_) => {
                answer.abort();
                return Err(Unsent::Stalled);
            }
        }
        left -= count;
        progress(content.offset);
    }
    drop(sender);
    let waited = runtime.block_on(async { timeout(patience.saturating_mul(ANSWER), &mut answer).await });
    match waited {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(error))) => Err(Unsent::Registry(error)),
        Ok(Err(_)) | Err(_) => {
            answer.abort();
            Err(Unsent::Stalled)
        }
    }
}
