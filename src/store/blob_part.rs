use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};

use super::files;
use super::{Store, StoreError};
use crate::oci::Descriptor;

/// A large blob that comes from elsewhere, and what an earlier process got of it. Dropped, it stays for the next one; its
/// bytes are hashed again before more are added.
#[derive(Debug)]
pub struct BlobPart {
    file: File,
    path: PathBuf,
    to: PathBuf,
}

/// Blobs of fewer bytes come again faster than their parts are looked after.
const LEAST: u64 = 4 << 20;

impl Store {
    fn blob_part_path(&self, blob: &Descriptor) -> PathBuf {
        self.cache("blob-parts").join(format!("{}-{}", blob.digest.algorithm().name(), blob.digest.hex()))
    }

    /// Bytes of a blob that an earlier process got.
    pub fn blob_part_size(&self, blob: &Descriptor) -> u64 {
        fs::metadata(self.blob_part_path(blob)).map_or(0, |metadata| metadata.len()).min(blob.size)
    }

    /// The part of a blob; `None` for small ones, and where another process is at it.
    pub fn blob_part(&self, blob: &Descriptor) -> Result<Option<BlobPart>, StoreError> {
        if blob.size < LEAST {
            return Ok(None);
        }
        let (path, to) = (self.blob_part_path(blob), self.layout().blob_path(&blob.digest));
        files::make_folder(&self.cache("blob-parts"))?;
        files::make_folder(to.parent().unwrap_or(self.root()))?;
        // Nobody else may write to it either.
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path);
        let file = open.map_err(StoreError::io("make", &path))?;
        let part = BlobPart { file, path, to };
        // Who held it may have given it its final name since it was opened.
        let is_mine = flock(&part.file, FlockOperation::NonBlockingLockExclusive).is_ok() && part.is_there();
        Ok(is_mine.then_some(part))
    }
}

impl BlobPart {
    fn is_there(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let inode = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs::symlink_metadata(&self.path)) {
            (Ok(own), Ok(there)) => inode(own) == inode(there),
            _ => false,
        }
    }

    /// What is there, from the start.
    pub fn content(&mut self) -> Result<impl Read + '_, StoreError> {
        self.file.seek(SeekFrom::Start(0)).map_err(StoreError::io("read", &self.path))?;
        Ok(&mut self.file)
    }

    /// Adds bytes to what was read to its end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(StoreError::io("write", &self.path))
    }

    /// Begins again with nothing.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        let cleared = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        cleared.map(drop).map_err(StoreError::io("write", &self.path))
    }

    /// Gives it its final name. The caller hashed all of it.
    pub fn commit(self) -> Result<(), StoreError> {
        let sealed = self.file.set_permissions(Permissions::from_mode(0o444)).and_then(|()| self.file.sync_data());
        sealed.map_err(StoreError::io("sync", &self.path))?;
        fs::rename(&self.path, &self.to).map_err(StoreError::io("write", &self.to))?;
        let folder = self.to.parent().map(File::open).transpose();
        let synced = folder.and_then(|folder| folder.map_or(Ok(()), |folder: File| folder.sync_all()));
        synced.map_err(|error: io::Error| StoreError::io("sync", &self.to)(error))
    }
}
