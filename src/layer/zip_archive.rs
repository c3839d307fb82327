use std::io::{self, BufReader, Read, Seek};

use zip::ZipArchive;

use super::outside::Reader;
use super::{Entry, EntryKind, EntryPath, LayerError, Limits, Origin};

/// Targets of symbolic links are paths.
const TARGET_LIMIT: u64 = 4096;

/// The file types of Unix modes.
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const DIRECTORY: u32 = 0o040_000;

/// Reads a zip from outside as [`super::read_tar`] reads a tar, with the same refusals: each entry is handed to `take` in
/// the zip's own order. What Unix permissions it does not have become 0644, of folders 0755. Encrypted members are refused.
pub fn read_zip<R: Read + Seek, E: From<LayerError>>(
    zip: R,
    input: &str,
    limits: Limits,
    mut take: impl FnMut(Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let damaged = |why: String| LayerError::Damaged { input: input.to_owned(), why };
    let mut archive = ZipArchive::new(BufReader::new(zip)).map_err(|error| damaged(error.to_string()))?;
    let mut reader = Reader::new(input, limits);
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(|error| damaged(error.to_string()))?;
        reader.count(member.size())?;
        reader.count_entry()?;
        let raw = member.name_raw().to_vec();
        if !raw.is_empty() && raw.iter().all(|byte| matches!(byte, b'.' | b'/')) && !raw.windows(2).any(|w| w == b"..")
        {
            continue;
        }
        let path = EntryPath::new(&raw).map_err(|error| reader.refused(&raw, &error.to_string()))?;
        let mode = member.unix_mode();
        let kind = match mode.map_or(0, |mode| mode & TYPE) {
            _ if raw.ends_with(b"/") => EntryKind::Directory,
            DIRECTORY => EntryKind::Directory,
            // Programs of other systems leave the type out.
            0 | REGULAR => EntryKind::File { size: member.size() },
            SYMLINK => EntryKind::Symlink { target: target(&mut member, &path, &reader)? },
            _ => return Err(reader.refused(&raw, "it is a device, a pipe or a socket").into()),
        };
        reader.remember(&path, &kind)?;
        let usual = if kind == EntryKind::Directory { 0o755 } else { 0o644 };
        let mode = mode.map_or(usual, |mode| mode & 0o7777);
        let origin = Origin { input: reader.origin(), rule: "package".into() };
        let entry = Entry { path, kind, mode, uid: 0, gid: 0, origin };
        match entry.kind {
            EntryKind::File { .. } => take(entry, &mut member)?,
            _ => take(entry, &mut io::empty())?,
        }
    }
    Ok(())
}

fn target(member: &mut dyn Read, path: &EntryPath, reader: &Reader<'_>) -> Result<Vec<u8>, LayerError> {
    let mut target = Vec::new();
    let read = member.take(TARGET_LIMIT + 1).read_to_end(&mut target);
    read.map_err(|error| reader.damaged(&error.to_string()))?;
    let good = !target.is_empty() && target.len() as u64 <= TARGET_LIMIT && !target.contains(&0);
    match good && path.holds_link(&target) {
        true => Ok(target),
        false => {
            let why = format!("it links to `{}`, outside the root", target.escape_ascii());
            Err(reader.refused(path.as_bytes(), &why))
        }
    }
}
