//! Layers: entries, each with its origin, become a deterministic tar, compressed by all cores, in one pass.
//!
//! Nothing here reads a clock, an environment, a folder's order or the machine's number of cores into the bytes.

use std::fmt;
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;

use crate::digest::Digest;
use crate::error::{Category, Diagnose};

/// The version of all that shapes a layer's bytes: the tar writer, the chunks, the encoders. A change of any of it is a
/// new epoch.
pub const EPOCH: u32 = 1;

/// A failure to read an archive or write a layer. (To be replaced by one variant a failure.)
#[derive(Debug, thiserror::Error)]
#[error("layer")]
pub struct LayerError;

impl Diagnose for LayerError {
    fn category(&self) -> Category {
        Category::Failed
    }
}

/// A path in an image: relative, without `.`, `..`, empty components or NUL; bytes, for names need not be UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryPath(Vec<u8>);

impl EntryPath {
    /// Normalises a path from outside: a leading `./` and trailing `/` are dropped; an absolute path, `..`, NUL, or the
    /// empty path is refused.
    pub fn new(bytes: &[u8]) -> Result<EntryPath, LayerError> {
        todo!("{bytes:?}")
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for EntryPath {
    /// Escaped, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// Where an entry came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The input: a package, a jar, a file of the user's.
    pub input: Arc<str>,
    /// The rule that brought it: `package`, `usrmerge`, `ca-bundle`, `into`, `parent`.
    pub rule: Arc<str>,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Directory,
    /// A file of so many bytes.
    File {
        /// Its size in bytes.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// What it points at, as written.
        target: Vec<u8>,
    },
    /// Another name of a file that came before.
    Hardlink {
        /// That file.
        target: EntryPath,
    },
}

/// One entry of a layer. Its time is the layer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: EntryPath,
    /// What it is.
    pub kind: EntryKind,
    /// Permissions, `0o7777` at most.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Where it came from.
    pub origin: Origin,
}

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// One gzip member of chunks at the epoch's level, or another (1 to 9).
    Gzip(Option<u32>),
    /// Zstandard at this level (1 to 19), the epoch's where absent.
    Zstd(Option<i32>),
}

/// Threads that compress chunks; shared by all layers under way.
#[derive(Debug, Clone)]
pub struct Pool;

impl Pool {
    /// A pool of so many threads, at least one.
    pub fn new(threads: usize) -> Pool {
        todo!("{threads}")
    }
}

/// Writes one layer: entries in, tar, chunks, compression by the pool, hashes, out; one pass, bounded memory.
///
/// It makes missing parent folders (mode 0755, owner 0, rule `parent`), skips a folder that is there already, and
/// refuses: a second entry of another kind or a second file at one path, a path through a link or a file, a hard link
/// to what is not a file of this layer, `.wh.` names. Setuid, setgid bits of files are stripped (and listed).
#[derive(Debug)]
pub struct LayerWriter<W: Write>(W);

/// What a finished layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of the tar.
    pub diff_id: Digest,
    /// The tar's size in bytes.
    pub tar_size: u64,
    /// The digest of the blob.
    pub digest: Digest,
    /// The blob's size in bytes.
    pub size: u64,
    /// Every entry in order.
    pub entries: Vec<EntryRecord>,
    /// Paths that lost setuid or setgid bits.
    pub stripped: Vec<EntryPath>,
}

/// What is remembered of an entry: enough to say which one differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRecord {
    /// Its path.
    pub path: EntryPath,
    /// The digest over its tar headers and contents.
    pub digest: Digest,
    /// Where it came from.
    pub origin: Origin,
}

impl<W: Write + Send> LayerWriter<W> {
    /// A layer into `out`, whose entries all have the time `mtime` (seconds since 1970). `progress` is called with the
    /// bytes of tar written so far, about once a chunk.
    pub fn new(
        out: W,
        compression: Compression,
        mtime: u64,
        pool: &Pool,
        progress: Box<dyn FnMut(u64) + Send>,
    ) -> Result<LayerWriter<W>, LayerError> {
        todo!(
            "{compression:?} {mtime} {pool:?} {} {}",
            std::any::type_name_of_val(&progress),
            std::any::type_name_of_val(&out)
        )
    }

    /// Adds an entry; `content` has exactly the bytes that [`EntryKind::File`] declares.
    pub fn add(&mut self, entry: Entry, content: &mut dyn Read) -> Result<(), LayerError> {
        todo!("{entry:?} {}", std::any::type_name_of_val(&content))
    }

    /// Ends the tar (two zero blocks) and the compression; gives `out` back for its commit.
    pub fn finish(self) -> Result<(Layer, W), LayerError> {
        todo!()
    }
}

/// Bounds on an archive from outside, against bombs.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries.
    pub entries: u64,
    /// Bytes of all files together, declared and real.
    pub bytes: u64,
}

/// Reads a tar from outside and hands each entry to `take` with a reader of its contents; what `take` leaves unread is
/// skipped. Refuses devices, FIFOs, sparse files, `..`, absolute paths, hard links to what did not come before, links
/// whose target escapes the root, duplicates, `.wh.` names, xattrs other than those documented, and what exceeds
/// `limits`. `input` names the archive in errors and origins; entries carry the tar's own mode and owner.
pub fn read_tar<R: Read, E: From<LayerError>>(
    tar: R,
    input: &str,
    limits: Limits,
    take: impl FnMut(Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    todo!("{input} {limits:?} {} {}", std::any::type_name_of_val(&tar), std::any::type_name_of_val(&take))
}

/// One member of a zip (a jar), at most `limit` bytes; `None` where there is none of that name.
pub fn zip_member<R: Read + Seek>(zip: R, input: &str, name: &str, limit: u64) -> Result<Option<Vec<u8>>, LayerError> {
    todo!("{input} {name} {limit} {}", std::any::type_name_of_val(&zip))
}

/// A compile-time check that this floor stays synchronous: its errors come from [`io`].
impl From<io::Error> for LayerError {
    fn from(_: io::Error) -> LayerError {
        LayerError
    }
}
