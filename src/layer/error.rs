use std::io;

use crate::error::{Category, Diagnose};

/// A failure to read an archive or to write a layer.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A path that no image may have.
    #[error("path `{path}`: {why}")]
    Path {
        /// The path, escaped.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An archive holds what no layer may hold.
    #[error("{input}: {path}: {why}")]
    Refused {
        /// The archive or file.
        input: String,
        /// The entry.
        path: String,
        /// Why.
        why: String,
    },
    /// An archive exceeds its bounds.
    #[error("{input}: more than {limit} {what}, so it is refused as a bomb")]
    Bomb {
        /// The archive.
        input: String,
        /// The bound.
        limit: u64,
        /// Of what.
        what: &'static str,
    },
    /// An archive cannot be read.
    #[error("{input}: the archive is damaged: {why}")]
    Damaged {
        /// The archive.
        input: String,
        /// Why.
        why: String,
    },
    /// Two entries want one path.
    #[error("{path}: {second} brings {second_kind}, where {first} brought {first_kind}")]
    Clash {
        /// The path.
        path: String,
        /// Who came first.
        first: String,
        /// With what.
        first_kind: &'static str,
        /// Who came second.
        second: String,
        /// With what.
        second_kind: &'static str,
    },
    /// An entry whose path leads through a link or a file.
    #[error("{path} of {input}: its path leads through {through}, which is {kind} of {owner}")]
    Through {
        /// The path.
        path: String,
        /// Whose it is.
        input: String,
        /// What is in the way.
        through: String,
        /// What that is.
        kind: &'static str,
        /// Who brought that.
        owner: String,
    },
    /// Contents that are shorter or longer than declared.
    #[error("{path} of {input}: its contents are {found} than the {declared} bytes declared")]
    Size {
        /// The path.
        path: String,
        /// Whose it is.
        input: String,
        /// `shorter` or `longer`.
        found: &'static str,
        /// The declared size.
        declared: u64,
    },
    /// Contents that cannot be read.
    #[error("{path} of {input}: {source}")]
    Content {
        /// The path.
        path: String,
        /// Whose it is.
        input: String,
        /// Why.
        source: io::Error,
    },
    /// The layer's blob cannot be written.
    #[error("writing a layer: {0}")]
    Output(#[source] io::Error),
    /// An encoder failed.
    #[error("compressing a layer: {0}")]
    Encoder(String),
}

impl Diagnose for LayerError {
    fn category(&self) -> Category {
        match self {
            LayerError::Output(_) | LayerError::Encoder(_) => Category::Failed,
            LayerError::Content { source, .. } if source.kind() != io::ErrorKind::InvalidData => Category::Failed,
            _ => Category::Verification,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            LayerError::Output(error) if error.kind() == io::ErrorKind::StorageFull => Some(
                "free space where the store is, run `kimg store prune`, or set KIMG_HOME to another place".to_owned(),
            ),
            LayerError::Clash { .. } => Some("leave one of them out by the definition's `drop`".to_owned()),
            LayerError::Path { .. } | LayerError::Refused { .. } | LayerError::Bomb { .. } => {
                Some("the archive is not what its publisher would make; it is not used".to_owned())
            }
            _ => None,
        }
    }
}
