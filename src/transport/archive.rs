use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::layout::damaged;
use crate::copy::CopyError;
use crate::error::Category;
use crate::layer::{Entry, EntryKind, EntryPath, Origin, tar_header};
use crate::oci::Descriptor;
use crate::store::{StoreError, Verified, WholeFile};

/// All files of an archive have this time, so that the same images give the same bytes.
const TIME: u64 = 0;

const BLOCK: u64 = 512;

/// A tar under way, in one pass: into a file that gets its name when it is whole, or into a stream.
pub struct Archive {
    place: String,
    out: Out,
}

enum Out {
    File(WholeFile),
    Stream(Box<dyn Write + Send>),
}

impl Archive {
    /// The archive that will be at `path`, whole or not at all; a file that is there is replaced. What is there and is no
    /// file (a pipe) is written to as it is. `place` is what messages call it.
    pub fn at(place: &str, path: &Path) -> Result<Archive, CopyError> {
        let out = match path.metadata() {
            Ok(metadata) if !metadata.is_file() => {
                let opened = OpenOptions::new().write(true).open(path);
                Out::Stream(Box::new(opened.map_err(|error| unwritten(place, &error))?))
            }
            _ => Out::File(WholeFile::create(path).map_err(|error| uncreated(place, &error))?),
        };
        Ok(Archive { place: place.to_owned(), out })
    }

    /// An archive that goes into a stream. What is written there is not taken back when the copy fails.
    pub fn to(place: &str, stream: impl Write + Send + 'static) -> Archive {
        Archive { place: place.to_owned(), out: Out::Stream(Box::new(stream)) }
    }

    /// What messages call it.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Adds a folder.
    pub(super) fn folder(&mut self, path: &str) -> Result<(), CopyError> {
        let header = self.header(path, EntryKind::Directory, 0o755)?;
        self.write(&header)
    }

    /// Adds a file of these bytes.
    pub(super) fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), CopyError> {
        let size = bytes.len() as u64;
        let header = self.header(path, EntryKind::File { size }, 0o644)?;
        self.write(&header)?;
        self.write(bytes)?;
        self.pad(size)
    }

    /// Adds a blob as a file, and verifies it on the way.
    pub(super) fn blob(
        &mut self,
        path: &str,
        descriptor: &Descriptor,
        source: &str,
        content: &mut dyn Read,
        progress: &dyn Fn(u64),
    ) -> Result<(), CopyError> {
        let header = self.header(path, EntryKind::File { size: descriptor.size }, 0o644)?;
        self.write(&header)?;
        let mut content = Verified::new(content, descriptor.digest, descriptor.size);
        let mut buffer = vec![0; 1 << 20];
        let mut done = 0;
        loop {
            let failed = |error: io::Error| CopyError::Failed {
                place: self.place.clone(),
                what: descriptor.digest.to_string(),
                why: error.to_string(),
                category: Category::Verification,
                hint: Some(damaged(source)),
            };
            let read = fill(&mut content, &mut buffer);
            let count = read.map_err(|error| CopyError::carried(error).unwrap_or_else(failed))?;
            if count == 0 {
                break;
            }
            self.write(&buffer[..count])?;
            done += count as u64;
            progress(done);
        }
        self.pad(descriptor.size)
    }

    /// Ends the tar; a file gets its name.
    pub(super) fn finish(mut self) -> Result<(), CopyError> {
        self.write(&[0; 2 * BLOCK as usize])?;
        match self.out {
            Out::File(file) => file.commit().map_err(|error| uncreated(&self.place, &error)),
            Out::Stream(mut stream) => stream.flush().map_err(|error| unwritten(&self.place, &error)),
        }
    }

    fn header(&self, path: &str, kind: EntryKind, mode: u32) -> Result<Vec<u8>, CopyError> {
        let path = EntryPath::new(path.as_bytes())
            .map_err(|error| CopyError::because(&self.place, "cannot be written", &error))?;
        let origin = Origin { input: Arc::from("kimg"), rule: Arc::from("archive") };
        Ok(tar_header(&Entry { path, kind, mode, uid: 0, gid: 0, origin }, TIME))
    }

    fn pad(&mut self, size: u64) -> Result<(), CopyError> {
        let padding = usize::try_from(size.next_multiple_of(BLOCK) - size).unwrap_or_default();
        self.write(&[0; BLOCK as usize][..padding])
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CopyError> {
        let written = match &mut self.out {
            Out::File(file) => file.write_all(bytes),
            Out::Stream(stream) => stream.write_all(bytes),
        };
        written.map_err(|error| unwritten(&self.place, &error))
    }
}

/// Reads until the buffer is full or the content ends: unpacked bytes come in small pieces.
fn fill(content: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match content.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn unwritten(place: &str, error: &io::Error) -> CopyError {
    failed(place, error.to_string(), Some(error.kind()))
}

/// The same for a file that is made beside its place; the hints of the store speak of the store.
fn uncreated(place: &str, error: &StoreError) -> CopyError {
    let kind = match error {
        StoreError::Io { source, .. } => Some(source.kind()),
        _ => None,
    };
    failed(place, error.to_string(), kind)
}

fn failed(place: &str, why: String, kind: Option<io::ErrorKind>) -> CopyError {
    let hint = match kind {
        Some(io::ErrorKind::BrokenPipe) => Some("what reads it ended before the archive did: see what that said"),
        Some(io::ErrorKind::NotFound) => Some("make its folder first, or name another file"),
        Some(io::ErrorKind::StorageFull) => Some("free space there, or name another file"),
        Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            Some("name a file in a folder that you may write to")
        }
        _ => None,
    };
    CopyError::Failed {
        place: place.to_owned(),
        what: "cannot be written".to_owned(),
        why,
        category: Category::Failed,
        hint: hint.map(str::to_owned),
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("place", &self.place).finish_non_exhaustive()
    }
}
