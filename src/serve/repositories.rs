//! Which manifests and blobs a repository has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::document::Document;
use super::route::Name;
use crate::digest::Digest;
use crate::oci::{Descriptor, Reference};
use crate::store::{NAME, Store, StoreError};

/// The most bytes of a manifest: what distribution-spec 1.1 asks registries to take at least.
pub(super) const MAX_MANIFEST: usize = 4 << 20;

/// Manifests of the store are read up to this size.
const READ: u64 = 8 << 20;

/// The repositories of a store.
pub(super) struct Repositories {
    pub(super) store: Store,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Blobs that came into a repository while the server runs.
    blobs: BTreeSet<(String, Digest)>,
    /// Manifests that were read: their bytes never change.
    read: BTreeMap<Digest, Arc<Document>>,
}

impl Repositories {
    pub(super) fn new(store: Store) -> Repositories {
        Repositories { store, state: Mutex::default() }
    }

    /// The named manifests of a repository, each with its tag where it has one.
    pub(super) fn named(&self, repository: &str) -> Result<Vec<(Option<String>, Descriptor)>, StoreError> {
        let mut all = Vec::new();
        for mut descriptor in self.store.layout().index()?.manifests {
            let Some(name) = descriptor.annotations.remove(NAME) else { continue };
            match name.parse::<Reference>() {
                Ok(reference) if reference.repository == repository => all.push((reference.tag, descriptor)),
                _ => {}
            }
        }
        Ok(all)
    }

    /// All manifests of a repository, those of its indexes too.
    pub(super) fn manifests(&self, repository: &str) -> Result<BTreeMap<Digest, Descriptor>, StoreError> {
        let mut all = BTreeMap::new();
        let mut next: Vec<Descriptor> = self.named(repository)?.into_iter().map(|(_, descriptor)| descriptor).collect();
        while let Some(descriptor) = next.pop() {
            // An index may name what is not here.
            if all.contains_key(&descriptor.digest) || !self.store.has(&descriptor) {
                continue;
            }
            next.extend(self.document(&descriptor)?.manifests.iter().cloned());
            all.insert(descriptor.digest, descriptor);
        }
        Ok(all)
    }

    /// One manifest of a repository.
    pub(super) fn manifest(&self, repository: &str, name: &Name) -> Result<Option<Descriptor>, StoreError> {
        match name {
            Name::Tag(tag) => {
                let named = self.named(repository)?.into_iter();
                Ok(named.into_iter().find(|(own, _)| own.as_ref() == Some(tag)).map(|(_, descriptor)| descriptor))
            }
            Name::Digest(digest) => Ok(self.manifests(repository)?.remove(digest)),
        }
    }

    /// Whether a repository has a blob.
    pub(super) fn has_blob(&self, repository: &str, digest: &Digest) -> Result<bool, StoreError> {
        if self.lock().blobs.contains(&(repository.to_owned(), *digest)) {
            return Ok(true);
        }
        for manifest in self.manifests(repository)?.values() {
            if self.document(manifest)?.blobs().any(|blob| blob.digest == *digest) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// From now on the repository has a blob.
    pub(super) fn add_blob(&self, repository: &str, digest: Digest) {
        self.lock().blobs.insert((repository.to_owned(), digest));
    }

    /// What a manifest says; of what is none, nothing.
    pub(super) fn document(&self, descriptor: &Descriptor) -> Result<Arc<Document>, StoreError> {
        if let Some(known) = self.lock().read.get(&descriptor.digest) {
            return Ok(Arc::clone(known));
        }
        let bytes = self.bytes(descriptor)?;
        let document = Arc::new(serde_json::from_slice::<Document>(&bytes).unwrap_or_default());
        self.lock().read.insert(descriptor.digest, Arc::clone(&document));
        Ok(document)
    }

    /// The bytes of a manifest.
    pub(super) fn bytes(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        self.store.layout().read_blob(descriptor, READ)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
