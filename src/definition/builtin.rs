//! The definitions and locks that ship with kimg.

use super::Definition;
use crate::lock::Lock;

/// A definition with its locks' texts.
#[derive(Debug)]
pub struct Family {
    /// The definition.
    pub definition: Definition,
    /// The versions that have a lock.
    pub locks: Vec<(String, &'static str)>,
}

impl Family {
    /// The lock of a version.
    pub fn lock(&self, version: &str) -> Option<Lock> {
        todo!("{version}")
    }
}

/// All families, by name.
pub fn families() -> Vec<Family> {
    todo!()
}

/// One family.
pub fn builtin(name: &str) -> Option<Family> {
    todo!("{name}")
}

/// A file that ships with kimg, by its path below `images/`.
pub fn file(path: &str) -> Option<&'static [u8]> {
    todo!("{path}")
}
