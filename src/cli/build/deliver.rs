use super::CliError;
use super::values::Location;
use crate::build::{Built, Workshop};

/// Refuses what cannot be written, before any work begins.
///
/// The layout of `oci:DIR` is a `Sink` of `transport`, which this kimg has not yet: until it is there, every output is
/// refused by name.
pub(super) fn check(outputs: &[Location]) -> Result<(), CliError> {
    match outputs.first() {
        Some(output) => Err(CliError::OutputNotYet { location: output.to_string() }),
        None => Ok(()),
    }
}

/// Copies an image from the store to an output.
pub(super) fn deliver(
    _built: &Built,
    _tags: &[String],
    output: &Location,
    _workshop: &Workshop,
) -> Result<(), CliError> {
    check(std::slice::from_ref(output))
}
