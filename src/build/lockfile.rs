//! Making a lock: look the packages up, build the locked layers, and write down what came out.

use std::sync::Arc;

use super::halt;
use super::make::{fetch, keyring, make};
use super::recipe::{Part, Recipe, unknown_image};
use super::reproduce;
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
/// has them. `now` is in seconds since 1970.
pub async fn lock(image: &str, workshop: &Workshop, now: u64) -> Result<Locked, BuildError> {
    let lease = workshop.store.lease()?;
    let (name, version) = image.split_once(':').unwrap_or((image, ""));
    let Some(family) = workshop.catalog.family(name)? else {
        return Err(unknown_image(&workshop.catalog, name)?);
    };
    let version = if version.is_empty() { family.definition.default.clone() } else { version.to_owned() };
    let before = family.lock(&version).transpose()?;
    let mut lock = inputs(&family, &version, before, workshop, now).await?;
    let mut entries = String::new();
    for platform in &family.definition.platforms {
        let platform: Platform =
            platform.parse().map_err(|error: crate::oci::InvalidPlatform| BuildError::Platform {
                image: image.to_owned(),
                platform: error.0,
                known: family.definition.platforms.clone(),
            })?;
        let (outputs, lines) = build_locked(&family, &version, &lock, platform, workshop).await?;
        lock.outputs.extend(outputs);
        entries.push_str(&lines);
    }
    drop(lease);
    Ok(Locked { image: lock.image.clone(), lock: lock::to_text(&lock), entries })
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
    let mut lock = before.unwrap_or(Lock {
        format: FORMAT,
        image: format!("{}:{version}", definition.name),
        created: lock::rfc3339(now),
        definition: lock::definition_digest(definition),
        debian: None,
        archive: None,
        inputs: Vec::new(),
        absent: Vec::new(),
        outputs: Vec::new(),
    });
    lock.definition = lock::definition_digest(definition);
    lock.outputs.clear();
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
    let plain = Recipe { name: lock.image.clone(), parts: Arc::new([part]), platform, variant: None };
    let (_going, halt) = halt::pair();
    let mut outputs: Vec<Output> = Vec::new();
    let mut lines = String::new();
    let variants = lock::variants(lock, &family.definition).into_iter().map(|(variant, _)| Some(variant.to_owned()));
    for variant in std::iter::once(None).chain(variants) {
        let recipe = Arc::new(Recipe { variant, ..plain.clone() });
        for index in 0..recipe.steps().count() {
            let Some(step) = recipe.steps().nth(index).filter(|step| step.layer.is_locked()) else { continue };
            let (platform, variant) = (step.own_platform().map(ToString::to_string), step.variant.map(str::to_owned));
            let is_made = |output: &Output| {
                (&output.layer, &output.platform, &output.variant) == (&step.layer.name, &platform, &variant)
            };
            if lock.outputs.iter().chain(&outputs).any(is_made) {
                continue;
            }
            fetch(&recipe, index, workshop).await?;
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
