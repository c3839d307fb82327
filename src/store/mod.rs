//! The store: a local content-addressed folder that is a valid OCI layout, and `cache/` beside its blobs.
//!
//! ```text
//! oci-layout  index.json  blobs/ALGORITHM/HEX       the layout
//! index.lock                                     held while the index changes
//! cache/lease                                    held by whoever relies on blobs; `prune` waits for all
//! cache/downloads/ALGORITHM/HEX                     inputs, whole and verified
//! cache/parts/HEX-HOST                           inputs under way; a part never mixes hosts
//! cache/records/KIND/KEY                         small JSON answers: layer keys, who vouched for an input
//! cache/uploads/KEY.json                         uploads into registries under way, each locked by its process
//! cache/presence/KEY.json                        what registries are known to have, with an end
//! cache/blob-parts/ALGORITHM-HEX                 large blobs of images under way, each locked by its process
//! cache/tmp/                                     files under way, each locked by its writer
//! ```
//!
//! Safe for many processes at once: a file is written beside, synced, and renamed to its final name; the index is
//! changed under a lock file; `prune` waits for every [`Lease`]. A blob is trusted by name and size for an answer and
//! hashed again whenever its bytes leave.

mod blob;
mod blob_file;
mod blob_part;
mod check;
mod downloads;
mod error;
mod files;
mod index;
mod layout;
mod part;
mod presence;
mod prune;
mod records;
mod uploads;
mod verified;
mod whole_file;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::oci::Descriptor;

pub use blob::BlobWriter;
pub use blob_file::{BlobFile, BlobLink};
pub use blob_part::BlobPart;
pub use check::Finding;
pub use downloads::{Downloads, NewInput};
pub use error::StoreError;
pub use index::{NAME, Named};
pub use layout::{LAYOUT, Layout};
pub use part::Part;
pub use presence::{Known, Learnt, Presence};
pub use prune::{PruneOptions, Pruned};
pub use records::VOUCHED;
pub use uploads::{UploadRecord, UploadSession};
pub use verified::Verified;
pub use whole_file::WholeFile;

/// The store; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    layout: Layout,
}

impl Store {
    /// Opens the store at `root`, and makes it where it is absent. Refused where it belongs to another user or where
    /// group or others may write to it: whoever may write there could change images.
    pub fn open(root: &Path) -> Result<Store, StoreError> {
        // First of all: nothing is left in a folder that is refused.
        if root.is_dir() {
            files::refuse_others(root)?;
        }
        let layout = Layout::open(root)?;
        files::refuse_others(root)?;
        let cache = root.join("cache");
        if !cache.join("tmp").is_dir() {
            for folder in ["downloads/sha256", "parts", "records", "tmp"] {
                files::make_folder(&cache.join(folder))?;
            }
        }
        Ok(Store { layout })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// Its blobs and its index.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// While it is held, `prune` removes nothing. Every command that writes or relies on blobs holds one. Waits for a
    /// `prune` under way. What killed processes left under way is removed.
    pub fn lease(&self) -> Result<Lease, StoreError> {
        let lease = files::lock_shared(&self.cache("lease")).map(Lease)?;
        files::sweep(&self.cache("tmp"), false)?;
        self.layout.sweep()?;
        Ok(lease)
    }

    /// Whether the blob is there, by name and size. One that others may write to is not: a layout may share the file, and
    /// somebody may have given that to another user.
    pub fn has(&self, descriptor: &Descriptor) -> bool {
        let found = self.layout.look_at(descriptor);
        found.is_some_and(|metadata| files::refuse_if_of_others(self.root(), &metadata).is_ok())
    }

    /// Opens a blob; reading to its end verifies size and digest, see [`Verified`]. Refused where others may write to it.
    pub fn open_blob(&self, descriptor: &Descriptor) -> Result<Verified<File>, StoreError> {
        let path = self.layout.blob_path(&descriptor.digest);
        let file = self.layout.open_file(descriptor)?;
        let metadata = file.metadata().map_err(StoreError::io("look at", &path))?;
        files::refuse_if_of_others(&path, &metadata)?;
        Ok(Verified::new(file, descriptor.digest, descriptor.size))
    }

    /// A blob as the file that it is, for [`Layout::link`].
    pub fn blob_file(&self, descriptor: &Descriptor) -> BlobFile {
        self.layout.blob_file(&descriptor.digest)
    }

    /// Opens a blob at an offset in bytes: reading from 0 to the end verifies it.
    pub fn open_blob_at(&self, descriptor: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>, StoreError> {
        if offset == 0 {
            return Ok(Box::new(self.open_blob(descriptor)?));
        }
        self.layout.open_blob_at(descriptor, offset)
    }

    /// Begins a blob whose digest is not known yet.
    pub fn create_blob(&self) -> Result<BlobWriter, StoreError> {
        BlobWriter::create(&self.cache("tmp"), &self.layout)
    }

    /// Stores a small document and returns its descriptor.
    pub fn put(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, StoreError> {
        let descriptor = Descriptor::of(media_type, bytes);
        if !self.has(&descriptor) {
            let mut blob = self.create_blob()?;
            blob.append(bytes)?;
            blob.commit(&descriptor.digest)?;
        }
        Ok(descriptor)
    }

    /// What `name` (`org.opencontainers.image.ref.name`) points at.
    pub fn resolve(&self, name: &str) -> Result<Option<Descriptor>, StoreError> {
        self.layout.resolve(name)
    }

    /// Points each of `names` at `descriptor`, in one change of the index.
    pub fn name(&self, names: &[String], descriptor: &Descriptor) -> Result<(), StoreError> {
        self.layout.name(names, descriptor)
    }

    /// The inputs that were downloaded.
    pub fn downloads(&self) -> Downloads {
        Downloads::new(self.cache(""))
    }

    fn cache(&self, below: &str) -> PathBuf {
        self.root().join("cache").join(below)
    }
}

/// Keeps `prune` from removing anything while it lives.
#[derive(Debug)]
pub struct Lease(#[allow(dead_code, reason = "the open file holds the lock")] File);
