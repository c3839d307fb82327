//! `--add`: files and folders of the user's. Folders are walked in the order of their names' bytes; owner is root, time is
//! the layer's; extended attributes are not taken; links are kept as links; devices, sockets and pipes are refused. What
//! goes into a merged folder (`/bin`) goes below `usr`, for the folder itself is a link in the layers below; folders of
//! these layers keep their permissions and owners, and nothing takes the place of a link to a folder there.

use std::fs::{self, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::packages;
use super::shape::Shape;
use super::{Addition, BuildError};
use crate::layer::{Entry, EntryKind, EntryPath, LayerError, LayerWriter, Origin};

/// Adds what `addition` names; `merged` are the merged folders of the image, `below` is what the layers below hold. `own`
/// takes note of what is added.
pub(super) fn add<W: Write + Send>(
    writer: &mut LayerWriter<W>,
    addition: &Addition,
    merged: &[String],
    below: &Shape,
    own: &mut Shape,
) -> Result<(), BuildError> {
    let metadata = fs::metadata(&addition.from).map_err(|source| failed(&addition.from, source))?;
    let mut target = addition.to.trim_matches('/').as_bytes().to_vec();
    if !metadata.is_dir()
        && addition.to.ends_with('/')
        && let Some(name) = addition.from.file_name()
    {
        target = joined(&target, name.as_bytes());
    }
    Walk { writer, addition, merged, below, own }.visit(&addition.from, &target, &metadata)
}

/// The path of `name` in a folder, which may be the root.
fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

struct Walk<'a, W: Write + Send> {
    writer: &'a mut LayerWriter<W>,
    addition: &'a Addition,
    merged: &'a [String],
    below: &'a Shape,
    own: &'a mut Shape,
}

impl<W: Write + Send> Walk<'_, W> {
    fn visit(&mut self, from: &Path, to: &[u8], metadata: &Metadata) -> Result<(), BuildError> {
        let kind = metadata.file_type();
        if kind.is_dir() {
            self.folder(from, to)
        } else if kind.is_file() {
            let mut file = fs::File::open(from).map_err(|source| failed(from, source))?;
            // The size of the file that is open, for it may not be the one that was looked at.
            let size = file.metadata().map_err(|source| failed(from, source))?.len();
            let mut content = Read::by_ref(&mut file).take(size);
            self.entry(to, EntryKind::File { size }, self.mode(metadata), &mut content)
        } else if kind.is_symlink() {
            let target = fs::read_link(from).map_err(|source| failed(from, source))?;
            self.entry(
                to,
                EntryKind::Symlink { target: target.as_os_str().as_bytes().to_vec() },
                0o777,
                &mut io::empty(),
            )
        } else {
            let what = match kind {
                kind if kind.is_fifo() => "a pipe",
                kind if kind.is_socket() => "a socket",
                _ => "a device",
            };
            Err(BuildError::BadUserFile {
                path: from.display().to_string(),
                why: format!("is {what}, which no image can hold"),
            })
        }
    }

    fn folder(&mut self, from: &Path, to: &[u8]) -> Result<(), BuildError> {
        if !to.is_empty() {
            self.entry(to, EntryKind::Directory, 0o755, &mut io::empty())?;
        }
        for path in sorted(from)? {
            let metadata = fs::symlink_metadata(&path).map_err(|source| failed(&path, source))?;
            let name = path.file_name().map(OsStrExt::as_bytes).unwrap_or_default();
            self.visit(&path, &joined(to, name), &metadata)?;
        }
        Ok(())
    }

    fn mode(&self, metadata: &Metadata) -> u32 {
        let own = if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
        self.addition.mode.unwrap_or(own)
    }

    fn entry(&mut self, path: &[u8], kind: EntryKind, mode: u32, content: &mut dyn Read) -> Result<(), BuildError> {
        let origin = Origin { input: Arc::from(self.addition.from.display().to_string()), rule: Arc::from("--add") };
        let entry = Entry { path: EntryPath::new(path)?, kind, mode, uid: 0, gid: 0, origin: origin.clone() };
        let entry = Entry { origin: origin.clone(), ..packages::merged(entry, self.merged)? };
        let path = entry.path.clone();
        for (at, _) in path.as_bytes().iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let path = EntryPath::new(&path.as_bytes()[..at])?;
            let kind = EntryKind::Directory;
            self.write(Entry { path, kind, mode: 0o755, uid: 0, gid: 0, origin: origin.clone() }, &mut io::empty())?;
        }
        self.write(entry, content)
    }

    /// Writes an entry whose folders were written before.
    fn write(&mut self, mut entry: Entry, content: &mut dyn Read) -> Result<(), BuildError> {
        // No archive is to blame for what a file of the user's cannot be.
        let bad = |why| BuildError::BadUserFile { path: self.addition.from.display().to_string(), why };
        if entry.kind == EntryKind::Directory {
            let path = entry.path.to_string();
            if let Some(target) = self.below.link(&path) {
                return Err(bad(format!("its path leads through {path}, which is a link to {target} in the image")));
            }
            (entry.mode, entry.uid, entry.gid) = self.below.folder(&path);
        }
        self.own.note(&entry);
        self.writer.add(entry, content).map_err(|error| match error {
            LayerError::Refused { path, why, .. } => bad(format!("{path}: {why}")),
            LayerError::Clash { .. } | LayerError::Through { .. } => bad(error.to_string()),
            error => error.into(),
        })
    }
}

#[allow(clippy::disallowed_methods, reason = "the order of the folder is replaced by that of the names")]
fn sorted(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let entries = fs::read_dir(folder).map_err(|source| failed(folder, source))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|source| failed(folder, source))?.path());
    }
    paths.sort_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    Ok(paths)
}

fn failed(path: &Path, source: io::Error) -> BuildError {
    BuildError::UserFile { path: path.display().to_string(), source }
}
