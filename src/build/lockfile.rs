//! Making a lock: look the packages up, build the locked layers, and write down what came out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::halt;
use super::inputs::Provider;
use super::make::make;
use super::maven_files;
use super::recipe::{Part, Recipe, unknown_image, unknown_version};
use super::release;
use super::reproduce;
use super::update::{self, Change};
use super::vouch::keyring;
use super::{BuildError, Workshop};
use crate::definition::Family;
use crate::layer::{Compression, EPOCH, Pool};
use crate::lock::{self, FORMAT, Input, Lock, Output};
use crate::oci::Platform;
use crate::upstream::debian;

/// A lock that was made.
#[derive(Debug, Clone)]
pub struct Locked {
    /// `FAMILY:VERSION`.
    pub image: String,
    /// The text of `FAMILY/VERSION.lock.toml`.
    pub lock: String,
    /// The text of `FAMILY/VERSION.entries`.
    pub entries: String,
}

/// Locks `FAMILY[:VERSION]` anew: its Debian packages as the archive has them now, its other inputs as the lock before
/// has them, or where there is none, as its release and Maven have them. `keys` is the text of keys that may have signed that, besides
/// the definition's; `now` is in seconds since 1970.
pub async fn lock(image: &str, keys: &[u8], workshop: &Workshop, now: u64) -> Result<Locked, BuildError> {
    let lease = workshop.store.lease()?;
    let (name, version) = image.split_once(':').unwrap_or((image, ""));
    let Some(family) = workshop.catalog.family(name)? else {
        return Err(unknown_image(&workshop.catalog, name)?);
    };
    let version = if version.is_empty() { family.definition.default.clone() } else { version.to_owned() };
    if !family.definition.versions.contains_key(&version) {
        return Err(undefined(&family, &version));
    }
    let before = family.lock(&version).transpose()?;
    let trusting = family.clone().trusting(keys);
    let lock = inputs(&trusting, &version, before, workshop, now).await?;
    check_layers(&lock, &family, &version)?;
    tell_unknown_signers(&lock, &family, workshop)?;
    let locked = finish(lock, &trusting, &version, workshop).await?;
    drop(lease);
    Ok(locked)
}

/// Moves the packages of `FAMILY:VERSION` to those that the archive has now; `None` where it has no others.
pub async fn update(image: &str, workshop: &Workshop, now: u64) -> Result<Option<(Locked, Vec<Change>)>, BuildError> {
    let lease = workshop.store.lease()?;
    let (family, before, after) = packages(image, workshop, now).await?;
    let changes = update::compare(&before, &after);
    if changes.is_empty() {
        return Ok(None);
    }
    let version = image.split(':').nth(1).unwrap_or_default();
    let locked = finish(after, &family, version, workshop).await?;
    drop(lease);
    Ok(Some((locked, changes)))
}

/// Builds the locked layers, and adds what came out.
pub(super) async fn finish(
    mut lock: Lock,
    family: &Family,
    version: &str,
    workshop: &Workshop,
) -> Result<Locked, BuildError> {
    let mut entries = String::new();
    for platform in &family.definition.platforms {
        let platform: Platform =
            platform.parse().map_err(|error: crate::oci::InvalidPlatform| BuildError::Platform {
                image: lock.image.clone(),
                platform: error.0,
                known: family.definition.platforms.clone(),
            })?;
        let (outputs, lines) = build_locked(family, version, &lock, platform, workshop).await?;
        lock.outputs.extend(outputs);
        entries.push_str(&lines);
    }
    Ok(Locked { image: lock.image.clone(), lock: lock::to_text(&lock), entries })
}

/// The error of a version that the definition does not list.
pub(super) fn undefined(family: &Family, version: &str) -> BuildError {
    let (name, known) = (family.definition.name.clone(), family.definition.versions.keys().cloned().collect());
    BuildError::UndefinedVersion { name, version: version.to_owned(), known }
}

/// An input of a layer that there is not would be left out without a word.
fn check_layers(lock: &Lock, family: &Family, version: &str) -> Result<(), BuildError> {
    let known = |name: &str| family.definition.layers.iter().any(|layer| layer.is_locked() && layer.name == name);
    match lock.inputs.iter().find(|input| !known(&input.layer)) {
        None => Ok(()),
        Some(input) => Err(lock::LockError::Rule {
            file: format!("{}/{version}.lock.toml", family.definition.name),
            what: format!("input `{}`", input.name.escape_debug()),
            why: format!("the definition has no locked layer `{}`", input.layer.escape_debug()),
        }
        .into()),
    }
}

/// The lock of `FAMILY:VERSION`, and what it would be now, without outputs.
pub(super) async fn packages(image: &str, workshop: &Workshop, now: u64) -> Result<(Family, Lock, Lock), BuildError> {
    let (name, version) = image.split_once(':').unwrap_or((image, ""));
    let Some(family) = workshop.catalog.family(name)? else {
        return Err(unknown_image(&workshop.catalog, name)?);
    };
    let Some(before) = family.lock(version).transpose()? else {
        return Err(unknown_version(&family, version));
    };
    let after = inputs(&family, version, Some(before.clone()), workshop, now).await?;
    Ok((family, before, after))
}

/// The lock without its outputs.
async fn inputs(
    family: &Family,
    version: &str,
    before: Option<Lock>,
    workshop: &Workshop,
    now: u64,
) -> Result<Lock, BuildError> {
    let definition = &family.definition;
    let is_new = before.is_none();
    let mut lock = before.unwrap_or(Lock {
        format: FORMAT,
        image: format!("{}:{version}", definition.name),
        created: lock::rfc3339(now),
        definition: lock::definition_digest(definition),
        debian: None,
        archive: None,
        below: None,
        inputs: Vec::new(),
        absent: Vec::new(),
        outputs: Vec::new(),
    });
    // A lock that was copied from another version's still has its name.
    lock.image = format!("{}:{version}", definition.name);
    lock.definition = lock::definition_digest(definition);
    lock.outputs.clear();
    if is_new {
        add_release(&mut lock, family, version, workshop).await?;
    }
    maven_files::complete(&mut lock, definition, workshop).await?;
    let packages: Vec<(String, String)> = definition
        .layers
        .iter()
        .flat_map(|layer| layer.packages.iter().map(|package| (package.clone(), layer.name.clone())))
        .collect();
    if packages.is_empty() {
        return Ok(lock);
    }
    let suites: Vec<&str> = definition.suites.iter().map(String::as_str).collect();
    let platforms: Vec<Platform> = definition.platforms.iter().filter_map(|platform| platform.parse().ok()).collect();
    let request = debian::Request {
        suites: &suites,
        platforms: &platforms,
        packages: &packages,
        before: lock.debian.as_ref(),
        now,
    };
    let keys = keyring(family)?;
    let (found, state) = debian::resolve(&request, &workshop.machine, &workshop.client, &keys).await?;
    // The newest Release is the time of all that was made of it; while no package is another, no layer changes.
    let newest = state.releases.iter().map(|release| &release.date).max();
    if let Some(newest) = newest.filter(|_| !is_same_packages(&lock.inputs, &found)) {
        lock.created.clone_from(newest);
    }
    lock.inputs.retain(|input| !input.upstream.is_debian());
    lock.inputs.splice(0..0, found);
    lock.debian = Some(state);
    Ok(lock)
}

/// Adds the jars of a version that was never locked.
async fn add_release(lock: &mut Lock, family: &Family, version: &str, workshop: &Workshop) -> Result<(), BuildError> {
    let (_going, halt) = halt::pair();
    let Some(found) = release::resolve(family, version, workshop, &halt).await? else { return Ok(()) };
    // What upstream signed is no newer than that: so the same release gives the same lock, whenever it is made.
    if let Some(signed) = found.signed {
        lock.created = lock::rfc3339(signed);
    }
    (lock.archive, lock.inputs, lock.absent) = (found.archive, found.inputs, found.absent);
    Ok(())
}

/// A build trusts the definition's keys only.
fn tell_unknown_signers(lock: &Lock, family: &Family, workshop: &Workshop) -> Result<(), BuildError> {
    let signatures = lock.inputs.iter().filter_map(|input| input.signature.as_ref()).map(|signature| &signature.signer);
    let signers: BTreeSet<&String> =
        signatures.chain(lock.archive.iter().filter_map(|archive| archive.signer.as_ref())).collect();
    if signers.is_empty() {
        return Ok(());
    }
    let known = if family.definition.keys.is_empty() { Vec::new() } else { keyring(family)?.fingerprints() };
    for signer in signers.into_iter().filter(|signer| !known.contains(signer)) {
        let file = format!("{}/image.toml", family.definition.name);
        workshop.events.warning(format!(
            "{signer} signed this and is not among the keys of {file}: name a file with that key in its `keys`, or \
             builds refuse the signature"
        ));
    }
    Ok(())
}

/// Whether packages were looked up and found as they were, for all platforms that they were looked up for before.
fn is_same_packages(before: &[Input], found: &[Input]) -> bool {
    let before: Vec<&Input> = before.iter().filter(|input| input.upstream.is_debian()).collect();
    let is_old = |input: &&Input| before.iter().any(|old| old.platform == input.platform);
    !before.is_empty() && found.iter().filter(is_old).eq(before.iter().copied())
}

/// Builds every locked layer for a platform, of the image without a variant and of every variant, but those whose output
/// `lock` has already: layers that no platform or no variant changes are one.
async fn build_locked(
    family: &Family,
    version: &str,
    lock: &Lock,
    platform: Platform,
    workshop: &Workshop,
) -> Result<(Vec<Output>, String), BuildError> {
    let mtime = lock::seconds(&lock.created).unwrap_or_default();
    let part = Part { family: family.clone(), version: version.to_owned(), lock: lock.clone(), mtime };
    let plain = Recipe { name: lock.image.clone(), parts: Arc::new([part]), platform, variant: None, left_out: None };
    let (_going, halt) = halt::pair();
    let mut outputs: Vec<Output> = Vec::new();
    let mut lines = String::new();
    let variants = lock::variants(lock, &family.definition).into_iter().map(|(variant, _)| Some(variant.to_owned()));
    for variant in std::iter::once(None).chain(variants) {
        let recipe = Arc::new(Recipe { variant, ..plain.clone() });
        let locked = recipe.steps().enumerate().filter(|(_, step)| step.layer.is_locked());
        let provider = Provider::new(&recipe, locked.map(|(index, _)| index).collect(), workshop);
        for index in 0..recipe.steps().count() {
            let Some(step) = recipe.steps().nth(index).filter(|step| step.layer.is_locked()) else { continue };
            let (platform, variant) = (step.own_platform().map(ToString::to_string), step.variant.map(str::to_owned));
            let is_made = |output: &Output| {
                (&output.layer, &output.platform, &output.variant) == (&step.layer.name, &platform, &variant)
            };
            if lock.outputs.iter().chain(&outputs).any(is_made) {
                continue;
            }
            provider.provide(index, &halt).await?;
            let (recipe, workshop, halt) = (recipe.clone(), workshop.clone(), halt.clone());
            let work = move || {
                let step = recipe.steps().nth(index).ok_or_else(|| BuildError::Worker("a layer is gone".to_owned()))?;
                let pool = Pool::new(workshop.threads);
                let (record, entries) = make(&step, Compression::Gzip(None), &workshop, &pool, &halt, None)?;
                let output = Output {
                    layer: step.layer.name.clone(),
                    platform,
                    variant,
                    diff_id: record.diff_id,
                    epoch: EPOCH,
                    gzip: record.descriptor.digest,
                    size: record.descriptor.size,
                };
                Ok::<_, BuildError>((output, reproduce::entry_lines(&step, &entries)))
            };
            let made = tokio::task::spawn_blocking(work).await;
            let (output, text) = made.map_err(|error| BuildError::Worker(error.to_string()))??;
            outputs.push(output);
            lines.push_str(&text);
        }
    }
    Ok((outputs, lines))
}
