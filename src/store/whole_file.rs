use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::files::{self, Temporary};

/// A file of the user's under way: it lies beside its final place, and takes that place when it is whole. Dropped before,
/// it leaves nothing, and what was there stays.
#[derive(Debug)]
pub struct WholeFile {
    temporary: Temporary,
    target: PathBuf,
}

impl WholeFile {
    /// Begins the file that will be at `target`. What killed processes left there under way is removed.
    pub fn create(target: &Path) -> Result<WholeFile, StoreError> {
        // Through links, so that a link stays one.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        files::sweep(folder, false)?;
        Ok(WholeFile { temporary: Temporary::create(folder)?, target })
    }

    /// Syncs the file and gives it its name.
    pub fn commit(self) -> Result<(), StoreError> {
        self.temporary.rename(&self.target)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.file.flush()
    }
}
