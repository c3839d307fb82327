use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use super::scan::{Found, FoundKind, Scan, padded};
use super::{EntryPath, LayerError};

/// Links upon links, at most.
const MAX_LINKS: usize = 8;

/// Where a file of a tar lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The offset of its first byte.
    pub offset: u64,
    /// How many there are.
    pub size: u64,
}

/// The files of a tar that holds an image, by path.
#[derive(Debug, Clone, Default)]
pub struct Members {
    files: BTreeMap<EntryPath, Member>,
    links: BTreeMap<EntryPath, EntryPath>,
}

impl Members {
    /// Finds the files of a plain tar by its headers alone; their contents are not read. `input` names it in errors, and
    /// it may have so many entries.
    ///
    /// Refused: `..` and absolute paths, links that lead out, devices, pipes, sparse files, a path that comes twice,
    /// headers of odd size, and a file that ends after the tar does.
    pub fn find<R: Read + Seek>(tar: &mut R, input: &str, entries: u64) -> Result<Members, LayerError> {
        let mut scan = Scan::new(input, entries);
        let mut members = Members::default();
        let unread = |scan: &Scan<'_>, error| scan.unread(error);
        let end = tar.seek(SeekFrom::End(0)).map_err(|error| unread(&scan, error))?;
        let mut position = tar.seek(SeekFrom::Start(0)).map_err(|error| unread(&scan, error))?;
        loop {
            let (found, read) = scan.next(tar)?;
            position += read;
            let Some(Found { path, kind }) = found else { return Ok(members) };
            match kind {
                FoundKind::Folder => {}
                FoundKind::Link { target } => drop(members.links.insert(path, target)),
                FoundKind::File { size } => {
                    let there = end.saturating_sub(position);
                    if size > there {
                        let why = format!("it is cut short: {path} has {size} bytes, of which {there} are there");
                        return Err(scan.damaged(&why));
                    }
                    members.files.insert(path, Member { offset: position, size });
                    // The last one's padding may be missing.
                    position = position.saturating_add(padded(size).unwrap_or(size)).min(end);
                    tar.seek(SeekFrom::Start(position)).map_err(|error| unread(&scan, error))?;
                }
            }
        }
    }

    /// The file at a path, through links.
    pub fn get(&self, path: &str) -> Option<Member> {
        let mut path = EntryPath::new(path.as_bytes()).ok()?;
        for _ in 0..=MAX_LINKS {
            if let Some(member) = self.files.get(&path) {
                return Some(*member);
            }
            path = self.links.get(&path)?.clone();
        }
        None
    }

    /// All files.
    pub fn iter(&self) -> impl Iterator<Item = (&EntryPath, Member)> {
        self.files.iter().map(|(path, member)| (path, *member))
    }
}

/// What comes in a tar that is read once.
pub enum Passing<'a> {
    /// A file, its size, and its contents; what is left unread is skipped.
    File(u64, &'a mut dyn Read),
    /// Another name of a file of the tar, which may come later.
    Link(EntryPath),
}

/// Hands each file of a plain tar that holds an image to `take`, in one pass and with the refusals of [`Members::find`].
pub fn pass_members<R: Read, E: From<LayerError>>(
    tar: &mut R,
    input: &str,
    entries: u64,
    mut take: impl FnMut(&EntryPath, Passing<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut scan = Scan::new(input, entries);
    loop {
        let (Some(Found { path, kind }), _) = scan.next(tar)? else { return Ok(()) };
        match kind {
            FoundKind::Folder => {}
            FoundKind::Link { target } => take(&path, Passing::Link(target))?,
            FoundKind::File { size } => {
                let mut content = tar.by_ref().take(size);
                take(&path, Passing::File(size, &mut content))?;
                io::copy(&mut content, &mut io::sink()).map_err(|error| scan.unread(error))?;
                if content.limit() > 0 {
                    let there = size - content.limit();
                    let why = format!("it is cut short: {path} has {size} bytes, of which {there} are there");
                    return Err(scan.damaged(&why).into());
                }
                let padding = padded(size).unwrap_or(size) - size;
                io::copy(&mut tar.by_ref().take(padding), &mut io::sink()).map_err(|error| scan.unread(error))?;
            }
        }
    }
}
