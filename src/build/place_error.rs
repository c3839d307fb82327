//! What is wrong with an image or artifact at another place that a build needs.

use super::BuildError;
use crate::copy::CopyError;
use crate::error::{Category, Diagnose};

/// A failure with what lies elsewhere.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It cannot be read from there, or not written to there.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// An image that cannot be a base.
    #[error("--base {place}: {why}")]
    Base {
        /// The image.
        place: String,
        /// Why not.
        why: String,
    },
    /// A base for other platforms.
    #[error("--base {place}: it is not for {platform}")]
    BasePlatform {
        /// The image.
        place: String,
        /// The platform that is built.
        platform: String,
        /// What it is for.
        known: Vec<String>,
    },
    /// An image that stands on nothing that could be replaced.
    #[error("image {image}: it stands on no base that --base could replace")]
    NoBase {
        /// The image.
        image: String,
    },
    /// A variant of what another image stands for.
    #[error("image {image}: --base stands for what variant `{variant}` changes")]
    BaseVariant {
        /// The image.
        image: String,
        /// The variant, which is known.
        variant: String,
    },
    /// An artifact that holds no inputs.
    #[error("--inputs {place}: {why}")]
    Inputs {
        /// The artifact.
        place: String,
        /// Why not.
        why: String,
    },
}

impl Diagnose for PlaceError {
    fn category(&self) -> Category {
        match self {
            PlaceError::Copy(error) => error.category(),
            PlaceError::Base { .. } => Category::Verification,
            PlaceError::BasePlatform { .. }
            | PlaceError::NoBase { .. }
            | PlaceError::BaseVariant { .. }
            | PlaceError::Inputs { .. } => Category::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            PlaceError::Copy(error) => error.hint(),
            PlaceError::Base { .. } => Some("name an image of layers, as `docker build` or kimg makes them".to_owned()),
            PlaceError::BasePlatform { known, .. } => Some(match known.is_empty() {
                true => "name another base, or another --platform".to_owned(),
                false => format!("it is for {}: name another base, or another --platform", known.join(", ")),
            }),
            PlaceError::NoBase { .. } => Some("leave out --base, or name the base in image.toml".to_owned()),
            PlaceError::BaseVariant { .. } => Some("leave out --variant, or --base".to_owned()),
            PlaceError::Inputs { .. } => Some("make it by `kimg fetch IMAGE -o docker://REF`".to_owned()),
        }
    }
}

impl From<CopyError> for BuildError {
    fn from(error: CopyError) -> BuildError {
        BuildError::Place(error.into())
    }
}
