//! Files that are written for the user.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::values::ArchiveFile;
use super::{CliError, Failure};
use crate::transport::Archive;

/// Writes a whole file or, where that fails, leaves the one that was there: beside, synced, renamed. What is no file (a
/// terminal, a pipe) is written to as it is.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    // Through links, so that a link stays one.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        let mut file = OpenOptions::new().write(true).open(&target).map_err(failed)?;
        return file.write_all(bytes).map_err(failed);
    }
    let beside = beside(&target).map_err(failed)?;
    let written = write_new(&beside, bytes).and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.map_err(failed)
}

/// The same for what nobody else may read, in a folder that is made where there is none.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let beside = beside(&target).map_err(failed)?;
    // What a killed process of the same number left.
    let _ = fs::remove_file(&beside);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.map_err(failed)
}

/// Whether a file can be written there, as far as its folder tells.
pub(super) fn check_folder(file: &Path) -> Result<(), CliError> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let failed = |source| CliError::Write { path: file.to_owned(), source };
    if file.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    match fs::metadata(folder).map_err(failed)?.is_dir() {
        true => Ok(()),
        false => Err(failed(io::ErrorKind::NotADirectory.into())),
    }
}

/// An archive that is written into a file or to standard output.
pub(super) fn archive(file: &ArchiveFile, place: &str) -> Result<Archive, Failure> {
    match file {
        ArchiveFile::Path(path) => Ok(Archive::at(place, path)?),
        // Not through the buffer of lines that answers have.
        ArchiveFile::Stdout => {
            let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(CliError::Answer)?;
            Ok(Archive::to(place, File::from(stdout)))
        }
    }
}

fn beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.tmp", std::process::id()));
    Ok(target.with_file_name(beside))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_file_or_the_new_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_whole(&link, b"three").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"three");
        #[allow(clippy::disallowed_methods, reason = "only the number of files counts")]
        let count = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(count, 2);
        assert!(write_whole(&folder.path().join("no/such"), b"").is_err());
        assert!(write_whole(folder.path(), b"").is_err());
    }
}
