//! Which packages a lock would move to another version.

use std::collections::BTreeMap;

use super::recipe::unknown_image;
use super::{BuildError, lockfile};
use crate::build::Workshop;
use crate::definition::{Catalog, Family};
use crate::lock::{Input, Lock};

/// A package that another version takes the place of, or that comes or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The package.
    pub package: String,
    /// The version in the lock.
    pub from: Option<String>,
    /// The version that the archive has now.
    pub to: Option<String>,
}

/// The images that packages are locked for, as `FAMILY:VERSION`: of these images with their bases, or of all families.
pub fn with_packages(catalog: &Catalog, images: &[String]) -> Result<Vec<String>, BuildError> {
    let mut found = Vec::new();
    let mut add = |family: &Family, version: &str| {
        let name = format!("{}:{version}", family.definition.name);
        let packages = family.definition.layers.iter().any(|layer| !layer.packages.is_empty());
        if packages && family.lock(version).is_some() && !found.contains(&name) {
            found.push(name);
        }
    };
    if images.is_empty() {
        for family in catalog.families()? {
            family.versions().into_iter().for_each(|version| add(&family, version));
        }
    }
    for image in images {
        let mut next = Some(image.clone());
        // A loop of bases ends at a number that no image has.
        for _ in 0..8 {
            let Some(image) = next else { break };
            let (name, version) = image.split_once(':').unwrap_or((&image, ""));
            let Some(family) = catalog.family(name)? else {
                return Err(unknown_image(catalog, name)?);
            };
            let version = if version.is_empty() { family.definition.default.clone() } else { version.to_owned() };
            if !family.definition.versions.contains_key(&version) {
                return Err(lockfile::undefined(&family, &version));
            }
            add(&family, &version);
            next = family.definition.base.clone();
        }
    }
    Ok(found)
}

/// What `kimg lock` would change among the packages of `FAMILY:VERSION`. No layer is built for that.
pub async fn changes(image: &str, workshop: &Workshop, now: u64) -> Result<Vec<Change>, BuildError> {
    let (_, before, after) = lockfile::packages(image, workshop, now).await?;
    Ok(compare(&before, &after))
}

/// What differs among the packages of two locks, by package.
pub(super) fn compare(before: &Lock, after: &Lock) -> Vec<Change> {
    let (before, after) = (packages(before), packages(after));
    let mut changes = Vec::new();
    for key in before.keys().chain(after.keys().filter(|key| !before.contains_key(key))) {
        let (from, to) = (before.get(key), after.get(key));
        if from.map(|input| input.sha256) == to.map(|input| input.sha256) {
            continue;
        }
        let version = |input: &&&Input| version_of(input);
        let change =
            Change { package: key.0.to_owned(), from: from.as_ref().map(version), to: to.as_ref().map(version) };
        // Platforms mostly change alike.
        if !changes.contains(&change) {
            changes.push(change);
        }
    }
    changes.sort_by(|a, b| a.package.cmp(&b.package));
    changes
}

/// By name and platform.
fn packages(lock: &Lock) -> BTreeMap<(&str, Option<&str>), &Input> {
    let packages = lock.inputs.iter().filter(|input| input.upstream.is_debian());
    packages.map(|input| ((input.name.as_str(), input.platform.as_deref()), input)).collect()
}

/// The version in `NAME_VERSION_ARCHITECTURE.deb`, which lacks an epoch.
fn version_of(input: &Input) -> String {
    input.file_name().split('_').nth(1).unwrap_or("?").to_owned()
}
