use std::fs;
use std::path::Path;

use super::files;
use super::{Layout, Store, StoreError};
use crate::oci::{Config, Descriptor, Index, Manifest, media_type};

/// The annotation of a name in a layout's index (image-spec 1.1, annotations.md).
pub const NAME: &str = "org.opencontainers.image.ref.name";

/// Manifests and configurations are read whole.
const DOCUMENT_LIMIT: u64 = 8 << 20;

/// An image of the store, as `kimg store ls` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its manifest or index.
    pub descriptor: Descriptor,
    /// Bytes of manifest, configuration and layers together.
    pub size: u64,
    /// The configuration's `created`.
    pub created: Option<String>,
}

impl Layout {
    /// The index.
    pub fn index(&self) -> Result<Index, StoreError> {
        let path = self.index_file();
        let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::NoLayout { path, why: format!("is no index of a layout: {error}") })
    }

    /// What a name points at.
    pub fn resolve(&self, name: &str) -> Result<Option<Descriptor>, StoreError> {
        let named = |descriptor: &Descriptor| descriptor.annotations.get(NAME).is_some_and(|own| own == name);
        Ok(self.index()?.manifests.into_iter().find(named))
    }

    /// Points each of `names` at `descriptor`, in one change of the index; without names it is listed without one. An
    /// index that says so already is not written.
    pub fn name(&self, names: &[String], descriptor: &Descriptor) -> Result<(), StoreError> {
        if is_named(&self.index()?, names, descriptor) {
            return Ok(());
        }
        let lock = files::lock_exclusive(&self.index_lock())?;
        let mut index = self.index()?;
        index.manifests.retain(|other| {
            let replaced = match other.annotations.get(NAME) {
                Some(name) => names.contains(name),
                None => other.digest == descriptor.digest,
            };
            !replaced
        });
        let named = |name: &String| {
            let mut named = descriptor.clone();
            named.annotations.insert(NAME.to_owned(), name.clone());
            named
        };
        match names {
            [] => index.manifests.push(descriptor.clone()),
            names => index.manifests.extend(names.iter().map(named)),
        }
        index.manifests.sort_by(|a, b| a.annotations.get(NAME).cmp(&b.annotations.get(NAME)));
        self.write_index(&index)?;
        drop(lock);
        Ok(())
    }

    pub(super) fn write_index(&self, index: &Index) -> Result<(), StoreError> {
        files::write_whole(self.root(), &self.index_file(), &crate::oci::to_bytes(index))
    }
}

fn is_named(index: &Index, names: &[String], descriptor: &Descriptor) -> bool {
    let there = |name: &String| {
        index.manifests.iter().any(|other| {
            other.annotations.get(NAME) == Some(name)
                && (other.digest, other.size) == (descriptor.digest, descriptor.size)
                && other.platform == descriptor.platform
        })
    };
    !names.is_empty() && names.iter().all(there)
}

impl Store {
    /// All images with a name, sorted by it.
    pub fn names(&self) -> Result<Vec<Named>, StoreError> {
        let index = self.layout.index()?;
        let mut all = Vec::new();
        for descriptor in index.manifests {
            let Some(name) = descriptor.annotations.get(NAME).cloned() else { continue };
            let (size, created) = self.measure(&descriptor)?;
            all.push(Named { name, descriptor, size, created });
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn measure(&self, descriptor: &Descriptor) -> Result<(u64, Option<String>), StoreError> {
        let bytes = self.layout.read_blob(descriptor, DOCUMENT_LIMIT)?;
        let path = self.layout.blob_path(&descriptor.digest);
        let unreadable = |path: &Path, error: serde_json::Error| StoreError::NoLayout {
            path: path.to_owned(),
            why: format!("is not what its media type says: {error}"),
        };
        if descriptor.media_type == media_type::INDEX {
            let index: Index = serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error))?;
            let mut total = descriptor.size;
            for manifest in &index.manifests {
                total += self.measure(manifest)?.0;
            }
            return Ok((total, None));
        }
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error))?;
        let layers: u64 = manifest.layers.iter().map(|layer| layer.size).sum();
        let config = self.layout.read_blob(&manifest.config, DOCUMENT_LIMIT)?;
        let config: Config = serde_json::from_slice(&config).map_err(|error| unreadable(&path, error))?;
        Ok((descriptor.size + manifest.config.size + layers, config.created))
    }
}
