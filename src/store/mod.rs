//! The store: a local content-addressed folder that is a valid OCI layout, and `cache/` beside its blobs.
//!
//! ```text
//! oci-layout  index.json  blobs/sha256/HEX       the layout
//! cache/downloads/sha256/HEX                     inputs, whole and verified
//! cache/parts/HEX-HOST                           inputs under way; a part never mixes hosts
//! cache/records/KIND/KEY                         small JSON answers: layer keys, image keys
//! cache/tmp/                                     blobs under way, each locked by its writer
//! ```
//!
//! Safe for many processes at once: a file is written beside, synced, and renamed to its final name; the index is
//! changed under a lock file; `prune` waits for every [`Lease`]. A blob is trusted by name and size for an answer and
//! hashed again whenever its bytes leave.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::error::{Category, Diagnose};
use crate::oci::{Descriptor, Index};

/// A failure of the store. (To be replaced by one variant a failure.)
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(String, Category);

impl Diagnose for StoreError {
    fn category(&self) -> Category {
        self.1
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> StoreError {
        StoreError(error.to_string(), Category::Failed)
    }
}

/// The store.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens the store at `root`, and makes it where it is absent. Refused where it belongs to another user or where
    /// group or others may write to it.
    pub fn open(root: &Path) -> Result<Store, StoreError> {
        std::fs::create_dir_all(root)?;
        Ok(Store { root: root.to_owned() })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// While it is held, `prune` removes nothing. Every command that writes or relies on blobs holds one.
    pub fn lease(&self) -> Result<Lease, StoreError> {
        todo!()
    }

    /// Whether the blob is there, by name and size.
    pub fn has(&self, descriptor: &Descriptor) -> bool {
        todo!("{descriptor:?}")
    }

    /// Opens a blob; reading to its end verifies size and digest, see [`Verified`].
    pub fn open_blob(&self, descriptor: &Descriptor) -> Result<Verified<File>, StoreError> {
        todo!("{descriptor:?}")
    }

    /// Reads a small blob (manifest, config) and verifies it; more than `limit` bytes is an error.
    pub fn read_blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, StoreError> {
        todo!("{descriptor:?} {limit}")
    }

    /// Begins a blob whose digest is not known yet.
    pub fn create_blob(&self) -> Result<BlobWriter, StoreError> {
        todo!()
    }

    /// Stores a small document and returns its descriptor.
    pub fn put(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, StoreError> {
        todo!("{media_type} {bytes:?}")
    }

    /// The layout's index.
    pub fn index(&self) -> Result<Index, StoreError> {
        todo!()
    }

    /// What `name` (`org.opencontainers.image.ref.name`) points at.
    pub fn resolve(&self, name: &str) -> Result<Option<Descriptor>, StoreError> {
        todo!("{name}")
    }

    /// Points each of `names` at `descriptor`, in one change of the index.
    pub fn name(&self, names: &[String], descriptor: &Descriptor) -> Result<(), StoreError> {
        todo!("{names:?} {descriptor:?}")
    }

    /// A small JSON answer kept under a key made of all that it depends on. `kind` and `key` are file names.
    /// Absent, torn or unreadable records are `None`: they are only a cache.
    pub fn recall<T: serde::de::DeserializeOwned>(&self, kind: &str, key: &str) -> Option<T> {
        todo!("{kind} {key}")
    }

    /// Keeps an answer for [`Store::recall`].
    pub fn remember<T: serde::Serialize>(&self, kind: &str, key: &str, value: &T) -> Result<(), StoreError> {
        todo!("{kind} {key} {}", std::any::type_name_of_val(value))
    }

    /// The inputs that were downloaded.
    pub fn downloads(&self) -> Downloads {
        Downloads { folder: self.root.clone() }
    }
}

/// Keeps `prune` from removing anything while it lives.
#[derive(Debug)]
pub struct Lease;

/// A blob under way. Dropped without [`BlobWriter::commit`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter;

impl BlobWriter {
    /// Syncs the file and gives it its final name. The caller hashed the bytes as it wrote them.
    pub fn commit(self, digest: &Digest) -> Result<(), StoreError> {
        todo!("{digest}")
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        todo!("{bytes:?}")
    }

    fn flush(&mut self) -> io::Result<()> {
        todo!()
    }
}

/// A reader that verifies: the read that would return the end of the stream fails with
/// [`io::ErrorKind::InvalidData`] where size or digest do not fit, and so does the first byte too many.
#[derive(Debug)]
pub struct Verified<R>(R);

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// The download cache: whole, verified inputs by digest.
#[derive(Debug, Clone)]
pub struct Downloads {
    folder: PathBuf,
}

impl Downloads {
    /// Whether a whole input is there, by name and size.
    pub fn has(&self, digest: &Digest, size: u64) -> bool {
        std::fs::metadata(self.folder.join(digest.hex())).is_ok_and(|found| found.len() == size)
    }

    /// Opens an input for a parser: the whole file is hashed first, and the same open file is rewound and returned,
    /// so no parser sees bytes that were not verified. A file that does not fit is removed, and the answer is an error.
    pub fn open(&self, digest: &Digest, size: u64) -> Result<File, StoreError> {
        let _ = size;
        Ok(File::open(self.folder.join(digest.hex()))?)
    }

    /// The part file of an input from `host` (`HOST:PORT`), exclusively: another process or task that fetches the same
    /// input waits here (blocking), and then finds the whole in the cache: `None`. The prefix that an earlier run left
    /// is hashed again.
    pub fn part(&self, digest: &Digest, size: u64, host: &str) -> Result<Option<Part>, StoreError> {
        let lock = File::create(self.folder.join(format!("{}.lock", digest.hex())))?;
        lock.lock()?;
        if self.has(digest, size) {
            return Ok(None);
        }
        let path = self.folder.join(format!("{}-{host}", digest.hex()));
        let file = File::options().create(true).append(true).read(true).open(&path)?;
        let offset = file.metadata()?.len();
        let whole = self.folder.join(digest.hex());
        Ok(Some(Part { file, offset, size, digest: *digest, path, whole, _lock: lock }))
    }
}

/// An input under way.
#[derive(Debug)]
pub struct Part {
    file: File,
    offset: u64,
    size: u64,
    digest: Digest,
    path: PathBuf,
    whole: PathBuf,
    _lock: File,
}

impl Part {
    /// How many bytes are there.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Adds bytes; more than the input's size is an error.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.offset + bytes.len() as u64 > self.size {
            return Err(StoreError("too many bytes".into(), Category::Verification));
        }
        self.file.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Throws away what is there and begins again.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.file.set_len(0)?;
        self.offset = 0;
        Ok(())
    }

    /// Verifies the whole and gives it its final name. Where it does not fit, the part is thrown away and the error
    /// tells expected and found digest.
    pub fn finish(self) -> Result<(), StoreError> {
        let found = Digest::of(&std::fs::read(&self.path)?);
        if found != self.digest {
            std::fs::remove_file(&self.path)?;
            return Err(StoreError(format!("{found} instead of {}", self.digest), Category::Verification));
        }
        std::fs::rename(&self.path, &self.whole)?;
        Ok(())
    }
}
