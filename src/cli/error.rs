use std::io;
use std::path::PathBuf;

use crate::error::{Category, Diagnose};

/// A failure of the command line itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// There is no place for the store or the configuration.
    #[error("the store has no place: neither KIMG_HOME nor XDG_DATA_HOME nor HOME is set to an absolute path")]
    NoHome,
    /// A variable of the environment has a value that makes no sense.
    #[error("{name}: {why}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Flags that make no sense together.
    #[error("{flag}: {why}")]
    Flags {
        /// The flag concerned.
        flag: &'static str,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: String,
    },
    /// A file of the user's cannot be read.
    #[error("{}: cannot read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of the user's cannot be written.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder that should hold definitions does not.
    #[error("{}: no folder in it holds an image.toml", path.display())]
    NoDefinitions {
        /// The folder.
        path: PathBuf,
    },
    /// Standard output cannot be written.
    #[error("standard output: cannot write: {0}")]
    Answer(io::Error),
    /// Signals or threads cannot be had.
    #[error("the program cannot start: {0}")]
    Start(io::Error),
    /// A thread stopped in a way that is kimg's own fault.
    #[error("a worker stopped: {0}")]
    Worker(String),
    /// `kimg lock --check` found packages that would move.
    #[error("{}: the Debian archive has other packages than the lock", images.join(", "))]
    Outdated {
        /// The images.
        images: Vec<String>,
    },
    /// `kimg lock -f FILE --check` found a lock that would be another.
    #[error("{lock}: it would be another if it were made now")]
    OutdatedLock {
        /// The lock.
        lock: String,
        /// The definition.
        file: String,
    },
    /// `kimg store check` found something.
    #[error("the store at {}: {count} damaged or missing", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// How many findings were not mended.
        count: usize,
        /// Whether nothing damaged is left, so that only making them again helps.
        gone: bool,
    },
}

impl Diagnose for CliError {
    fn category(&self) -> Category {
        match self {
            CliError::NoHome | CliError::Variable { .. } | CliError::Flags { .. } | CliError::NoDefinitions { .. } => {
                Category::Usage
            }
            CliError::Read { .. }
            | CliError::Write { .. }
            | CliError::Outdated { .. }
            | CliError::OutdatedLock { .. }
            | CliError::Answer(_)
            | CliError::Start(_)
            | CliError::Worker(_) => Category::Failed,
            CliError::Damaged { .. } => Category::Verification,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CliError::NoHome => Some("set KIMG_HOME to the folder that shall hold images and downloads".to_owned()),
            CliError::Variable { hint, .. } => hint.clone(),
            CliError::Flags { hint, .. } => Some(hint.clone()),
            CliError::NoDefinitions { .. } => Some("name a folder laid out as kimg's own `images/`".to_owned()),
            CliError::Outdated { .. } => Some("`kimg lock --update --images DIR` moves them".to_owned()),
            CliError::OutdatedLock { file, .. } => Some(format!("`kimg lock -f {file}` makes it again")),
            CliError::Damaged { gone: false, .. } => {
                Some("`kimg store check --repair` removes what is damaged; it is made or fetched again".to_owned())
            }
            CliError::Damaged { gone: true, .. } => Some("build the images that miss something again".to_owned()),
            CliError::Read { source, .. } | CliError::Write { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => {
                    Some("check the path; a relative one begins at the working folder".to_owned())
                }
                io::ErrorKind::PermissionDenied => Some("check the permissions of the file and its folders".to_owned()),
                io::ErrorKind::StorageFull => Some("free space there".to_owned()),
                io::ErrorKind::IsADirectory => Some("name a file in it".to_owned()),
                _ => None,
            },
            CliError::Answer(_) | CliError::Start(_) | CliError::Worker(_) => None,
        }
    }
}
