//! The body of an answer on its way into a part file.

use std::time::Duration;

use reqwest::header::TRANSFER_ENCODING;
use reqwest::{Response, Version};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::client::{joined, told};
use super::error::Why;
use crate::event::Task;
use crate::store::{Part, StoreError};

/// Chunks that may wait for the disk; a chunk is at most some hundred KiB.
const QUEUE: usize = 16;

/// Bytes between two events of progress.
const STEP: u64 = 64 << 10;

/// What of a file a body brings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Its first byte; 0 begins the part again.
    pub(super) from: u64,
    /// The byte behind its last.
    pub(super) until: u64,
    /// The size of the file.
    pub(super) size: u64,
}

/// How a transfer ended.
pub(super) struct Carried {
    /// The part, with all that came in it.
    pub(super) part: Part,
    /// Bytes that came.
    pub(super) gained: u64,
    /// Whether the body brought what it should.
    pub(super) end: Result<(), Why>,
}

/// Appends the body to the part. A thread of its own writes, so that no other transfer waits for the disk; when the
/// future is dropped, it writes what had come, and the part stays consistent.
pub(super) async fn carry(
    mut response: Response,
    part: Part,
    span: Span,
    stall: Duration,
    task: &Task,
) -> Result<Carried, StoreError> {
    let ends_itself = response.version() == Version::HTTP_2 || response.headers().contains_key(TRANSFER_ENCODING);
    let (sender, receiver) = mpsc::channel(QUEUE);
    let writer = tokio::task::spawn_blocking(move || write(part, span.from == 0, receiver));
    let mut done = span.from;
    let mut shown = done;
    task.progress(done);
    let end = loop {
        let complete = done == span.until;
        let chunk = match timeout(stall, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            // Nothing but the end was missing.
            _ if complete => break Ok(()),
            Ok(Ok(None)) if ends_itself && span.from == 0 => {
                break Err(Why::Wrong(format!("{done} bytes instead of {}", span.size)));
            }
            Ok(Ok(None)) => break Err(broken("ended", done, span.size, None)),
            Ok(Err(error)) => break Err(broken("broke off", done, span.size, Some(told(error)))),
            Err(_) => break Err(broken("stood still", done, span.size, Some(format!("nothing came for {stall:?}")))),
        };
        let length = chunk.len() as u64;
        if length > span.until - done {
            break Err(Why::Wrong(format!("more than {} bytes", span.until)));
        }
        if sender.send(chunk).await.is_err() {
            // The writer ended early; its error is what `joined` returns.
            break Ok(());
        }
        done += length;
        if done - shown >= STEP || done == span.until {
            shown = done;
            task.progress(done);
        }
    };
    drop(sender);
    let part = joined(writer).await?;
    Ok(Carried { part, gained: done - span.from, end })
}

fn write<B: AsRef<[u8]>>(mut part: Part, restart: bool, mut chunks: mpsc::Receiver<B>) -> Result<Part, StoreError> {
    if restart && part.offset() > 0 {
        part.restart()?;
    }
    while let Some(chunk) = chunks.blocking_recv() {
        part.append(chunk.as_ref())?;
    }
    Ok(part)
}

fn broken(how: &str, done: u64, size: u64, why: Option<String>) -> Why {
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    Why::Broken(format!("{how} after {done} of {size} bytes{why}"))
}
