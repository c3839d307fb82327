//! The files of one Debian package, moved and filtered as the definition says.

use std::cell::OnceCell;
use std::io::{BufReader, Read, Write};
use std::sync::Arc;

use super::BuildError;
use super::assemble::Assembly;
use super::pattern;
use super::rules::Package;
use crate::layer::{Entry, EntryKind, EntryPath, LayerError, Origin};
use crate::lock::Input;
use crate::upstream::debian::{self, Control};

/// Certificates, account files and the like; nothing that a rule is made of is larger.
const COLLECT_LIMIT: u64 = 8 << 20;

/// Adds the files of a package.
pub(super) fn add<W: Write + Send>(assembly: &mut Assembly<'_, W>, input: &Input) -> Result<(), BuildError> {
    let deb = assembly.downloads.open(&input.sha256.into(), input.size)?;
    let control: OnceCell<Control> = OnceCell::new();
    let mut kept = Vec::new();
    let keep_control = |found: Control| {
        control.get_or_init(|| found);
        Ok::<(), BuildError>(())
    };
    debian::read_deb(BufReader::new(deb), &input.name, keep_control, |entry, content| {
        let entry = merged(entry, &assembly.step.layer.usrmerge)?;
        add_entry(assembly, entry, content, &mut kept)
    })?;
    if let Some(control) = control.into_inner() {
        kept.sort();
        let merge = |path: &Vec<u8>| merged_path(path, &assembly.step.layer.usrmerge).unwrap_or_else(|| path.clone());
        let in_image = |path: &Vec<u8>| kept.binary_search(&merge(path)).is_ok();
        let md5sums = control.md5sums.into_iter().filter(|(_, path)| in_image(path)).collect();
        assembly.packages.push(Package { name: input.name.clone(), stanza: control.stanza, md5sums });
    }
    Ok(())
}

fn add_entry<W: Write + Send>(
    assembly: &mut Assembly<'_, W>,
    entry: Entry,
    content: &mut dyn Read,
    kept: &mut Vec<Vec<u8>>,
) -> Result<(), BuildError> {
    let layer = assembly.step.layer;
    let path = entry.path.as_bytes();
    let dropped = pattern::any(&layer.drop, path) && !pattern::any(&layer.keep, path);
    let wanted = layer.generate.iter().filter_map(|rule| rule.from()).any(|from| pattern::matches(from, path));
    if let (true, EntryKind::File { size }) = (wanted, &entry.kind)
        && *size <= COLLECT_LIMIT
    {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| BuildError::UserFile {
            path: format!("{}: {}", entry.origin.input, entry.path),
            source: error,
        })?;
        let before = assembly.collected.insert(entry.path.clone(), bytes.clone());
        if dropped && before.is_some() {
            // Where it is not left out, the layer's writer tells who brought it.
            let (input, path) = (entry.origin.input.to_string(), entry.path.to_string());
            return Err(LayerError::Refused { input, path, why: "another package brought it before".to_owned() }.into());
        }
        if !dropped {
            kept.push(path.to_vec());
            assembly.add(entry, &mut &bytes[..])?;
        }
    } else if !dropped {
        kept.push(path.to_vec());
        assembly.add(entry, content)?;
    }
    Ok(())
}

/// The entry under the path that it has after the usrmerge. A link in the place of a merged folder itself is the usrmerge,
/// done by the package.
pub(super) fn merged(entry: Entry, folders: &[String]) -> Result<Entry, BuildError> {
    let is_folder = folders.iter().any(|folder| folder.as_bytes() == entry.path.as_bytes());
    if is_folder && matches!(entry.kind, EntryKind::Symlink { .. }) {
        return Ok(entry);
    }
    let kind = match entry.kind {
        EntryKind::Hardlink { target } => match merged_path(target.as_bytes(), folders) {
            Some(path) => EntryKind::Hardlink { target: EntryPath::new(&path)? },
            None => EntryKind::Hardlink { target },
        },
        kind => kind,
    };
    let Some(path) = merged_path(entry.path.as_bytes(), folders) else { return Ok(Entry { kind, ..entry }) };
    let kind = match kind {
        EntryKind::Symlink { target } => EntryKind::Symlink { target: moved_target(&entry.path, target) },
        kind => kind,
    };
    let origin = Origin { rule: Arc::from("usrmerge"), ..entry.origin };
    Ok(Entry { path: EntryPath::new(&path)?, kind, origin, ..entry })
}

/// `usr/PATH` where the path's first component is a merged folder.
fn merged_path(path: &[u8], folders: &[String]) -> Option<Vec<u8>> {
    let first = path.split(|byte| *byte == b'/').next().unwrap_or_default();
    let is_merged = folders.iter().any(|folder| folder.as_bytes() == first);
    is_merged.then(|| [b"usr/", path].concat())
}

/// A relative target that climbs to the root is one level short after the move, so it becomes absolute.
fn moved_target(path: &EntryPath, target: Vec<u8>) -> Vec<u8> {
    let mut depth = path.as_bytes().iter().filter(|byte| **byte == b'/').count();
    let mut from_root = None;
    let mut at = 0;
    for part in target.split(|byte| *byte == b'/') {
        at = target.len().min(at + part.len() + 1);
        match part {
            b"" | b"." => {}
            b".." => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
        if part == b".." && depth == 0 {
            from_root = Some(at);
        }
    }
    match from_root {
        Some(at) if target.first() != Some(&b'/') => [b"/", &target[at..]].concat(),
        _ => target,
    }
}
