//! The jars of a version that has no lock yet: out of the release archive, or else by a list of Maven coordinates.
//!
//! Out of the archive, the signature of a trusted key over the whole vouches for all of them. By the list, those of layers
//! that are signed must have a signature each; the others are pinned as the first host serves them, and whoever takes the
//! lock over reviews it.

use super::halt::Halt;
use super::jar_list::{self, JarList};
use super::{BuildError, JarSource, Workshop};
use super::{release_archive, release_maven};
use crate::definition::{Definition, Family};
use crate::error::{Category, Diagnose};
use crate::lock::{Absent, Archive, Input};

/// What was found of a release.
#[derive(Debug, Default)]
pub(super) struct Release {
    pub archive: Option<Archive>,
    pub inputs: Vec<Input>,
    pub absent: Vec<Absent>,
    /// When the newest accepted signature was made, in seconds since 1970.
    pub signed: Option<u64>,
}

/// Looks a release up; `None` where its definition has neither archive nor list, for it may be made of packages only.
pub(super) async fn resolve(
    family: &Family,
    version: &str,
    workshop: &Workshop,
    halt: &Halt,
) -> Result<Option<Release>, BuildError> {
    let list = list(family, version)?;
    let jars = workshop.sources.jars;
    let found = match (&family.definition.archive, list) {
        (None, None) => return Ok(None),
        (None, Some(list)) => release_maven::resolve(list, family, version, workshop).await?,
        (Some(_), Some(list)) if jars == JarSource::Maven => {
            release_maven::resolve(list, family, version, workshop).await?
        }
        (Some(_), None) if jars == JarSource::Maven => return Err(no_list(family, version, None)),
        (Some(archive), list) => {
            match release_archive::resolve(&archive.of(version), family, version, workshop, halt).await {
                // What is wrong with an archive is never passed over here: no pin tells which bytes are right.
                Err(error) if !matches!(error.category(), Category::Refused | Category::NotFound) => return Err(error),
                Err(error) if jars == JarSource::Apache => return Err(error),
                Err(error) => {
                    let Some(list) = list else { return Err(no_list(family, version, Some(error))) };
                    workshop.events.note(format!("the Apache archive cannot be used: {error}; the list of jars is"));
                    release_maven::resolve(list, family, version, workshop).await?
                }
                found => found?,
            }
        }
    };
    Ok(Some(sorted(found, &family.definition)))
}

fn list(family: &Family, version: &str) -> Result<Option<JarList>, BuildError> {
    let file = format!("{version}.jars");
    let Some(bytes) = family.file(version, &file) else { return Ok(None) };
    let layers: Vec<&str> = single_file_layers(&family.definition).collect();
    let name = format!("{}/{file}", family.definition.name);
    jar_list::parse(&String::from_utf8_lossy(bytes), &name, &layers).map(Some)
}

/// The layers that hold jars.
fn single_file_layers(definition: &Definition) -> impl Iterator<Item = &str> {
    definition.layers.iter().filter(|layer| layer.into.is_some()).map(|layer| layer.name.as_str())
}

fn no_list(family: &Family, version: &str, error: Option<BuildError>) -> BuildError {
    let name = &family.definition.name;
    BuildError::NoRelease {
        image: format!("{name}:{version}"),
        file: format!("{name}/{version}.jars"),
        archive: error.map(Box::new),
    }
}

/// In the order of locks: by layer in the definition's order, then by name.
fn sorted(mut release: Release, definition: &Definition) -> Release {
    let place = |name: &str| definition.layers.iter().position(|layer| layer.name == name);
    release.inputs.sort_by(|a, b| (place(&a.layer), &a.name).cmp(&(place(&b.layer), &b.name)));
    release.absent.sort_by(|a, b| a.name.cmp(&b.name));
    release
}
