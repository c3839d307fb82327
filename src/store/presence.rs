use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, files};
use crate::digest::Digest;

/// For so long it is believed that a repository still has what it had, in seconds. Registries collect garbage at night.
const LASTS: u64 = 24 * 3600;

/// Entries of one registry, at most; those that end first are left out.
const MOST: usize = 20_000;

/// What the repositories of one registry are known to have, with an end. A belief, not a fact: whoever acts on it must be
/// ready for a registry that says otherwise.
#[derive(Debug, Clone)]
pub struct Presence {
    temporary: PathBuf,
    path: PathBuf,
}

/// What was known when it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Blobs: repository and end.
    blobs: BTreeMap<Digest, BTreeMap<String, u64>>,
    /// Manifests and indexes of which all that they name is there too.
    manifests: BTreeMap<Digest, BTreeMap<String, u64>>,
}

/// What a run found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learnt {
    /// Blobs that are there.
    pub blobs: BTreeSet<Digest>,
    /// Manifests and indexes that are there whole.
    pub manifests: BTreeSet<Digest>,
    /// Blobs and manifests that are not there.
    pub gone: BTreeSet<Digest>,
}

impl Store {
    /// What is known of a registry, `HOST[:PORT]`.
    pub fn presence(&self, registry: &str) -> Presence {
        let name = Digest::of(registry.as_bytes()).hex();
        Presence { temporary: self.cache("tmp"), path: self.cache("presence").join(format!("{name}.json")) }
    }
}

impl Presence {
    /// What is known and has not ended. A file that is absent, torn or unreadable is one that knows nothing.
    pub fn read(&self, now: u64) -> Known {
        let bytes = fs::read(&self.path).unwrap_or_default();
        let mut known: Known = serde_json::from_slice(&bytes).unwrap_or_default();
        known.end(now);
        known
    }

    /// Adds what a run found out of a repository. Other processes may do the same at the same time.
    pub fn learn(&self, repository: &str, learnt: &Learnt, now: u64) -> Result<(), StoreError> {
        if *learnt == Learnt::default() {
            return Ok(());
        }
        if let Some(folder) = self.path.parent() {
            files::make_folder(folder)?;
        }
        let _alone = files::lock_exclusive(&self.path.with_extension("lock"))?;
        let mut known = self.read(now);
        for (all, new) in [(&mut known.blobs, &learnt.blobs), (&mut known.manifests, &learnt.manifests)] {
            for digest in &learnt.gone {
                all.get_mut(digest).map(|repositories| repositories.remove(repository));
            }
            for digest in new {
                all.entry(*digest).or_default().insert(repository.to_owned(), now.saturating_add(LASTS));
            }
        }
        known.bound();
        files::write_hint(&self.temporary, &self.path, &crate::oci::to_bytes(&known))
    }
}

impl Known {
    /// Whether a repository has a blob.
    pub fn has_blob(&self, repository: &str, blob: &Digest) -> bool {
        self.blobs.get(blob).is_some_and(|repositories| repositories.contains_key(repository))
    }

    /// Another repository that has a blob: the one that is sure to have it longest.
    pub fn elsewhere(&self, repository: &str, blob: &Digest) -> Option<&str> {
        let others = self.blobs.get(blob)?.iter().filter(|(other, _)| *other != repository);
        others.max_by_key(|(_, until)| **until).map(|(other, _)| other.as_str())
    }

    /// Whether a repository has a manifest or index, and all that it names.
    pub fn has_manifest(&self, repository: &str, manifest: &Digest) -> bool {
        self.manifests.get(manifest).is_some_and(|repositories| repositories.contains_key(repository))
    }

    /// Drops what has ended, and what claims to last longer than anything may: a clock may have been wrong.
    fn end(&mut self, now: u64) {
        for all in [&mut self.blobs, &mut self.manifests] {
            for repositories in all.values_mut() {
                repositories.retain(|_, until| now < *until && *until <= now.saturating_add(LASTS));
            }
            all.retain(|_, repositories| !repositories.is_empty());
        }
    }

    /// Drops what ends first where there is too much.
    fn bound(&mut self) {
        for all in [&mut self.blobs, &mut self.manifests] {
            let mut ends: Vec<u64> = all.values().flat_map(|repositories| repositories.values().copied()).collect();
            if ends.len() <= MOST {
                continue;
            }
            ends.sort_unstable_by(|a, b| b.cmp(a));
            let least = ends[MOST];
            all.values_mut().for_each(|repositories| repositories.retain(|_, until| *until > least));
            all.retain(|_, repositories| !repositories.is_empty());
        }
    }
}
