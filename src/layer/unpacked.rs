use std::sync::Arc;

use super::{Entry, EntryKind, EntryPath, LayerError, Origin};

/// An entry of an archive as it becomes part of an image: without its first `strip` components and below `into`, owned by
/// root, with the permissions that files and folders mostly have, for those of an archive are its maker's. `None` where
/// nothing is left of its path.
///
/// Refused: links out of the folder that the archive is unpacked to, and hard links to what is not unpacked.
pub fn unpacked(entry: Entry, strip: u32, into: &EntryPath) -> Result<Option<Entry>, LayerError> {
    let refused = |why: &str| LayerError::Refused {
        input: entry.origin.input.to_string(),
        path: entry.path.to_string(),
        why: why.to_owned(),
    };
    let Some(below) = stripped(&entry.path, strip)? else { return Ok(None) };
    let kind = match &entry.kind {
        EntryKind::Symlink { target } if target.first() == Some(&b'/') || !below.holds_link(target) => {
            let target = target.escape_ascii();
            return Err(refused(&format!("it links to `{target}`, outside the folder that it is unpacked to")));
        }
        EntryKind::Hardlink { target } => {
            let target = stripped(target, strip)?;
            let target = target.ok_or_else(|| refused("it is a hard link to what `strip` leaves out"))?;
            EntryKind::Hardlink { target: joined(into, &target)? }
        }
        kind => kind.clone(),
    };
    let mode = match kind {
        EntryKind::Directory => 0o755,
        EntryKind::Symlink { .. } => 0o777,
        EntryKind::File { .. } | EntryKind::Hardlink { .. } if entry.mode & 0o100 != 0 => 0o755,
        EntryKind::File { .. } | EntryKind::Hardlink { .. } => 0o644,
    };
    let origin = Origin { rule: Arc::from("archive"), ..entry.origin.clone() };
    Ok(Some(Entry { path: joined(into, &below)?, kind, mode, uid: 0, gid: 0, origin }))
}

fn stripped(path: &EntryPath, strip: u32) -> Result<Option<EntryPath>, LayerError> {
    let count = usize::try_from(strip).unwrap_or(usize::MAX);
    let parts: Vec<&[u8]> = path.as_bytes().split(|byte| *byte == b'/').skip(count).collect();
    match parts.is_empty() {
        true => Ok(None),
        false => EntryPath::new(&parts.join(&b'/')).map(Some),
    }
}

fn joined(into: &EntryPath, path: &EntryPath) -> Result<EntryPath, LayerError> {
    EntryPath::new(&[into.as_bytes(), path.as_bytes()].join(&b'/'))
}
