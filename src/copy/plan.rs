use std::collections::BTreeSet;

use super::unpack::{self, Unpacked};
use super::walk::walk;
use super::{Choice, CopyError, Form, Have, Sink, Source};
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
    /// What is there already, whole and under its names: nothing of it is looked at.
    pub there: Vec<Root>,
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
    /// Bytes of blobs that move, as far as is known.
    pub fn bytes(&self) -> u64 {
        let each = self.blobs.iter().map(|blob| match blob.have {
            Have::Absent => blob.descriptor.size,
            Have::PartAt(offset) => blob.descriptor.size.saturating_sub(offset),
            Have::Present | Have::Mountable => 0,
        });
        each.fold(0, u64::saturating_add)
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
pub fn plan(source: &dyn Source, sink: &dyn Sink, roots: &[Root], choice: &Choice) -> Result<Plan, CopyError> {
    let (mut wanted, mut there) = (Vec::new(), Vec::new());
    for root in roots {
        if sink.holds(root)? { there.push(root.clone()) } else { wanted.push(root.clone()) }
    }
    let graph = walk(source, sink, &wanted, choice)?;
    let mut plan = Plan { roots: graph.roots, there, blobs: Vec::new(), manifests: Vec::new(), images: Vec::new() };
    match sink.form() {
        Form::AsIs => {
            let have = sink.have(&graph.blobs, source.origin().as_ref())?;
            let planned = |(descriptor, have)| PlannedBlob { descriptor, have, packed: None };
            plan.blobs = graph.blobs.into_iter().zip(have).map(planned).collect();
            plan.manifests = graph.manifests;
        }
        Form::Tars => {
            let Unpacked { images, blobs } = unpack::plan(source, sink, &plan.roots, &graph.manifests)?;
            (plan.images, plan.blobs) = (images, blobs);
        }
    }
    let order = |blob: &PlannedBlob| (blob.descriptor.size, blob.descriptor.digest);
    plan.blobs.sort_by_key(|blob| std::cmp::Reverse(order(blob)));
    Ok(plan)
}
