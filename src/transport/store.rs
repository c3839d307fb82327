use std::io::Read;

use crate::copy::{CopyError, Source};
use crate::oci::Descriptor;
use crate::store::Store;

/// The store as a source; what is read from it is verified.
#[derive(Debug, Clone)]
pub struct StoreSource(pub Store);

const PLACE: &str = "store";

impl Source for StoreSource {
    fn describe(&self) -> String {
        PLACE.to_owned()
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        let found = self.0.resolve(name).map_err(|error| CopyError::because(PLACE, name, &error))?;
        found.ok_or_else(|| CopyError::NotFound { place: PLACE.to_owned(), name: name.to_owned() })
    }

    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + '_>, CopyError> {
        let blob = self.0.open_blob(descriptor);
        let blob = blob.map_err(|error| CopyError::because(PLACE, &descriptor.digest.to_string(), &error))?;
        Ok(Box::new(blob))
    }
}
