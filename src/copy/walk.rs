use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Choice, CopyError, Root, Sink, Source};
use crate::digest::Digest;
use crate::oci::{Descriptor, Index, Manifest, media_type};

/// Indexes within indexes, at most.
pub const MAX_DEPTH: usize = 8;

/// Manifests and blobs of the images of one copy, at most.
pub const MAX_DESCRIPTORS: usize = 10_000;

/// A manifest's size in bytes, at most (distribution-spec 1.1 asks registries for 4 MiB at least).
pub const MAX_MANIFEST: u64 = 8 << 20;

/// All manifests of one copy, in bytes, at most: they are held in memory.
pub const MAX_MANIFESTS: u64 = 64 << 20;

/// What images consist of.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// What is copied of the roots that were asked for.
    pub roots: Vec<Root>,
    /// Blobs, in the order in which they were met, each once.
    pub blobs: Vec<Descriptor>,
    /// Manifests with their bytes, children before parents.
    pub manifests: Vec<(Descriptor, Vec<u8>)>,
    seen_blobs: BTreeMap<Digest, u64>,
    seen_manifests: BTreeSet<(Digest, String)>,
    bytes: u64,
}

/// What a document says it is. Two readers must not see two images in it (image-spec 1.1, manifest.md, "mediaType").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    media_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    manifests: Option<IgnoredAny>,
}

impl Shape {
    fn is_only(&self, media_type: &str) -> bool {
        let own = self.media_type.as_deref().is_none_or(|own| own == media_type);
        own && (self.manifests.is_none() || (self.config.is_none() && self.layers.is_none()))
    }
}

/// Reads all manifests below `roots` that are chosen and that the sink lacks.
pub(super) fn walk(
    source: &dyn Source,
    _sink: &dyn Sink,
    roots: &[Root],
    _choice: &Choice,
) -> Result<Graph, CopyError> {
    let mut graph = Graph { roots: roots.to_vec(), ..Graph::default() };
    for root in roots {
        visit(source, &root.descriptor, 0, &mut graph)?;
    }
    Ok(graph)
}

fn visit(source: &dyn Source, descriptor: &Descriptor, depth: usize, graph: &mut Graph) -> Result<(), CopyError> {
    let wrong =
        |why: String| CopyError::Manifest { place: source.describe(), descriptor: descriptor.digest.to_string(), why };
    // Seen as a blob is not seen: the parts of a manifest move too, whoever else calls it a layer.
    if !graph.seen_manifests.insert((descriptor.digest, descriptor.media_type.clone())) {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(wrong(format!("more than {MAX_DEPTH} levels, which no image has")));
    }
    let is_index = match descriptor.media_type.as_str() {
        media_type::INDEX | media_type::DOCKER_LIST => true,
        media_type::MANIFEST | media_type::DOCKER_MANIFEST => false,
        other => return Err(wrong(format!("the media type `{}` is not known", other.escape_debug()))),
    };
    let bytes = source.manifest(descriptor)?;
    graph.bytes += descriptor.size;
    if graph.bytes > MAX_MANIFESTS {
        return Err(wrong(format!("more than {MAX_MANIFESTS} bytes of manifests, which no image has")));
    }
    let parse = |error: serde_json::Error| wrong(format!("is not the JSON that its media type says: {error}"));
    let shape: Shape = serde_json::from_slice(&bytes).map_err(parse)?;
    if !shape.is_only(&descriptor.media_type) {
        return Err(wrong("may be read as a manifest and as an index".to_owned()));
    }
    if is_index {
        let index: Index = serde_json::from_slice(&bytes).map_err(parse)?;
        for manifest in &index.manifests {
            visit(source, manifest, depth + 1, graph)?;
        }
    } else {
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(parse)?;
        for blob in std::iter::once(manifest.config).chain(manifest.layers) {
            match graph.seen_blobs.insert(blob.digest, blob.size) {
                None => graph.blobs.push(blob),
                Some(size) if size == blob.size => {}
                Some(_) => return Err(wrong(format!("{} is given two sizes", blob.digest))),
            }
        }
    }
    if graph.seen_blobs.len() + graph.seen_manifests.len() > MAX_DESCRIPTORS {
        return Err(wrong(format!("more than {MAX_DESCRIPTORS} parts, which no image has")));
    }
    graph.manifests.push((descriptor.clone(), bytes));
    Ok(())
}

/// Reads a document of `place` whole, and verifies it.
pub(super) fn whole<'a>(
    place: &str,
    descriptor: &Descriptor,
    limit: u64,
    open: impl FnOnce() -> Result<Box<dyn Read + Send + 'a>, CopyError>,
) -> Result<Vec<u8>, CopyError> {
    let wrong =
        |why: String| CopyError::Manifest { place: place.to_owned(), descriptor: descriptor.digest.to_string(), why };
    if descriptor.size > limit {
        return Err(wrong(format!("{} bytes are more than the {limit} that a manifest may have", descriptor.size)));
    }
    let mut bytes = Vec::new();
    let read = open()?.take(descriptor.size + 1).read_to_end(&mut bytes);
    read.map_err(|error| CopyError::carried(error).unwrap_or_else(|error| wrong(error.to_string())))?;
    if bytes.len() as u64 != descriptor.size || !descriptor.digest.fits(&bytes) {
        return Err(wrong("size or digest do not fit".to_owned()));
    }
    Ok(bytes)
}
