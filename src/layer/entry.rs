use std::fmt;
use std::sync::Arc;

use super::EntryPath;
use crate::digest::Digest;

/// Where an entry came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The input: a package, a jar, a file of the user's.
    pub input: Arc<str>,
    /// The rule that brought it: `package`, `usrmerge`, `ca-bundle`, `into`, `parent`.
    pub rule: Arc<str>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (rule {})", self.input.escape_debug(), self.rule)
    }
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

impl EntryKind {
    /// In a word, for messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            EntryKind::Directory => "a folder",
            EntryKind::File { .. } => "a file",
            EntryKind::Symlink { .. } => "a symbolic link",
            EntryKind::Hardlink { .. } => "a hard link",
        }
    }
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

/// What is remembered of an entry: enough to say which one differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRecord {
    /// Its path.
    pub path: EntryPath,
    /// The digest over its kind, mode, owner, size, target, path and the CRC-32 of its contents. It tells apart two
    /// builds of the same verified inputs; it is no pin.
    pub digest: Digest,
    /// Where it came from.
    pub origin: Origin,
}
