//! The one way images move: resolve -> walk the descriptors -> ask the sink what it has -> a plan -> stream what
//! moves -> manifests bottom-up -> names last.

mod execute;
mod plan;
mod unpack;
mod walk;

use std::io::Read;

use crate::error::{Category, Diagnose};
use crate::oci::Descriptor;
use crate::store::BlobFile;

pub use execute::execute;
pub use plan::{Plan, PlannedBlob, PlannedImage, Root, plan};
pub use unpack::unpacked;
pub use walk::{MAX_DEPTH, MAX_DESCRIPTORS, MAX_MANIFEST, MAX_MANIFESTS};

/// Where an image comes from.
///
/// Contract: a source may be read from many times and in any order; its bytes are not verified yet, whoever reads them
/// verifies them by the descriptor.
pub trait Source {
    /// What it is, for errors: `store`, `oci:DIR`.
    fn describe(&self) -> String;

    /// The manifest or index of that name.
    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError>;

    /// Opens a blob or manifest; reading to the end verifies it, where the source can tell (a failed read).
    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + '_>, CopyError>;

    /// The file of this machine that a blob is, where the source has such: a sink may take that instead of its bytes.
    fn file(&self, _blob: &Descriptor) -> Option<BlobFile> {
        None
    }

    /// The size in bytes of the tar that a layer is packed from, where the source knows it; else it is unpacked once
    /// to count. A wrong answer is found while the layer moves.
    fn tar_size(&self, _layer: &Descriptor) -> Option<u64> {
        None
    }
}

/// What a sink takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Blobs and manifests as they are, of any number of platforms.
    AsIs,
    /// Images of one platform each: configurations as they are, and layers as tars, which are known by their diff ids.
    /// There are no manifests.
    Tars,
}

/// Whether a sink has a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Have {
    /// It is there.
    Present,
    /// It is not.
    Absent,
}

/// Where images go.
///
/// Contract: until [`Sink::finish`] no name points at anything new; blobs may stay for the next run when it is never
/// called. Blobs come in the order of the plan, each once and before the manifests that name it, and a manifest before
/// an index that names it. A sink verifies what it takes and keeps nothing that does not fit its descriptor.
pub trait Sink {
    /// What it is, for errors: `oci:DIR`.
    fn describe(&self) -> String;

    /// What it takes; the plan is made accordingly.
    fn form(&self) -> Form {
        Form::AsIs
    }

    /// Told what will come, before anything does; refuses what it cannot hold.
    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError>;

    /// Whether a blob or manifest is there.
    fn have(&self, descriptor: &Descriptor) -> Result<Have, CopyError>;

    /// Takes a blob; `progress` is called with the bytes taken so far.
    fn take_blob(
        &mut self,
        descriptor: &Descriptor,
        content: &mut dyn Read,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), CopyError>;

    /// Takes a blob as the file that it is, verified; false where it cannot, and the blob is sent by [`Sink::take_blob`].
    fn take_file(
        &mut self,
        _descriptor: &Descriptor,
        _file: &BlobFile,
        _progress: &mut dyn FnMut(u64),
    ) -> Result<bool, CopyError> {
        Ok(false)
    }

    /// Takes the bytes of a manifest or index, as they are.
    fn take_manifest(&mut self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError>;

    /// Points the names of each root at it.
    fn finish(self: Box<Self>, roots: &[Root]) -> Result<(), CopyError>;
}

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
            CopyError::Failed { hint, .. } => hint.clone(),
            CopyError::Unfit { hint, .. } => Some(hint.clone()),
            _ => None,
        }
    }
}
