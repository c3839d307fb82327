//! Files of Maven's that a definition names by their coordinates, beside those of a release.

use std::sync::Arc;

use sha2::Digest as _;

use super::{BuildError, Workshop};
use crate::definition::Definition;
use crate::definition::user::Artifact;
use crate::digest::Digest;
use crate::lock::{Input, Lock, Sha256, Upstream};
use crate::net::{Base, NetError};

/// The largest jar that is known has 75 MB.
const FILE_LIMIT: u64 = 512 << 20;

/// A checksum has some hundred bytes at most.
const CHECKSUM_LIMIT: u64 = 4 << 10;

/// The files that the definition's layers name, each with its layer. What is no coordinates was refused with the definition.
pub(super) fn named(definition: &Definition) -> impl Iterator<Item = (&str, Artifact)> {
    definition
        .layers
        .iter()
        .flat_map(|layer| layer.maven.iter().filter_map(|text| Some((layer.name.as_str(), text.parse().ok()?))))
}

/// Puts the files that the definition names into a lock: those that it has stay as they are pinned.
pub(super) async fn complete(lock: &mut Lock, definition: &Definition, workshop: &Workshop) -> Result<(), BuildError> {
    if named(definition).next().is_none() {
        return Ok(());
    }
    let is_named = |input: &Input, (layer, artifact): &(&str, Artifact)| {
        input.upstream == Upstream::Maven && input.layer == *layer && input.path == artifact.path()
    };
    // A version that the definition does not name any more.
    let of_names = |input: &Input| definition.layers.iter().any(|own| own.name == input.layer && !own.maven.is_empty());
    lock.inputs.retain(|input| !of_names(input) || named(definition).any(|one| is_named(input, &one)));
    let bases = Arc::new(workshop.machine.bases(Upstream::Maven, None));
    for one in named(definition) {
        if !lock.inputs.iter().any(|input| is_named(input, &one)) {
            let (layer, artifact) = one;
            lock.inputs.push(pin(layer.to_owned(), artifact, bases.clone(), workshop.clone()).await?);
        }
    }
    let place = |name: &str| definition.layers.iter().position(|layer| layer.name == name);
    lock.inputs.sort_by_key(|input| place(&input.layer));
    Ok(())
}

/// Fetches a file of Maven's, compares it with the strongest checksum beside it, and pins it.
pub(super) async fn pin(
    layer: String,
    artifact: Artifact,
    bases: Arc<Vec<Base>>,
    workshop: Workshop,
) -> Result<Input, BuildError> {
    let (path, name) = (artifact.path(), artifact.file_name());
    let places = |path: &str| bases.iter().map(|base| (base.clone(), path.to_owned())).collect::<Vec<_>>();
    let client = &workshop.client;
    let found = client.get(&places(&path), FILE_LIMIT).await?;
    let absent = || NetError::NotFound { name: artifact.to_string(), failures: Vec::new() };
    let (bytes, from) = found.ok_or_else(absent)?;
    // What another host says of the file says nothing of this one's.
    let beside: Vec<Base> = bases.iter().filter(|base| from.starts_with(base.url.as_str())).cloned().collect();
    let places = |path: &str| beside.iter().map(|base| (base.clone(), path.to_owned())).collect::<Vec<_>>();
    let mut checked = false;
    for algorithm in ["sha512", "sha256", "sha1"] {
        let Some((text, _)) = client.get(&places(&format!("{path}.{algorithm}")), CHECKSUM_LIMIT).await? else {
            continue;
        };
        let text = String::from_utf8_lossy(&text);
        // Some tools write the file's name after it.
        let expected = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let found = match algorithm {
            "sha512" => hex::encode(sha2::Sha512::digest(&bytes)),
            "sha256" => hex::encode(sha2::Sha256::digest(&bytes)),
            _ => hex::encode(sha1::Sha1::digest(&bytes)),
        };
        if expected != found {
            let expected = expected.chars().take(128).collect::<String>().escape_debug().to_string();
            return Err(BuildError::Checksum { name, algorithm, expected, found });
        }
        checked = true;
        break;
    }
    if !checked {
        workshop
            .events
            .warning(format!("{artifact}: the repository has no checksum beside it; it is pinned as it came"));
    }
    let size = bytes.len() as u64;
    let downloads = workshop.store.downloads();
    let kept = tokio::task::spawn_blocking(move || downloads.insert(&bytes)).await;
    let digest = kept.map_err(|error| BuildError::Worker(error.to_string()))??;
    let upstream = Upstream::Maven;
    Ok(input(layer, name, upstream, path, None, size, sha256(digest)?))
}

pub(super) fn sha256(digest: Digest) -> Result<Sha256, BuildError> {
    match digest {
        Digest::Sha256(bytes) => Ok(Sha256(bytes)),
        other => Err(BuildError::Worker(format!("an input is known as {other}"))),
    }
}

pub(super) fn input(
    layer: String,
    name: String,
    upstream: Upstream,
    path: String,
    url: Option<String>,
    size: u64,
    sha256: Sha256,
) -> Input {
    Input { layer, name, upstream, platform: None, path, url, size, sha256, member: None, signature: None }
}
