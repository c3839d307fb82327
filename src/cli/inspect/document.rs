//! The answer of `--json` (docs/output.md), which is also what the text is made of.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::read::Found;
use crate::copy::CopyError;
use crate::oci::{Descriptor, Platform};

/// An image, or an index of several.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    version: u32,
    pub(super) location: String,
    #[serde(flatten)]
    pub(super) part: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
    /// The entries of an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) manifests: Option<Vec<Entry>>,
    /// Absent where an index has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<Image>,
}

/// A blob or manifest.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    pub(super) digest: String,
    pub(super) media_type: String,
    pub(super) size: u64,
}

/// An entry of an index.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) platform: Option<String>,
    #[serde(flatten)]
    pub(super) part: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// An image of one platform.
#[derive(Debug, Serialize)]
pub(super) struct Image {
    #[serde(flatten)]
    pub(super) part: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<String>,
    /// Bytes of manifest, configuration and layers.
    pub(super) total: u64,
    pub(super) config: Part,
    pub(super) layers: Vec<Layer>,
    #[serde(flatten)]
    pub(super) run: Run,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// A layer.
#[derive(Debug, Serialize)]
pub(super) struct Layer {
    #[serde(flatten)]
    pub(super) part: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) diff_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_by: Option<String>,
}

/// How an image runs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Run {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_dir: Option<String>,
    pub(super) entrypoint: Vec<String>,
    pub(super) cmd: Vec<String>,
    pub(super) env: Vec<String>,
    pub(super) ports: Vec<String>,
    pub(super) volumes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_signal: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
}

/// A configuration, of which Docker writes null for what is empty.
#[derive(Debug, Default, Deserialize)]
struct Configuration {
    created: Option<String>,
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    config: Option<Execution>,
    rootfs: Option<RootFs>,
    history: Option<Vec<History>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Execution {
    user: Option<String>,
    working_dir: Option<String>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    exposed_ports: Option<BTreeMap<String, IgnoredAny>>,
    volumes: Option<BTreeMap<String, IgnoredAny>>,
    stop_signal: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    diff_ids: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct History {
    created_by: Option<String>,
    #[serde(default)]
    empty_layer: bool,
}

/// What a manifest or index says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    artifact_type: Option<String>,
    subject: Option<Descriptor>,
    annotations: Option<BTreeMap<String, String>>,
}

/// The document of an image.
pub(super) fn document(location: &str, found: &Found<'_>, platform: Option<&Platform>) -> Result<Document, CopyError> {
    let own: Own = serde_json::from_slice(&found.bytes).unwrap_or_default();
    let entries = found.index.as_ref().map(|index| index.manifests.iter().map(entry).collect::<Vec<_>>());
    let is_empty = entries.as_ref().is_some_and(Vec::is_empty) && platform.is_none();
    let image = if is_empty { None } else { Some(image(&found.image(platform)?)?) };
    Ok(Document {
        version: 1,
        location: location.to_owned(),
        part: part(&found.descriptor),
        artifact_type: own.artifact_type,
        subject: own.subject.map(|subject| subject.digest.to_string()),
        annotations: own.annotations.unwrap_or_default(),
        manifests: entries,
        image,
    })
}

fn part(descriptor: &Descriptor) -> Part {
    Part { digest: descriptor.digest.to_string(), media_type: descriptor.media_type.clone(), size: descriptor.size }
}

fn entry(descriptor: &Descriptor) -> Entry {
    Entry {
        platform: descriptor.platform.as_ref().map(Platform::to_string),
        part: part(descriptor),
        artifact_type: descriptor.artifact_type.clone(),
        annotations: descriptor.annotations.clone(),
    }
}

fn image(found: &Found<'_>) -> Result<Image, CopyError> {
    let manifest = found.manifest()?;
    // That of an artifact is of a kind of its own, or none.
    let known = manifest.config.media_type.ends_with("+json") && manifest.config.media_type.contains(".image.");
    let configuration: Configuration = match known {
        true => serde_json::from_slice(&found.configuration()?).unwrap_or_default(),
        false => Configuration::default(),
    };
    let parts = std::iter::once(&manifest.config).chain(&manifest.layers);
    let total = parts.map(|part| part.size).fold(found.descriptor.size, u64::saturating_add);
    let listed = found.descriptor.platform.as_ref().map(Platform::to_string);
    Ok(Image {
        part: part(&found.descriptor),
        platform: own_platform(&configuration).or(listed),
        created: configuration.created.clone(),
        total,
        config: part(&manifest.config),
        layers: layers(&manifest.layers, &configuration),
        run: configuration.config.map(run).unwrap_or_default(),
        annotations: manifest.annotations,
    })
}

fn own_platform(configuration: &Configuration) -> Option<String> {
    let (os, architecture) = (configuration.os.as_ref()?, configuration.architecture.as_ref()?);
    let variant = configuration.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    (!os.is_empty()).then(|| format!("{os}/{architecture}{variant}"))
}

/// The layers, with what the configuration says of each where it speaks of as many.
fn layers(layers: &[Descriptor], configuration: &Configuration) -> Vec<Layer> {
    let diff_ids = configuration.rootfs.as_ref().and_then(|rootfs| rootfs.diff_ids.clone()).unwrap_or_default();
    let history = configuration.history.iter().flatten().filter(|step| !step.empty_layer);
    let steps: Vec<Option<String>> = history.map(|step| step.created_by.clone()).collect();
    let layer = |(place, descriptor): (usize, &Descriptor)| Layer {
        part: part(descriptor),
        diff_id: diff_ids.get(place).filter(|_| diff_ids.len() == layers.len()).cloned(),
        created_by: steps.get(place).filter(|_| steps.len() == layers.len()).cloned().flatten(),
    };
    layers.iter().enumerate().map(layer).collect()
}

fn run(execution: Execution) -> Run {
    let keys = |map: Option<BTreeMap<String, IgnoredAny>>| map.unwrap_or_default().into_keys().collect();
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    Run {
        user: text(execution.user),
        working_dir: text(execution.working_dir),
        entrypoint: execution.entrypoint.unwrap_or_default(),
        cmd: execution.cmd.unwrap_or_default(),
        env: execution.env.unwrap_or_default(),
        ports: keys(execution.exposed_ports),
        volumes: keys(execution.volumes),
        stop_signal: text(execution.stop_signal),
        labels: execution.labels.unwrap_or_default(),
    }
}
