use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::files;
use super::{Layout, Store, StoreError};
use crate::digest::Digest;
use crate::oci::{Descriptor, Index, Manifest, media_type};

/// The annotation of a name in a layout's index (image-spec 1.1, annotations.md).
pub const NAME: &str = "org.opencontainers.image.ref.name";

/// Indexes within indexes beyond this depth are not looked into.
pub(super) const MAX_DEPTH: usize = 8;

/// Manifests and configurations are read whole.
const DOCUMENT_LIMIT: u64 = 8 << 20;

/// An index is read whole too; this is room for 100,000 names.
const INDEX_LIMIT: u64 = 64 << 20;

/// An index with all that stands in it, known to kimg or not.
#[derive(Serialize, Deserialize)]
struct WholeIndex {
    #[serde(rename = "schemaVersion")]
    schema_version: Value,
    #[serde(flatten)]
    other: Map<String, Value>,
    manifests: Vec<Value>,
}

/// What of a configuration is shown; of others' images no more need be understood.
#[derive(Deserialize)]
struct Made {
    created: Option<String>,
}

/// An image of the store, as `kimg store ls` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its manifest or index.
    pub descriptor: Descriptor,
    /// Bytes of manifests, configurations and layers together, each once.
    pub size: u64,
    /// The configuration's `created`; of an index, that of its first.
    pub created: Option<String>,
}

impl Layout {
    /// The index.
    pub fn index(&self) -> Result<Index, StoreError> {
        self.parse_index(&self.read_index()?)
    }

    fn read_index(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.index_file();
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(INDEX_LIMIT + 1).read_to_end(&mut bytes));
        read.map_err(StoreError::io("read", &path))?;
        if bytes.len() as u64 > INDEX_LIMIT {
            return Err(StoreError::Document {
                path,
                why: format!("is longer than the {INDEX_LIMIT} bytes it may have"),
            });
        }
        Ok(bytes)
    }

    fn parse_index<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(bytes).map_err(|error| StoreError::Document {
            path: self.index_file(),
            why: format!("is no index of a layout: {error}"),
        })
    }

    /// What a name points at, or else what the index lists with that digest.
    pub fn resolve(&self, name: &str) -> Result<Option<Descriptor>, StoreError> {
        let named = |descriptor: &&Descriptor| descriptor.annotations.get(NAME).is_some_and(|own| own == name);
        let digest: Option<Digest> = name.parse().ok();
        let manifests = self.index()?.manifests;
        let found = manifests.iter().find(named);
        Ok(found.or_else(|| manifests.iter().find(|descriptor| Some(descriptor.digest) == digest)).cloned())
    }

    /// Points each of `names` at `descriptor`, in one change of the index; without names it is listed without one. An
    /// index that says so already is not written. What others wrote into the index stays as it is.
    pub fn name(&self, names: &[String], descriptor: &Descriptor) -> Result<(), StoreError> {
        if is_named(&self.index()?, names, descriptor) {
            return Ok(());
        }
        let lock = files::lock_exclusive(&self.index_lock())?;
        let bytes = self.read_index()?;
        let (known, mut index) = (self.parse_index::<Index>(&bytes)?, self.parse_index::<WholeIndex>(&bytes)?);
        let mut manifests: Vec<(Option<String>, Value)> = Vec::new();
        for (mut other, whole) in known.manifests.into_iter().zip(index.manifests) {
            let name = other.annotations.remove(NAME);
            let replaced = match &name {
                Some(name) => names.contains(name),
                None => other.digest == descriptor.digest,
            };
            if !replaced {
                manifests.push((name, whole));
            }
        }
        if names.is_empty() {
            manifests.push((None, json!(descriptor)));
        }
        for name in names {
            let mut named = descriptor.clone();
            named.annotations.insert(NAME.to_owned(), name.clone());
            manifests.push((Some(name.clone()), json!(named)));
        }
        manifests.sort_by(|(a, _), (b, _)| a.cmp(b));
        index.manifests = manifests.into_iter().map(|(_, whole)| whole).collect();
        self.write_index(&index)?;
        drop(lock);
        Ok(())
    }

    /// Takes names out of the index; what they pointed at stays until the next prune. How many there were.
    pub fn unname(&self, names: &[String]) -> Result<usize, StoreError> {
        let lock = files::lock_exclusive(&self.index_lock())?;
        let bytes = self.read_index()?;
        let (known, mut index) = (self.parse_index::<Index>(&bytes)?, self.parse_index::<WholeIndex>(&bytes)?);
        let is_gone = |descriptor: &Descriptor| descriptor.annotations.get(NAME).is_some_and(|own| names.contains(own));
        let before = index.manifests.len();
        let left = known.manifests.iter().zip(index.manifests).filter(|(known, _)| !is_gone(known));
        index.manifests = left.map(|(_, whole)| whole).collect();
        let gone = before - index.manifests.len();
        if gone > 0 {
            self.write_index(&index)?;
        }
        drop(lock);
        Ok(gone)
    }

    pub(super) fn write_index(&self, index: &impl Serialize) -> Result<(), StoreError> {
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

    /// Bytes of all that a manifest or index needs, each blob once, and the time of its first image.
    fn measure(&self, descriptor: &Descriptor) -> Result<(u64, Option<String>), StoreError> {
        let (mut parts, mut created) = (BTreeMap::new(), None);
        self.collect(descriptor, MAX_DEPTH, &mut parts, &mut created)?;
        Ok((parts.into_values().fold(0, u64::saturating_add), created))
    }

    fn collect(
        &self,
        descriptor: &Descriptor,
        depth: usize,
        parts: &mut BTreeMap<Digest, u64>,
        created: &mut Option<String>,
    ) -> Result<(), StoreError> {
        // A platform of an index that is not here counts for nothing.
        if !self.layout.has(descriptor) && depth < MAX_DEPTH {
            return Ok(());
        }
        let bytes = self.layout.read_blob(descriptor, DOCUMENT_LIMIT)?;
        let path = self.layout.blob_path(&descriptor.digest);
        let unreadable = |path: &Path, error: serde_json::Error| StoreError::NoLayout {
            path: path.to_owned(),
            why: format!("is not what its media type says: {error}"),
        };
        parts.insert(descriptor.digest, descriptor.size);
        if media_type::is_index(&descriptor.media_type) {
            let index: Index = serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error))?;
            let mut below = index.manifests.iter().filter(|_| depth > 0);
            return below.try_for_each(|manifest| self.collect(manifest, depth - 1, parts, created));
        }
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error))?;
        let all = std::iter::once(&manifest.config).chain(&manifest.layers);
        let here = all.filter(|part| !media_type::is_foreign(&part.media_type));
        parts.extend(here.map(|part| (part.digest, part.size)));
        // That of an artifact may be anything.
        if created.is_none() && media_type::is_image_config(&manifest.config.media_type) {
            let config = self.layout.read_blob(&manifest.config, DOCUMENT_LIMIT)?;
            *created = serde_json::from_slice::<Made>(&config).ok().and_then(|config| config.created);
        }
        Ok(())
    }
}
