//! The headers of a tar that holds an image, one after the other. Unlike a layer's, its files are found by name and then
//! verified by digest, so that where they lie is all that is wanted; and one may be larger than ustar can say.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};

use tar::{EntryType, Header};

use super::extension::{self, Extensions, Kind};
use super::header::BLOCK;
use super::{EntryPath, LayerError};

/// Bytes of all paths and targets of an archive together, at most: they are held in memory.
const NAMES: u64 = 16 << 20;

/// What comes next in a tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub path: EntryPath,
    pub kind: FoundKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FoundKind {
    /// Its contents come now.
    File {
        size: u64,
    },
    /// Another path of the archive.
    Link {
        target: EntryPath,
    },
    Folder,
}

/// What is known of a tar so far.
pub(super) struct Scan<'a> {
    input: &'a str,
    most: u64,
    entries: u64,
    names: u64,
    extensions: Extensions,
    /// The paths that came, and whether each is a folder.
    seen: BTreeMap<EntryPath, bool>,
}

impl<'a> Scan<'a> {
    /// A scan of `input`, which may have so many entries.
    pub(super) fn new(input: &'a str, most: u64) -> Scan<'a> {
        Scan { input, most, entries: 0, names: 0, extensions: Extensions::default(), seen: BTreeMap::new() }
    }

    /// Reads up to the next contents and returns what they are, and the bytes that were read; `None` at the end.
    pub(super) fn next(&mut self, tar: &mut impl Read) -> Result<(Option<Found>, u64), LayerError> {
        let mut position = 0;
        loop {
            let Some(block) = self.block(tar, &mut position)? else {
                self.whole()?;
                return Ok((None, position));
            };
            let header = Header::from_byte_slice(&block);
            self.check_sum(header, &block)?;
            let size = header.entry_size().map_err(|_| self.damaged("the size in a header is no number"))?;
            if let Some(kind) = Kind::of(header) {
                let bytes = self.extension(tar, size)?;
                position += padded(size).unwrap_or(size);
                self.extensions.take(kind, &bytes).map_err(|why| self.damaged(why))?;
                continue;
            }
            self.count()?;
            if header.entry_type() == EntryType::XGlobalHeader {
                // What it says of all entries (git's commit, comments) moves none of them.
                self.extension(tar, size)?;
                position += padded(size).unwrap_or(size);
                continue;
            }
            if let Some(found) = self.entry(header, size)? {
                return Ok((Some(found), position));
            }
        }
    }

    /// The next header's block; `None` where the tar ends, with or without the empty blocks that should tell so.
    fn block(&self, tar: &mut impl Read, position: &mut u64) -> Result<Option<[u8; BLOCK]>, LayerError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match tar.read(&mut block[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unread(error)),
            }
        }
        *position += filled as u64;
        match filled {
            0 => Ok(None),
            BLOCK if block == [0; BLOCK] => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(self.damaged("it is cut short in a header")),
        }
    }

    fn whole(&self) -> Result<(), LayerError> {
        match self.extensions == Extensions::default() {
            true => Ok(()),
            false => Err(self.damaged("it ends after a header that describes another entry")),
        }
    }

    fn check_sum(&self, header: &Header, block: &[u8; BLOCK]) -> Result<(), LayerError> {
        let is_sum = |at: usize| (148..156).contains(&at);
        let bytes =
            block.iter().enumerate().map(|(at, byte)| if is_sum(at) { u32::from(b' ') } else { u32::from(*byte) });
        let sum: u32 = bytes.sum();
        match header.cksum() {
            Ok(own) if own == sum => Ok(()),
            _ => Err(self.damaged("a header's checksum does not fit; it is no tar, or is damaged")),
        }
    }

    fn extension(&self, tar: &mut impl Read, size: u64) -> Result<Vec<u8>, LayerError> {
        if size > extension::LONGEST {
            return Err(LayerError::Bomb {
                input: self.input.to_owned(),
                limit: extension::LONGEST,
                what: "bytes in an extension header",
            });
        }
        let mut bytes = vec![0; usize::try_from(padded(size).unwrap_or(size)).unwrap_or_default()];
        tar.read_exact(&mut bytes).map_err(|error| self.unread(error))?;
        bytes.truncate(usize::try_from(size).unwrap_or_default());
        Ok(bytes)
    }

    fn count(&mut self) -> Result<(), LayerError> {
        self.entries += 1;
        self.bounded(self.entries, self.most, "entries")
    }

    fn bounded(&self, count: u64, limit: u64, what: &'static str) -> Result<(), LayerError> {
        match count > limit {
            true => Err(LayerError::Bomb { input: self.input.to_owned(), limit, what }),
            false => Ok(()),
        }
    }

    fn entry(&mut self, header: &Header, size: u64) -> Result<Option<Found>, LayerError> {
        let extensions = std::mem::take(&mut self.extensions);
        let raw = extensions.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = header.entry_type();
        if is_root(&raw, kind) {
            return Ok(None);
        }
        let path = EntryPath::new(&raw).map_err(|error| self.refused(&raw, &error.to_string()))?;
        if extensions.sparse || kind == EntryType::GNUSparse {
            return Err(self.refused(&raw, "it is a sparse file"));
        }
        let target = extensions.target.or_else(|| header.link_name_bytes().map(Cow::into_owned)).unwrap_or_default();
        // POSIX.1-2001, "pax Extended Header": what a record says replaces the header's field.
        let size = extensions.size.unwrap_or(size);
        let kind = match kind {
            EntryType::Regular | EntryType::Continuous if raw.ends_with(b"/") => {
                return Err(self.refused(&raw, "it is a file with the name of a folder"));
            }
            EntryType::Regular | EntryType::Continuous => FoundKind::File { size },
            _ if size > 0 => return Err(self.refused(&raw, "it is no file, and has contents")),
            EntryType::Directory => FoundKind::Folder,
            EntryType::Symlink => FoundKind::Link { target: self.beside(&path, &target)? },
            EntryType::Link => FoundKind::Link {
                target: EntryPath::new(&target).map_err(|error| self.refused(&raw, &error.to_string()))?,
            },
            EntryType::Char | EntryType::Block => return Err(self.refused(&raw, "it is a device")),
            EntryType::Fifo => return Err(self.refused(&raw, "it is a pipe")),
            other => {
                let why = format!("its type {:?} is not known", char::from(other.as_byte()));
                return Err(self.refused(&raw, &why));
            }
        };
        self.remember(&path, &kind, target.len())?;
        Ok(Some(Found { path, kind }))
    }

    fn remember(&mut self, path: &EntryPath, kind: &FoundKind, target: usize) -> Result<(), LayerError> {
        self.names += (path.as_bytes().len() + target) as u64;
        self.bounded(self.names, NAMES, "bytes of names")?;
        let is_folder = *kind == FoundKind::Folder;
        match self.seen.insert(path.clone(), is_folder) {
            Some(was_folder) if !was_folder || !is_folder => Err(self.refused(path.as_bytes(), "it comes twice")),
            _ => Ok(()),
        }
    }

    /// The path that a symbolic link at `path` leads to, inside the archive.
    fn beside(&self, path: &EntryPath, target: &[u8]) -> Result<EntryPath, LayerError> {
        let outside = || {
            let why = format!("it links to `{}`, outside the archive", target.escape_ascii());
            self.refused(path.as_bytes(), &why)
        };
        if target.first() == Some(&b'/') || !path.holds_link(target) {
            return Err(outside());
        }
        let mut parts: Vec<&[u8]> = path.as_bytes().split(|byte| *byte == b'/').collect();
        parts.pop();
        for part in target.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        EntryPath::new(&parts.join(&b'/')).map_err(|_| outside())
    }

    pub(super) fn damaged(&self, why: &str) -> LayerError {
        LayerError::Damaged { input: self.input.to_owned(), why: why.to_owned() }
    }

    /// What a failed read means.
    pub(super) fn unread(&self, error: io::Error) -> LayerError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged("it is cut short"),
            _ => LayerError::Content { path: "a file".to_owned(), input: self.input.to_owned(), source: error },
        }
    }

    pub(super) fn refused(&self, path: &[u8], why: &str) -> LayerError {
        // As much of it as a tar's own field holds tells which it is.
        let path = path[..path.len().min(255)].escape_ascii().to_string();
        LayerError::Refused { input: self.input.to_owned(), path, why: why.to_owned() }
    }
}

/// The bytes that contents take; `None` where no file is so large.
pub(super) fn padded(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(BLOCK as u64)
}

fn is_root(path: &[u8], kind: EntryType) -> bool {
    kind == EntryType::Directory && matches!(path, b"." | b"./")
}
