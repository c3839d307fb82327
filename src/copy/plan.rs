use std::collections::BTreeSet;

use super::unpack::{self, Unpacked};
use super::walk::walk;
use super::{CopyError, Form, Have, Sink, Source};
use crate::oci::Descriptor;

/// An image or index to copy, and the names that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its manifest or index.
    pub descriptor: Descriptor,
    /// Its names in the sink.
    pub names: Vec<String>,
}

/// What a copy will do, before the first byte moves.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What will be named.
    pub roots: Vec<Root>,
    /// Blobs, biggest first, each once.
    pub blobs: Vec<PlannedBlob>,
    /// Manifests with their bytes, children before parents, each once; none where the sink takes [`Form::Tars`].
    pub manifests: Vec<(Descriptor, Vec<u8>)>,
    /// The images, in the order of the roots, where the sink takes [`Form::Tars`].
    pub images: Vec<PlannedImage>,
}

/// A blob, and whether it moves.
#[derive(Debug, Clone)]
pub struct PlannedBlob {
    /// The blob as the sink takes it.
    pub descriptor: Descriptor,
    /// Whether the sink has it.
    pub have: Have,
    /// The blob of the source that it is unpacked from; it is itself there where this is absent.
    pub packed: Option<Descriptor>,
}

/// An image as configuration and tars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedImage {
    /// Its names.
    pub names: Vec<String>,
    /// Its configuration.
    pub config: Descriptor,
    /// Its layers' tars, lowest first.
    pub layers: Vec<Descriptor>,
}

impl Plan {
    /// Bytes of blobs that move.
    pub fn bytes(&self) -> u64 {
        let absent = self.blobs.iter().filter(|blob| blob.have == Have::Absent);
        absent.fold(0, |total, blob| total.saturating_add(blob.descriptor.size))
    }

    /// The plan for a sink that has layers one upon the other only: of each image's, from the lowest, `there` says how
    /// many need not move. A layer moves where one image needs it.
    pub fn leave_out(mut self, there: impl Fn(&[Descriptor]) -> usize) -> Plan {
        let mut moving = BTreeSet::new();
        for image in &self.images {
            let count = there(&image.layers).min(image.layers.len());
            moving.extend(image.layers[count..].iter().chain([&image.config]).map(|blob| blob.digest));
        }
        for blob in self.blobs.iter_mut().filter(|blob| !moving.contains(&blob.descriptor.digest)) {
            blob.have = Have::Present;
        }
        self
    }
}

/// Plans the copy of images. What several of them share moves once.
pub fn plan(source: &dyn Source, sink: &dyn Sink, roots: &[Root]) -> Result<Plan, CopyError> {
    let graph = walk(source, roots)?;
    let mut plan = Plan { roots: roots.to_vec(), blobs: Vec::new(), manifests: Vec::new(), images: Vec::new() };
    match sink.form() {
        Form::AsIs => {
            for descriptor in graph.blobs {
                let have = sink.have(&descriptor)?;
                plan.blobs.push(PlannedBlob { descriptor, have, packed: None });
            }
            plan.manifests = graph.manifests;
        }
        Form::Tars => {
            let Unpacked { images, blobs } = unpack::plan(source, sink, roots, &graph.manifests)?;
            (plan.images, plan.blobs) = (images, blobs);
        }
    }
    let order = |blob: &PlannedBlob| (blob.descriptor.size, blob.descriptor.digest);
    plan.blobs.sort_by_key(|blob| std::cmp::Reverse(order(blob)));
    Ok(plan)
}
