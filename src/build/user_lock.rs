//! The lock of a user's definition: its own inputs, looked up and verified, and what its layers must be. The image below is
//! pinned by its own locks, of which only the digest is written down.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::inputs;
use super::lockfile::{self, Locked};
use super::maven_files::{input, pin, sha256};
use super::recipe::{Part, Recipe};
use super::vouch::keyring;
use super::{BuildError, Workshop};
use crate::definition::Family;
use crate::definition::user::{Archive, ArchiveUrl, User};
use crate::digest::Digest;
use crate::lock::{self, FORMAT, Input, Lock, Upstream};
use crate::net::Download;
use crate::oci::Platform;
use crate::upstream::debian::{self, Present};

/// No host makes kimg fill a disk.
const ARCHIVE_LIMIT: u64 = 16 << 30;

/// Locks the user's definition of the workshop's catalog. What the lock before has of Maven and of archives, and the
/// definition still names, stays as it is pinned; packages are looked up as the archive has them now, in seconds since 1970.
pub async fn lock_user(workshop: &Workshop, now: u64) -> Result<Locked, BuildError> {
    let lease = workshop.store.lease()?;
    let Some(user) = workshop.catalog.user() else { return Err(BuildError::Worker("no definition".to_owned())) };
    let Some(family) = workshop.catalog.family(&user.definition.name)? else {
        return Err(BuildError::Worker("the definition is not in its catalog".to_owned()));
    };
    let (_, below) = Recipe::parts(&workshop.catalog, &user.from.value)?;
    let before = user.lock.as_ref().and_then(|text| lock::parse(text, &user.lock_file).ok());
    let newest = below.iter().max_by_key(|part| part.mtime).map(|part| part.lock.created.clone());
    let mut lock = Lock {
        format: FORMAT,
        image: user.image(),
        // Nothing of the user's is newer that anyone could know of: the same definition gives the same lock whenever.
        created: newest.unwrap_or_else(|| lock::rfc3339(now)),
        definition: lock::definition_digest(&user.definition),
        below: Some(lock::below_of(user, below.iter().map(|part| &part.lock))),
        debian: None,
        archive: None,
        inputs: fetched(user, before.as_ref(), workshop).await?,
        absent: Vec::new(),
        outputs: Vec::new(),
    };
    add_packages(&mut lock, &family, user, before.as_ref(), &below, workshop, now).await?;
    let place = |name: &str| user.definition.layers.iter().position(|layer| layer.name == name);
    lock.inputs.sort_by(|a, b| (place(&a.layer), &a.name, &a.platform).cmp(&(place(&b.layer), &b.name, &b.platform)));
    let locked = lockfile::finish(lock, &family, &user.version, workshop).await?;
    drop(lease);
    Ok(locked)
}

/// The inputs that are files of Maven's and archives.
async fn fetched(user: &User, before: Option<&Lock>, workshop: &Workshop) -> Result<Vec<Input>, BuildError> {
    let known = |wanted: &dyn Fn(&Input) -> bool| {
        before.and_then(|lock| lock.inputs.iter().find(|input| wanted(input))).cloned()
    };
    let mut tasks: JoinSet<Result<Input, BuildError>> = JoinSet::new();
    let mut inputs: Vec<Input> = Vec::new();
    let bases = Arc::new(workshop.machine.bases(Upstream::Maven, None));
    for own in &user.layers {
        let layer = own.name.value.clone();
        for artifact in own.maven.iter().map(|artifact| &artifact.value) {
            let is_it = |input: &Input| input.upstream == Upstream::Maven && input.path == artifact.path();
            match known(&is_it) {
                Some(input) => inputs.push(Input { layer: layer.clone(), ..input }),
                None => drop(tasks.spawn(pin(layer.clone(), artifact.clone(), bases.clone(), workshop.clone()))),
            }
        }
        for archive in own.archives.iter().map(|archive| &archive.value) {
            let is_it = |input: &Input| {
                input.url.as_ref() == Some(&archive.url) && Digest::from(input.sha256) == archive.sha256
            };
            let twice = inputs.iter().any(|input| input.layer == layer && is_it(input));
            match known(&is_it) {
                _ if twice => {}
                Some(input) => inputs.push(Input { layer: layer.clone(), ..input }),
                // One after the other, for two may be the same.
                None => inputs.push(archived(layer.clone(), archive, workshop).await?),
            }
        }
    }
    while let Some(done) = tasks.join_next().await {
        inputs.push(done.map_err(|error| BuildError::Worker(error.to_string()))??);
    }
    Ok(inputs)
}

/// Brings an archive into the cache by the digest that the definition has.
async fn archived(layer: String, archive: &Archive, workshop: &Workshop) -> Result<Input, BuildError> {
    let (base, path) = inputs::place(&archive.url)?;
    let url: ArchiveUrl = archive.url.parse().map_err(|_| BuildError::Worker("a URL that was read".to_owned()))?;
    let name = url.file_name().to_owned();
    let (client, downloads) = (&workshop.client, workshop.store.downloads());
    let size = match downloads.size(&archive.sha256) {
        Some(size) => size,
        None => {
            let places = vec![(base, path)];
            match client.probe(&places).await.map_err(BuildError::Url)?.size {
                Some(size) if size <= ARCHIVE_LIMIT => {
                    let download = Download { name: name.clone(), places, digest: archive.sha256, size };
                    client.fetch(&[download], &downloads).await.map_err(BuildError::Url)?;
                    size
                }
                told => {
                    let told = told.map_or_else(|| "no size".to_owned(), |size| format!("{size} bytes"));
                    let why = format!("its host says that it has {told}");
                    return Err(BuildError::BadUserFile { path: archive.url.clone(), why });
                }
            }
        }
    };
    Ok(input(layer, name, Upstream::Url, url.place(), Some(archive.url.clone()), size, sha256(archive.sha256)?))
}

/// Adds the packages that the image below lacks.
async fn add_packages(
    lock: &mut Lock,
    family: &Family,
    user: &User,
    before: Option<&Lock>,
    below: &[Part],
    workshop: &Workshop,
    now: u64,
) -> Result<(), BuildError> {
    let of_layer = |layer: &crate::definition::user::OwnLayer| {
        let name = layer.name.value.clone();
        layer.packages.iter().map(move |package| (package.value.clone(), name.clone())).collect::<Vec<_>>()
    };
    let packages: Vec<(String, String)> = user.layers.iter().flat_map(of_layer).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let packaged = below.iter().flat_map(|part| &part.lock.inputs).filter(|input| input.upstream.is_debian());
    let present: Vec<Present> = packaged.map(present).collect();
    for (package, _) in packages.iter().filter(|(package, _)| present.iter().any(|one| one.name == *package)) {
        workshop.events.note(format!("{package}: {} has it already", user.from.value));
    }
    let suites: Vec<&str> = user.definition.suites.iter().map(String::as_str).collect();
    let platforms: Vec<Platform> =
        user.definition.platforms.iter().filter_map(|platform| platform.parse().ok()).collect();
    let older = below.iter().find_map(|part| part.lock.debian.as_ref());
    let request = debian::Request {
        suites: &suites,
        platforms: &platforms,
        packages: &packages,
        before: before.and_then(|before| before.debian.as_ref()).or(older),
        now,
    };
    let keys = keyring(family)?;
    let (found, state) =
        debian::resolve_lacking(&request, &present, &workshop.machine, &workshop.client, &keys).await?;
    let same = |before: &&Lock| {
        let mut old: Vec<&Input> = before.inputs.iter().filter(|input| input.upstream.is_debian()).collect();
        let mut new: Vec<&Input> = found.iter().collect();
        old.sort_by(|a, b| (&a.path, &a.layer).cmp(&(&b.path, &b.layer)));
        new.sort_by(|a, b| (&a.path, &a.layer).cmp(&(&b.path, &b.layer)));
        old == new
    };
    // While no package is another, no layer changes.
    match before.filter(same) {
        Some(before) if before.debian.is_some() => {
            lock.debian.clone_from(&before.debian);
        }
        _ => lock.debian = Some(state),
    }
    let newest = lock.debian.iter().flat_map(|debian| &debian.releases).map(|release| &release.date).max();
    if let Some(newest) = newest.filter(|newest| **newest > lock.created) {
        lock.created = newest.clone();
    }
    lock.inputs.extend(found);
    Ok(())
}

/// A package of the image below, by the name of its file: `NAME_VERSION_ARCHITECTURE.deb`.
fn present(input: &Input) -> Present {
    let version = input.file_name().split('_').nth(1).unwrap_or_default().replace("%3a", ":");
    Present { name: input.name.clone(), version, platform: input.platform.clone() }
}
