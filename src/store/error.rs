use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::error::{Category, Diagnose};

/// A failure of the store or of a layout.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("{}: cannot {what}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else could change what is in it.
    #[error("{}: the store is refused: {why}", path.display())]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// Who else may write.
        why: String,
    },
    /// A folder that is no layout, or of a version that is not known.
    #[error("{}: {why}", path.display())]
    NoLayout {
        /// The file that tells so.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// An index or manifest that is not what it should be.
    #[error("{}: {why}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A blob that is not there.
    #[error("blob {digest}: it is not in {}", path.display())]
    Absent {
        /// The blob.
        digest: Digest,
        /// The layout.
        path: PathBuf,
    },
    /// Bytes that are not what their name says.
    #[error("{name}: expected {expected}, found {found}")]
    Mismatch {
        /// What they were taken for.
        name: String,
        /// Digest and size by which they are known.
        expected: String,
        /// Digest and size that were found.
        found: String,
    },
    /// `prune` while other commands work.
    #[error("{}: other commands of kimg are at work with this store", path.display())]
    Busy {
        /// The store.
        path: PathBuf,
    },
}

impl StoreError {
    /// Makes the error of an operation on a path.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_owned();
        move |source| StoreError::Io { what, path, source }
    }
}

impl Diagnose for StoreError {
    fn category(&self) -> Category {
        match self {
            StoreError::Io { source, .. } if source.kind() == io::ErrorKind::InvalidData => Category::Verification,
            StoreError::Io { .. } | StoreError::Unsafe { .. } | StoreError::Busy { .. } => Category::Failed,
            StoreError::NoLayout { .. } | StoreError::Document { .. } => Category::Failed,
            StoreError::Absent { .. } => Category::NotFound,
            StoreError::Mismatch { .. } => Category::Verification,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            StoreError::Io { what: "use the cached input", source, .. }
                if source.kind() == io::ErrorKind::InvalidData =>
            {
                Some("the damaged file was removed; run the command again, and it is fetched anew".to_owned())
            }
            StoreError::Io { source, .. }
                if matches!(source.kind(), io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists) =>
            {
                Some("a file stands where a folder should be: move it away".to_owned())
            }
            StoreError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free space there, run `kimg store prune`, or set KIMG_HOME to another place".to_owned())
            }
            StoreError::Io { source, .. }
                if matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) =>
            {
                Some("set KIMG_HOME to a folder that you may write to".to_owned())
            }
            StoreError::Unsafe { path, .. } => Some(format!(
                "`chmod go-w {}` if it is yours, or set KIMG_HOME to a folder of your own",
                path.display()
            )),
            StoreError::NoLayout { .. } => Some("set KIMG_HOME to a new or empty folder".to_owned()),
            StoreError::Document { .. } => Some("`kimg store check --repair` mends what can be mended".to_owned()),
            StoreError::Absent { .. } => Some("`kimg store check` tells what else is missing".to_owned()),
            StoreError::Busy { .. } => Some("run it again when they have ended".to_owned()),
            _ => None,
        }
    }
}
