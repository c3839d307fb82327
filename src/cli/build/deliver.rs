use std::path::Path;

use tokio::task::spawn_blocking;

use super::Failure;
use super::values::Location;
use crate::build::{Built, Workshop};
use crate::cli::CliError;
use crate::copy::{self, CopyError};
use crate::oci::Descriptor;
use crate::transport::{LayoutSink, StoreSource};

/// Copies an image from the store to an output, under the name that the output asks for or else the image's own. It does
/// so on a thread of its own, so that Ctrl-C is heard meanwhile.
pub(super) async fn deliver(
    built: &Built,
    tags: &[String],
    output: &Location,
    workshop: &Workshop,
) -> Result<(), Failure> {
    let Location::Layout { folder, name } = output;
    let names = match (name, tags) {
        (Some(name), _) => vec![name.clone()],
        (None, []) => vec![built.name.clone()],
        (None, tags) => tags.to_vec(),
    };
    let (manifest, folder, workshop) = (built.manifest.clone(), folder.clone(), workshop.clone());
    let copied = spawn_blocking(move || to_layout(&manifest, &names, &folder, &workshop)).await;
    Ok(copied.map_err(|error| CliError::Worker(error.to_string()))??)
}

fn to_layout(manifest: &Descriptor, names: &[String], folder: &Path, workshop: &Workshop) -> Result<(), CopyError> {
    let source = StoreSource::open(workshop.store.clone())?;
    let sink = Box::new(LayoutSink::open(folder)?);
    let plan = copy::plan(&source, sink.as_ref(), manifest, names)?;
    copy::execute(&plan, &source, sink, &workshop.events)
}
