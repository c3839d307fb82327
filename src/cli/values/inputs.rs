use std::path::PathBuf;

use super::{InvalidValue, Location, reference};

/// Where inputs of images lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum InputsPlace {
    /// A folder.
    Folder(PathBuf),
    /// An artifact of a registry.
    Registry(Location),
}

/// Parses a folder or `docker://REF`.
pub(in crate::cli) fn inputs(text: &str) -> Result<InputsPlace, InvalidValue> {
    match text.strip_prefix("docker://") {
        Some(_) => Ok(InputsPlace::Registry(reference(text)?)),
        None if text.is_empty() => Err(InvalidValue::new("the folder is missing", "write DIR or docker://REF")),
        None => Ok(InputsPlace::Folder(PathBuf::from(text))),
    }
}
