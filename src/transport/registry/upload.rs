//! A blob on its way into a repository.

use std::io::{self, Read};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::Session;
use super::token::Actions;
use crate::copy::CopyError;
use crate::error::Category;
use crate::net::{Body, Exchange, Verb};
use crate::oci::Descriptor;
use crate::store::Verified;

/// Bytes that are read and sent at a time.
const PIECE: usize = 1 << 20;

/// Pieces that wait to be sent.
const WAITING: usize = 2;

/// Uploads a blob in one PUT (distribution-spec 1.1, "Pushing a blob monolithically", POST then PUT).
pub(super) fn upload(
    session: &Session,
    runtime: &Handle,
    descriptor: &Descriptor,
    content: &mut dyn Read,
    progress: &dyn Fn(u64),
) -> Result<(), CopyError> {
    let name = descriptor.digest.to_string();
    let url = runtime.block_on(begin(session, &name))?;
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}digest={}", name.replace(':', "%3A"));
    let (sender, pieces) = mpsc::channel(WAITING);
    let ask = Exchange::new(Verb::Put, url)
        .header("content-type", "application/octet-stream")
        .body(Body::Stream { length: descriptor.size, pieces });
    let sending = session.clone();
    let answer = runtime.spawn(async move { sending.send(Actions::Push, ask).await });
    let read = feed(descriptor, content, &sender, progress);
    if let Err(error) = &read {
        // The request breaks off with it, so that the registry does not take what is there for the whole.
        let _ = sender.blocking_send(Err(io::Error::new(error.kind(), "the source failed")));
    }
    drop(sender);
    let answer =
        runtime.block_on(answer).map_err(|error| failed(session, &name, error.to_string(), Category::Failed))?;
    if let Err(error) = read {
        let failed = |error: io::Error| failed(session, &name, error.to_string(), Category::Verification);
        return Err(CopyError::carried(error).unwrap_or_else(failed));
    }
    let answer = answer?;
    match answer.status {
        // 204 was seen.
        200..=204 => Ok(()),
        _ => Err(runtime.block_on(session.refused(&name, answer))),
    }
}

/// Begins an upload, and says where it goes.
async fn begin(session: &Session, name: &str) -> Result<String, CopyError> {
    let url = session.url("blobs/uploads/");
    let answer =
        session.ask(Actions::Push, || Exchange::new(Verb::Post, url.clone()).header("content-length", "0")).await?;
    match (answer.status, answer.location()) {
        (202, Some((location, _))) => Ok(location),
        (202, None) => Err(failed(session, name, "it does not say where to".to_owned(), Category::Refused)),
        _ => Err(session.refused(name, answer).await),
    }
}

/// Reads all of the content and hands it on; stops quietly where nobody takes it any more: the answer says why.
fn feed(
    descriptor: &Descriptor,
    content: &mut dyn Read,
    sender: &mpsc::Sender<io::Result<Vec<u8>>>,
    progress: &dyn Fn(u64),
) -> io::Result<()> {
    let mut content = Verified::new(content, descriptor.digest, descriptor.size);
    let mut done = 0;
    loop {
        let mut piece = vec![0; PIECE];
        let mut filled = 0;
        while filled < PIECE {
            match content.read(&mut piece[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        piece.truncate(filled);
        if piece.is_empty() || sender.blocking_send(Ok(piece)).is_err() {
            return Ok(());
        }
        done += filled as u64;
        progress(done);
    }
}

fn failed(session: &Session, what: &str, why: String, category: Category) -> CopyError {
    let place = format!("docker://{}", session.repository().full_name());
    CopyError::Failed { place, what: what.to_owned(), why, category, hint: None }
}
