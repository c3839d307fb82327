use std::fs;
use std::path::{Path, PathBuf};

use super::{CliError, Failure};
use crate::definition::Catalog;

/// The definitions of a folder laid out as `images/`, or those built in.
pub(super) fn catalog(folder: Option<&Path>) -> Result<Catalog, Failure> {
    let Some(folder) = folder else { return Ok(Catalog::builtin()) };
    let mut files = Vec::new();
    let mut waiting = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = waiting.pop() {
        for path in children(&folder)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let below = format!("{prefix}{name}");
            if name.starts_with('.') {
                continue;
            } else if path.is_dir() {
                // A program's sources are no definition, and their folder may hold what was compiled.
                if !path.join("Cargo.toml").exists() {
                    waiting.push((path, format!("{below}/")));
                }
            } else {
                let bytes = fs::read(&path).map_err(|source| CliError::Read { path, source })?;
                files.push((below, bytes));
            }
        }
    }
    if !files.iter().any(|(path, _)| path.ends_with("/image.toml")) {
        return Err(CliError::NoDefinitions { path: folder.to_owned() }.into());
    }
    Ok(Catalog::of(files))
}

#[allow(clippy::disallowed_methods, reason = "the catalog sorts what it is given")]
fn children(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |source| CliError::Read { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}
