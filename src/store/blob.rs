use std::io::{self, Write};
use std::path::Path;

use super::files::Temporary;
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
        Ok(BlobWriter { temporary: Temporary::sealed(temporary_folder)?, layout: layout.clone() })
    }

    /// Adds bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_all(bytes).map_err(StoreError::io("write", self.temporary.path()))
    }

    /// Syncs the file and gives it its final name. The caller hashed the bytes as it wrote them. A blob of that name
    /// that is there already is replaced by the same bytes, so one that was damaged is mended.
    pub fn commit(self, digest: &Digest) -> Result<(), StoreError> {
        let BlobWriter { temporary, layout } = self;
        let metadata = temporary.file.metadata().map_err(StoreError::io("look at", temporary.path()))?;
        layout.name_blob(temporary, digest)?;
        layout.written().note(digest, &metadata);
        Ok(())
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
