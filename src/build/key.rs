//! Layer keys: all that a layer's bytes depend on, as one digest, so that a layer that was made is found again without
//! fetching or reading anything.

use crate::definition::embedded::{self, ASSEMBLY_HASH};
use crate::digest::Digest;
use crate::layer::{Compression, EPOCH};
use crate::oci::{Descriptor, media_type};

use super::recipe::Step;
use super::shape::Shape;

/// What the store remembers of a layer that was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct LayerRecord {
    pub diff_id: Digest,
    pub descriptor: Descriptor,
    pub tar_size: u64,
    pub shape: Shape,
}

/// The kind under which layer records are kept.
pub(super) const RECORDS: &str = "layers";

/// The key of a layer.
pub(super) fn of(step: &Step<'_>, compression: Compression) -> String {
    let inputs: Vec<(&str, String)> =
        step.inputs().into_iter().map(|input| (input.path.as_str(), Digest::from(input.sha256).hex())).collect();
    let entrypoint = step.layer.entrypoint.as_ref().and_then(|_| embedded::entrypoint(&step.platform.architecture));
    let entrypoint = entrypoint.map(|entrypoint| entrypoint.sha256);
    let launchers = step.layer.launchers.as_ref().map(|launchers| &launchers.table);
    let shipped: Vec<Option<Digest>> = step
        .layer
        .files
        .iter()
        .map(|file| &file.from)
        .chain(launchers)
        .map(|from| step.part.family.file(&step.part.version, from).map(Digest::of))
        .collect();
    let all = serde_json::to_vec(&(
        (EPOCH, ASSEMBLY_HASH, compression_name(compression)),
        (step.layer, &step.part.version, step.own_platform(), step.variant, step.part.mtime),
        (inputs, entrypoint, shipped),
    ));
    Digest::of(&all.expect("keys of these maps are text")).hex()
}

/// How a compression is written in flags.
pub(super) fn compression_name(compression: Compression) -> String {
    match compression {
        Compression::None => "none".to_owned(),
        Compression::Gzip(None) => "gzip".to_owned(),
        Compression::Gzip(Some(level)) => format!("gzip:{level}"),
        Compression::Zstd(None) => "zstd".to_owned(),
        Compression::Zstd(Some(level)) => format!("zstd:{level}"),
    }
}

/// The media type of a layer so compressed.
pub(super) fn media_type(compression: Compression) -> &'static str {
    match compression {
        Compression::None => media_type::LAYER,
        Compression::Gzip(_) => media_type::LAYER_GZIP,
        Compression::Zstd(_) => media_type::LAYER_ZSTD,
    }
}
