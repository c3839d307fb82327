use std::path::Path;

use super::values::Location;
use crate::build::{Built, Workshop};
use crate::copy::{self, CopyError};
use crate::oci::Descriptor;
use crate::transport::{LayoutSink, StoreSource};

/// Copies an image from the store to an output, under the name that the output asks for or else the image's own.
pub(super) fn deliver(built: &Built, tags: &[String], output: &Location, workshop: &Workshop) -> Result<(), CopyError> {
    let Location::Layout { folder, name } = output;
    let names = match (name, tags) {
        (Some(name), _) => vec![name.clone()],
        (None, []) => vec![built.name.clone()],
        (None, tags) => tags.to_vec(),
    };
    to_layout(&built.manifest, &names, folder, workshop)
}

fn to_layout(manifest: &Descriptor, names: &[String], folder: &Path, workshop: &Workshop) -> Result<(), CopyError> {
    let source = StoreSource::open(workshop.store.clone())?;
    let sink = Box::new(LayoutSink::open(folder)?);
    let plan = copy::plan(&source, sink.as_ref(), manifest, names)?;
    copy::execute(&plan, &source, sink, &workshop.events)
}
