//! `--base`: an image at another place, which the built one stands on.

use std::sync::Arc;

use crate::build::Base;
use crate::cli::places::{Ends, Opened};
use crate::cli::values::Location;
use crate::cli::{CliError, Failure};
use crate::copy::{Execution, Source};
use crate::event::Events;
use crate::oci::Reference;

/// Looks the base up.
pub(super) async fn find(location: Option<&Location>, ends: &Ends, events: &Events) -> Result<Option<Base>, Failure> {
    let Some(location) = location.cloned() else { return Ok(None) };
    if !matches!(location, Location::Registry { .. } | Location::Layout { .. } | Location::Store { .. }) {
        return Err(CliError::Flags {
            flag: "--base",
            why: format!("kimg cannot take a base from {}", location.place()),
            hint: "write docker://REF@DIGEST, oci:DIR[:REF] or store:REF".to_owned(),
        }
        .into());
    }
    let (ends, place) = (ends.clone(), location.clone());
    let execution = Execution::new(events.clone());
    let found = tokio::task::spawn_blocking(move || ends.source(&place, &execution)).await;
    let Opened { source, descriptor, .. } =
        found.map_err(|error| Failure::from(CliError::Worker(error.to_string())))??;
    let name = match &location {
        Location::Registry { reference, .. } => {
            let name = Reference { digest: None, ..reference.clone() }.to_string();
            if reference.digest.is_none() {
                let pinned = format!("docker://{name}@{}", descriptor.digest);
                events.warning(format!("--base: a tag may be another image tomorrow; this one is {pinned}"));
            }
            Some(name)
        }
        _ => None,
    };
    Ok(Some(Base::new(Arc::<dyn Source>::from(source), descriptor, name)))
}
