//! Which layers need not be made here, because the image goes where they are.

use super::Request;
use super::key::{self, LayerRecord};
use super::recipe::{Recipe, Step};
use super::reproduce;
use super::shape::Shape;
use crate::layer::{Compression, EPOCH};
use crate::oci::Descriptor;

/// Whether layers may stay where the image goes, if they are there, and are neither fetched nor made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reuse {
    /// All are made here.
    #[default]
    Nothing,
    /// Those whose digest is known by a lock that ships with kimg, or because this store made them once.
    Known,
    /// Those of all locks: a user's lock may name an output that nobody made of its inputs.
    AllLocks,
}

/// What of an image may be known without making it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    reuse: Reuse,
    /// Whether links and folders of a layer must be known, which locks do not have.
    shapes: bool,
}

/// What may be reused of an image. A layer of the user's files is made with a look at those below it.
pub(super) fn allowed(recipe: &Recipe, request: &Request, reuse: Reuse) -> Allowed {
    let own = recipe.own();
    let reads = !request.authorities.is_empty()
        || own.family.definition.layers.iter().any(|layer| !layer.authorities.is_empty());
    let reuse = if reads { Reuse::Nothing } else { reuse };
    Allowed { reuse, shapes: !request.add.is_empty() || own.family.user().is_some() }
}

/// A layer as it must come out; `record` is what the store remembers of it.
pub(super) fn known(
    step: &Step<'_>,
    record: Option<LayerRecord>,
    compression: Compression,
    allowed: Allowed,
) -> Option<LayerRecord> {
    if allowed.reuse == Reuse::Nothing {
        return None;
    }
    if let Some(record) = record.filter(|record| reproduce::fits(step, record, compression)) {
        return Some(record);
    }
    let is_trusted = allowed.reuse == Reuse::AllLocks || step.part.family.is_builtin();
    let output = step.output().filter(|output| output.epoch == EPOCH)?;
    let is_sure = is_trusted && !allowed.shapes && step.layer.is_locked() && compression == Compression::Gzip(None);
    is_sure.then(|| LayerRecord {
        diff_id: output.diff_id,
        descriptor: Descriptor::new(key::media_type(compression), output.gzip, output.size),
        tar_size: 0,
        shape: Shape::default(),
    })
}
