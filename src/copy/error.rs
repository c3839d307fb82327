use std::io;

use crate::digest::Digest;
use crate::error::{Category, Diagnose};

/// A failure to move an image.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// No such name.
    #[error("{place}: nothing is named `{}`", name.escape_debug())]
    NotFound {
        /// The source.
        place: String,
        /// What was asked for.
        name: String,
    },
    /// A source or sink failed.
    #[error("{place}: {what}: {why}")]
    Failed {
        /// The source or sink.
        place: String,
        /// What failed.
        what: String,
        /// Why.
        why: String,
        /// What kind of failure it is.
        category: Category,
        /// What to do.
        hint: Option<String>,
    },
    /// An image that the sink cannot hold.
    #[error("{place}: {image}: {why}")]
    Unfit {
        /// The sink.
        place: String,
        /// The image.
        image: String,
        /// Why not.
        why: String,
        /// What to do.
        hint: String,
    },
    /// An image that is not made for a platform.
    #[error("{place}: {image} is not made for {wanted}")]
    NoPlatform {
        /// The source.
        place: String,
        /// The image.
        image: String,
        /// The platform.
        wanted: String,
        /// Those that it is made for, escaped.
        there: Vec<String>,
    },
    /// A manifest that no image has.
    #[error("{place}: manifest {descriptor}: {why}")]
    Manifest {
        /// The source.
        place: String,
        /// Its digest.
        descriptor: String,
        /// What is wrong.
        why: String,
    },
    /// Blobs that are not there after all, though the sink said that they are.
    #[error("{place}: {what}: blobs of it are not there, though it was said that they are")]
    Incomplete {
        /// The source or sink.
        place: String,
        /// The manifest or blob.
        what: String,
        /// The blobs, where that was told.
        blobs: Vec<Digest>,
    },
}

impl CopyError {
    /// A failure of `place` to do `what`, with the category and hint of its cause.
    pub fn because(place: &str, what: &str, error: &dyn Diagnose) -> CopyError {
        CopyError::Failed {
            place: place.to_owned(),
            what: what.to_owned(),
            why: error.to_string(),
            category: error.category(),
            hint: error.hint(),
        }
    }
}

impl CopyError {
    /// The error that a source gave along with a failed read; any other failure as it came.
    pub fn carried(error: io::Error) -> Result<CopyError, io::Error> {
        match error.get_ref().is_some_and(|inner| inner.is::<CopyError>()) {
            true => error.downcast::<CopyError>(),
            false => Err(error),
        }
    }
}

/// A failed read tells no more than its text: where a source knows more, its error travels with it.
impl From<CopyError> for io::Error {
    fn from(error: CopyError) -> io::Error {
        let kind = match error.category() {
            Category::Verification => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

impl Diagnose for CopyError {
    fn category(&self) -> Category {
        match self {
            CopyError::NotFound { .. } | CopyError::NoPlatform { .. } => Category::NotFound,
            CopyError::Failed { category, .. } => *category,
            CopyError::Unfit { .. } => Category::Usage,
            CopyError::Manifest { .. } => Category::Verification,
            CopyError::Incomplete { .. } => Category::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CopyError::NotFound { place, .. } => list(place),
            CopyError::Failed { hint, .. } => hint.clone(),
            CopyError::Unfit { hint, .. } => Some(hint.clone()),
            CopyError::NoPlatform { there, .. } => Some(match there.as_slice() {
                [] => "leave out --platform: it does not say what it is made for".to_owned(),
                there => format!("it is made for {}: name one of these", there.join(", ")),
            }),
            CopyError::Incomplete { .. } => Some("run the command again: what is there is asked for anew".to_owned()),
            _ => None,
        }
    }
}

/// What lists the names of a place.
fn list(place: &str) -> Option<String> {
    let is_repository = place.strip_prefix("docker://").is_some_and(|repository| repository.contains('/'));
    match place {
        "store" => Some("`kimg store ls` lists what there is".to_owned()),
        _ if is_repository => Some(format!("`kimg ls {place}` lists its tags")),
        _ if place.starts_with("oci:") => Some(format!("`kimg ls {place}` lists its names")),
        _ => None,
    }
}
