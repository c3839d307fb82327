//! Images as configuration and tars, for sinks that know no packed layers.
//!
//! Layers are unpacked while they are verified, not after. So this is for sources whose blobs were verified when they
//! came: the store, to which nobody else may write.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

use serde::Deserialize;

use super::document::brief;
use super::walk::{MAX_MANIFEST, whole};
use super::{CopyError, Have, Plan, PlannedBlob, PlannedImage, Root, Sink, Source};
use crate::digest::Digest;
use crate::error::Category;
use crate::oci::{Descriptor, Index, Manifest, RootFs, media_type};

/// What the roots are, unpacked.
pub(super) struct Unpacked {
    pub images: Vec<PlannedImage>,
    pub blobs: Vec<PlannedBlob>,
}

type Manifests = [(Descriptor, Vec<u8>)];

/// The part of a configuration that tells the tars.
#[derive(Deserialize)]
struct Layers {
    rootfs: RootFs,
}

/// Plans the roots, whose manifests were read, as configurations and tars.
pub(super) fn plan(
    source: &dyn Source,
    sink: &dyn Sink,
    roots: &[Root],
    manifests: &Manifests,
) -> Result<Unpacked, CopyError> {
    let mut images = Vec::new();
    let mut blobs = BTreeMap::new();
    for root in roots {
        let (descriptor, manifest) = single_platform(source, &sink.describe(), root, manifests)?;
        image_of_tars(&sink.describe(), &manifest)?;
        let diff_ids = diff_ids(source, &descriptor, &manifest)?;
        let mut layers = Vec::new();
        for (packed, diff_id) in manifest.layers.into_iter().zip(diff_ids) {
            let blob = match blobs.remove(&diff_id) {
                Some(blob) => blob,
                None => tar(source, sink, packed, diff_id)?,
            };
            layers.push(blob.descriptor.clone());
            blobs.insert(diff_id, blob);
        }
        let config = manifest.config;
        let have = one(sink, &config)?;
        blobs.insert(config.digest, PlannedBlob { descriptor: config.clone(), have, packed: None });
        images.push(PlannedImage { names: root.names.clone(), config, layers });
    }
    Ok(Unpacked { images, blobs: blobs.into_values().collect() })
}

/// Refuses a plan whose roots are made for several platforms, which `sink` could not hold; the plan is one of a sink that
/// takes all as it is.
pub fn one_platform(plan: &Plan, source: &dyn Source, sink: &str) -> Result<(), CopyError> {
    plan.roots.iter().try_for_each(|root| {
        let (_, manifest) = single_platform(source, sink, root, &plan.manifests)?;
        image_of_tars(sink, &manifest)
    })
}

/// Refuses what is no image, and an image of which not all layers can be had.
fn image_of_tars(sink: &str, manifest: &Manifest) -> Result<(), CopyError> {
    let unfit = |image: &Descriptor, why: String| CopyError::Unfit {
        place: sink.to_owned(),
        image: image.digest.to_string(),
        why,
        hint: "write oci:DIR, oci-archive:FILE or docker://REF".to_owned(),
    };
    let config = &manifest.config;
    if !media_type::is_image_config(&config.media_type) {
        let why = format!("it is of the type `{}`, and images only are held there", brief(&config.media_type));
        return Err(unfit(config, why));
    }
    match manifest.layers.iter().find(|layer| media_type::is_foreign(&layer.media_type)) {
        Some(foreign) => {
            let why = "only its publisher gives this layer out, and all layers are needed there";
            Err(unfit(foreign, why.to_owned()))
        }
        None => Ok(()),
    }
}

/// The one manifest of a root.
fn single_platform(
    source: &dyn Source,
    sink: &str,
    root: &Root,
    manifests: &Manifests,
) -> Result<(Descriptor, Manifest), CopyError> {
    let mut descriptor = root.descriptor.clone();
    loop {
        let wrong = |why: String| CopyError::Manifest {
            place: source.describe(),
            descriptor: descriptor.digest.to_string(),
            why,
        };
        let same =
            |other: &Descriptor| (other.digest, &other.media_type) == (descriptor.digest, &descriptor.media_type);
        let found = manifests.iter().find(|(other, _)| same(other));
        let (_, bytes) = found.ok_or_else(|| wrong("was not read".to_owned()))?;
        let parse = |error: serde_json::Error| wrong(format!("is not the JSON that its media type says: {error}"));
        if !media_type::is_index(&descriptor.media_type) {
            let manifest = serde_json::from_slice(bytes).map_err(parse)?;
            return Ok((descriptor, manifest));
        }
        let mut index: Index = serde_json::from_slice(bytes).map_err(parse)?;
        let runs = |child: &Descriptor| child.platform.as_ref().is_none_or(|platform| !platform.is_unknown());
        if index.manifests.iter().any(runs) {
            // Attestations beside an image are no platform.
            index.manifests.retain(runs);
        }
        descriptor = match index.manifests.as_slice() {
            [one] => one.clone(),
            several => {
                return Err(CopyError::Unfit {
                    place: sink.to_owned(),
                    image: root.names.first().cloned().unwrap_or_else(|| root.descriptor.digest.to_string()),
                    why: format!("it is made for {} platforms, and one can be held there", several.len()),
                    hint: "name one with --platform, or write oci:DIR or oci-archive:FILE".to_owned(),
                });
            }
        };
    }
}

fn diff_ids(source: &dyn Source, descriptor: &Descriptor, manifest: &Manifest) -> Result<Vec<Digest>, CopyError> {
    let wrong =
        |why: String| CopyError::Manifest { place: source.describe(), descriptor: descriptor.digest.to_string(), why };
    let config: Layers = serde_json::from_slice(&configuration(source, &manifest.config)?)
        .map_err(|error| wrong(format!("its configuration is not one of an image: {error}")))?;
    let diff_ids = config.rootfs.diff_ids;
    match diff_ids.len() == manifest.layers.len() {
        true => Ok(diff_ids),
        false => {
            Err(wrong(format!("it has {} layers, and its configuration {}", manifest.layers.len(), diff_ids.len())))
        }
    }
}

/// The tar that a layer is packed from. Its size must be known before it moves.
fn tar(source: &dyn Source, sink: &dyn Sink, packed: Descriptor, diff_id: Digest) -> Result<PlannedBlob, CopyError> {
    let size = match packed.media_type.as_str() {
        media_type::LAYER | media_type::DOCKER_LAYER => Some(packed.size),
        _ => source.tar_size(&packed),
    };
    let size = match size {
        Some(size) => size,
        None => {
            let mut tar = unpacked(source.open(&packed, 0)?, &packed.media_type).map_err(failed(source, &packed))?;
            io::copy(&mut tar, &mut io::sink()).map_err(failed(source, &packed))?
        }
    };
    let descriptor = Descriptor::new(media_type::LAYER, diff_id, size);
    let have = one(sink, &descriptor)?;
    Ok(PlannedBlob { descriptor, have, packed: Some(packed) })
}

fn one(sink: &dyn Sink, descriptor: &Descriptor) -> Result<Have, CopyError> {
    Ok(sink.have(std::slice::from_ref(descriptor), None)?.first().copied().unwrap_or(Have::Absent))
}

fn configuration(source: &dyn Source, descriptor: &Descriptor) -> Result<Vec<u8>, CopyError> {
    whole(&source.describe(), descriptor, MAX_MANIFEST, || source.open(descriptor, 0))
}

/// Opens a planned blob at an offset, as the sink takes it.
pub(super) fn open<'a>(
    source: &'a dyn Source,
    blob: &PlannedBlob,
    offset: u64,
) -> Result<Box<dyn Read + Send + 'a>, CopyError> {
    let Some(packed) = &blob.packed else { return source.open(&blob.descriptor, offset) };
    let mut tar = unpacked(source.open(packed, 0)?, &packed.media_type).map_err(failed(source, packed))?;
    io::copy(&mut tar.by_ref().take(offset), &mut io::sink()).map_err(failed(source, packed))?;
    Ok(tar)
}

/// The tar of a layer of that media type. Whoever reads it verifies it by its diff id.
pub fn unpacked<'a>(content: impl Read + Send + 'a, media_type: &str) -> io::Result<Box<dyn Read + Send + 'a>> {
    match media_type {
        media_type::LAYER | media_type::DOCKER_LAYER => Ok(Box::new(content)),
        media_type::LAYER_GZIP | media_type::DOCKER_LAYER_GZIP => {
            Ok(Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(64 << 10, content))))
        }
        media_type::LAYER_ZSTD | media_type::DOCKER_LAYER_ZSTD => Ok(Box::new(zstd::Decoder::new(content)?)),
        _ => Err(io::Error::other(format!("layers of the type `{}` are not known", media_type.escape_debug()))),
    }
}

fn failed(source: &dyn Source, layer: &Descriptor) -> impl FnOnce(io::Error) -> CopyError {
    let (place, what) = (source.describe(), layer.digest.to_string());
    move |error| {
        let why = error.to_string();
        let failed = |_| CopyError::Failed { place, what, why, category: Category::Verification, hint: None };
        CopyError::carried(error).unwrap_or_else(failed)
    }
}
