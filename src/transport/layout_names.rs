//! What names and digests mean in an OCI layout, whoever wrote it: a folder, an archive, or the store.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::docker_name;
use crate::copy::CopyError;
use crate::digest::Digest;
use crate::error::Category;
use crate::oci::{Descriptor, Index, media_type};
use crate::store::NAME;

/// The whole name of an image where [`NAME`] has the tag only, as containerd, BuildKit and `docker save` write it.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// So many names are listed in a message.
const LISTED: usize = 10;

/// The bytes of a small document by digest, verified; `None` where it is not there or is none.
pub(super) type Read<'a> = dyn Fn(&Digest) -> Option<Vec<u8>> + 'a;

/// What a document says that an index of a layout does not.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Glance {
    media_type: Option<String>,
    subject: Option<Descriptor>,
    config: Option<serde::de::IgnoredAny>,
    manifests: Option<Vec<Descriptor>>,
}

impl Glance {
    fn of(bytes: &[u8]) -> Option<Glance> {
        serde_json::from_slice(bytes).ok()
    }
}

/// The image of that name, digest, or position (`@0`, as skopeo writes it); without one, the only image that there is.
pub(super) fn find(place: &str, index: &Index, name: Option<&str>, read: &Read<'_>) -> Result<Descriptor, CopyError> {
    let found = match name {
        None => return only(place, index, read),
        Some(name) => match (name.parse::<Digest>(), position(name)) {
            (Ok(digest), _) => by_digest(index, digest, read),
            (_, Some(position)) => index.manifests.get(position).cloned(),
            _ => by_name(index, name),
        },
    };
    found.ok_or_else(|| absent(place, index, name.unwrap_or_default()))
}

fn position(name: &str) -> Option<usize> {
    name.strip_prefix('@').and_then(|number| number.parse().ok())
}

fn by_name(index: &Index, name: &str) -> Option<Descriptor> {
    let of = |annotation: &'static str| move |manifest: &&Descriptor| manifest.annotations.get(annotation).cloned();
    let exact = |annotation| index.manifests.iter().find(|manifest| of(annotation)(manifest).as_deref() == Some(name));
    let wanted = full(name)?;
    let same = |annotation| {
        let is_it = |own: String| full(&own).is_some_and(|own| own == wanted);
        index.manifests.iter().find(|manifest| of(annotation)(manifest).is_some_and(is_it))
    };
    let found = exact(NAME).or_else(|| exact(CONTAINERD_NAME)).or_else(|| same(CONTAINERD_NAME)).or_else(|| same(NAME));
    found.cloned()
}

/// A name with the host and the tag that Docker means where there are none.
fn full(name: &str) -> Option<String> {
    let name = docker_name(name).ok()?;
    let name = name.strip_prefix("docker.io/").unwrap_or(&name);
    Some(name.strip_prefix("library/").unwrap_or(name).to_owned())
}

fn by_digest(index: &Index, digest: Digest, read: &Read<'_>) -> Option<Descriptor> {
    if let Some(found) = index.manifests.iter().find(|manifest| manifest.digest == digest) {
        return Some(found.clone());
    }
    // One that an index names; it tells itself what it is.
    let bytes = read(&digest)?;
    let glance = Glance::of(&bytes)?;
    let media_type = match (&glance.media_type, glance.manifests.is_some(), glance.config.is_some()) {
        (Some(own), ..) => own.clone(),
        (None, true, false) => media_type::INDEX.to_owned(),
        (None, false, true) => media_type::MANIFEST.to_owned(),
        _ => return None,
    };
    Some(Descriptor::new(&media_type, digest, bytes.len() as u64))
}

/// The only image: several names of one are one, and what refers to another image is none of its own.
fn only(place: &str, index: &Index, read: &Read<'_>) -> Result<Descriptor, CopyError> {
    let mut images: Vec<&Descriptor> = Vec::new();
    for manifest in &index.manifests {
        match images.iter_mut().find(|image| image.digest == manifest.digest) {
            None => images.push(manifest),
            // An entry with a name tells more.
            Some(image) if name_of(image).is_none() => *image = manifest,
            Some(_) => {}
        }
    }
    if images.len() > 1 {
        let refers = |image: &&Descriptor| {
            is_fallback(image) || read(&image.digest).and_then(|bytes| Glance::of(&bytes)?.subject).is_some()
        };
        images.retain(|image| !refers(image));
    }
    match images.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(CopyError::Failed {
            place: place.to_owned(),
            what: "index.json".to_owned(),
            why: "it lists no image".to_owned(),
            category: Category::NotFound,
            hint: None,
        }),
        several => Err(CopyError::Failed {
            place: place.to_owned(),
            what: "index.json".to_owned(),
            why: format!("it has {} images, and no name says which", several.len()),
            category: Category::Usage,
            hint: Some(match names(index) {
                names if names.is_empty() => format!("write {place}:@0, or another position"),
                names => format!("write {place}:NAME; there are {}", names.join(", ")),
            }),
        }),
    }
}

fn absent(place: &str, index: &Index, name: &str) -> CopyError {
    match names(index) {
        names if names.is_empty() => CopyError::NotFound { place: place.to_owned(), name: name.to_owned() },
        names => CopyError::Failed {
            place: place.to_owned(),
            what: format!("`{}`", name.escape_debug()),
            why: "nothing there has this name".to_owned(),
            category: Category::NotFound,
            hint: Some(format!("there are {}", names.join(", "))),
        },
    }
}

/// The name of an entry: the whole one, where it has a tag only for a name.
pub fn name_of(manifest: &Descriptor) -> Option<String> {
    let found = manifest.annotations.get(CONTAINERD_NAME).or_else(|| manifest.annotations.get(NAME));
    let found = found.filter(|_| !is_fallback(manifest))?;
    // As Docker shows it.
    Some(found.strip_prefix("docker.io/library/").unwrap_or(found).to_owned())
}

/// The first names, escaped.
fn names(index: &Index) -> Vec<String> {
    let name = |manifest: &Descriptor| {
        Some(name_of(manifest)?.chars().take(100).collect::<String>().escape_debug().to_string())
    };
    index.manifests.iter().filter_map(name).take(LISTED).collect()
}

/// Whether an entry is named as the list of another's referrers (distribution-spec 1.1, "Referrers Tag Schema"), which
/// tools keep in layouts too.
fn is_fallback(manifest: &Descriptor) -> bool {
    manifest.annotations.get(NAME).is_some_and(|name| subject_of(name).is_some())
}

fn subject_of(name: &str) -> Option<Digest> {
    name.replacen('-', ":", 1).parse().ok()
}

/// What refers to what, by the subject's digest.
pub(super) type Referrers = BTreeMap<Digest, Vec<Descriptor>>;

/// All referrers that a layout lists: by themselves, or by the fallback scheme.
pub(super) fn referrers(index: &Index, read: &Read<'_>) -> Referrers {
    let mut found = Referrers::new();
    for manifest in &index.manifests {
        let Some(glance) = read(&manifest.digest).and_then(|bytes| Glance::of(&bytes)) else { continue };
        let fallback = manifest.annotations.get(NAME).and_then(|name| subject_of(name));
        match (fallback, glance.subject) {
            (Some(subject), _) => {
                for referrer in glance.manifests.unwrap_or_default() {
                    add(&mut found, subject, referrer);
                }
            }
            (None, Some(subject)) => add(&mut found, subject.digest, manifest.clone()),
            (None, None) => {}
        }
    }
    found
}

fn add(found: &mut Referrers, subject: Digest, mut referrer: Descriptor) {
    referrer.annotations.remove(NAME);
    let all = found.entry(subject).or_default();
    if !all.iter().any(|own| own.digest == referrer.digest) {
        all.push(referrer);
    }
}
