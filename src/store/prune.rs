use std::collections::BTreeSet;
use std::fmt;
use std::fs;

use serde::Deserialize;

use super::{Layout, NAME, Store, StoreError, files, part};
use crate::digest::Digest;
use crate::oci::{Descriptor, Index, Manifest, media_type};

/// Manifests are read whole.
const DOCUMENT_LIMIT: u64 = 8 << 20;

/// What `kimg store prune` removes.
#[derive(Debug, Clone, Copy, Default)]
pub struct PruneOptions {
    /// Downloaded inputs too, which are fetched again when a layer is built anew.
    pub downloads: bool,
    /// Only tell.
    pub dry_run: bool,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Blobs that no image needs.
    pub blobs: u64,
    /// Downloaded inputs, whole or in part.
    pub downloads: u64,
    /// Files that killed processes left, and records that point nowhere.
    pub leftovers: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

impl fmt::Display for Pruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pruned { blobs, downloads, leftovers, bytes } = self;
        write!(f, "{blobs} blobs, {downloads} downloads, {leftovers} leftovers, {bytes} bytes")
    }
}

#[derive(Deserialize)]
struct Record {
    descriptor: Descriptor,
}

impl Store {
    /// Removes what no image in the index needs. Refused while other commands hold a lease.
    pub fn prune(&self, options: PruneOptions) -> Result<Pruned, StoreError> {
        let Some(_alone) = files::try_lock(&self.cache("lease"))? else {
            return Err(StoreError::Busy { path: self.root().to_owned() });
        };
        let needed: BTreeSet<Digest> = reachable(&self.layout)?.into_iter().map(|(digest, _)| digest).collect();
        let mut pruned = Pruned::default();
        for path in files::list(&self.layout.blobs())? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if format!("sha256:{name}").parse().is_ok_and(|digest| needed.contains(&digest)) {
                continue;
            }
            pruned.bytes += remove(&path, options.dry_run)?;
            pruned.blobs += 1;
        }
        self.prune_records(&needed, options, &mut pruned)?;
        if options.downloads {
            for path in files::list(&self.downloads().folder())? {
                pruned.bytes += remove(&path, options.dry_run)?;
                pruned.downloads += 1;
            }
        }
        if !options.dry_run {
            for (count, bytes) in [files::sweep(&self.cache("tmp"))?, part::remove_all(&self.downloads().parts())?] {
                pruned.leftovers += count;
                pruned.bytes += bytes;
            }
        }
        Ok(pruned)
    }

    fn prune_records(
        &self,
        needed: &BTreeSet<Digest>,
        options: PruneOptions,
        pruned: &mut Pruned,
    ) -> Result<(), StoreError> {
        for kind in files::list(&self.cache("records"))? {
            for path in files::list(&kind)? {
                let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
                let record: Result<Record, _> = serde_json::from_slice(&bytes);
                if record.is_ok_and(|record| needed.contains(&record.descriptor.digest)) {
                    continue;
                }
                pruned.bytes += remove(&path, options.dry_run)?;
                pruned.leftovers += 1;
            }
        }
        Ok(())
    }
}

fn remove(path: &std::path::Path, dry_run: bool) -> Result<u64, StoreError> {
    let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if !dry_run {
        fs::remove_file(path).map_err(StoreError::io("remove", path))?;
    }
    Ok(size)
}

/// Every blob that the index needs, with the name of what needs it. A manifest that is missing ends its branch.
pub(super) fn reachable(layout: &Layout) -> Result<Vec<(Digest, String)>, StoreError> {
    let mut found = Vec::new();
    for descriptor in layout.index()?.manifests {
        let owner = descriptor.annotations.get(NAME).cloned().unwrap_or_else(|| descriptor.digest.to_string());
        visit(layout, &descriptor, &owner, 0, &mut found)?;
    }
    Ok(found)
}

fn visit(
    layout: &Layout,
    descriptor: &Descriptor,
    owner: &str,
    depth: usize,
    found: &mut Vec<(Digest, String)>,
) -> Result<(), StoreError> {
    found.push((descriptor.digest, owner.to_owned()));
    let is_index = descriptor.media_type == media_type::INDEX;
    // Indexes within indexes beyond this depth were not made by kimg.
    if depth > 8 || !(is_index || descriptor.media_type == media_type::MANIFEST) || !layout.has(descriptor) {
        return Ok(());
    }
    let bytes = layout.read_blob(descriptor, DOCUMENT_LIMIT)?;
    let unreadable = |error: serde_json::Error| StoreError::NoLayout {
        path: layout.blob_path(&descriptor.digest),
        why: format!("is not what its media type says: {error}"),
    };
    let children = if is_index {
        serde_json::from_slice::<Index>(&bytes).map_err(unreadable)?.manifests
    } else {
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(unreadable)?;
        std::iter::once(manifest.config).chain(manifest.layers).collect()
    };
    children.iter().try_for_each(|child| visit(layout, child, owner, depth + 1, found))
}
