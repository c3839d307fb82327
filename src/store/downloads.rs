use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::PathBuf;

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

    /// The part file of an input from `host` (`HOST:PORT`), exclusively: another process or task that fetches the same
    /// input waits here (blocking), and then finds the whole in the cache: `None`. The prefix that an earlier run left
    /// is hashed again.
    pub fn part(&self, digest: &Digest, size: u64, host: &str) -> Result<Option<Part>, StoreError> {
        let lock = files::lock_exclusive(&self.parts().join(format!("{}.lock", digest.hex())))?;
        if self.has(digest, size) {
            return Ok(None);
        }
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
