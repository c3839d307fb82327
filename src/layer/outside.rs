//! Tars from outside: read with suspicion, handed on as safe entries.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use tar::{Archive, EntryType};

use super::extension::{self, Extensions, Kind};
use super::{Entry, EntryKind, EntryPath, LayerError, Origin};

/// Bytes of all paths and targets of an archive together, at most: they are held in memory.
const NAMES: u64 = 64 << 20;

/// Bounds on an archive from outside, against bombs.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries, and folders that their paths lead through.
    pub entries: u64,
    /// Bytes of all contents together, as declared; a file cannot have more than it declares.
    pub bytes: u64,
}

/// Reads a tar from outside and hands each entry to `take` with a reader of its contents; what `take` leaves unread is
/// skipped. The root folder itself is left out, and so are global PAX headers. `input` names the archive in errors and
/// origins; entries carry the tar's own mode and owner. Extended attributes are not taken.
///
/// Refused: devices, pipes, sparse files, `..`, absolute paths, hard links to what did not come before as a file,
/// symbolic links that climb above the root, a path through a link, a second entry at one path (unless both are
/// folders), headers that contradict each other, and what exceeds `limits`.
pub fn read_tar<R: Read, E: From<LayerError>>(
    tar: R,
    input: &str,
    limits: Limits,
    mut take: impl FnMut(Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = Reader::new(input, limits);
    let damaged = |error: io::Error| LayerError::Damaged { input: input.to_owned(), why: chain(&error) };
    let mut archive = Archive::new(tar);
    let mut extensions = Extensions::default();
    // Raw, for otherwise tar-rs reads extension headers of any size into memory.
    for entry in archive.entries().map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(damaged)?;
        reader.count(entry.size())?;
        if let Some(kind) = Kind::of(entry.header()) {
            reader.extend(&mut extensions, kind, &mut entry)?;
            continue;
        }
        reader.count_entry()?;
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            continue;
        }
        if let Some(safe) = reader.check(&entry, std::mem::take(&mut extensions))? {
            take(safe, &mut entry)?;
        }
    }
    match extensions == Extensions::default() {
        true => Ok(()),
        false => Err(reader.damaged("it ends after a header that describes another entry").into()),
    }
}

/// What is known of an archive so far, and what it may not hold.
pub(super) struct Reader<'a> {
    input: &'a str,
    origin: Arc<str>,
    limits: Limits,
    entries: u64,
    bytes: u64,
    names: u64,
    /// What came so far, and the folders that paths lead through.
    seen: BTreeMap<Vec<u8>, Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Directory,
    File,
    Symlink,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a str, limits: Limits) -> Reader<'a> {
        Reader { input, origin: Arc::from(input), limits, entries: 0, bytes: 0, names: 0, seen: BTreeMap::new() }
    }

    pub(super) fn origin(&self) -> Arc<str> {
        self.origin.clone()
    }

    /// Counts the contents of an entry of whatever kind, before any of them is read or skipped.
    pub(super) fn count(&mut self, size: u64) -> Result<(), LayerError> {
        self.bytes = self.bytes.saturating_add(size);
        self.bounded(self.bytes, self.limits.bytes, "bytes")
    }

    pub(super) fn count_entry(&mut self) -> Result<(), LayerError> {
        self.entries += 1;
        self.bounded(self.entries, self.limits.entries, "entries")
    }

    fn bounded(&self, count: u64, limit: u64, what: &'static str) -> Result<(), LayerError> {
        match count > limit {
            true => Err(LayerError::Bomb { input: self.input.to_owned(), limit, what }),
            false => Ok(()),
        }
    }

    fn extend(&self, extensions: &mut Extensions, kind: Kind, header: &mut dyn Read) -> Result<(), LayerError> {
        let mut bytes = Vec::new();
        let read = header.take(extension::LONGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.damaged(&chain(&error)))?;
        self.bounded(bytes.len() as u64, extension::LONGEST, "bytes in an extension header")?;
        extensions.take(kind, &bytes).map_err(|why| self.damaged(why))
    }

    /// The entry, if it is one; `None` for the root folder.
    fn check<R: Read>(
        &mut self,
        entry: &tar::Entry<'_, R>,
        extensions: Extensions,
    ) -> Result<Option<Entry>, LayerError> {
        let header = entry.header();
        let raw = extensions.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = header.entry_type();
        if is_root(&raw, kind) {
            return Ok(None);
        }
        let path = EntryPath::new(&raw).map_err(|error| self.refused(&raw, &error.to_string()))?;
        if extensions.size.is_some_and(|size| size != entry.size()) {
            return Err(self.refused(&raw, "its headers give two sizes"));
        }
        if extensions.sparse {
            return Err(self.refused(&raw, "it is a sparse file"));
        }
        if matches!(kind, EntryType::Regular | EntryType::Continuous) && raw.ends_with(b"/") {
            return Err(self.refused(&raw, "it is a file with the name of a folder"));
        }
        let number = |extended: Option<u64>, own: io::Result<u64>| {
            extended.or(own.ok()).and_then(|value| u32::try_from(value).ok())
        };
        let (uid, gid) = (number(extensions.uid, header.uid()), number(extensions.gid, header.gid()));
        let (Ok(mode), Some(uid), Some(gid)) = (header.mode(), uid, gid) else {
            return Err(self.refused(&raw, "its mode or owner is no number"));
        };
        let target = extensions.target.or_else(|| header.link_name_bytes().map(Cow::into_owned));
        let kind = self.kind(&path, kind, entry.size(), target)?;
        self.remember(&path, &kind)?;
        let origin = Origin { input: self.origin.clone(), rule: Arc::from("package") };
        Ok(Some(Entry { path, kind, mode: mode & 0o7777, uid, gid, origin }))
    }

    fn kind(
        &self,
        path: &EntryPath,
        kind: EntryType,
        size: u64,
        target: Option<Vec<u8>>,
    ) -> Result<EntryKind, LayerError> {
        let refused = |why: &str| self.refused(path.as_bytes(), why);
        let target = || target.ok_or_else(|| refused("it is a link without a target"));
        match kind {
            EntryType::Regular | EntryType::Continuous => Ok(EntryKind::File { size }),
            EntryType::Directory => Ok(EntryKind::Directory),
            EntryType::Symlink => {
                let target = target()?;
                match path.holds_link(&target) && !target.is_empty() && !target.contains(&0) {
                    true => Ok(EntryKind::Symlink { target }),
                    false => Err(refused(&format!("it links to `{}`, outside the root", target.escape_ascii()))),
                }
            }
            EntryType::Link => {
                let target = EntryPath::new(&target()?).map_err(|error| refused(&error.to_string()))?;
                match self.seen.get(target.as_bytes()) {
                    Some(Seen::File) => Ok(EntryKind::Hardlink { target }),
                    _ => Err(refused(&format!("it is a hard link to {target}, which did not come before as a file"))),
                }
            }
            EntryType::Char | EntryType::Block => Err(refused("it is a device")),
            EntryType::Fifo => Err(refused("it is a pipe")),
            EntryType::GNUSparse => Err(refused("it is a sparse file")),
            other => Err(refused(&format!("its type {:?} is not known", char::from(other.as_byte())))),
        }
    }

    pub(super) fn remember(&mut self, path: &EntryPath, kind: &EntryKind) -> Result<(), LayerError> {
        let (now, target) = match kind {
            EntryKind::Directory => (Seen::Directory, 0),
            EntryKind::Symlink { target } => (Seen::Symlink, target.len()),
            EntryKind::File { .. } => (Seen::File, 0),
            EntryKind::Hardlink { target } => (Seen::File, target.as_bytes().len()),
        };
        for folder in path.ancestors() {
            match self.seen.get(folder) {
                Some(Seen::Directory) => {}
                Some(Seen::Symlink | Seen::File) => {
                    let why = format!("its path leads through {}, which is no folder", folder.escape_ascii());
                    return Err(self.refused(path.as_bytes(), &why));
                }
                None => self.add(folder, Seen::Directory, 0)?,
            }
        }
        match self.seen.get(path.as_bytes()) {
            None => self.add(path.as_bytes(), now, target),
            Some(Seen::Directory) if now == Seen::Directory => Ok(()),
            Some(_) => Err(self.refused(path.as_bytes(), "it comes twice")),
        }
    }

    fn add(&mut self, path: &[u8], what: Seen, target: usize) -> Result<(), LayerError> {
        self.names += (path.len() + target) as u64;
        self.bounded(self.names, NAMES, "bytes of names")?;
        self.seen.insert(path.to_vec(), what);
        self.bounded(self.seen.len() as u64, self.limits.entries, "entries")
    }

    pub(super) fn damaged(&self, why: &str) -> LayerError {
        LayerError::Damaged { input: self.input.to_owned(), why: why.to_owned() }
    }

    pub(super) fn refused(&self, path: &[u8], why: &str) -> LayerError {
        let path = path.escape_ascii().to_string();
        LayerError::Refused { input: self.input.to_owned(), path, why: why.to_owned() }
    }
}

fn is_root(path: &[u8], kind: EntryType) -> bool {
    kind == EntryType::Directory
        && !path.is_empty()
        && path.iter().all(|byte| matches!(byte, b'.' | b'/'))
        && !path.windows(2).any(|w| w == b"..")
}

/// An error with its sources: what a decompressor says stands below what tar says.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}
