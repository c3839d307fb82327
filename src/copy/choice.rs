use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::brief;
use super::walk::Walk;
use super::{CopyError, Root};
use crate::digest::Digest;
use crate::oci::{self, Descriptor, Platform, media_type};

/// What of an image is copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The platforms of an index; empty for all. One makes its manifest the root; of several the index stays as it is,
    /// sparse in the sink.
    pub platforms: Vec<Platform>,
    /// Several platforms get an index of their own instead, which is another one.
    pub new_index: bool,
    /// What names the manifests as its subject comes along.
    pub referrers: bool,
}

/// The annotation by which BuildKit says which manifest an attestation in the same index is about (BuildKit,
/// docs/attestations/attestation-storage.md).
const ATTESTED: &str = "vnd.docker.reference.digest";

/// So many platforms are listed in a message.
const LISTED: usize = 20;

/// What a root becomes by a choice.
#[derive(Debug)]
pub(super) struct Chosen {
    pub root: Root,
    /// The index, where it is a new one.
    pub made: Option<Vec<u8>>,
    /// The manifests and indexes that are copied, where these are not all.
    pub only: Option<BTreeSet<Digest>>,
}

/// A manifest below an index.
struct Leaf {
    descriptor: Descriptor,
    platform: Option<Platform>,
    /// The indexes between the root and it.
    through: Vec<Digest>,
}

/// The part of a configuration that tells what it runs on.
#[derive(serde::Deserialize)]
struct RunsOn {
    #[serde(flatten)]
    platform: Platform,
}

/// Chooses of a root what is asked for.
pub(super) fn choose(walk: &mut Walk<'_>, root: &Root) -> Result<Chosen, CopyError> {
    let all = |root: &Root| Chosen { root: root.clone(), made: None, only: None };
    let wanted: BTreeSet<Platform> = walk.choice.platforms.iter().map(Platform::normalized).collect();
    if wanted.is_empty() {
        return Ok(all(root));
    }
    let mut leaves = Vec::new();
    find_leaves(walk, &root.descriptor, &[], &mut leaves)?;
    let is_wanted = |leaf: &&Leaf, platform: &Platform| leaf.platform.as_ref() == Some(platform);
    if let Some(missing) = wanted.iter().find(|platform| !leaves.iter().any(|leaf| is_wanted(&leaf, platform))) {
        return Err(no_platform(walk, root, missing, &leaves));
    }
    if let [one] = wanted.iter().collect::<Vec<_>>().as_slice() {
        let found = leaves.iter().find(|leaf| is_wanted(leaf, one));
        let descriptor = found.map_or(&root.descriptor, |leaf| &leaf.descriptor).clone();
        return Ok(all(&Root { descriptor, names: root.names.clone() }));
    }
    let is_chosen = |leaf: &&Leaf| leaf.platform.as_ref().is_some_and(|platform| wanted.contains(platform));
    let mut only: BTreeSet<Digest> = leaves.iter().filter(is_chosen).map(|leaf| leaf.descriptor.digest).collect();
    let about = |leaf: &Leaf| leaf.descriptor.annotations.get(ATTESTED).and_then(|text| text.parse().ok());
    let attestations = leaves.iter().filter(|leaf| about(leaf).is_some_and(|digest| only.contains(&digest)));
    let attestations: Vec<Digest> = attestations.map(|leaf| leaf.descriptor.digest).collect();
    only.extend(attestations);
    if leaves.iter().all(|leaf| only.contains(&leaf.descriptor.digest)) {
        return Ok(all(root));
    }
    if walk.choice.new_index {
        return new_index(walk, root, &only);
    }
    let through = leaves.iter().filter(|leaf| only.contains(&leaf.descriptor.digest)).flat_map(|leaf| &leaf.through);
    let through: Vec<Digest> = through.copied().collect();
    only.extend(through);
    Ok(Chosen { root: root.clone(), made: None, only: Some(only) })
}

/// Finds all manifests below one, itself if it is none of an index.
fn find_leaves(
    walk: &mut Walk<'_>,
    descriptor: &Descriptor,
    through: &[Digest],
    leaves: &mut Vec<Leaf>,
) -> Result<(), CopyError> {
    if !media_type::is_index(&descriptor.media_type) {
        let platform = platform_of(walk, descriptor)?.map(|platform| platform.normalized());
        leaves.push(Leaf { descriptor: descriptor.clone(), platform, through: through.to_vec() });
        return walk.bounded(descriptor, through.len(), leaves.len());
    }
    walk.bounded(descriptor, through.len(), leaves.len())?;
    let inside = [through, &[descriptor.digest]].concat();
    for child in walk.read(descriptor)?.children {
        find_leaves(walk, &child, &inside, leaves)?;
    }
    Ok(())
}

/// What a manifest runs on: as the index says, else as its configuration does.
fn platform_of(walk: &mut Walk<'_>, descriptor: &Descriptor) -> Result<Option<Platform>, CopyError> {
    if let Some(platform) = &descriptor.platform {
        return Ok((!platform.is_unknown()).then(|| platform.clone()));
    }
    // The first blob is the configuration.
    let config = walk.read(descriptor)?.blobs.into_iter().next();
    let Some(config) = config.filter(|config| media_type::is_image_config(&config.media_type)) else { return Ok(None) };
    let bytes = walk.blob(&config)?;
    Ok(serde_json::from_slice::<RunsOn>(&bytes).ok().map(|found| found.platform).filter(|it| !it.is_unknown()))
}

/// An index of the chosen manifests: their descriptors in their order, and all else as it is.
fn new_index(walk: &mut Walk<'_>, root: &Root, only: &BTreeSet<Digest>) -> Result<Chosen, CopyError> {
    let mut manifests = Vec::new();
    let mut index = whole(walk, &root.descriptor)?;
    keep(walk, &index, only, &mut manifests)?;
    index.insert("manifests".to_owned(), Value::Array(manifests));
    let bytes = oci::to_bytes(&index);
    let descriptor = Descriptor::of(&root.descriptor.media_type, &bytes);
    Ok(Chosen { root: Root { descriptor, names: root.names.clone() }, made: Some(bytes), only: None })
}

/// The descriptors of the chosen manifests with all that stands in them; those of indexes within are lifted.
fn keep(
    walk: &mut Walk<'_>,
    index: &Map<String, Value>,
    only: &BTreeSet<Digest>,
    kept: &mut Vec<Value>,
) -> Result<(), CopyError> {
    for value in index.get("manifests").and_then(Value::as_array).into_iter().flatten() {
        // It was read as one before.
        let Ok(child) = serde_json::from_value::<Descriptor>(value.clone()) else { continue };
        if media_type::is_index(&child.media_type) {
            let inner = whole(walk, &child)?;
            keep(walk, &inner, only, kept)?;
        } else if only.contains(&child.digest) {
            kept.push(value.clone());
        }
    }
    Ok(())
}

fn whole(walk: &mut Walk<'_>, descriptor: &Descriptor) -> Result<Map<String, Value>, CopyError> {
    let bytes = walk.bytes(descriptor)?;
    serde_json::from_slice(&bytes).map_err(|error| walk.wrong(descriptor, error.to_string()))
}

fn no_platform(walk: &Walk<'_>, root: &Root, missing: &Platform, leaves: &[Leaf]) -> CopyError {
    let there: BTreeSet<String> =
        leaves.iter().filter_map(|leaf| Some(brief(&leaf.platform.as_ref()?.to_string()))).collect();
    CopyError::NoPlatform {
        place: walk.source.describe(),
        image: root.descriptor.digest.to_string(),
        wanted: missing.to_string(),
        there: there.into_iter().take(LISTED).collect(),
    }
}
