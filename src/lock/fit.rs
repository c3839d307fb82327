use super::{Input, Lock, LockError};
use crate::definition::{Definition, Layer};
use crate::digest::Digest;

/// The digest of what a definition says of its locked layers: a lock made under another saying does not fit.
/// Texts for people do not count.
pub fn definition_digest(definition: &Definition) -> Digest {
    let layers: Vec<Layer> = definition
        .layers
        .iter()
        .filter(|layer| layer.is_locked())
        // Who must vouch for inputs is checked in itself and shapes no layer.
        .map(|layer| Layer { history: String::new(), signed: false, ..layer.clone() })
        .collect();
    let text = serde_json::to_vec(&(&layers, &definition.suites, &definition.platforms));
    Digest::of(&text.expect("a definition has text keys and no failing serializers"))
}

/// The definition's variants that this lock has all for: a version may lack the files of a layer that only a variant has.
pub fn variants<'a>(lock: &Lock, definition: &'a Definition) -> Vec<(&'a str, &'a str)> {
    let is_filled = |layer: &Layer| layer.into.is_none() || lock.inputs.iter().any(|input| input.layer == layer.name);
    let has_all = |variant: &String| {
        let mut own = definition.layers.iter().filter(|layer| layer.variants.contains(variant));
        own.all(is_filled)
    };
    let known = definition.variants.iter().filter(|(variant, _)| has_all(variant));
    known.map(|(variant, line)| (variant.as_str(), line.as_str())).collect()
}

/// Whether a lock was made for this definition.
pub fn check_fit(lock: &Lock, definition: &Definition) -> Result<(), LockError> {
    let unfit = |why: String| LockError::Unfit { image: lock.image.clone(), why };
    let family = lock.image.split(':').next().unwrap_or_default();
    if family != definition.name {
        return Err(unfit(format!("the definition is that of `{}`", definition.name)));
    }
    let known = |name: &str| definition.layers.iter().any(|layer| layer.is_locked() && layer.name == name);
    let named = lock.inputs.iter().map(|input| &input.layer).chain(lock.outputs.iter().map(|output| &output.layer));
    if let Some(layer) = named.into_iter().find(|layer| !known(layer)) {
        return Err(unfit(format!("the definition has no locked layer `{}`", layer.escape_debug())));
    }
    let version = lock.image.split(':').nth(1).unwrap_or_default();
    let unsigned = definition.versions.get(version).is_some_and(|version| version.unsigned);
    let vouched = |input: &Input| {
        let archive = lock.archive.as_ref().filter(|_| input.member.is_some());
        input.signature.is_some() || archive.is_some_and(|archive| archive.signer.is_some())
    };
    let signed = |input: &&Input| definition.layers.iter().any(|layer| layer.signed && layer.name == input.layer);
    if let Some(input) = lock.inputs.iter().filter(signed).find(|input| !unsigned && !vouched(input)) {
        let why = format!("`{}` has no signature, and its layer asks for one", input.name.escape_debug());
        return Err(unfit(why));
    }
    if lock.definition != definition_digest(definition) {
        return Err(unfit("the layers' packages or rules were changed since it was made".to_owned()));
    }
    Ok(())
}
