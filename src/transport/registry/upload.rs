//! A blob on its way into a repository (distribution-spec 1.1, "Pushing Blobs").
//!
//! One PUT where that will do. After a break the registry is asked what it has, and the rest goes by PATCH; where it has
//! nothing, the blob begins again. What large blobs need for that is kept in the store, for the next process.

use std::io;
use std::time::Duration;

use tokio::runtime::Handle;

use super::body::{self, Content, Unsent};
use super::kept::{KEPT, Kept, Resumable, Status, newest, status};
use super::learnt::Learnt;
use super::offset::{ending, least_chunk, there};
use super::redirect::{PAGE, is_page};
use super::token::Actions;
use super::{Memory, Session};
use crate::copy::{Blob, CopyError, Taken};
use crate::error::Category;
use crate::net::{Answer, Exchange, Tries, Verb};

/// The most of a refusal that is looked into for its code.
const REFUSAL: usize = 8 << 10;

/// Where blobs go.
pub(super) struct Target<'a> {
    pub(super) session: &'a Session,
    pub(super) runtime: &'a Handle,
    pub(super) learnt: &'a Learnt,
    pub(super) memory: Option<&'a Memory>,
}

/// An upload under way.
struct Upload<'a> {
    target: &'a Target<'a>,
    blob: &'a Blob<'a>,
    name: String,
    kept: Kept,
    progress: &'a dyn Fn(u64),
    location: String,
    /// `OCI-Chunk-Min-Length`.
    least: u64,
    /// Bytes that are there.
    offset: u64,
    tries: Tries,
    /// Whether it found another digest once.
    differed: bool,
}

/// How an upload began.
enum Begun {
    Session,
    Mounted,
    Present,
}

/// A try that failed.
struct Trouble {
    error: Box<CopyError>,
    kind: Kind,
    /// How long the registry asks to wait.
    asked: Option<Duration>,
}

enum Kind {
    /// It will fail again.
    Final,
    /// It may do better from where it broke off.
    Broken,
    /// It does not take what was sent from there.
    Offset,
    /// Fewer bytes in one request may do.
    TooLarge(u64),
    /// It answers well and takes nothing.
    Dropped,
    /// It found another digest.
    Digest,
}

/// Takes a blob; `from` is another repository of the same registry that has it, `resumable` what an earlier process left
/// of it.
pub(super) fn upload(
    target: &Target<'_>,
    blob: &Blob<'_>,
    from: Option<&str>,
    resumable: Option<Resumable>,
    progress: &dyn Fn(u64),
) -> Result<Taken, CopyError> {
    let resumed = resumable.is_some();
    let Resumable { kept, location, offset } = resumable.unwrap_or_else(|| Resumable {
        kept: Kept::of(target.memory, target.session, target.learnt, blob.descriptor()),
        location: String::new(),
        offset: 0,
    });
    let name = blob.descriptor().digest.to_string();
    let (tries, least, differed) = (target.session.client().tries(), 0, false);
    let mut upload = Upload { target, blob, name, kept, progress, location, least, offset, tries, differed };
    if !resumed {
        let taken = match upload.begin(from)? {
            Begun::Session => None,
            Begun::Mounted => Some(Taken::Mounted),
            Begun::Present => Some(Taken::Present),
        };
        if let Some(taken) = taken {
            upload.kept.forget();
            return Ok(taken);
        }
    }
    let from = upload.offset;
    loop {
        let before = upload.offset;
        match upload.attempt() {
            Ok(()) => break,
            Err(trouble) => upload.recover(trouble, before)?,
        }
    }
    upload.kept.forget();
    Ok(Taken::Sent { from })
}

impl Upload<'_> {
    fn size(&self) -> u64 {
        self.blob.descriptor().size
    }

    fn keep(&self) {
        self.kept.keep(&self.location, self.offset);
    }

    // ---- requests -----------------------------------------------------------------------------------------------

    /// Begins an upload, by a mount where another repository has the blob.
    fn begin(&mut self, from: Option<&str>) -> Result<Begun, CopyError> {
        let from = from.filter(|_| self.target.learnt.mounts());
        let (session, runtime) = (self.target.session, self.target.runtime);
        let plain = session.url("blobs/uploads/");
        let url = match from {
            Some(from) => {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.append_pair("mount", &self.name).append_pair("from", from);
                format!("{plain}?{}", query.finish())
            }
            None => plain,
        };
        let make = || Exchange::new(Verb::Post, url.clone()).header("content-length", "0");
        let answer = match from {
            Some(from) => runtime.block_on(session.ask_mounting(from, make))?,
            None => runtime.block_on(session.ask(Actions::Push, make))?,
        };
        match (answer.status, from) {
            (201, Some(_)) => return Ok(Begun::Mounted),
            (202, _) => {}
            // Harbor answers 401 where the other repository is not there (goharbor/harbor, issue 17097).
            (400..=499, Some(_)) => {
                if matches!(answer.status, 400 | 405) {
                    self.target.learnt.cannot_mount();
                }
                return self.begin(None);
            }
            _ => return Err(runtime.block_on(session.refused(&self.name, answer))),
        }
        let Some(location) = newest(&answer) else {
            return Err(self.failed("it does not say where the blob goes".to_owned(), Category::Refused));
        };
        self.least = least_chunk(answer.header("oci-chunk-min-length"));
        (self.location, self.offset) = (location, 0);
        if from.is_some() && self.size() >= KEPT && self.is_there()? {
            return Ok(Begun::Present);
        }
        self.keep();
        Ok(Begun::Session)
    }

    /// Whether the repository has the blob: asked where a mount was expected to do and did not.
    fn is_there(&self) -> Result<bool, CopyError> {
        let (session, runtime) = (self.target.session, self.target.runtime);
        let url = session.url(&format!("blobs/{}", self.name));
        let answer = runtime.block_on(session.ask(Actions::Push, || Exchange::new(Verb::Head, url.clone())))?;
        Ok(matches!(answer.status, 200 | 301..=308))
    }

    /// Asks for what is there.
    fn status(&mut self) -> Result<Status, CopyError> {
        let Target { session, runtime, .. } = self.target;
        let (status, newest) = runtime.block_on(status(session, &self.location, self.size()))?;
        self.location = newest.unwrap_or_else(|| std::mem::take(&mut self.location));
        Ok(status)
    }

    /// Takes the newest location.
    fn follow(&mut self, answer: &Answer) {
        if let Some(location) = newest(answer) {
            self.location = location;
        }
    }

    /// Sends all that is not there.
    fn attempt(&mut self) -> Result<(), Trouble> {
        let mut content = Content::open(self.blob, self.offset).map_err(Trouble::last)?;
        while let Some(count) = self.target.learnt.chunk(self.offset, content.left(), self.least) {
            if count == 0 {
                break;
            }
            self.patch(&mut content, count)?;
        }
        self.put(&mut content)
    }

    fn patch(&mut self, content: &mut Content<'_>, count: u64) -> Result<(), Trouble> {
        let range = format!("{}-{}", self.offset, self.offset + count - 1);
        let ask = Exchange::new(Verb::Patch, self.location.clone()).header("content-range", range);
        let answer = self.send(ask, content, count)?;
        match answer.status {
            201 | 202 => {}
            _ => return Err(self.refused(answer, count)),
        }
        self.follow(&answer);
        let reached = self.offset + count;
        let told = answer.header("range").and_then(there);
        // Some are one off here, which does no harm.
        if told.is_some_and(|told| told.saturating_add(1) < reached) {
            let error = self.failed("it did not take a chunk".to_owned(), Category::Refused);
            return Err(Trouble { error: Box::new(error), kind: Kind::Dropped, asked: None });
        }
        self.offset = reached;
        self.keep();
        Ok(())
    }

    /// Ends the upload, with all that is left.
    fn put(&mut self, content: &mut Content<'_>) -> Result<(), Trouble> {
        let count = content.left();
        let ask = Exchange::new(Verb::Put, ending(&self.location, &self.name));
        let answer = self.send(ask, content, count)?;
        match answer.status {
            200..=204 if is_page(&answer) => Err(Trouble::last(self.failed(PAGE.to_owned(), Category::Refused))),
            // 204 was seen.
            200..=204 => Ok(()),
            _ => Err(self.refused(answer, count)),
        }
    }

    fn send(&self, ask: Exchange, content: &mut Content<'_>, count: u64) -> Result<Answer, Trouble> {
        let Target { session, runtime, .. } = self.target;
        body::send(session, runtime, ask, content, count, self.progress).map_err(|unsent| match unsent {
            Unsent::Source(error) => {
                if error.kind() == io::ErrorKind::InvalidData {
                    // What was sent of it is of no use to anybody.
                    self.kept.forget();
                }
                Trouble::last(self.source_failed(error))
            }
            Unsent::Registry(error) => Trouble { error: Box::new(error), kind: Kind::Broken, asked: None },
            Unsent::Stalled => {
                let error = self.failed("it takes nothing any more".to_owned(), Category::Refused);
                Trouble { error: Box::new(error), kind: Kind::Broken, asked: None }
            }
        })
    }

    // ---- what went wrong ----------------------------------------------------------------------------------------

    fn source_failed(&self, error: io::Error) -> CopyError {
        let category = match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Category::Verification,
            _ => Category::Failed,
        };
        // A source that is another registry says what failed there.
        match error.downcast::<CopyError>() {
            Ok(error) => error,
            Err(error) => {
                let (place, what) = (self.blob.source(), self.name.clone());
                CopyError::Failed { place, what, why: error.to_string(), category, hint: None }
            }
        }
    }

    /// What an answer to `sent` bytes means that is no success.
    fn refused(&self, mut answer: Answer, sent: u64) -> Trouble {
        let runtime = self.target.runtime;
        let (status, asked) = (answer.status, answer.retry_after());
        let told = String::from_utf8_lossy(runtime.block_on(answer.peek(REFUSAL))).into_owned();
        let kind = match status {
            413 => Kind::TooLarge(sent),
            // GHCR answers so to chunks of more than 4 MiB.
            416 if told.contains("too large") => Kind::TooLarge(sent),
            _ if told.contains("DIGEST_INVALID") => Kind::Digest,
            // The session is gone, or not where it was thought to be.
            _ if told.contains("BLOB_UPLOAD_INVALID") || told.contains("BLOB_UPLOAD_UNKNOWN") => Kind::Broken,
            // A token that ended; whoever asks for the status next gets a new one.
            401 => Kind::Broken,
            400..=499 if self.offset > 0 || matches!(status, 404 | 416) => Kind::Offset,
            _ if answer.passes() => Kind::Broken,
            _ => Kind::Final,
        };
        let error = runtime.block_on(self.target.session.refused(&self.name, answer));
        Trouble { error: Box::new(error), kind, asked }
    }

    /// Makes the next try possible, or gives up. `before` is where the one that failed began.
    fn recover(&mut self, trouble: Trouble, before: u64) -> Result<(), CopyError> {
        let learnt = self.target.learnt;
        match trouble.kind {
            Kind::Final => return Err(*trouble.error),
            Kind::TooLarge(sent) if !learnt.too_large(sent) => return Err(*trouble.error),
            Kind::Dropped if !learnt.drops_chunks() => return Err(*trouble.error),
            Kind::TooLarge(_) | Kind::Dropped => return self.restart(),
            Kind::Digest if self.differed => return Err(self.other_digest(*trouble.error)),
            Kind::Digest => {
                // Its bytes were verified here, or will be now that all of them are sent in one run.
                self.differed = true;
                return self.restart();
            }
            Kind::Broken | Kind::Offset => {}
        }
        let was_refused = matches!(trouble.kind, Kind::Offset);
        self.wait(trouble.asked.unwrap_or_default())?;
        let status = if learnt.resumes() { self.status()? } else { Status::Unknown };
        let there = if let Status::There(offset) = status { offset } else { 0 };
        let gained = there.saturating_sub(before);
        let Some(wait) = self.tries.failed(gained, None) else { return Err(*trouble.error) };
        self.wait(wait)?;
        match status {
            // It says again where to go on, and does not take it there.
            Status::There(offset) if was_refused && offset == before => {}
            Status::There(offset) => {
                self.offset = offset;
                self.keep();
                return Ok(());
            }
            Status::Unknown => {}
            Status::Gone => learnt.lost_session(),
        }
        self.restart()
    }

    fn restart(&mut self) -> Result<(), CopyError> {
        self.kept.forget();
        (self.progress)(0);
        self.begin(None).map(|_| ())
    }

    /// Waits, unless the copy ends.
    fn wait(&self, wait: Duration) -> Result<(), CopyError> {
        const STEP: Duration = Duration::from_millis(100);
        let mut left = wait.min(self.target.session.client().settings().longest_wait);
        while !left.is_zero() {
            if self.blob.is_stopped() {
                return Err(self.failed("the copy ended".to_owned(), Category::Refused));
            }
            self.target.runtime.block_on(async { tokio::time::sleep(left.min(STEP)).await });
            left = left.saturating_sub(STEP);
        }
        Ok(())
    }

    fn other_digest(&self, error: CopyError) -> CopyError {
        match error {
            CopyError::Failed { place, what, why, .. } => CopyError::Failed {
                place,
                what,
                why: format!("the bytes that were sent fit, and the registry found another digest, twice: {why}"),
                category: Category::Verification,
                hint: Some(
                    "something between here and there changes bytes: a proxy, or a disk of the registry".to_owned(),
                ),
            },
            other => other,
        }
    }

    fn failed(&self, why: String, category: Category) -> CopyError {
        let place = format!("docker://{}", self.target.session.repository().full_name());
        CopyError::Failed { place, what: self.name.clone(), why, category, hint: None }
    }
}

impl Trouble {
    /// One after which no try is made.
    fn last(error: CopyError) -> Trouble {
        Trouble { error: Box::new(error), kind: Kind::Final, asked: None }
    }
}
