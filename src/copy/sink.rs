use super::{Blob, CopyError, Origin, Plan, Root};
use crate::oci::Descriptor;

/// What a sink takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Blobs and manifests as they are, of any number of platforms.
    AsIs,
    /// Images of one platform each: configurations as they are, and layers as tars, which are known by their diff ids.
    /// There are no manifests.
    Tars,
}

/// Whether a sink has a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Have {
    /// It is there.
    Present,
    /// Another repository of the same registry is known to have it, from where it need not be sent.
    Mountable,
    /// So many of its first bytes are there.
    PartAt(u64),
    /// It is not.
    Absent,
}

/// How a sink took a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was sent, from this offset on.
    Sent {
        /// Bytes of it that were there before.
        from: u64,
    },
    /// It was mounted from another repository.
    Mounted,
    /// It was there after all.
    Present,
}

/// Where images go.
///
/// Contract: until [`Sink::name`] or [`Sink::finish`] no name points at anything new; blobs and upload sessions may stay for the next run
/// when it is never called. Blobs come in the order of the plan, each once and before the manifests that name it, as many
/// at once as [`Sink::jobs`] says; a manifest comes before an index that names it, and a subject before its referrers. A
/// sink verifies what it takes and keeps nothing that does not fit its descriptor.
pub trait Sink: Send + Sync {
    /// What it is, for errors: `oci:DIR`.
    fn describe(&self) -> String;

    /// What it takes; the plan is made accordingly.
    fn form(&self) -> Form {
        Form::AsIs
    }

    /// Blobs that it takes at once, of those that the user allows.
    fn jobs(&self, _allowed: usize) -> usize {
        1
    }

    /// Whether a root is there whole and under all of its names, so that nothing is to be done: where that costs less to
    /// ask than its parts.
    fn holds(&self, _root: &Root) -> Result<bool, CopyError> {
        Ok(false)
    }

    /// Which of these blobs are there. `origin` is where they come from.
    fn have(&self, blobs: &[Descriptor], origin: Option<&Origin>) -> Result<Vec<Have>, CopyError>;

    /// Whether a manifest and all that it names is there. Where only the parts can be asked for, false.
    fn has_manifest(&self, _manifest: &Descriptor) -> Result<bool, CopyError> {
        Ok(false)
    }

    /// Told what will come, before anything does; refuses what it cannot hold.
    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError>;

    /// Takes a blob; `progress` is called with the bytes that are there so far.
    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError>;

    /// Takes the bytes of a manifest or index, as they are.
    fn take_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError>;

    /// Points the names of each root at it, where that may be refused for a blob that is missing; what else there is to do
    /// is left to [`Sink::finish`]. A sink whose names cannot be refused does nothing here.
    fn name(&self, _roots: &[Root]) -> Result<(), CopyError> {
        Ok(())
    }

    /// After a manifest or name was refused: which blobs that [`Sink::have`] called present are not there after all, because that
    /// was only remembered. They are taken then, and all manifests and names once more. Where the reason was another one, none.
    fn missing(&self) -> Result<Vec<Descriptor>, CopyError> {
        Ok(Vec::new())
    }

    /// Points the names of each root at it, where [`Sink::name`] did not.
    fn finish(self: Box<Self>, roots: &[Root]) -> Result<(), CopyError>;
}
