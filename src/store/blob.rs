use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::Path;

use rustix::fs::{Advice, fadvise};

use super::files::Temporary;
use super::{Layout, StoreError};
use crate::digest::Digest;

/// So many bytes at a time are sent to the disk while the next are made, so that the sync at the end waits for little.
const PORTION: u64 = 8 << 20;

/// A blob under way. Dropped without [`BlobWriter::commit`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    temporary: Temporary,
    layout: Layout,
    /// Bytes that are on their way to the disk, and those that came after.
    sent: u64,
    unsent: u64,
}

impl BlobWriter {
    pub(super) fn create(temporary_folder: &Path, layout: &Layout) -> Result<BlobWriter, StoreError> {
        Ok(BlobWriter { temporary: Temporary::sealed(temporary_folder)?, layout: layout.clone(), sent: 0, unsent: 0 })
    }

    /// Adds bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_all(bytes).map_err(StoreError::io("write", self.temporary.path()))
    }

    /// Syncs the file and gives it its final name. The caller hashed the bytes as it wrote them. A blob of that name
    /// that is there already is replaced by the same bytes, so one that was damaged is mended.
    pub fn commit(self, digest: &Digest) -> Result<(), StoreError> {
        let BlobWriter { temporary, layout, .. } = self;
        let metadata = temporary.file.metadata().map_err(StoreError::io("look at", temporary.path()))?;
        layout.name_blob(temporary, digest)?;
        layout.written().note(digest, &metadata);
        Ok(())
    }
}

impl BlobWriter {
    /// Linux begins to write what it is told not to keep, and does not wait for it (posix_fadvise(2)); elsewhere it is
    /// written later. The sync at the end tells of what fails.
    fn send(&mut self) {
        let _ = fadvise(&self.temporary.file, self.sent, NonZeroU64::new(self.unsent), Advice::DontNeed);
        self.sent += std::mem::take(&mut self.unsent);
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.temporary.file.write(bytes)?;
        self.unsent += count as u64;
        if self.unsent >= PORTION {
            self.send();
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.file.flush()
    }
}
