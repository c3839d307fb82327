//! The paths of a layer so far, and what may come at each.

use std::collections::BTreeMap;

use super::{Entry, EntryKind, LayerError, Origin};

/// What an entry adds to those before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is new; these folders above it are missing, the topmost first.
    New(Vec<Vec<u8>>),
    /// The same folder or link is there.
    There,
}

#[derive(Debug, Default)]
pub(super) struct Tree(BTreeMap<Vec<u8>, (EntryKind, Origin)>);

impl Tree {
    /// Decides on an entry; a new one and the folders above it are remembered.
    pub(super) fn admit(&mut self, entry: &Entry) -> Result<Verdict, LayerError> {
        let refuse = |why: &str| LayerError::Refused {
            input: entry.origin.input.to_string(),
            path: entry.path.to_string(),
            why: why.to_owned(),
        };
        // The folders above too, for they are made where they are missing.
        if entry.path.as_bytes().split(|byte| *byte == b'/').any(|name| name.starts_with(b".wh.")) {
            return Err(refuse("a name that begins with `.wh.` would delete files of the layers below"));
        }
        if let Some((kind, origin)) = self.0.get(entry.path.as_bytes()) {
            return match (&entry.kind, kind) {
                (EntryKind::Directory, EntryKind::Directory) => Ok(Verdict::There),
                (EntryKind::Symlink { target }, EntryKind::Symlink { target: there }) if target == there => {
                    Ok(Verdict::There)
                }
                _ => Err(LayerError::Clash {
                    path: entry.path.to_string(),
                    first: origin.to_string(),
                    first_kind: kind.name(),
                    second: entry.origin.to_string(),
                    second_kind: entry.kind.name(),
                }),
            };
        }
        let missing = self.missing_folders(entry)?;
        if let EntryKind::Hardlink { target } = &entry.kind
            && !matches!(self.0.get(target.as_bytes()), Some((EntryKind::File { .. } | EntryKind::Hardlink { .. }, _)))
        {
            return Err(refuse(&format!("it is a hard link to {target}, which is no file of this layer")));
        }
        for folder in &missing {
            self.0.insert(folder.clone(), (EntryKind::Directory, entry.origin.clone()));
        }
        self.0.insert(entry.path.as_bytes().to_vec(), (entry.kind.clone(), entry.origin.clone()));
        Ok(Verdict::New(missing))
    }

    fn missing_folders(&self, entry: &Entry) -> Result<Vec<Vec<u8>>, LayerError> {
        let mut missing = Vec::new();
        for folder in entry.path.ancestors() {
            match self.0.get(folder) {
                None => missing.push(folder.to_vec()),
                Some((EntryKind::Directory, _)) => {}
                Some((kind, origin)) => {
                    return Err(LayerError::Through {
                        path: entry.path.to_string(),
                        input: entry.origin.to_string(),
                        through: folder.escape_ascii().to_string(),
                        kind: kind.name(),
                        owner: origin.to_string(),
                    });
                }
            }
        }
        Ok(missing)
    }
}
