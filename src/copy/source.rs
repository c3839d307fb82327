use std::io::Read;

use super::walk::{MAX_MANIFEST, whole};
use super::{CopyError, Stop};
use crate::oci::Descriptor;
use crate::store::BlobFile;

/// Where an image comes from.
///
/// Contract: a source may be read from many times, in any order and by several threads at once; its bytes are not
/// verified yet, whoever reads them verifies them by the descriptor.
pub trait Source: Send + Sync {
    /// What it is, for errors: `store`, `oci:DIR`.
    fn describe(&self) -> String;

    /// The manifest or index of that name: a tag or a digest.
    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError>;

    /// Opens a blob at an offset in bytes. Reading it from 0 to the end verifies it where the source can tell (a failed
    /// read); a read that ends early is short, and whoever reads finds that.
    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError>;

    /// The bytes of a manifest or index, verified.
    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, CopyError> {
        whole(&self.describe(), descriptor, MAX_MANIFEST, || self.open(descriptor, 0))
    }

    /// Whether it has these blobs, where that costs no more than a look: what is missing is then known before anything
    /// moves. Their bytes are not looked at.
    fn look_for(&self, _blobs: &[Descriptor]) -> Result<(), CopyError> {
        Ok(())
    }

    /// The manifests that name this one as their subject (distribution-spec 1.1, "Listing Referrers"); for images that
    /// have none, and places that know of none, no error.
    fn referrers(&self, _subject: &Descriptor) -> Result<Vec<Descriptor>, CopyError> {
        Ok(Vec::new())
    }

    /// What it lists, with names as annotations ([`NAME`](crate::store::NAME)), where it is a list of images.
    fn list(&self) -> Result<Vec<Descriptor>, CopyError> {
        Ok(Vec::new())
    }

    /// The repository that it is, where it is one: a sink in the same registry mounts from there.
    fn origin(&self) -> Option<Origin> {
        None
    }

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

/// A repository that blobs can be mounted from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// `HOST[:PORT]` of the registry.
    pub registry: String,
    /// The repository in it.
    pub repository: String,
}

/// A source whose reads fail once the copy is to stop.
pub(super) struct Stoppable<'a> {
    content: Box<dyn Read + Send + 'a>,
    stop: Stop,
}

impl<'a> Stoppable<'a> {
    pub(super) fn new(content: Box<dyn Read + Send + 'a>, stop: &Stop) -> Stoppable<'a> {
        Stoppable { content, stop: stop.clone() }
    }
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.stop.is_set() {
            true => Err(std::io::Error::other("the copy ended")),
            false => self.content.read(buffer),
        }
    }
}
