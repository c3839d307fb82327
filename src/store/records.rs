use std::fs;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::files;
use super::{Store, StoreError};
use crate::oci::Descriptor;

/// The kind of records of the tars that layers are packed from.
const TARS: &str = "tars";

#[derive(Serialize, Deserialize)]
struct TarRecord {
    descriptor: Descriptor,
    tar_size: u64,
}

/// The kind of records that say who vouched for an input. They are pruned with the inputs.
pub const VOUCHED: &str = "vouched";

impl Store {
    /// A small JSON answer kept under a key made of all that it depends on. `kind` and `key` are file names. Absent,
    /// torn or unreadable records are `None`: they are only a cache.
    pub fn recall<T: DeserializeOwned>(&self, kind: &str, key: &str) -> Option<T> {
        let bytes = fs::read(self.record(kind, key)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps an answer for [`Store::recall`].
    pub fn remember<T: Serialize>(&self, kind: &str, key: &str, value: &T) -> Result<(), StoreError> {
        let path = self.record(kind, key);
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        files::write_whole(&self.cache("tmp"), &path, &crate::oci::to_bytes(value))
    }

    /// Keeps the size of the tar that a layer is packed from.
    pub fn remember_tar_size(&self, layer: &Descriptor, tar_size: u64) -> Result<(), StoreError> {
        let (key, descriptor) = (layer.digest.hex(), layer.clone());
        self.remember(TARS, &key, &TarRecord { descriptor, tar_size })
    }

    /// The size of the tar that a layer is packed from, where it is known.
    pub fn tar_size(&self, layer: &Descriptor) -> Option<u64> {
        let record: TarRecord = self.recall(TARS, &layer.digest.hex())?;
        (record.descriptor.digest == layer.digest).then_some(record.tar_size)
    }

    fn record(&self, kind: &str, key: &str) -> PathBuf {
        self.cache("records").join(kind).join(key)
    }
}
