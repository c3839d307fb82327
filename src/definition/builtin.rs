//! The definitions and locks that ship with kimg.

use super::{Definition, DefinitionError, embedded, parse};
use crate::lock::{self, Lock, LockError};

/// A definition that ships with kimg, and its locks.
#[derive(Debug, Clone)]
pub struct Family {
    /// The definition.
    pub definition: Definition,
}

impl Family {
    /// The versions that have a lock, in the order of their names.
    pub fn versions(&self) -> Vec<&str> {
        let locked = |version: &&str| self.lock_text(version).is_some();
        self.definition.versions.keys().map(String::as_str).filter(locked).collect()
    }

    /// Whether `kimg images` offers it: bases are parts of images, not images.
    pub fn is_offered(&self) -> bool {
        self.definition.base.is_some()
    }

    /// The lock of a version; `None` where there is none.
    pub fn lock(&self, version: &str) -> Option<Result<Lock, LockError>> {
        let text = self.lock_text(version)?;
        Some(lock::parse(text, &self.lock_path(version)))
    }

    /// The digests of a version's entries, one line each: what `kimg lock` wrote beside the lock.
    pub fn entries(&self, version: &str) -> Option<&'static str> {
        text(&format!("{}/{version}.entries", self.definition.name))
    }

    fn lock_text(&self, version: &str) -> Option<&'static str> {
        text(&self.lock_path(version))
    }

    fn lock_path(&self, version: &str) -> String {
        format!("{}/{version}.lock.toml", self.definition.name)
    }
}

/// All families, by name.
pub fn families() -> Result<Vec<Family>, DefinitionError> {
    let names = embedded::FILES.iter().filter_map(|(path, _)| path.strip_suffix("/image.toml"));
    names.filter_map(|name| builtin(name).transpose()).collect()
}

/// One family.
pub fn builtin(name: &str) -> Result<Option<Family>, DefinitionError> {
    let path = format!("{name}/image.toml");
    let Some(text) = text(&path) else { return Ok(None) };
    Ok(Some(Family { definition: parse(text, &path)? }))
}

/// A file that ships with kimg, by its path below `images/`.
pub fn file(path: &str) -> Option<&'static [u8]> {
    embedded::FILES.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes)
}

fn text(path: &str) -> Option<&'static str> {
    file(path).and_then(|bytes| std::str::from_utf8(bytes).ok())
}
