use std::collections::BTreeSet;

use super::choice::choose;
use super::unpack::{self, Unpacked};
use super::walk::{Graph, Walk};
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
#[derive(Debug, Clone, Default)]
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
    /// The manifests that come along because they name another as their subject.
    pub referrers: Vec<Descriptor>,
    /// Indexes of which not all is copied: in the sink they name what is not there.
    pub sparse: Vec<Descriptor>,
    /// Layers that are not copied: only their publisher gives them out.
    pub foreign: Vec<Descriptor>,
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
    let mut there = Vec::new();
    let mut walk = Walk::new(source, sink, choice);
    for root in roots {
        let chosen = choose(&mut walk, root)?;
        // Neither tells a root's digest what of it is there, nor who refers to it.
        let is_whole = chosen.only.is_none() && !choice.referrers;
        match is_whole && sink.holds(&chosen.root)? {
            true => there.push(chosen.root),
            false => walk.root(chosen)?,
        }
    }
    let Graph { roots, blobs, manifests, referrers, sparse, foreign } = walk.finish()?;
    let mut plan =
        Plan { roots, there, blobs: Vec::new(), manifests: Vec::new(), images: Vec::new(), referrers, sparse, foreign };
    match sink.form() {
        Form::AsIs => {
            let have = sink.have(&blobs, source.origin().as_ref())?;
            let planned = |(descriptor, have)| PlannedBlob { descriptor, have, packed: None };
            plan.blobs = blobs.into_iter().zip(have).map(planned).collect();
            let moving = |blob: &&PlannedBlob| matches!(blob.have, Have::Absent | Have::PartAt(_));
            let moving: Vec<Descriptor> =
                plan.blobs.iter().filter(moving).map(|blob| blob.descriptor.clone()).collect();
            source.look_for(&moving)?;
            plan.manifests = manifests;
        }
        Form::Tars => {
            let Unpacked { images, blobs } = unpack::plan(source, sink, &plan.roots, &manifests)?;
            (plan.images, plan.blobs) = (images, blobs);
        }
    }
    let order = |blob: &PlannedBlob| (blob.descriptor.size, blob.descriptor.digest);
    plan.blobs.sort_by_key(|blob| std::cmp::Reverse(order(blob)));
    Ok(plan)
}
