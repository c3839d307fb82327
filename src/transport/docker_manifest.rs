//! `manifest.json` of `docker save` (Docker's image specification 1.2): configurations, names and layers' files. Images in
//! the store are made of it, whose layers were found to be those of the configuration.

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde::Deserialize;

use super::import::{Came, CameLayer, Import, no_archive};
use super::layout_source::small;
use crate::copy::{CopyError, unpacked};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::Category;
use crate::oci::{self, Descriptor, Manifest, RootFs, media_type};

/// An image of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Layers {
    rootfs: RootFs,
}

/// Makes the images in the store, each with its names.
pub(super) fn images(
    import: &Import,
    place: &str,
    came: &Came,
    bytes: &[u8],
) -> Result<Vec<(Vec<String>, Descriptor)>, CopyError> {
    let items: Vec<Item> = serde_json::from_slice(bytes)
        .map_err(|error| no_archive(place, &format!("manifest.json is not what `docker save` writes: {error}")))?;
    let mut known = BTreeMap::new();
    let mut images = Vec::new();
    for item in items {
        let names = item.repo_tags.clone().unwrap_or_default();
        images.push((names, image(import, place, came, &item, &mut known)?));
    }
    Ok(images)
}

/// The digests of the tars of layers that came packed.
type Known = BTreeMap<Digest, Digest>;

fn image(import: &Import, place: &str, came: &Came, item: &Item, known: &mut Known) -> Result<Descriptor, CopyError> {
    let shown = item.config.escape_debug().to_string();
    let wrong = |why: String| CopyError::Failed {
        place: place.to_owned(),
        what: format!("image {shown}"),
        why,
        category: Category::Verification,
        hint: Some("the archive is damaged, or was never whole: make it again".to_owned()),
    };
    let config = config(import, came, &item.config)
        .ok_or_else(|| wrong("manifest.json names this configuration, which is not in the archive".to_owned()))?;
    let layers: Layers = serde_json::from_slice(&config)
        .map_err(|error| wrong(format!("it is no configuration of an image: {error}")))?;
    let (diff_ids, paths) = (layers.rootfs.diff_ids, item.layers.clone().unwrap_or_default());
    if diff_ids.len() != paths.len() {
        let why = format!("it has {} layers, and manifest.json names {}", diff_ids.len(), paths.len());
        return Err(wrong(why));
    }
    let mut descriptors = Vec::new();
    for (path, diff_id) in paths.iter().zip(diff_ids) {
        let shown = path.escape_debug();
        let layer =
            came.at(&came.layers, path).ok_or_else(|| wrong(format!("its layer {shown} is not in the archive")))?;
        let layer = described(import, layer)?;
        let found = match layer.diff_id {
            Some(found) => found,
            None => match known.get(&layer.descriptor.digest) {
                Some(found) => *found,
                None => unpack(import, place, &layer.descriptor)?,
            },
        };
        known.insert(layer.descriptor.digest, found);
        if found != diff_id {
            return Err(wrong(format!("its layer {shown} should be {diff_id}, and is {found}")));
        }
        descriptors.push(layer.descriptor);
    }
    let put = |media_type: &str, bytes: &[u8]| {
        import.store.put(media_type, bytes).map_err(|error| CopyError::because("store", media_type, &error))
    };
    let config = put(media_type::CONFIG, &config)?;
    put(media_type::MANIFEST, &oci::to_bytes(&Manifest::new(config, descriptors, BTreeMap::new())))
}

fn config(import: &Import, came: &Came, path: &str) -> Option<Vec<u8>> {
    if let Some(bytes) = came.at(&came.documents, path) {
        return Some(bytes.clone());
    }
    // It may lie among the blobs.
    let digest = came.at(&came.layers, path)?.descriptor.digest;
    small(import.store.layout(), &digest)
}

/// What a blob is that came among those of a layout: it begins as what it is.
fn described(import: &Import, layer: &CameLayer) -> Result<CameLayer, CopyError> {
    let mut layer = layer.clone();
    if !layer.descriptor.media_type.is_empty() {
        return Ok(layer);
    }
    let name = layer.descriptor.digest.to_string();
    let opened = import.store.open_blob(&layer.descriptor);
    let mut first = Vec::new();
    let blob = opened.map_err(|error| CopyError::because("store", &name, &error))?;
    blob.take(4).read_to_end(&mut first).map_err(|error| failed("store", &name, &error))?;
    let kind = match first.as_slice() {
        [0x1f, 0x8b, ..] => media_type::LAYER_GZIP,
        [0x28, 0xb5, 0x2f, 0xfd] => media_type::LAYER_ZSTD,
        _ => media_type::LAYER,
    };
    layer.diff_id = (kind == media_type::LAYER).then_some(layer.descriptor.digest);
    layer.descriptor.media_type = kind.to_owned();
    Ok(layer)
}

/// The digest of the tar of a layer that came packed. Its blob is in the store, and is as it came.
fn unpack(import: &Import, place: &str, layer: &Descriptor) -> Result<Digest, CopyError> {
    let name = layer.digest.to_string();
    let blob = import.store.open_blob(layer).map_err(|error| CopyError::because("store", &name, &error))?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let size = unpacked(blob, &layer.media_type)
        .and_then(|mut tar| io::copy(&mut tar, &mut hasher))
        .map_err(|error| failed(place, &name, &error))?;
    import.store.remember_tar_size(layer, size).map_err(|error| CopyError::because("store", &name, &error))?;
    Ok(hasher.finish())
}

fn failed(place: &str, what: &str, error: &io::Error) -> CopyError {
    CopyError::Failed {
        place: place.to_owned(),
        what: what.to_owned(),
        why: error.to_string(),
        category: Category::Verification,
        hint: None,
    }
}
