//! The lock of a user's definition: what it stands on, and whether it has all that the definition names.

use super::{Below, Input, Lock, LockError, Upstream, definition_digest};
use crate::definition::Layer;
use crate::definition::user::{OwnLayer, Place, User};
use crate::digest::Digest;

/// The digest of all that the locks of the image below say, the base's first.
fn below_digest<'a>(locks: impl Iterator<Item = &'a Lock>) -> Digest {
    let text = serde_json::to_vec(&locks.collect::<Vec<_>>());
    Digest::of(&text.expect("a lock has text keys and no failing serializers"))
}

/// What a user's definition stands on and says now; `locks` are those of the image below, the base's first.
pub fn below_of<'a>(user: &User, locks: impl Iterator<Item = &'a Lock>) -> Below {
    let layers = user.definition.layers.iter().filter(|layer| layer.is_locked());
    Below {
        image: user.from.value.clone(),
        digest: below_digest(locks),
        layers: layers.map(|layer| (layer.name.clone(), layer_digest(layer))).collect(),
    }
}

/// The digest of what a definition says of a layer, but for texts for people.
fn layer_digest(layer: &Layer) -> Digest {
    let text = serde_json::to_vec(&Layer { history: String::new(), ..layer.clone() });
    Digest::of(&text.expect("a definition has text keys and no failing serializers"))
}

/// Whether a lock was made for this definition of a user's as it is now, on these locks of the image below, the base's
/// first; what is not in it is told with its line.
pub fn check_user_fit<'a>(lock: &Lock, user: &User, locks: impl Iterator<Item = &'a Lock>) -> Result<(), LockError> {
    let changed = |place: Place, what: String| LockError::Changed {
        file: user.file.clone(),
        line: place.line,
        column: place.column,
        what,
        lock: user.lock_file.clone(),
    };
    let Some(below) = &lock.below else {
        return Err(other(user, "it is the lock of one of kimg's own definitions"));
    };
    if below.image != user.from.value {
        return Err(changed(user.from.place, format!("from = \"{}\"", user.from.value.escape_debug())));
    }
    if lock.image != user.image() {
        return Err(other(user, &format!("it is of {}", lock.image)));
    }
    let another_below = || changed(user.from.place, format!("{} as this kimg has it", user.from.value));
    if below.digest != below_digest(locks) {
        return Err(another_below());
    }
    for (own, layer) in user.layers.iter().zip(&user.definition.layers).filter(|(_, layer)| layer.is_locked()) {
        let inputs: Vec<&Input> = lock.inputs.iter().filter(|input| input.layer == layer.name).collect();
        if let Some((place, what)) = lacking(own, &inputs) {
            return Err(changed(place, what));
        }
        if below.layers.get(&layer.name) != Some(&layer_digest(layer)) {
            return Err(changed(own.name.place, format!("layer `{}` as it is here", layer.name)));
        }
    }
    let known = |name: &String| user.definition.layers.iter().any(|layer| layer.is_locked() && layer.name == *name);
    let outputs = lock.outputs.iter().map(|output| &output.layer);
    let named = lock.inputs.iter().map(|input| &input.layer).chain(outputs).chain(below.layers.keys());
    if let Some(layer) = named.into_iter().find(|layer| !known(layer)) {
        return Err(other(user, &format!("it has a layer `{}`, and the definition has not", layer.escape_debug())));
    }
    match lock.definition == definition_digest(&user.definition) {
        true => Ok(()),
        // Only what comes from the image below is left: its platforms, its suites.
        false => Err(another_below()),
    }
}

fn other(user: &User, why: &str) -> LockError {
    LockError::OfAnother { lock: user.lock_file.clone(), file: user.file.clone(), why: why.to_owned() }
}

/// The first thing that a layer names and the lock lacks.
fn lacking(own: &OwnLayer, inputs: &[&Input]) -> Option<(Place, String)> {
    let has_path = |path: String| inputs.iter().any(|input| input.upstream == Upstream::Maven && input.path == path);
    let maven = own.maven.iter().find(|artifact| !has_path(artifact.value.path()));
    if let Some(artifact) = maven {
        return Some((artifact.place, artifact.value.to_string()));
    }
    let has = |url: &str, digest: Digest| {
        inputs.iter().any(|input| input.url.as_deref() == Some(url) && Digest::from(input.sha256) == digest)
    };
    let archive = own.archives.iter().find(|archive| !has(&archive.value.url, archive.value.sha256));
    archive.map(|archive| (archive.place, format!("{} with that digest", archive.value.url)))
}
