//! The documents of an image, read and verified; layers are not read.

use std::io::Read;

use crate::copy::{CopyError, MAX_MANIFEST, Source};
use crate::error::Category;
use crate::oci::{Descriptor, Index, Manifest, Platform, media_type};
use crate::store::Verified;

/// A manifest or index.
pub(super) struct Found<'a> {
    source: &'a dyn Source,
    pub(super) descriptor: Descriptor,
    pub(super) bytes: Vec<u8>,
    /// Its entries, where it is an index.
    pub(super) index: Option<Index>,
}

impl<'a> Found<'a> {
    /// Reads what the descriptor points at.
    pub(super) fn of(source: &'a dyn Source, descriptor: Descriptor) -> Result<Found<'a>, CopyError> {
        let bytes = source.manifest(&descriptor)?;
        let is_index = [media_type::INDEX, media_type::DOCKER_LIST].contains(&descriptor.media_type.as_str());
        let index = is_index.then(|| parse(source, &descriptor, &bytes)).transpose()?;
        Ok(Found { source, descriptor, bytes, index })
    }

    /// The manifest of an image: of an index, that of the platform, or else of the first one.
    pub(super) fn image(&self, platform: Option<&Platform>) -> Result<Found<'a>, CopyError> {
        let mut found = Found {
            bytes: self.bytes.clone(),
            descriptor: self.descriptor.clone(),
            index: self.index.clone(),
            ..*self
        };
        for _ in 0..crate::copy::MAX_DEPTH {
            let Some(index) = &found.index else { return found.check(platform) };
            let chosen = choose(index, platform).ok_or_else(|| found.none(index, platform))?;
            found = Found::of(self.source, chosen.clone())?;
        }
        Err(wrong(self.source, &self.descriptor, "indexes lie in indexes without an end".to_owned()))
    }

    /// A manifest that is no index may say for which platform it is.
    fn check(self, platform: Option<&Platform>) -> Result<Found<'a>, CopyError> {
        let own = self.descriptor.platform.clone();
        match (platform, own) {
            (Some(wanted), Some(own)) if !fits(wanted, &own) => Err(CopyError::Failed {
                place: self.source.describe(),
                what: wanted.to_string(),
                why: format!("the image is for {own}"),
                category: Category::NotFound,
                hint: None,
            }),
            _ => Ok(self),
        }
    }

    fn none(&self, index: &Index, platform: Option<&Platform>) -> CopyError {
        let all: Vec<String> = index.manifests.iter().filter_map(image_platform).map(Platform::to_string).collect();
        CopyError::Failed {
            place: self.source.describe(),
            what: platform.map_or("an image".to_owned(), Platform::to_string),
            why: "the index has none for it".to_owned(),
            category: Category::NotFound,
            hint: (!all.is_empty()).then(|| format!("there are {}", all.join(", "))),
        }
    }

    /// It as a manifest.
    pub(super) fn manifest(&self) -> Result<Manifest, CopyError> {
        parse(self.source, &self.descriptor, &self.bytes)
    }

    /// The bytes of its configuration.
    pub(super) fn configuration(&self) -> Result<Vec<u8>, CopyError> {
        let config = self.manifest()?.config;
        if config.size > MAX_MANIFEST {
            let why = format!("{} bytes are more than the {MAX_MANIFEST} that a configuration may have", config.size);
            return Err(wrong(self.source, &config, why));
        }
        let mut bytes = Vec::new();
        let read = Verified::new(self.source.open(&config, 0)?, config.digest, config.size).read_to_end(&mut bytes);
        read.map_err(|error| wrong(self.source, &config, error.to_string()))?;
        Ok(bytes)
    }
}

/// The entry of a platform; without one, the first that is an image's.
fn choose<'a>(index: &'a Index, platform: Option<&Platform>) -> Option<&'a Descriptor> {
    let of = |wanted: &Platform| {
        index.manifests.iter().find(|entry| image_platform(entry).is_some_and(|own| fits(wanted, own)))
    };
    match platform {
        Some(wanted) => of(wanted),
        None => index.manifests.iter().find(|entry| image_platform(entry).is_some()).or(index.manifests.first()),
    }
}

/// The platform of an image; attestations have `unknown/unknown`.
fn image_platform(entry: &Descriptor) -> Option<&Platform> {
    entry.platform.as_ref().filter(|platform| platform.os != "unknown")
}

/// Whether an image's platform is the one that is wanted; a variant counts where it is wanted.
fn fits(wanted: &Platform, own: &Platform) -> bool {
    (&wanted.os, &wanted.architecture) == (&own.os, &own.architecture)
        && (wanted.variant.is_none() || wanted.variant == own.variant)
}

fn parse<T: serde::de::DeserializeOwned>(
    source: &dyn Source,
    descriptor: &Descriptor,
    bytes: &[u8],
) -> Result<T, CopyError> {
    serde_json::from_slice(bytes)
        .map_err(|error| wrong(source, descriptor, format!("is not the JSON that its media type says: {error}")))
}

fn wrong(source: &dyn Source, descriptor: &Descriptor, why: String) -> CopyError {
    CopyError::Manifest { place: source.describe(), descriptor: descriptor.digest.to_string(), why }
}
