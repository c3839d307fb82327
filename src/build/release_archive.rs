//! The jars of a release out of its archive, which nothing pins yet: a signature of a trusted key over the whole vouches for
//! all of them.

use std::collections::BTreeSet;

use super::halt::Halt;
use super::release::Release;
use super::vouch::{self, keyring};
use super::{BuildError, Workshop, pattern};
use crate::definition::{ArchiveRule, Family, ReleaseArchive};
use crate::digest::Digest;
use crate::layer::{LayerError, zip_member, zip_names};
use crate::lock::{Absent, Archive, Input, Sha256, Upstream};
use crate::store::Downloads;
use crate::upstream::maven::Coordinates;
use crate::upstream::release_archive::{self, Member, name_of};

/// A file of properties is short.
const PROPERTIES_LIMIT: u64 = 64 << 10;

/// Fetches the archive, verifies it, and pins it and its jars.
pub(super) async fn resolve(
    archive: &ReleaseArchive,
    family: &Family,
    version: &str,
    workshop: &Workshop,
    halt: &Halt,
) -> Result<Release, BuildError> {
    let bases = workshop.machine.bases(Upstream::Apache, None);
    let downloads = workshop.store.downloads();
    // Only which bytes to fetch: the signature decides whether they are the release.
    let digest = release_archive::published_digest(&archive.path, &bases, &workshop.client).await?;
    let mut pin = Archive { path: archive.path.clone(), size: None, digest, signer: None };
    let size = release_archive::fetch(&pin, &bases, &workshop.client, &downloads).await?;
    pin.size = Some(size);
    let signature = release_archive::signature(&archive.path, &bases, &workshop.client).await?;
    let definition = family.definition.clone();
    let (family, version, folder) = (family.clone(), version.to_owned(), archive.jars.clone());
    let (workshop, halt) = (workshop.clone(), halt.clone());
    let work = move || {
        let keys = keyring(&family)?;
        let name = name_of(&pin.path).to_owned();
        let (file, accepted) = release_archive::open_signed_by_any(&pin, size, &signature, &keys, &downloads)?;
        pin.signer = Some(accepted.signer.clone());
        let members = release_archive::take_folder(file, &name, &folder, &downloads, &|| halt.goes_on())?;
        let mut release = Release { archive: Some(pin), signed: Some(accepted.created), ..Release::default() };
        let rules = definition.archive.map(|archive| archive.rules).unwrap_or_default();
        for member in members {
            sort_in(&mut release, &member, &rules, &version, &downloads)?;
            vouch::note(digest, &accepted, &member.digest, &workshop)?;
        }
        match release.inputs.is_empty() {
            true => Err(LayerError::Damaged { input: name, why: format!("no jar of it lies in {folder}") }.into()),
            false => Ok(release),
        }
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| BuildError::Worker(error.to_string()))?
}

/// Assigns a jar as the first rule says that matches its name.
fn sort_in(
    release: &mut Release,
    member: &Member,
    rules: &[ArchiveRule],
    version: &str,
    downloads: &Downloads,
) -> Result<(), BuildError> {
    let name = name_of(&member.path).to_owned();
    let matches = |rule: &&ArchiveRule| pattern::matches(&rule.name.replace("{version}", version), name.as_bytes());
    let Some(rule) = rules.iter().find(matches) else {
        return Err(BuildError::NoRule { name, member: member.path.clone() });
    };
    let Some(layer) = &rule.layer else {
        release.absent.push(Absent { name, why: rule.absent.clone().unwrap_or_default() });
        return Ok(());
    };
    let Digest::Sha256(sha256) = member.digest else {
        return Err(BuildError::Worker(format!("the cache knows an input as {}", member.digest)));
    };
    let coordinates = coordinates(member, &name, rule, downloads)?;
    let (upstream, path) = match coordinates {
        Some(coordinates) => (Upstream::Maven, coordinates.path()),
        None => (Upstream::Apache, member.path.clone()),
    };
    release.inputs.push(Input {
        layer: layer.clone(),
        name,
        upstream,
        platform: None,
        path,
        url: None,
        size: member.size,
        sha256: Sha256(sha256),
        member: Some(member.path.clone()),
        signature: None,
    });
    Ok(())
}

/// Where Maven has a jar: as the rule says, or as the jar itself says. One that others were put into says it of them too, so
/// what counts is what agrees with its name, if that is one thing.
fn coordinates(
    member: &Member,
    name: &str,
    rule: &ArchiveRule,
    downloads: &Downloads,
) -> Result<Option<Coordinates>, BuildError> {
    if let Some(group) = &rule.group {
        return Ok(Coordinates::of_file(group, name));
    }
    let open = || downloads.open(&member.digest, member.size);
    // One that is no zip says nothing of itself.
    let names = zip_names(open()?, name).unwrap_or_default();
    let mut found = BTreeSet::new();
    for path in names.iter().filter(|path| path.starts_with("META-INF/maven/") && path.ends_with("/pom.properties")) {
        let text = zip_member(open()?, name, path, PROPERTIES_LIMIT)?.unwrap_or_default();
        found.extend(Coordinates::of_properties(&String::from_utf8_lossy(&text), name));
    }
    Ok(found.pop_first().filter(|_| found.is_empty()))
}
