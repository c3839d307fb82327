use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::index::MAX_DEPTH;
use super::{Layout, NAME, Store, StoreError, VOUCHED, files, part};
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
        // Where a manifest cannot be read, nobody knows what it needs.
        let needed = reachable(&self.layout, &mut Err)?;
        let mut pruned = Pruned::default();
        for path in self.layout.blob_files()? {
            if digest_of(&path).is_some_and(|digest| needed.contains_key(&digest)) {
                continue;
            }
            pruned.bytes += remove(&path, options.dry_run)?;
            pruned.blobs += 1;
        }
        self.prune_records(&needed, options, &mut pruned)?;
        if options.downloads {
            for path in self.downloads().files()? {
                pruned.bytes += remove(&path, options.dry_run)?;
                pruned.downloads += 1;
            }
            let (count, bytes) = part::remove_all(&self.downloads().parts(), options.dry_run)?;
            pruned.downloads += count;
            pruned.bytes += bytes;
        }
        // Nobody is at an upload now, so the locks may go too.
        for folder in ["uploads", "presence", "blob-parts"] {
            for path in files::list(&self.cache(folder))? {
                pruned.bytes += remove(&path, options.dry_run)?;
                pruned.leftovers += 1;
            }
        }
        for folder in [self.cache("tmp"), self.root().to_owned()] {
            let (count, bytes) = files::sweep(&folder, options.dry_run)?;
            pruned.leftovers += count;
            pruned.bytes += bytes;
        }
        Ok(pruned)
    }

    fn prune_records(&self, needed: &Needed, options: PruneOptions, pruned: &mut Pruned) -> Result<(), StoreError> {
        for kind in files::list(&self.cache("records"))? {
            if kind.ends_with(VOUCHED) && !options.downloads {
                continue;
            }
            for path in files::list(&kind)? {
                let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
                let record: Result<Record, _> = serde_json::from_slice(&bytes);
                if record.is_ok_and(|record| needed.contains_key(&record.descriptor.digest)) {
                    continue;
                }
                pruned.bytes += remove(&path, options.dry_run)?;
                pruned.leftovers += 1;
            }
        }
        Ok(())
    }
}

/// The digest that a file in a folder of blobs or inputs must have.
pub(super) fn digest_of(path: &Path) -> Option<Digest> {
    let part = |path: Option<&std::ffi::OsStr>| path.and_then(|name| name.to_str()).map(str::to_owned);
    let (algorithm, hex) = (part(path.parent()?.file_name())?, part(path.file_name())?);
    format!("{algorithm}:{hex}").parse().ok()
}

fn remove(path: &Path, dry_run: bool) -> Result<u64, StoreError> {
    let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if !dry_run {
        files::remove(path)?;
    }
    Ok(size)
}

/// Blobs that the index needs, each with the name of the first that needs it.
pub(super) type Needed = BTreeMap<Digest, (Descriptor, String)>;

/// Told of a manifest that is there and cannot be read; what it answers ends the branch or all.
pub(super) type Unreadable<'a> = dyn FnMut(StoreError) -> Result<(), StoreError> + 'a;

/// Every blob that the index needs. A manifest that is missing ends its branch.
pub(super) fn reachable(layout: &Layout, unreadable: &mut Unreadable<'_>) -> Result<Needed, StoreError> {
    let mut needed = Needed::new();
    for descriptor in layout.index()?.manifests {
        let owner = descriptor.annotations.get(NAME).cloned().unwrap_or_else(|| descriptor.digest.to_string());
        visit(layout, &descriptor, &owner, 0, &mut needed, unreadable)?;
    }
    Ok(needed)
}

fn visit(
    layout: &Layout,
    descriptor: &Descriptor,
    owner: &str,
    depth: usize,
    needed: &mut Needed,
    unreadable: &mut Unreadable<'_>,
) -> Result<(), StoreError> {
    // Two descriptors may call the same bytes by another size or media type.
    let same = |other: &Descriptor| (other.size, &other.media_type) == (descriptor.size, &descriptor.media_type);
    if needed.get(&descriptor.digest).is_some_and(|(other, _)| same(other)) {
        return Ok(());
    }
    needed.insert(descriptor.digest, (descriptor.clone(), owner.to_owned()));
    if depth > MAX_DEPTH || !layout.has(descriptor) {
        return Ok(());
    }
    match children(layout, descriptor) {
        Ok(children) => {
            children.iter().try_for_each(|child| visit(layout, child, owner, depth + 1, needed, unreadable))
        }
        Err(error) => unreadable(error),
    }
}

/// What a manifest or index names; nothing where it is neither.
fn children(layout: &Layout, descriptor: &Descriptor) -> Result<Vec<Descriptor>, StoreError> {
    let read = || layout.read_blob(descriptor, DOCUMENT_LIMIT);
    let unreadable = |error: serde_json::Error| StoreError::Document {
        path: layout.blob_path(&descriptor.digest),
        why: format!("is not what its media type says: {error}"),
    };
    match descriptor.media_type.as_str() {
        kind if media_type::is_index(kind) => {
            let all = serde_json::from_slice::<Index>(&read()?).map_err(unreadable)?.manifests;
            // Of some platforms that were chosen, the index stays as it is: it needs what of it came.
            let here: Vec<Descriptor> = all.iter().filter(|manifest| layout.has(manifest)).cloned().collect();
            Ok(if here.is_empty() { all } else { here })
        }
        kind if media_type::is_manifest(kind) => {
            let manifest: Manifest = serde_json::from_slice(&read()?).map_err(unreadable)?;
            let parts = std::iter::once(manifest.config).chain(manifest.layers);
            Ok(parts.filter(|part| !media_type::is_foreign(&part.media_type)).collect())
        }
        _ => Ok(Vec::new()),
    }
}
