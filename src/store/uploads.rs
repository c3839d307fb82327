use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, files};
use crate::digest::Digest;

/// An upload into a registry that is under way, or was when its process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadSession {
    /// Where its next bytes go: the newest `Location`. Whoever knows it may often write there, so it is secret.
    pub location: String,
    /// Bytes that the registry is known to have; the registry itself is asked before more are sent.
    pub offset: u64,
    /// When it was kept, in seconds since 1970.
    pub at: u64,
}

/// For so long a session is of use: distribution removes uploads after a week ("uploadpurging").
const LASTS: u64 = 7 * 24 * 3600;

/// The place of one upload's session, held against other processes until it is dropped.
#[derive(Debug)]
pub struct UploadRecord {
    _lock: File,
    lock_path: PathBuf,
    temporary: PathBuf,
    path: PathBuf,
}

impl Store {
    /// The record of the upload of a blob into a repository; `None` where another process is at the same one.
    pub fn upload(&self, registry: &str, repository: &str, blob: &Digest) -> Result<Option<UploadRecord>, StoreError> {
        let folder = self.cache("uploads");
        files::make_folder(&folder)?;
        let key = Digest::of(format!("{registry}\n{repository}\n{blob}").as_bytes()).hex();
        let lock_path = folder.join(format!("{key}.lock"));
        let Some(lock) = files::try_lock(&lock_path)? else { return Ok(None) };
        // Who held it before may have removed the file that was opened here.
        let own = lock.metadata().map_err(StoreError::io("look at", &lock_path))?.ino();
        if fs::metadata(&lock_path).map(|there| there.ino()).ok() != Some(own) {
            return Ok(None);
        }
        let path = folder.join(format!("{key}.json"));
        Ok(Some(UploadRecord { _lock: lock, lock_path, temporary: self.cache("tmp"), path }))
    }
}

impl UploadRecord {
    /// The session that an earlier process left. One that is torn or too old is none.
    pub fn recall(&self, now: u64) -> Option<UploadSession> {
        let session: UploadSession = serde_json::from_slice(&fs::read(&self.path).ok()?).ok()?;
        (now.saturating_sub(session.at) < LASTS).then_some(session)
    }

    /// Keeps a session, which lasts longer than the process.
    pub fn keep(&self, session: &UploadSession) -> Result<(), StoreError> {
        files::write_hint(&self.temporary, &self.path, &crate::oci::to_bytes(session))
    }

    /// Forgets it: the blob is there, or the session is gone.
    pub fn forget(&self) -> Result<(), StoreError> {
        // While it is held, so that whoever opens it next sees that it is another one.
        let _ = fs::remove_file(&self.lock_path);
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }
}
