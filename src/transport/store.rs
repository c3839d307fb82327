use std::io::Read;

use crate::copy::{CopyError, Source};
use crate::oci::Descriptor;
use crate::store::{BlobFile, Lease, Store};

/// The store as a source; what is read from it is verified, and nothing of it is pruned while this lives.
#[derive(Debug)]
pub struct StoreSource {
    store: Store,
    _lease: Lease,
}

const PLACE: &str = "store";

impl StoreSource {
    /// Takes a lease of the store.
    pub fn open(store: Store) -> Result<StoreSource, CopyError> {
        let lease = store.lease().map_err(|error| CopyError::because(PLACE, "cannot be used", &error))?;
        Ok(StoreSource { store, _lease: lease })
    }
}

impl Source for StoreSource {
    fn describe(&self) -> String {
        PLACE.to_owned()
    }

    fn list(&self) -> Result<Vec<Descriptor>, CopyError> {
        let index = self.store.layout().index();
        Ok(index.map_err(|error| CopyError::because(PLACE, "index.json", &error))?.manifests)
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        let found = self.store.resolve(name).map_err(|error| CopyError::because(PLACE, name, &error))?;
        found.ok_or_else(|| CopyError::NotFound { place: PLACE.to_owned(), name: name.to_owned() })
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        let opened = self.store.open_blob_at(blob, offset);
        opened.map_err(|error| CopyError::because(PLACE, &blob.digest.to_string(), &error))
    }

    fn file(&self, blob: &Descriptor) -> Option<BlobFile> {
        Some(self.store.blob_file(blob))
    }

    fn tar_size(&self, layer: &Descriptor) -> Option<u64> {
        self.store.tar_size(layer)
    }
}
