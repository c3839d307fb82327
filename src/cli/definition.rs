//! `-f FILE`: a definition of the user's, and the lock beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::write_whole;
use super::lock::now;
use super::{CliError, Environment, Failure};
use crate::build::{self, BuildError, Workshop};
use crate::definition::{Catalog, user};

/// No definition is larger.
const LIMIT: u64 = 4 << 20;

/// Flags of commands that take images by name or a definition.
#[derive(Debug, clap::Args)]
pub(super) struct OwnDefinition {
    /// Take the definition in FILE instead of an image's name; its lock is FILE's name with .lock.toml
    #[arg(short, long, value_name = "FILE", conflicts_with = "image")]
    pub(super) file: Option<PathBuf>,
}

impl OwnDefinition {
    /// Reads the definition and its lock, where it is named: the catalog with it.
    pub(super) fn add_to(&self, catalog: Catalog) -> Result<Catalog, Failure> {
        let Some(path) = &self.file else { return Ok(catalog) };
        let lock = lock_path(path)?;
        let text = read(path)?;
        let document = user::parse(&text, &path.display().to_string())?;
        let lock_text = match read(&lock) {
            Ok(text) => Some(text),
            Err(CliError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(catalog.with_user(document, folder, (lock.display().to_string(), lock_text))?)
    }
}

/// The images that are meant: those named, or that of the definition.
pub(super) fn images(named: &[String], catalog: &Catalog) -> Vec<String> {
    catalog.user().map_or_else(|| named.to_vec(), |user| vec![user.image()])
}

/// Makes the lock of a definition that has none yet, unless a flag does not allow it.
pub(super) async fn lock_if_absent(
    mut workshop: Workshop,
    refused_by: Option<&'static str>,
    environment: &Environment,
) -> Result<Workshop, Failure> {
    let Some(user) = workshop.catalog.user().filter(|user| user.lock.is_none()) else { return Ok(workshop) };
    if let Some(flag) = refused_by {
        let (file, lock) = (user.file.clone(), user.lock_file.clone());
        return Err(BuildError::NoUserLock { file, lock, flag }.into());
    }
    let locked = build::lock_user(&workshop, now(environment)?).await?;
    write_whole(Path::new(&user.lock_file), locked.lock.as_bytes())?;
    workshop.events.note(format!("{}: made, for there was none; keep it beside the definition", user.lock_file));
    workshop.catalog = workshop.catalog.with_user_lock(locked.lock);
    Ok(workshop)
}

/// `image.lock.toml` of `image.toml`.
fn lock_path(file: &Path) -> Result<PathBuf, CliError> {
    let name = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".toml"));
    match name.filter(|name| !name.is_empty() && !name.ends_with(".lock")) {
        Some(name) => Ok(file.with_file_name(format!("{name}.lock.toml"))),
        None => Err(CliError::Flags {
            flag: "--file",
            why: format!("`{}` is not the name of a definition", file.display().to_string().escape_debug()),
            hint: "name a file NAME.toml; its lock is NAME.lock.toml beside it".to_owned(),
        }),
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    let failed = |source| CliError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > LIMIT {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 4 MiB")));
    }
    fs::read_to_string(path).map_err(failed)
}
