//! Stores, their images and their files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kimg::oci::{Descriptor, Index, Manifest, media_type, to_bytes};
use kimg::store::Store;
use tempfile::TempDir;

/// A store of its own, for as long as the folder lives.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    (folder, store)
}

/// An image with one layer of these bytes.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn image(store: &Store, layer: &[u8]) -> Image {
    let config = format!(
        r#"{{"created":"2026-01-02T03:04:05Z","architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}"]}},"history":[]}}"#,
        kimg::digest::Digest::of(layer)
    );
    let config = store.put(media_type::CONFIG, config.as_bytes()).unwrap();
    let layer = store.put(media_type::LAYER, layer).unwrap();
    let manifest = Manifest::new(config.clone(), vec![layer.clone()], BTreeMap::new());
    let manifest = store.put(media_type::MANIFEST, &to_bytes(&manifest)).unwrap();
    Image { manifest, config, layer }
}

/// What an image consists of.
#[allow(dead_code, reason = "each test program uses a part of this")]
#[derive(Debug, Clone)]
pub struct Image {
    /// Its manifest.
    pub manifest: Descriptor,
    /// Its configuration.
    pub config: Descriptor,
    /// Its only layer.
    pub layer: Descriptor,
}

/// An index of two images.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn index(store: &Store) -> (Descriptor, Image, Image) {
    let (one, two) = (image(store, &[1; 3_000_000]), image(store, b"two"));
    let index = Index::new(vec![one.manifest.clone(), two.manifest.clone()]);
    (store.put(media_type::INDEX, &to_bytes(&index)).unwrap(), one, two)
}

/// Puts other bytes in the place of a blob, which nobody writes to.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn replace(blob: &Path, bytes: &[u8]) {
    fs::remove_file(blob).unwrap();
    fs::write(blob, bytes).unwrap();
}

/// All files below a folder, sorted, relative to it.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(folder, &mut found);
    let relative = found.into_iter().map(|path| path.strip_prefix(folder).unwrap().to_owned());
    let mut relative: Vec<PathBuf> = relative.collect();
    relative.sort();
    relative
}

#[allow(clippy::disallowed_methods, reason = "the caller sorts")]
fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}
