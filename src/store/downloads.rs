use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::files;
use super::{Part, StoreError, Verified};
use crate::digest::{Algorithm, Digest};

/// The download cache: whole, verified inputs by digest; cheap to clone.
#[derive(Debug, Clone)]
pub struct Downloads {
    cache: PathBuf,
}

impl Downloads {
    pub(super) fn new(cache: PathBuf) -> Downloads {
        Downloads { cache }
    }

    /// Whether a whole input is there, by name and size.
    pub fn has(&self, digest: &Digest, size: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|metadata| metadata.len() == size)
    }

    /// The size of an input that is there, by name.
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// Opens an input for a parser: the whole file is hashed first, and the same open file is rewound and returned, so
    /// no parser sees bytes that were not verified. A file that does not fit is removed, and the answer is an error.
    pub fn open(&self, digest: &Digest, size: u64) -> Result<File, StoreError> {
        let path = self.path(digest);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::Absent { digest: *digest, path });
            }
            result => result.map_err(StoreError::io("read", &path))?,
        };
        let verified = io::copy(&mut Verified::new(&mut file, *digest, size), &mut io::sink());
        if let Err(error) = verified {
            if error.kind() == io::ErrorKind::InvalidData {
                fs::remove_file(&path).map_err(StoreError::io("remove the damaged file", &path))?;
            }
            return Err(StoreError::io("use the cached input", &path)(error));
        }
        file.rewind().map_err(StoreError::io("read", &path))?;
        Ok(file)
    }

    /// Begins an input that comes from elsewhere than the network: a member of an archive, a folder of the user's.
    /// `name` is what people call it.
    pub fn create(&self, name: &str, digest: &Digest, size: u64) -> Result<NewInput, StoreError> {
        files::make_folder(&self.folder(digest.algorithm()))?;
        Ok(NewInput {
            temporary: files::Temporary::create(&self.cache.join("tmp"))?,
            name: name.to_owned(),
            whole: self.path(digest),
            expected: *digest,
            size,
            written: 0,
            hasher: crate::digest::Hasher::new(digest.algorithm()),
        })
    }

    /// The part file of an input from `host` (`HOST:PORT`), exclusively: another process or task that fetches the same
    /// input waits here (blocking), and then finds the whole in the cache: `None`. The prefix that an earlier run left
    /// is hashed again.
    pub fn part(&self, digest: &Digest, size: u64, host: &str) -> Result<Option<Part>, StoreError> {
        let lock = files::lock_exclusive(&self.parts().join(format!("{}.lock", digest.hex())))?;
        if self.has(digest, size) {
            return Ok(None);
        }
        files::make_folder(&self.folder(digest.algorithm()))?;
        Part::open(lock, self.parts(), self.path(digest), *digest, size, host).map(Some)
    }

    /// Keeps a small document that was fetched and verified otherwise.
    pub fn insert(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if !self.has(&digest, bytes.len() as u64) {
            files::write_whole(&self.cache.join("tmp"), &self.path(&digest), bytes)?;
        }
        Ok(digest)
    }

    /// Writes an input to a place outside of the store, whole or not at all, and verifies it on the way. What is there
    /// already stays, if it is the same. What killed processes left in the folder is removed.
    pub fn export(&self, digest: &Digest, size: u64, to: &Path) -> Result<(), StoreError> {
        if let Ok(file) = File::open(to)
            && io::copy(&mut Verified::new(file, *digest, size), &mut io::sink()).is_ok()
        {
            return Ok(());
        }
        let folder = to.parent().unwrap_or(Path::new("/"));
        files::make_folder(folder)?;
        files::sweep(folder, false)?;
        let mut file = self.open(digest, size)?;
        let mut temporary = files::Temporary::create(folder)?;
        io::copy(&mut file, &mut temporary.file).map_err(StoreError::io("write", to))?;
        temporary.rename(to)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder(digest.algorithm()).join(digest.hex())
    }

    fn folder(&self, algorithm: Algorithm) -> PathBuf {
        self.cache.join("downloads").join(algorithm.name())
    }

    /// All whole inputs.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut all = files::list(&self.folder(Algorithm::Sha256))?;
        all.extend(files::list(&self.folder(Algorithm::Sha512))?);
        Ok(all)
    }

    pub(super) fn parts(&self) -> PathBuf {
        self.cache.join("parts")
    }
}

/// An input under way, hashed as it is written. Dropped without [`NewInput::commit`], it leaves nothing.
pub struct NewInput {
    temporary: files::Temporary,
    name: String,
    whole: PathBuf,
    expected: Digest,
    size: u64,
    written: u64,
    hasher: crate::digest::Hasher,
}

impl NewInput {
    /// Adds all that `content` has, but no more than a byte too many; a failure to read it is told by `unreadable`.
    pub fn append_all<E: From<StoreError>>(
        &mut self,
        content: &mut dyn Read,
        unreadable: impl FnOnce(io::Error) -> E,
    ) -> Result<(), E> {
        let mut content = content.take(self.size + 1);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = match content.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(error)),
            };
            let bytes = &buffer[..count];
            self.temporary.file.write_all(bytes).map_err(StoreError::io("write", self.temporary.path()))?;
            self.hasher.update(bytes);
            self.written += count as u64;
        }
    }

    /// Gives it its final name. Where its bytes are not those expected, the error tells what they are.
    pub fn commit(self) -> Result<(), StoreError> {
        let found = self.hasher.finish();
        if found != self.expected || self.written != self.size {
            return Err(StoreError::Mismatch {
                name: self.name,
                expected: format!("{} of {} bytes", self.expected, self.size),
                found: format!("{found} of {} bytes", self.written),
            });
        }
        self.temporary.rename(&self.whole)
    }
}

impl std::fmt::Debug for NewInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewInput").field("name", &self.name).field("expected", &self.expected).finish_non_exhaustive()
    }
}
