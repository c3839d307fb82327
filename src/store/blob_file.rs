use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::files::Temporary;
use super::{Layout, StoreError};
use crate::digest::Digest;
use crate::oci::Descriptor;

/// A blob of a layout as the file that it is: a layout on the same file system takes it by a further name, and no byte of
/// it is written again. docs/store.md says why that is safe.
#[derive(Debug, Clone)]
pub struct BlobFile {
    path: PathBuf,
    written: Option<Stamp>,
}

/// A blob's file that is to have a further name. Dropped without [`BlobLink::commit`], it leaves nothing.
#[derive(Debug)]
pub struct BlobLink {
    temporary: Temporary,
    layout: Layout,
    is_written_here: bool,
}

/// The blobs that this process wrote into a layout, and hashed as it did.
#[derive(Debug, Clone, Default)]
pub(super) struct Written(Arc<Mutex<BTreeMap<Digest, Stamp>>>);

/// What changes when a file is written to or another takes its place: the file's number and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, i64, i64);

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp(metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
    }
}

impl Written {
    /// Remembers a blob.
    pub(super) fn note(&self, digest: &Digest, metadata: &Metadata) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*digest, Stamp::of(metadata));
    }

    fn stamp(&self, digest: &Digest) -> Option<Stamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).copied()
    }
}

impl Layout {
    /// The file of a blob, whether it is there or not.
    pub(super) fn blob_file(&self, digest: &Digest) -> BlobFile {
        BlobFile { path: self.blob_path(digest), written: self.written().stamp(digest) }
    }

    /// Begins to take the file of another layout's blob; `None` where it cannot have a name here: that is another file
    /// system or one without links, or somebody could write to the file, or it is not of the blob's size.
    pub fn link(&self, descriptor: &Descriptor, blob: &BlobFile) -> Option<BlobLink> {
        let file = File::open(&blob.path).ok()?;
        let metadata = file.metadata().ok()?;
        if metadata.len() != descriptor.size || !is_sealed(&metadata) {
            return None;
        }
        Some(BlobLink {
            temporary: Temporary::link(self.root(), &blob.path, file)?,
            layout: self.clone(),
            is_written_here: blob.written == Some(Stamp::of(&metadata)),
        })
    }
}

impl BlobLink {
    /// Whether this process wrote the file and hashed it as it did, and nobody wrote to it since. Any other is to be
    /// verified before it is committed.
    pub fn is_written_here(&self) -> bool {
        self.is_written_here
    }

    /// The file, at its start.
    pub fn file(&self) -> &File {
        &self.temporary.file
    }

    /// Gives it its final name; the caller knows that it has this digest.
    pub fn commit(self, digest: &Digest) -> Result<(), StoreError> {
        self.layout.name_blob(self.temporary, digest)
    }
}

/// Whether nobody can write to it by accident, and nobody else at all: it is read-only, and this user's.
fn is_sealed(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o222 == 0
}
