use std::io::{self, Write};
use std::path::Path;

use super::files::{self, Temporary};
use super::{Layout, StoreError};
use crate::digest::Digest;

/// A blob under way. Dropped without [`BlobWriter::commit`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    temporary: Temporary,
    layout: Layout,
}

impl BlobWriter {
    pub(super) fn create(temporary_folder: &Path, layout: &Layout) -> Result<BlobWriter, StoreError> {
        Ok(BlobWriter { temporary: Temporary::create(temporary_folder)?, layout: layout.clone() })
    }

    /// Adds bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_all(bytes).map_err(StoreError::io("write", self.temporary.path()))
    }

    /// Syncs the file and gives it its final name. The caller hashed the bytes as it wrote them. A blob of that name
    /// that is there already is replaced by the same bytes, so one that was damaged is mended.
    pub fn commit(self, digest: &Digest) -> Result<(), StoreError> {
        // A layout that others made need not have the folder yet.
        files::make_folder(&self.layout.blob_folder(digest.algorithm()))?;
        self.temporary.rename(&self.layout.blob_path(digest))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.file.flush()
    }
}
