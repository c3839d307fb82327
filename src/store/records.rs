use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files;
use super::{Store, StoreError};

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

    fn record(&self, kind: &str, key: &str) -> PathBuf {
        self.cache("records").join(kind).join(key)
    }
}
