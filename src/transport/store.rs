use std::io::Read;
use std::sync::OnceLock;

use super::layout_names::{self, Referrers};
use super::layout_source::small;
use crate::copy::{CopyError, Source};
use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::store::{BlobFile, Lease, Store};

/// The store as a source; what is read from it is verified, and nothing of it is pruned while this lives.
#[derive(Debug)]
pub struct StoreSource {
    store: Store,
    referrers: OnceLock<Referrers>,
    _lease: Lease,
}

const PLACE: &str = "store";

impl StoreSource {
    /// Takes a lease of the store.
    pub fn open(store: Store) -> Result<StoreSource, CopyError> {
        let lease = store.lease().map_err(|error| CopyError::because(PLACE, "cannot be used", &error))?;
        Ok(StoreSource { store, referrers: OnceLock::new(), _lease: lease })
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
        let index = || self.store.layout().index().map_err(|error| CopyError::because(PLACE, "index.json", &error));
        if name.parse::<Digest>().is_ok() {
            return layout_names::find(PLACE, &index()?, Some(name), &|digest| small(self.store.layout(), digest));
        }
        let found = self.store.resolve(name).map_err(|error| CopyError::because(PLACE, name, &error))?;
        found.ok_or_else(|| CopyError::NotFound { place: PLACE.to_owned(), name: name.to_owned() })
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        let opened = self.store.open_blob_at(blob, offset);
        opened.map_err(|error| CopyError::because(PLACE, &blob.digest.to_string(), &error))
    }

    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, CopyError> {
        let layout = self.store.layout();
        let index = layout.index().map_err(|error| CopyError::because(PLACE, "index.json", &error))?;
        let all = self.referrers.get_or_init(|| layout_names::referrers(&index, &|digest| small(layout, digest)));
        Ok(all.get(&subject.digest).cloned().unwrap_or_default())
    }

    fn file(&self, blob: &Descriptor) -> Option<BlobFile> {
        Some(self.store.blob_file(blob))
    }

    fn tar_size(&self, layer: &Descriptor) -> Option<u64> {
        self.store.tar_size(layer)
    }
}
