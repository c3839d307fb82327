use std::io;

use crate::definition::{DefinitionError, embedded, nearest};
use crate::error::{Category, Diagnose};
use crate::layer::LayerError;
use crate::lock::LockError;
use crate::net::NetError;
use crate::oci::Platform;
use crate::store::StoreError;
use crate::upstream::debian::DebianError;
use crate::upstream::openpgp::OpenPgpError;

/// A failure to build.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No definition of that name.
    #[error("image `{}`: kimg has no definition of that name", name.escape_debug())]
    UnknownImage {
        /// What was asked for.
        name: String,
        /// Names that may be meant.
        near: Vec<String>,
    },
    /// No lock of that version.
    #[error("image `{name}:{}`: kimg has no lock of that version", version.escape_debug())]
    UnknownVersion {
        /// The family.
        name: String,
        /// What was asked for.
        version: String,
        /// Versions that may be meant.
        near: Vec<String>,
    },
    /// Definitions that are each other's base.
    #[error("image `{image}`: its bases never end")]
    BaseLoop {
        /// The image.
        image: String,
    },
    /// A definition cannot be read.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A lock cannot be read or does not fit.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A definition names a file that does not ship with it.
    #[error("layer `{layer}`: the definition names `{file}`, which is not there")]
    MissingFile {
        /// The layer.
        layer: String,
        /// The file.
        file: String,
    },
    /// A rule of a definition found nothing to work on.
    #[error("layer `{layer}`: rule `{rule}` found nothing that matches `{pattern}`")]
    NothingMatches {
        /// The layer.
        layer: String,
        /// The rule.
        rule: &'static str,
        /// The pattern or name.
        pattern: String,
    },
    /// A generated file could not be made.
    #[error("layer `{layer}`: rule `{rule}` for `{to}`: {why}")]
    Generate {
        /// The layer.
        layer: String,
        /// The rule.
        rule: &'static str,
        /// The file that it makes.
        to: String,
        /// Why.
        why: String,
    },
    /// A layer's inputs or writing failed.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A package cannot be read.
    #[error(transparent)]
    Debian(#[from] DebianError),
    /// A signature is not accepted.
    #[error(transparent)]
    OpenPgp(#[from] OpenPgpError),
    /// An input cannot be had.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A layer did not come out as its lock says.
    #[error("layer `{layer}` of {image}: not reproduced: {}", difference(first, expected, found))]
    NotReproduced {
        /// The image.
        image: String,
        /// The layer.
        layer: String,
        /// The first entries that differ.
        first: Vec<String>,
        /// What the lock says.
        expected: String,
        /// What came out.
        found: String,
    },
    /// A file of the user's cannot be read.
    #[error("{}: {source}", path.escape_debug())]
    UserFile {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file of the user's is not what it should be.
    #[error("{}: {why}", path.escape_debug())]
    BadUserFile {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// A platform that the image is not made for.
    #[error("image {image}: it is not made for {platform}")]
    Platform {
        /// The image.
        image: String,
        /// What was asked for.
        platform: String,
        /// What there is.
        known: Vec<String>,
    },
    /// No program inside images for a platform.
    #[error("{of}: this kimg has no entrypoint program for {platform}")]
    NoEntrypoint {
        /// The image or layer.
        of: String,
        /// The platform.
        platform: Platform,
    },
    /// A variant that the image does not have.
    #[error("image {image}: it has no variant `{}`", variant.escape_debug())]
    UnknownVariant {
        /// The image.
        image: String,
        /// What was asked for.
        variant: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A thread of the build ended in a way that is kimg's own fault.
    #[error("a worker of the build stopped: {0}")]
    Worker(String),
}

impl BuildError {
    /// No program for `platform`, which `of` needs.
    pub(super) fn no_entrypoint(of: &str, platform: &Platform) -> BuildError {
        BuildError::NoEntrypoint { of: of.to_owned(), platform: platform.clone() }
    }
}

fn difference(first: &[String], expected: &str, found: &str) -> String {
    match first {
        [] => format!("its lock says {expected}, and {found} came out"),
        [file] => format!("{file} differs (the lock says {expected}, {found} came out)"),
        files => format!("{} differ (the lock says {expected}, {found} came out)", files.join(", ")),
    }
}

impl Diagnose for BuildError {
    fn category(&self) -> Category {
        match self {
            BuildError::UnknownImage { .. } | BuildError::UnknownVersion { .. } | BuildError::UnknownVariant { .. } => {
                Category::NotFound
            }
            BuildError::BaseLoop { .. }
            | BuildError::MissingFile { .. }
            | BuildError::NothingMatches { .. }
            | BuildError::Platform { .. }
            | BuildError::NoEntrypoint { .. }
            | BuildError::BadUserFile { .. } => Category::Usage,
            BuildError::Definition(error) => error.category(),
            BuildError::Lock(error) => error.category(),
            BuildError::Generate { .. } | BuildError::UserFile { .. } | BuildError::Worker(_) => Category::Failed,
            BuildError::Layer(error) => error.category(),
            BuildError::Debian(error) => error.category(),
            BuildError::OpenPgp(error) => error.category(),
            BuildError::Net(error) => error.category(),
            BuildError::Store(error) => error.category(),
            BuildError::NotReproduced { .. } => Category::Verification,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            BuildError::UnknownImage { near, .. } if near.is_empty() => None,
            BuildError::UnknownImage { near, .. } => {
                Some(format!("did you mean {}? `kimg images` lists all", near.join(" or ")))
            }
            BuildError::UnknownVersion { name, near, .. } => {
                let full: Vec<String> = near.iter().map(|version| format!("{name}:{version}")).collect();
                Some(format!("there is {}; `kimg images` lists all", full.join(", ")))
            }
            BuildError::Platform { known, .. } => Some(format!("it is made for {}", known.join(", "))),
            BuildError::NoEntrypoint { platform, .. } if platform.architecture == "arm64" => Some(
                "run scripts/entrypoint-arm64 and compile kimg again, or take the kimg of a release, which has it"
                    .to_owned(),
            ),
            BuildError::NoEntrypoint { .. } => {
                let known: Vec<&str> = embedded::ENTRYPOINTS.iter().map(|known| known.architecture).collect();
                Some(format!("it has one for {}", known.join(" and ")))
            }
            BuildError::UnknownVariant { known, .. } if known.is_empty() => Some("it has no variants".to_owned()),
            BuildError::UnknownVariant { variant, known, .. } => {
                let near = nearest(variant, known.iter().map(String::as_str));
                let meant = near.first().map(|near| format!("did you mean {near}? ")).unwrap_or_default();
                Some(format!("{meant}it has {}", known.join(" and ")))
            }
            BuildError::NotReproduced { .. } => Some(
                "the inputs fit their pins, so this kimg makes other bytes of them: report it with the output of `kimg --version`"
                    .to_owned(),
            ),
            BuildError::Definition(error) => error.hint(),
            BuildError::Lock(error) => error.hint(),
            BuildError::Layer(error) => error.hint(),
            BuildError::Debian(error) => error.hint(),
            BuildError::OpenPgp(error) => error.hint(),
            BuildError::Net(error) => error.hint(),
            BuildError::Store(error) => error.hint(),
            _ => None,
        }
    }
}
