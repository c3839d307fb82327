//! The sessions of large uploads, which are kept for the next process, and what a registry says of one.

use super::learnt::Learnt;
use super::offset::there;
use super::token::Actions;
use super::{Memory, Session};
use crate::copy::CopyError;
use crate::net::{Answer, Exchange, Verb};
use crate::oci::Descriptor;
use crate::store::{UploadRecord, UploadSession};

/// Blobs of fewer bytes are sent again faster than their session is kept.
pub(super) const KEPT: u64 = 4 << 20;

/// The place of one upload's session, where it has one. Sessions are a convenience: where they cannot be kept, the upload
/// goes on without.
#[derive(Debug, Default)]
pub(super) struct Kept(Option<(UploadRecord, u64)>);

/// An upload of an earlier process that can be gone on from.
#[derive(Debug)]
pub(super) struct Resumable {
    pub(super) kept: Kept,
    pub(super) location: String,
    /// Bytes that are there.
    pub(super) offset: u64,
}

/// What a registry says of an upload that broke off.
pub(super) enum Status {
    /// So many bytes are there.
    There(u64),
    /// The session is alive, and how much is there cannot be known.
    Unknown,
    /// The session is gone.
    Gone,
}

impl Kept {
    /// That of a blob. None where the blob is small, the registry cannot go on with a session, or another process is at
    /// the same upload.
    pub(super) fn of(memory: Option<&Memory>, session: &Session, learnt: &Learnt, blob: &Descriptor) -> Kept {
        let open = |memory: &Memory| {
            let repository = session.repository();
            let record = memory.store.upload(&repository.registry, &repository.name, &blob.digest).ok()??;
            Some((record, memory.now))
        };
        Kept(memory.filter(|_| blob.size >= KEPT && learnt.resumes()).and_then(open))
    }

    pub(super) fn keep(&self, location: &str, offset: u64) {
        if let Some((record, now)) = &self.0 {
            let _ = record.keep(&UploadSession { location: location.to_owned(), offset, at: *now });
        }
    }

    pub(super) fn forget(&self) {
        if let Some((record, _)) = &self.0 {
            let _ = record.forget();
        }
    }

    /// What an earlier process left, if the registry still has it. Where nobody answers, what is kept stays for another
    /// time.
    pub(super) async fn resumable(self, session: &Session, blob: &Descriptor) -> Option<Resumable> {
        let (record, now) = self.0.as_ref()?;
        let location = record.recall(*now)?.location;
        match status(session, &location, blob.size).await.ok()? {
            (Status::There(offset), newest) => {
                let location = newest.unwrap_or(location);
                self.keep(&location, offset);
                Some(Resumable { kept: self, location, offset })
            }
            _ => {
                self.forget();
                None
            }
        }
    }
}

/// Asks what is there of a blob of `size` bytes, and for the newest location.
pub(super) async fn status(
    session: &Session,
    location: &str,
    size: u64,
) -> Result<(Status, Option<String>), CopyError> {
    let answer = session.ask(Actions::Push, || Exchange::new(Verb::Get, location)).await?;
    if !matches!(answer.status, 200 | 202 | 204) {
        return Ok((Status::Gone, None));
    }
    let there = answer.header("range").and_then(there).filter(|offset| *offset <= size);
    Ok((there.map_or(Status::Unknown, Status::There), newest(&answer)))
}

/// Where the next bytes go.
pub(super) fn newest(answer: &Answer) -> Option<String> {
    answer.location().map(|(location, _)| location)
}
