use super::walk::walk;
use super::{CopyError, Have, Sink, Source};
use crate::oci::Descriptor;

/// What a copy will do, before the first byte moves.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What will be named.
    pub root: Descriptor,
    /// Blobs, biggest first.
    pub blobs: Vec<PlannedBlob>,
    /// Manifests with their bytes, children before parents.
    pub manifests: Vec<(Descriptor, Vec<u8>)>,
    /// The names that the root gets.
    pub names: Vec<String>,
}

/// A blob, and whether it moves.
#[derive(Debug, Clone)]
pub struct PlannedBlob {
    /// The blob.
    pub descriptor: Descriptor,
    /// Whether the sink has it.
    pub have: Have,
}

impl Plan {
    /// Bytes of blobs that move.
    pub fn bytes(&self) -> u64 {
        let absent = self.blobs.iter().filter(|blob| blob.have == Have::Absent);
        absent.fold(0, |total, blob| total.saturating_add(blob.descriptor.size))
    }
}

/// Plans the copy of `root`.
pub fn plan(source: &dyn Source, sink: &dyn Sink, root: &Descriptor, names: &[String]) -> Result<Plan, CopyError> {
    let graph = walk(source, root)?;
    let mut blobs = Vec::new();
    for descriptor in graph.blobs {
        let have = sink.have(&descriptor)?;
        blobs.push(PlannedBlob { descriptor, have });
    }
    blobs.sort_by(|a, b| (b.descriptor.size, &b.descriptor.digest).cmp(&(a.descriptor.size, &a.descriptor.digest)));
    Ok(Plan { root: root.clone(), blobs, manifests: graph.manifests, names: names.to_vec() })
}
