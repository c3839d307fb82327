use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use super::base::BaseImage;
use crate::copy::{CopyError, Origin, Source};
use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::store::{BlobFile, Store};
use crate::transport::StoreSource;

/// An image of which the store need not have all: the layers of its base are read where that is, and layers that are where
/// the image goes are lacking.
pub struct ImageSource {
    store: Store,
    own: StoreSource,
    /// Layers of bases that the store lacks.
    bases: BTreeMap<Digest, Arc<dyn Source>>,
    origin: Option<Origin>,
}

impl ImageSource {
    pub(super) fn new<'a>(
        store: &Store,
        images: impl Iterator<Item = &'a BaseImage>,
    ) -> Result<ImageSource, CopyError> {
        let own = StoreSource::open(store.clone())?;
        let (mut bases, mut origin) = (BTreeMap::new(), None);
        for image in images {
            let source = image.base.source();
            origin = source.origin();
            let lacking = image.layers.iter().filter(|layer| !store.has(layer));
            bases.extend(lacking.map(|layer| (layer.digest, source.clone())));
        }
        Ok(ImageSource { store: store.clone(), own, bases, origin })
    }

    fn has(&self, blob: &Descriptor) -> bool {
        self.store.has(blob)
    }
}

impl Source for ImageSource {
    fn describe(&self) -> String {
        self.own.describe()
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        self.own.resolve(name)
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        match self.bases.get(&blob.digest) {
            Some(base) => base.open(blob, offset),
            None if self.has(blob) => self.own.open(blob, offset),
            None => Err(CopyError::Incomplete {
                place: self.describe(),
                what: blob.digest.to_string(),
                blobs: vec![blob.digest],
            }),
        }
    }

    fn origin(&self) -> Option<Origin> {
        self.origin.clone()
    }

    fn file(&self, blob: &Descriptor) -> Option<BlobFile> {
        self.has(blob).then(|| self.own.file(blob)).flatten()
    }

    fn tar_size(&self, layer: &Descriptor) -> Option<u64> {
        self.own.tar_size(layer)
    }
}

impl std::fmt::Debug for ImageSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageSource").field("store", &self.own).finish_non_exhaustive()
    }
}
