//! `--inputs docker://REF`: inputs in one's own registry.

use std::path::PathBuf;
use std::sync::Arc;

use crate::build::InputsArtifact;
use crate::cli::places::{Ends, Opened};
use crate::cli::values::{InputsPlace, Location};
use crate::cli::{CliError, Failure};
use crate::copy::Execution;
use crate::event::Events;

/// The folders.
pub(super) fn folders(places: &[InputsPlace]) -> Vec<PathBuf> {
    let folder = |place: &InputsPlace| match place {
        InputsPlace::Folder(folder) => Some(folder.clone()),
        InputsPlace::Registry(_) => None,
    };
    places.iter().filter_map(folder).collect()
}

/// Looks the artifacts up.
pub(super) async fn find(places: &[InputsPlace], ends: &Ends) -> Result<Vec<InputsArtifact>, Failure> {
    let location = |place: &InputsPlace| match place {
        InputsPlace::Folder(_) => None,
        InputsPlace::Registry(location) => Some(location.clone()),
    };
    let (locations, ends): (Vec<Location>, Ends) = (places.iter().filter_map(location).collect(), ends.clone());
    let execution = Execution::new(Events::silent());
    let work = move || {
        let mut found = Vec::new();
        for location in &locations {
            let Opened { source, descriptor, .. } = ends.source(location, &execution)?;
            found.push(InputsArtifact::read(Arc::from(source), &descriptor)?);
        }
        Ok(found)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?
}
