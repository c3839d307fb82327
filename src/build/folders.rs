//! Inputs out of folders and artifacts that `kimg fetch` made: `DIR/UPSTREAM/PATH`. What lies there is hashed on its way into the cache.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::inputs::Need;
use super::{BuildError, Workshop};
use crate::lock::Upstream;
use crate::store::StoreError;

/// The path of a file in such a folder.
pub(super) fn path(folder: &Path, upstream: Upstream, path: &str) -> PathBuf {
    folder.join(upstream.name()).join(path)
}

/// The same path, below the folder.
pub(super) fn title(upstream: Upstream, path: &str) -> String {
    format!("{}/{path}", upstream.name())
}

/// Takes what the folders and artifacts have. A file of other bytes is an error where no host may be asked, and else told.
pub(super) async fn take(needs: Vec<Need>, workshop: &Workshop) -> Result<(), BuildError> {
    if workshop.sources.folders.is_empty() && workshop.sources.artifacts.is_empty() {
        return Ok(());
    }
    let workshop = workshop.clone();
    let work = move || needs.iter().try_for_each(|need| take_one(need, &workshop));
    tokio::task::spawn_blocking(work).await.map_err(|error| BuildError::Worker(error.to_string()))?
}

fn take_one(need: &Need, workshop: &Workshop) -> Result<(), BuildError> {
    for folder in &workshop.sources.folders {
        let path = path(folder, need.upstream, &need.path);
        let Some(file) = open(&path)? else { continue };
        match copy(file, &path, need, workshop) {
            Ok(()) => return Ok(()),
            Err(error @ StoreError::Mismatch { .. }) if !workshop.sources.offline => {
                workshop.events.warning(format!("{error}; a host is asked for it"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    for artifact in &workshop.sources.artifacts {
        match artifact.take(need, workshop) {
            Ok(false) => {}
            Ok(true) => return Ok(()),
            Err(error) if !workshop.sources.offline => {
                workshop.events.warning(format!("{error}; a host is asked for it"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A file that may not be there.
pub(super) fn open(path: &Path) -> Result<Option<File>, BuildError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(BuildError::UserFile { path: path.display().to_string(), source }),
    }
}

fn copy(mut file: File, path: &Path, need: &Need, workshop: &Workshop) -> Result<(), StoreError> {
    let mut input = workshop.store.downloads().create(&path.display().to_string(), &need.digest, need.size)?;
    input.append_all(&mut file, |source| StoreError::Io { what: "read", path: path.to_owned(), source })?;
    input.commit()
}
