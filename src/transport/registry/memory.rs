use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::digest::Digest;
use crate::store::{Known, Learnt, Store};

use super::Repository;

/// What the store remembers of registries, and what this run adds.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) store: Store,
    /// Seconds since 1970, when the run began.
    pub(super) now: u64,
    repository: Repository,
    known: Known,
    learnt: Mutex<Learnt>,
}

impl Memory {
    pub(super) fn new(store: Store, now: u64, repository: &Repository) -> Memory {
        let known = store.presence(&repository.registry).read(now);
        Memory { store, now, repository: repository.clone(), known, learnt: Mutex::default() }
    }

    /// Whether the repository is believed to have a blob.
    pub(super) fn has_blob(&self, blob: &Digest) -> bool {
        self.known.has_blob(&self.repository.name, blob)
    }

    /// Another repository that is believed to have a blob.
    pub(super) fn elsewhere(&self, blob: &Digest) -> Option<&str> {
        self.known.elsewhere(&self.repository.name, blob)
    }

    /// Whether the repository is believed to have a manifest with all that it names.
    pub(super) fn has_manifest(&self, manifest: &Digest) -> bool {
        self.known.has_manifest(&self.repository.name, manifest)
    }

    /// Blobs that are there.
    pub(super) fn blobs<'a>(&self, blobs: impl IntoIterator<Item = &'a Digest>) {
        self.learnt().blobs.extend(blobs);
    }

    /// Manifests that are there whole.
    pub(super) fn manifests<'a>(&self, manifests: impl IntoIterator<Item = &'a Digest>) {
        self.learnt().manifests.extend(manifests);
    }

    /// Blobs that were believed to be there, and are not.
    pub(super) fn gone<'a>(&self, blobs: impl IntoIterator<Item = &'a Digest>) {
        self.learnt().gone.extend(blobs);
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Memory {
    /// Writes down what was learnt, however the copy ended. It is only a help, so that a failure to do it fails nothing.
    fn drop(&mut self) {
        let learnt = std::mem::take(&mut *self.learnt());
        let _ = self.store.presence(&self.repository.registry).learn(&self.repository.name, &learnt, self.now);
    }
}
