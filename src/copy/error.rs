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

impl Diagnose for CopyError {
    fn category(&self) -> Category {
        match self {
            CopyError::NotFound { .. } => Category::NotFound,
            CopyError::Failed { category, .. } => *category,
            CopyError::Unfit { .. } => Category::Usage,
            CopyError::Manifest { .. } => Category::Verification,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            CopyError::NotFound { place, .. } => list(place),
            CopyError::Failed { hint, .. } => hint.clone(),
            CopyError::Unfit { hint, .. } => Some(hint.clone()),
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
