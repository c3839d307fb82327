use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::files;
use super::{StoreError, files::list};
use crate::digest::{Digest, Hasher};

/// An input under way, exclusively. What was appended stays for the next run when it is dropped.
#[derive(Debug)]
pub struct Part {
    /// Held until the part is dropped.
    _lock: File,
    file: File,
    path: PathBuf,
    folder: PathBuf,
    whole: PathBuf,
    expected: Digest,
    size: u64,
    offset: u64,
    hasher: HasherState,
}

struct HasherState(Hasher);

impl std::fmt::Debug for HasherState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

impl Part {
    pub(super) fn open(
        lock: File,
        folder: PathBuf,
        whole: PathBuf,
        expected: Digest,
        size: u64,
        host: &str,
    ) -> Result<Part, StoreError> {
        let path = folder.join(format!("{}-{}", expected.hex(), file_name(host)));
        let open = || OpenOptions::new().create(true).truncate(false).read(true).append(true).mode(0o644).open(&path);
        let file = open().map_err(StoreError::io("open the part file", &path))?;
        let hasher = HasherState(Hasher::new(expected.algorithm()));
        let mut part = Part { _lock: lock, file, path, folder, whole, expected, size, offset: 0, hasher };
        part.hash_prefix()?;
        Ok(part)
    }

    /// Hashes what an earlier run left. More than the whole is of no use.
    fn hash_prefix(&mut self) -> Result<(), StoreError> {
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = match self.file.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result.map_err(StoreError::io("read", &self.path))?,
            };
            self.hasher.0.update(&buffer[..count]);
            self.offset += count as u64;
            if self.offset > self.size {
                return self.restart();
            }
            if count == 0 {
                return Ok(());
            }
        }
    }

    /// How many bytes are there.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Adds bytes; more than the input's size is an error.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.offset + bytes.len() as u64 > self.size {
            return Err(self.mismatch("more".to_owned()));
        }
        self.file.write_all(bytes).map_err(StoreError::io("write", &self.path))?;
        self.hasher.0.update(bytes);
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Throws away what is there and begins again.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.file.set_len(0).map_err(StoreError::io("empty", &self.path))?;
        self.hasher = HasherState(Hasher::new(self.expected.algorithm()));
        self.offset = 0;
        Ok(())
    }

    /// Verifies the whole and gives it its final name; parts of it from other hosts are removed. Where it does not fit,
    /// the part is thrown away and the error tells expected and found digest.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let hasher = std::mem::replace(&mut self.hasher, HasherState(Hasher::new(self.expected.algorithm())));
        let found = hasher.0.finish();
        if found != self.expected || self.offset != self.size {
            let error = self.mismatch(format!("{found} of {} bytes", self.offset));
            self.restart()?;
            fs::remove_file(&self.path).map_err(StoreError::io("remove", &self.path))?;
            return Err(error);
        }
        self.file.sync_data().map_err(StoreError::io("sync", &self.path))?;
        if let Some(folder) = self.whole.parent() {
            files::make_folder(folder)?;
        }
        // The folder is not synced: where a crash undoes the new name, the whole part is found under its old one.
        fs::rename(&self.path, &self.whole).map_err(StoreError::io("write", &self.whole))?;
        self.remove_others()
    }

    fn remove_others(&self) -> Result<(), StoreError> {
        let prefix = format!("{}-", self.expected.hex());
        for path in list(&self.folder)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(&prefix) {
                fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
            }
        }
        // The lock file stays: a process that waits for it must find the same file.
        Ok(())
    }

    fn mismatch(&self, found: String) -> StoreError {
        StoreError::Mismatch {
            name: self.path.display().to_string(),
            expected: format!("{} of {} bytes", self.expected, self.size),
            found,
        }
    }
}

/// A file name has 255 bytes at most, and 128 of them may be the input's digest.
const LONGEST_HOST: usize = 100;

/// A host as part of a file name: what is neither letter, digit, `.` nor `-` becomes its number, and a long name its
/// digest, so two hosts never share a file.
fn file_name(host: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let each = |byte: u8| if safe(byte) { char::from(byte).to_string() } else { format!("_{byte:02x}") };
    let name: String = host.bytes().map(each).collect();
    if name.len() > LONGEST_HOST { format!("_{}", Digest::of(host.as_bytes()).hex()) } else { name }
}

/// Removes all parts and their locks, or with `dry_run` only looks for them; returns the count of parts and their bytes.
/// The caller knows that nobody holds one.
pub(super) fn remove_all(folder: &std::path::Path, dry_run: bool) -> Result<(u64, u64), StoreError> {
    let (mut count, mut bytes) = (0, 0);
    for path in files::list(folder)? {
        let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if !dry_run {
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
        if path.extension().is_none_or(|extension| extension != "lock") {
            (count, bytes) = (count + 1, bytes + size);
        }
    }
    Ok((count, bytes))
}
