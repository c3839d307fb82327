use std::collections::BTreeSet;

use crate::copy::{Blob, CopyError, Form, Have, Origin, Plan, Root, Sink, Taken};
use crate::digest::Digest;
use crate::oci::Descriptor;

/// Blobs that a sink has not, whatever it says when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absent {
    These(BTreeSet<Digest>),
    All,
}

impl Absent {
    /// None so far.
    pub(super) fn none() -> Absent {
        Absent::These(BTreeSet::new())
    }

    fn has(&self, digest: &Digest) -> bool {
        match self {
            Absent::These(blobs) => blobs.contains(digest),
            Absent::All => true,
        }
    }

    fn is_none(&self) -> bool {
        *self == Absent::none()
    }

    /// Takes note of what was told; whether that is new, so that another try may end otherwise.
    pub(super) fn add(&mut self, error: &CopyError) -> bool {
        let CopyError::Incomplete { blobs, .. } = error else { return false };
        match self {
            Absent::All => false,
            // Which ones is not told.
            Absent::These(_) if blobs.is_empty() => {
                *self = Absent::All;
                true
            }
            Absent::These(known) => {
                let before = known.len();
                known.extend(blobs);
                known.len() > before
            }
        }
    }
}

/// A sink that was wrong about what it has: of manifests it is not asked any more, and not of blobs that it said to have.
pub(super) struct Doubted {
    sink: Box<dyn Sink>,
    absent: Absent,
}

impl Doubted {
    /// The sink itself where nothing is known to be absent.
    pub(super) fn of(sink: Box<dyn Sink>, absent: Absent) -> Box<dyn Sink> {
        if absent.is_none() { sink } else { Box::new(Doubted { sink, absent }) }
    }
}

impl Sink for Doubted {
    fn describe(&self) -> String {
        self.sink.describe()
    }

    fn form(&self) -> Form {
        self.sink.form()
    }

    fn jobs(&self, allowed: usize) -> usize {
        self.sink.jobs(allowed)
    }

    fn have(&self, blobs: &[Descriptor], origin: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        let (absent, asked): (Vec<_>, Vec<_>) = blobs.iter().cloned().partition(|blob| self.absent.has(&blob.digest));
        let mut answers = self.sink.have(&asked, origin)?.into_iter();
        let absent: BTreeSet<Digest> = absent.into_iter().map(|blob| blob.digest).collect();
        let answer = |blob: &Descriptor| match absent.contains(&blob.digest) {
            true => Have::Absent,
            false => answers.next().unwrap_or(Have::Absent),
        };
        Ok(blobs.iter().map(answer).collect())
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        self.sink.begin(plan)
    }

    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        self.sink.take_blob(blob, progress)
    }

    fn take_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        self.sink.take_manifest(descriptor, bytes)
    }

    fn name(&self, roots: &[Root]) -> Result<(), CopyError> {
        self.sink.name(roots)
    }

    fn missing(&self) -> Result<Vec<Descriptor>, CopyError> {
        self.sink.missing()
    }

    fn finish(self: Box<Self>, roots: &[Root]) -> Result<(), CopyError> {
        self.sink.finish(roots)
    }
}
