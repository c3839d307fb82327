//! Tars from outside: read with suspicion, handed on as safe entries.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use tar::{Archive, EntryType};

use super::{Entry, EntryKind, EntryPath, LayerError, Origin};

/// Bounds on an archive from outside, against bombs.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries.
    pub entries: u64,
    /// Bytes of all files together, as declared; a file cannot have more than it declares.
    pub bytes: u64,
}

/// Reads a tar from outside and hands each entry to `take` with a reader of its contents; what `take` leaves unread is
/// skipped. The root folder itself is left out. `input` names the archive in errors and origins; entries carry the
/// tar's own mode and owner. Extended attributes are not taken.
///
/// Refused: devices, pipes, sparse files, `..`, absolute paths, hard links to what did not come before as a file,
/// symbolic links that climb above the root, a path through a link, a second entry at one path (unless both are
/// folders), and what exceeds `limits`.
pub fn read_tar<R: Read, E: From<LayerError>>(
    tar: R,
    input: &str,
    limits: Limits,
    mut take: impl FnMut(Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let damaged = |error: io::Error| LayerError::Damaged { input: input.to_owned(), why: chain(&error) };
    let mut reader = Reader { input, origin: Arc::from(input), limits, bytes: 0, seen: BTreeMap::new() };
    let mut archive = Archive::new(tar);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if let Some(safe) = reader.check(&entry)? {
            take(safe, &mut entry)?;
        }
    }
    Ok(())
}

struct Reader<'a> {
    input: &'a str,
    origin: Arc<str>,
    limits: Limits,
    bytes: u64,
    /// What came so far.
    seen: BTreeMap<EntryPath, Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Directory,
    File,
    Symlink,
}

impl Reader<'_> {
    /// The entry, if it is one; `None` for the root folder and for headers that concern the archive only.
    fn check<R: Read>(&mut self, entry: &tar::Entry<'_, R>) -> Result<Option<Entry>, LayerError> {
        let header = entry.header();
        let raw = entry.path_bytes();
        let kind = header.entry_type();
        if kind == EntryType::XGlobalHeader || is_root(&raw, kind) {
            return Ok(None);
        }
        let path = EntryPath::new(&raw).map_err(|error| self.refused(&raw, &error.to_string()))?;
        let number = |value: io::Result<u64>| value.ok().and_then(|value| u32::try_from(value).ok());
        let (Ok(mode), Some(uid), Some(gid)) = (header.mode(), number(header.uid()), number(header.gid())) else {
            return Err(self.refused(&raw, "its mode or owner is no number"));
        };
        let kind = self.kind(entry, &path, kind)?;
        self.remember(&path, &kind)?;
        let origin = Origin { input: self.origin.clone(), rule: Arc::from("package") };
        Ok(Some(Entry { path, kind, mode: mode & 0o7777, uid, gid, origin }))
    }

    fn kind<R: Read>(
        &mut self,
        entry: &tar::Entry<'_, R>,
        path: &EntryPath,
        kind: EntryType,
    ) -> Result<EntryKind, LayerError> {
        let refused = |why: &str| self.refused(path.as_bytes(), why);
        let target = || entry.link_name_bytes().ok_or_else(|| refused("it is a link without a target"));
        match kind {
            EntryType::Regular | EntryType::Continuous => {
                self.bytes = self.bytes.saturating_add(entry.size());
                match self.bytes > self.limits.bytes {
                    true => {
                        Err(LayerError::Bomb { input: self.input.to_owned(), limit: self.limits.bytes, what: "bytes" })
                    }
                    false => Ok(EntryKind::File { size: entry.size() }),
                }
            }
            EntryType::Directory => Ok(EntryKind::Directory),
            EntryType::Symlink => {
                let target = target()?.into_owned();
                match path.holds_link(&target) && !target.is_empty() && !target.contains(&0) {
                    true => Ok(EntryKind::Symlink { target }),
                    false => Err(refused(&format!("it links to `{}`, outside the root", target.escape_ascii()))),
                }
            }
            EntryType::Link => {
                let target = EntryPath::new(&target()?).map_err(|error| refused(&error.to_string()))?;
                match self.seen.get(&target) {
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

    fn remember(&mut self, path: &EntryPath, kind: &EntryKind) -> Result<(), LayerError> {
        let now = match kind {
            EntryKind::Directory => Seen::Directory,
            EntryKind::Symlink { .. } => Seen::Symlink,
            EntryKind::File { .. } | EntryKind::Hardlink { .. } => Seen::File,
        };
        for folder in path.ancestors() {
            let above = EntryPath::new(folder)?;
            if matches!(self.seen.get(&above), Some(Seen::Symlink | Seen::File)) {
                return Err(
                    self.refused(path.as_bytes(), &format!("its path leads through {above}, which is no folder"))
                );
            }
        }
        match self.seen.insert(path.clone(), now) {
            Some(before) if (before, now) != (Seen::Directory, Seen::Directory) => {
                return Err(self.refused(path.as_bytes(), "it comes twice"));
            }
            _ => {}
        }
        match self.seen.len() as u64 > self.limits.entries {
            true => Err(LayerError::Bomb { input: self.input.to_owned(), limit: self.limits.entries, what: "entries" }),
            false => Ok(()),
        }
    }

    fn refused(&self, path: &[u8], why: &str) -> LayerError {
        let path = path.escape_ascii().to_string();
        LayerError::Refused { input: self.input.to_owned(), path, why: why.to_owned() }
    }
}

fn is_root(path: &[u8], kind: EntryType) -> bool {
    kind == EntryType::Directory
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
