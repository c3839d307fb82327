use crate::error::{Category, Diagnose};
use crate::layer::LayerError;
use crate::net::NetError;
use crate::upstream::openpgp::OpenPgpError;

/// A failure to read what a Debian archive serves.
#[derive(Debug, thiserror::Error)]
pub enum DebianError {
    /// A package's archive is refused.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A signature is not accepted.
    #[error(transparent)]
    OpenPgp(#[from] OpenPgpError),
    /// The archive cannot be reached.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A .deb that is none.
    #[error("{package}: the .deb is damaged: {why}")]
    Deb {
        /// The package.
        package: String,
        /// What is wrong.
        why: String,
    },
    /// A Release or Packages file that is none.
    #[error("{file}: {why}")]
    Malformed {
        /// Which.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A file that should be there.
    #[error("{file}: the archive does not have it")]
    Absent {
        /// Which.
        file: String,
    },
    /// A file that is not the one that the Release names.
    #[error("{file}: expected {expected}, found {found}")]
    Mismatch {
        /// Which.
        file: String,
        /// The digest that the Release names.
        expected: String,
        /// What came.
        found: String,
    },
    /// A Release that is not current any more.
    #[error(
        "{suite}: its Release was valid until {until}, so the mirror is out of date or somebody holds back updates"
    )]
    Expired {
        /// The suite.
        suite: String,
        /// Its Valid-Until.
        until: String,
    },
    /// A Release that is older than one that was seen before.
    #[error("{suite}: its Release is of {found}, older than that of {before} in the lock")]
    Older {
        /// The suite.
        suite: String,
        /// Its date now.
        found: String,
        /// Its date in the lock.
        before: String,
    },
    /// A package that needs what nothing has.
    #[error("package {package}: nothing meets its dependency on `{}`{}", needs.escape_debug(), there(present.as_deref()))]
    Unmet {
        /// The package.
        package: String,
        /// What it needs, as it says it.
        needs: String,
        /// What the image has instead, with its version.
        present: Option<String>,
    },
    /// A package that no suite has.
    #[error("package {package}: none of {suites} has it for {architecture}")]
    NoPackage {
        /// The package.
        package: String,
        /// Where it was looked for.
        suites: String,
        /// For which architecture.
        architecture: String,
        /// Names that may be meant.
        near: Vec<String>,
    },
}

fn there(present: Option<&str>) -> String {
    present.map(|present| format!(", for the image has {present}")).unwrap_or_default()
}

impl Diagnose for DebianError {
    fn category(&self) -> Category {
        match self {
            DebianError::Layer(error) => error.category(),
            DebianError::OpenPgp(error) => error.category(),
            DebianError::Net(error) => error.category(),
            DebianError::NoPackage { .. } | DebianError::Unmet { .. } | DebianError::Absent { .. } => {
                Category::NotFound
            }
            _ => Category::Verification,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            DebianError::Layer(error) => error.hint(),
            DebianError::OpenPgp(error) => error.hint(),
            DebianError::Net(error) => error.hint(),
            DebianError::Expired { .. }
            | DebianError::Older { .. }
            | DebianError::Mismatch { .. }
            | DebianError::Absent { .. } => {
                Some("try another mirror: `--mirror debian=URL` or `--mirror debian-security=URL`".to_owned())
            }
            DebianError::Unmet { present: Some(_), .. } => {
                Some("it needs a newer base: take a newer kimg, or leave the package out".to_owned())
            }
            DebianError::NoPackage { near, .. } if !near.is_empty() => {
                Some(format!("did you mean {}?", near.join(" or ")))
            }
            _ => None,
        }
    }
}
