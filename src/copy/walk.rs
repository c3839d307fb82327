use std::collections::BTreeSet;
use std::io::Read;

use super::{CopyError, Source};
use crate::digest::Digest;
use crate::oci::{Descriptor, Index, Manifest, media_type};

/// Indexes within indexes, at most.
pub const MAX_DEPTH: usize = 8;

/// Manifests and blobs of one image, at most.
pub const MAX_DESCRIPTORS: usize = 10_000;

/// A manifest's size in bytes, at most (distribution-spec 1.1 asks registries for 4 MiB at least).
pub const MAX_MANIFEST: u64 = 8 << 20;

/// What one image consists of.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Blobs, in the order in which they were met, each once.
    pub blobs: Vec<Descriptor>,
    /// Manifests with their bytes, children before parents.
    pub manifests: Vec<(Descriptor, Vec<u8>)>,
    seen: BTreeSet<Digest>,
}

/// Reads all manifests below `root`.
pub(super) fn walk(source: &dyn Source, root: &Descriptor) -> Result<Graph, CopyError> {
    let mut graph = Graph::default();
    visit(source, root, 0, &mut graph)?;
    Ok(graph)
}

fn visit(source: &dyn Source, descriptor: &Descriptor, depth: usize, graph: &mut Graph) -> Result<(), CopyError> {
    let wrong =
        |why: String| CopyError::Manifest { place: source.describe(), descriptor: descriptor.digest.to_string(), why };
    if !graph.seen.insert(descriptor.digest) {
        return Ok(());
    }
    if depth > MAX_DEPTH || graph.seen.len() > MAX_DESCRIPTORS {
        return Err(wrong(format!("more than {MAX_DEPTH} levels or {MAX_DESCRIPTORS} parts, which no image has")));
    }
    let bytes = read(source, descriptor)?;
    let parse = |error: serde_json::Error| wrong(format!("is not the JSON that its media type says: {error}"));
    match descriptor.media_type.as_str() {
        media_type::INDEX => {
            let index: Index = serde_json::from_slice(&bytes).map_err(parse)?;
            for manifest in &index.manifests {
                visit(source, manifest, depth + 1, graph)?;
            }
        }
        media_type::MANIFEST => {
            let manifest: Manifest = serde_json::from_slice(&bytes).map_err(parse)?;
            let blobs = std::iter::once(manifest.config).chain(manifest.layers);
            graph.blobs.extend(blobs.filter(|blob| graph.seen.insert(blob.digest)));
        }
        other => return Err(wrong(format!("the media type `{}` is not known", other.escape_debug()))),
    }
    graph.manifests.push((descriptor.clone(), bytes));
    Ok(())
}

fn read(source: &dyn Source, descriptor: &Descriptor) -> Result<Vec<u8>, CopyError> {
    let wrong =
        |why: String| CopyError::Manifest { place: source.describe(), descriptor: descriptor.digest.to_string(), why };
    if descriptor.size > MAX_MANIFEST {
        return Err(wrong(format!(
            "{} bytes are more than the {MAX_MANIFEST} that a manifest may have",
            descriptor.size
        )));
    }
    let mut bytes = Vec::new();
    let mut content = source.open(descriptor)?.take(descriptor.size + 1);
    content.read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 != descriptor.size || Digest::of(&bytes) != descriptor.digest {
        return Err(wrong("size or digest do not fit".to_owned()));
    }
    Ok(bytes)
}
