//! What layers hold that files added above them must respect: folders with permissions or an owner of their own, and
//! links. A tar that comes above them and only passes through such a folder would change it, or replace the link.

use std::collections::{BTreeMap, BTreeSet};

use crate::layer::{Entry, EntryKind};

/// Kept with a layer's record, so that the layer need not be read again. Paths are escaped, as they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Shape {
    /// Mode, user and group of folders, where they are not 0755, 0 and 0.
    folders: BTreeMap<String, (u32, u32, u32)>,
    /// Symbolic links and their targets.
    links: BTreeMap<String, String>,
    /// Of a layer of a user's definition: all its folders, and those that its paths lead through.
    #[serde(default)]
    through: BTreeSet<String>,
}

impl Shape {
    /// Takes note of an entry; of a folder that comes twice the first counts, as in the layer.
    pub(super) fn note(&mut self, entry: &Entry) {
        let own = (entry.mode, entry.uid, entry.gid);
        match &entry.kind {
            EntryKind::Directory if own != (0o755, 0, 0) => {
                self.folders.entry(entry.path.to_string()).or_insert(own);
            }
            EntryKind::Symlink { target } => {
                self.links.insert(entry.path.to_string(), target.escape_ascii().to_string());
            }
            _ => {}
        }
    }

    /// Takes note of the folders that an entry's path leads through, and of the entry where it is one.
    pub(super) fn note_through(&mut self, entry: &Entry) {
        let path = entry.path.as_bytes();
        let folders = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at]);
        self.through.extend(folders.map(|folder| folder.escape_ascii().to_string()));
        if entry.kind == EntryKind::Directory {
            self.through.insert(entry.path.to_string());
        }
    }

    /// These folders.
    pub(super) fn through(&self) -> impl Iterator<Item = &str> {
        self.through.iter().map(String::as_str)
    }

    /// Lays another layer above this one.
    pub(super) fn cover(&mut self, upper: &Shape) {
        self.folders.extend(upper.folders.clone());
        self.links.extend(upper.links.clone());
    }

    /// Mode, user and group of a folder.
    pub(super) fn folder(&self, path: &str) -> (u32, u32, u32) {
        self.folders.get(path).copied().unwrap_or((0o755, 0, 0))
    }

    /// The same, where it is not the usual one.
    pub(super) fn unusual_folder(&self, path: &str) -> Option<(u32, u32, u32)> {
        self.folders.get(path).copied()
    }

    /// The target of a link.
    pub(super) fn link(&self, path: &str) -> Option<&str> {
        self.links.get(path).map(String::as_str)
    }
}
