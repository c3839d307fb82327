//! An image from elsewhere as the base, instead of the layers of the definition's own base. Its layers are known by its
//! manifest and configuration, and never unpacked.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use serde::Deserialize;

use super::{BuildError, PlaceError, Workshop};
use crate::copy::{self, Execution, Have, MAX_DEPTH, MAX_MANIFEST, Plan, PlannedBlob, Source};
use crate::digest::Digest;
use crate::oci::{Descriptor, History, Index, Manifest, Platform, media_type};
use crate::store::Verified;
use crate::transport::LayoutSink;

/// The image that another stands on; cheap to clone.
#[derive(Clone)]
pub struct Base {
    source: Arc<dyn Source>,
    descriptor: Descriptor,
    /// What it is called in annotations, where others find it by that.
    name: Option<String>,
}

/// That image for one platform.
#[derive(Debug, Clone)]
pub(super) struct BaseImage {
    pub base: Base,
    pub manifest: Descriptor,
    pub layers: Vec<Descriptor>,
    pub diff_ids: Vec<Digest>,
    pub history: Vec<History>,
    /// `NAME=VALUE`.
    pub env: Vec<String>,
}

/// What is read of its configuration. Other tools write `null` where they mean nothing.
#[derive(Deserialize)]
struct BaseConfig {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
    config: Option<BaseExecution>,
    rootfs: BaseRootFs,
    history: Option<Vec<History>>,
}

#[derive(Deserialize)]
struct BaseExecution {
    #[serde(rename = "Env")]
    env: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct BaseRootFs {
    #[serde(default)]
    diff_ids: Vec<Digest>,
}

impl Base {
    /// What `descriptor` is at `source`: an image, or an index of some.
    pub fn new(source: Arc<dyn Source>, descriptor: Descriptor, name: Option<String>) -> Base {
        Base { source, descriptor, name }
    }

    /// What it is called.
    pub(super) fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    /// Where it is read.
    pub(super) fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// Its image for a platform.
    pub(super) async fn image(&self, platform: &Platform) -> Result<BaseImage, BuildError> {
        let (base, platform) = (self.clone(), platform.clone());
        let read = tokio::task::spawn_blocking(move || base.read(&platform)).await;
        read.map_err(|error| BuildError::Worker(error.to_string()))?
    }

    fn place(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("{}@{}", self.source.describe(), self.descriptor.digest),
        }
    }

    fn wrong(&self, why: impl Into<String>) -> BuildError {
        PlaceError::Base { place: self.place(), why: why.into() }.into()
    }

    fn read(&self, platform: &Platform) -> Result<BaseImage, BuildError> {
        let (descriptor, manifest) = self.manifest(platform)?;
        let config: BaseConfig = serde_json::from_slice(&self.document(&manifest.config)?)
            .map_err(|error| self.wrong(format!("its configuration is not one of an image ({})", at(&error))))?;
        let own = Platform { architecture: config.architecture, os: config.os, variant: None };
        if (&own.os, &own.architecture) != (&platform.os, &platform.architecture) {
            return Err(self.other_platform(platform, vec![shown(&own.to_string())]));
        }
        let (layers, diff_ids) = (manifest.layers, config.rootfs.diff_ids);
        if layers.len() != diff_ids.len() {
            return Err(self.wrong(format!(
                "it has {} layers, and its configuration {}",
                layers.len(),
                diff_ids.len()
            )));
        }
        let count = layers.len();
        let layers = layers.into_iter().map(|layer| self.layer(layer)).collect::<Result<_, _>>()?;
        let history = config.history.unwrap_or_default();
        let is_whole = history.iter().filter(|entry| !entry.empty_layer).count() == count;
        let history = if is_whole { history } else { vec![History::default(); count] };
        let env = config.config.and_then(|config| config.env).unwrap_or_default();
        Ok(BaseImage { base: self.clone(), manifest: descriptor, layers, diff_ids, history, env })
    }

    /// The manifest for a platform.
    fn manifest(&self, platform: &Platform) -> Result<(Descriptor, Manifest), BuildError> {
        let mut descriptor = self.descriptor.clone();
        for _ in 0..MAX_DEPTH {
            let bytes = self.source.manifest(&descriptor)?;
            let parse = |error: serde_json::Error| self.wrong(format!("its manifest is not one ({})", at(&error)));
            match descriptor.media_type.as_str() {
                media_type::MANIFEST | media_type::DOCKER_MANIFEST => {
                    return Ok((descriptor, serde_json::from_slice(&bytes).map_err(parse)?));
                }
                media_type::INDEX | media_type::DOCKER_LIST => {}
                other => return Err(self.wrong(format!("`{}` is no media type of an image", shown(other)))),
            }
            let index: Index = serde_json::from_slice(&bytes).map_err(parse)?;
            descriptor = match index.manifests.iter().find(|manifest| is_for(manifest, platform)) {
                Some(manifest) => manifest.clone(),
                None => {
                    let known = index.manifests.iter().filter_map(|manifest| manifest.platform.as_ref());
                    let known = known.filter(|platform| platform.os != "unknown").take(NAMED);
                    let known = known.map(|platform| shown(&platform.to_string()));
                    return Err(self.other_platform(platform, known.collect()));
                }
            };
        }
        Err(self.wrong("its indexes never end"))
    }

    fn other_platform(&self, platform: &Platform, known: Vec<String>) -> BuildError {
        PlaceError::BasePlatform { place: self.place(), platform: platform.to_string(), known }.into()
    }

    /// The configuration's bytes, verified.
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, BuildError> {
        if descriptor.size > MAX_MANIFEST {
            return Err(self.wrong(format!("its configuration has {} bytes, which none has", descriptor.size)));
        }
        let mut content = Verified::new(self.source.open(descriptor, 0)?, descriptor.digest, descriptor.size);
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| self.wrong(format!("its configuration: {error}")))?;
        Ok(bytes)
    }

    /// The layer as a manifest of OCI's names it. Docker's media types name the same bytes.
    fn layer(&self, mut layer: Descriptor) -> Result<Descriptor, BuildError> {
        let media_type = match layer.media_type.as_str() {
            media_type::LAYER | "application/vnd.docker.image.rootfs.diff.tar" => media_type::LAYER,
            media_type::LAYER_GZIP | "application/vnd.docker.image.rootfs.diff.tar.gzip" => media_type::LAYER_GZIP,
            media_type::LAYER_ZSTD | "application/vnd.docker.image.rootfs.diff.tar.zstd" => media_type::LAYER_ZSTD,
            other => {
                return Err(
                    self.wrong(format!("a layer has the media type `{}`, which kimg cannot pass on", shown(other)))
                );
            }
        };
        layer.media_type = media_type.to_owned();
        Ok(layer)
    }
}

/// Where a document is wrong; the words of the parser would repeat parts of it.
fn at(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// Text of another's document, as messages hold it.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect::<String>().escape_debug().to_string()
}

/// Letters of it, at most.
const SHOWN: usize = 100;

/// So many platforms are named in an error.
const NAMED: usize = 12;

/// Whether a manifest of an index is for a platform; one that names a variant has it, or any where none is asked for.
fn is_for(manifest: &Descriptor, platform: &Platform) -> bool {
    manifest.platform.as_ref().is_some_and(|own| {
        (&own.os, &own.architecture) == (&platform.os, &platform.architecture)
            && (platform.variant.is_none() || own.variant == platform.variant)
    })
}

impl BaseImage {
    /// Brings its layers into the store, for places that registries do not mount from. When this is dropped, the copy
    /// under way ends.
    pub(super) async fn pull(&self, workshop: &Workshop) -> Result<(), BuildError> {
        let lacks = |layer: &&Descriptor| !workshop.store.has(layer);
        let planned = |layer: &Descriptor| PlannedBlob { descriptor: layer.clone(), have: Have::Absent, packed: None };
        let blobs: Vec<PlannedBlob> = self.layers.iter().filter(lacks).map(planned).collect();
        if blobs.is_empty() {
            return Ok(());
        }
        let plan = Plan { blobs, ..Plan::default() };
        let (source, store) = (self.base.source.clone(), workshop.store.clone());
        let execution = Execution { jobs: JOBS, ..Execution::new(workshop.events.clone()) };
        let going = execution.stop.when_dropped();
        let work = move || {
            let sink = Box::new(LayoutSink::of_store(&store));
            copy::execute(&plan, source.as_ref(), sink, &execution).map(drop)
        };
        let done = tokio::task::spawn_blocking(work).await;
        drop(going);
        Ok(done.map_err(|error| BuildError::Worker(error.to_string()))??)
    }
}

/// Layers of a base at once.
const JOBS: usize = 4;

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base").field("place", &self.place()).finish_non_exhaustive()
    }
}
