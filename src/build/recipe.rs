//! A recipe: which layers an image has, and what each is made of, before anything is fetched.

use super::BuildError;
use crate::definition::{self, Catalog, Family};
use crate::lock::{self, Input, Lock, LockError, Output};
use crate::oci::Platform;

/// One image of one platform: the definitions and locks that make it, base first.
#[derive(Debug)]
pub(super) struct Recipe {
    /// `kafka:3.5.2`.
    pub name: String,
    /// The families, base first; the last is the image's own.
    pub parts: Vec<Part>,
    /// The platform.
    pub platform: Platform,
}

/// What one family contributes.
#[derive(Debug)]
pub(super) struct Part {
    pub family: Family,
    pub version: String,
    pub lock: Lock,
    /// [`Lock::created`] in seconds since 1970.
    pub mtime: u64,
}

/// A layer of a recipe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub part: &'a Part,
    pub layer: &'a definition::Layer,
    pub platform: &'a Platform,
}

impl Recipe {
    /// Resolves `NAME[:VERSION]`.
    pub fn resolve(catalog: &Catalog, image: &str, platform: &Platform) -> Result<Recipe, BuildError> {
        let (name, parts) = Recipe::parts(catalog, image)?;
        Ok(Recipe { name, parts, platform: platform.clone() })
    }

    /// The name of an image, and its families, base first.
    pub fn parts(catalog: &Catalog, image: &str) -> Result<(String, Vec<Part>), BuildError> {
        let own = Part::resolve(catalog, image)?;
        let name = format!("{}:{}", own.family.definition.name, own.version);
        let mut parts = vec![own];
        // A base may have a base; a loop of them ends at a number that no image has.
        while let Some(base) = parts[0].family.definition.base.clone() {
            if parts.len() > 8 {
                return Err(BuildError::BaseLoop { image: name });
            }
            parts.insert(0, Part::resolve(catalog, &base)?);
        }
        Ok((name, parts))
    }

    /// The image's own part.
    pub fn own(&self) -> &Part {
        &self.parts[self.parts.len() - 1]
    }

    /// All layers, lowest first.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let platform = &self.platform;
        self.parts
            .iter()
            .flat_map(move |part| part.family.definition.layers.iter().map(move |layer| Step { part, layer, platform }))
    }

    /// The newest time of the locks.
    pub fn created(&self) -> &str {
        let newest = self.parts.iter().max_by_key(|part| part.mtime).unwrap_or(self.own());
        &newest.lock.created
    }
}

impl Part {
    fn resolve(catalog: &Catalog, image: &str) -> Result<Part, BuildError> {
        let (name, version) = match image.split_once(':') {
            Some((name, version)) => (name, Some(version)),
            None => (image, None),
        };
        let Some(family) = catalog.family(name)? else {
            return Err(unknown_image(catalog, name)?);
        };
        let version = version.unwrap_or(&family.definition.default).to_owned();
        let Some(lock) = family.lock(&version).transpose()? else {
            return Err(unknown_version(&family, &version));
        };
        let name = format!("{}:{version}", family.definition.name);
        if lock.image != name {
            let why = format!("it says that it is of {}", lock.image);
            return Err(LockError::Unfit { image: name, why }.into());
        }
        lock::check_fit(&lock, &family.definition)?;
        let mtime = lock::seconds(&lock.created).unwrap_or_default();
        Ok(Part { family, version, lock, mtime })
    }
}

pub(super) fn unknown_image(catalog: &Catalog, name: &str) -> Result<BuildError, BuildError> {
    let families = catalog.families()?;
    let offered: Vec<&str> =
        families.iter().filter(|family| family.is_offered()).map(|family| family.definition.name.as_str()).collect();
    let near = definition::nearest(name, offered.iter().copied());
    let near = if near.is_empty() { offered } else { near };
    Ok(BuildError::UnknownImage { name: name.to_owned(), near: near.into_iter().map(str::to_owned).collect() })
}

pub(super) fn unknown_version(family: &Family, version: &str) -> BuildError {
    let known = family.versions();
    let near = definition::nearest(version, known.iter().copied());
    let near = if near.is_empty() { known } else { near };
    BuildError::UnknownVersion {
        name: family.definition.name.clone(),
        version: version.to_owned(),
        near: near.into_iter().map(str::to_owned).collect(),
    }
}

impl<'a> Step<'a> {
    /// The inputs of this layer on this platform, in the lock's order.
    pub fn inputs(&self) -> Vec<&'a Input> {
        let (layer, platform) = (&self.layer.name, self.platform);
        self.part.lock.inputs.iter().filter(|input| input.layer == *layer && input.is_for(platform)).collect()
    }

    /// What the lock says must come out.
    pub fn output(&self) -> Option<&'a Output> {
        let (layer, platform) = (&self.layer.name, self.platform.to_string());
        let fits = |output: &&Output| output.platform.as_ref().is_none_or(|own| *own == platform);
        self.part.lock.outputs.iter().find(|output| output.layer == *layer && fits(output))
    }

    /// The layer's history line.
    pub fn history(&self) -> String {
        self.expand(&self.layer.history)
    }

    /// Replaces what definitions may name: `{version}`, and `{arch}` in Debian's words, which are OCI's for all
    /// platforms we know.
    pub fn expand(&self, text: &str) -> String {
        text.replace("{version}", &self.part.version).replace("{arch}", &self.platform.architecture)
    }
}
