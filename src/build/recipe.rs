//! A recipe: which layers an image has, and what each is made of, before anything is fetched.

use std::sync::Arc;

use super::{BuildError, PlaceError, Request};
use crate::definition::embedded;
use crate::definition::{self, ARCH, Catalog, Dialects, Family, MAX_BASES};
use crate::lock::{self, Input, Lock, LockError, Output};
use crate::oci::Platform;

/// One image of one platform: the definitions and locks that make it, base first.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    /// `kafka:3.5.2`, of a variant `kafka:3.5.2-full`.
    pub name: String,
    /// The families, base first; the last is the image's own.
    pub parts: Arc<[Part]>,
    /// The platform.
    pub platform: Platform,
    /// The variant.
    pub variant: Option<String>,
    /// The part that another image stands for.
    pub left_out: Option<Arc<Part>>,
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
    /// The variant, where the layer has other content in it than in the image without a variant.
    pub variant: Option<&'a str>,
}

impl Recipe {
    /// Resolves what is asked for: one recipe for each platform, in the order of the definition.
    pub fn resolve(catalog: &Catalog, request: &Request) -> Result<Vec<Recipe>, BuildError> {
        let (image, mut parts) = Recipe::parts(catalog, &request.image)?;
        let name = match (&request.variant, parts.last()) {
            (Some(variant), Some(own)) => {
                check_variant(own, &image, variant)?;
                format!("{image}-{variant}")
            }
            _ => image.clone(),
        };
        if let Some(dialect) = &request.dialect {
            check_dialect(&parts, &image, dialect)?;
        }
        let platforms = platforms(&parts, &request.platforms, &image)?;
        let left_out = match request.base {
            Some(_) => Some(Arc::new(leave_out_base(&mut parts, &image, request.variant.as_ref())?)),
            None => None,
        };
        let (parts, variant) = (Arc::<[Part]>::from(parts), request.variant.clone());
        let recipe = |platform| Recipe {
            name: name.clone(),
            parts: parts.clone(),
            platform,
            variant: variant.clone(),
            left_out: left_out.clone(),
        };
        let recipes: Vec<Recipe> = platforms.into_iter().map(recipe).collect();
        recipes.iter().try_for_each(Recipe::check_entrypoint)?;
        Ok(recipes)
    }

    /// The name of an image, and its families, base first.
    pub fn parts(catalog: &Catalog, image: &str) -> Result<(String, Vec<Part>), BuildError> {
        let own = Part::resolve(catalog, image)?;
        let image = format!("{}:{}", own.family.definition.name, own.version);
        let mut parts = vec![own];
        // A base may have a base; a loop of them ends at a number that no image has.
        while let Some(base) = parts[0].family.definition.base.clone() {
            if parts.len() > MAX_BASES {
                return Err(BuildError::BaseLoop { image });
            }
            parts.insert(0, Part::resolve(catalog, &base)?);
        }
        if let [below @ .., own] = parts.as_slice()
            && let Some(user) = own.family.user()
        {
            lock::check_user_fit(&own.lock, user, below.iter().map(|part| &part.lock))?;
        }
        Ok((image, parts))
    }

    /// Whether kimg has the program that this image needs: nothing is fetched for one that cannot be finished.
    fn check_entrypoint(&self) -> Result<(), BuildError> {
        let is_needed = self.steps().any(|step| step.layer.entrypoint.is_some());
        match embedded::entrypoint(&self.platform.architecture) {
            None if is_needed => Err(BuildError::no_entrypoint(&self.name, &self.platform)),
            _ => Ok(()),
        }
    }

    /// The image's own part.
    pub fn own(&self) -> &Part {
        &self.parts[self.parts.len() - 1]
    }

    /// The dialects that it can be told to understand: its own, else those of the nearest base that has some.
    pub fn dialects(&self) -> Option<&Dialects> {
        dialects(&self.parts)
    }

    /// All layers, lowest first.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let (platform, variant) = (&self.platform, self.variant.as_deref());
        let steps = self.parts.iter().flat_map(move |part| {
            let layers = part.family.definition.layers.iter();
            layers.map(move |layer| Step { part, layer, platform, variant })
        });
        steps.filter(Step::is_in_variant).map(Step::of_own_variant)
    }

    /// Top folders that are links into `usr`. Another image that stands for the base is not looked into: what the base
    /// has is supposed of it too, for a path below `usr` is right with the links and without them.
    pub fn usrmerge(&self) -> Vec<String> {
        let below = self.left_out.iter().flat_map(|part| &part.family.definition.layers);
        below.chain(self.steps().map(|step| step.layer)).flat_map(|layer| layer.usrmerge.iter().cloned()).collect()
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
        if family.user().is_some() {
            // Whether it fits is known with those below it.
            let mtime = lock::seconds(&lock.created).unwrap_or_default();
            return Ok(Part { family, version, lock, mtime });
        }
        if lock.below.is_some() {
            let why = "it is that of a definition of a user's".to_owned();
            return Err(LockError::Unfit { image: name, why }.into());
        }
        if lock.image != name {
            let why = format!("it says that it is of {}", lock.image);
            return Err(LockError::Unfit { image: name, why }.into());
        }
        lock::check_fit(&lock, &family.definition)?;
        let mtime = lock::seconds(&lock.created).unwrap_or_default();
        Ok(Part { family, version, lock, mtime })
    }
}

/// Takes away the lowest part, for which another image stands, and which the variant must not be about.
fn leave_out_base(parts: &mut Vec<Part>, image: &str, variant: Option<&String>) -> Result<Part, PlaceError> {
    if parts.len() == 1 {
        return Err(PlaceError::NoBase { image: image.to_owned() });
    }
    let left_out = parts.remove(0);
    let has = |variant: &String| {
        let mut all = parts.iter().flat_map(|part| lock::variants(&part.lock, &part.family.definition));
        all.any(|(name, _)| name == variant)
    };
    match variant.filter(|variant| !has(variant)) {
        None => Ok(left_out),
        Some(variant) => Err(PlaceError::BaseVariant { image: image.to_owned(), variant: variant.clone() }),
    }
}

fn check_variant(own: &Part, image: &str, variant: &str) -> Result<(), BuildError> {
    let known = own.family.variants(&own.version)?;
    if known.contains_key(variant) {
        return Ok(());
    }
    let known = known.into_keys().collect();
    Err(BuildError::UnknownVariant { image: image.to_owned(), variant: variant.to_owned(), known })
}

fn dialects(parts: &[Part]) -> Option<&Dialects> {
    parts.iter().rev().find_map(|part| part.family.definition.dialects.as_ref())
}

fn check_dialect(parts: &[Part], image: &str, dialect: &str) -> Result<(), BuildError> {
    let known = dialects(parts).map(|dialects| dialects.names.clone()).unwrap_or_default();
    match known.iter().any(|name| name == dialect) {
        true => Ok(()),
        false => Err(BuildError::UnknownDialect { image: image.to_owned(), dialect: dialect.to_owned(), known }),
    }
}

/// The platforms that are wanted, in the order of the definition; its first, where none is named.
fn platforms(parts: &[Part], wanted: &[Platform], image: &str) -> Result<Vec<Platform>, BuildError> {
    // In the order of the image's own definition, which is the last.
    let mut made: Vec<String> = parts.last().map(|own| own.family.definition.platforms.clone()).unwrap_or_default();
    made.retain(|platform| parts.iter().all(|part| part.family.definition.platforms.contains(platform)));
    if let Some(platform) = wanted.iter().find(|platform| !made.contains(&platform.to_string())) {
        let platform = platform.to_string();
        return Err(BuildError::Platform { image: image.to_owned(), platform, known: made });
    }
    let known = made.iter().filter_map(|platform| platform.parse().ok());
    Ok(match wanted {
        [] => known.take(1).collect(),
        _ => known.filter(|platform| wanted.contains(platform)).collect(),
    })
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
    /// The inputs of this layer on this platform and in this variant, in the lock's order.
    pub fn inputs(&self) -> Vec<&'a Input> {
        let (layer, platform) = (&self.layer.name, self.platform);
        let is_in = |input: &&Input| input.layer == *layer && input.is_for(platform) && !self.leaves_out(&input.name);
        self.part.lock.inputs.iter().filter(is_in).collect()
    }

    /// Whether the image has this layer.
    fn is_in_variant(&self) -> bool {
        let variants = &self.layer.variants;
        variants.is_empty() || self.variant.is_some_and(|variant| variants.iter().any(|own| own == variant))
    }

    /// Without the variant, where that does not change the layer.
    fn of_own_variant(self) -> Step<'a> {
        Step { variant: self.variant.filter(|variant| self.layer.without.contains_key(*variant)), ..self }
    }

    /// Whether the variant is without this package or link.
    pub fn leaves_out(&self, name: &str) -> bool {
        let without = self.variant.and_then(|variant| self.layer.without.get(variant));
        without.is_some_and(|names| names.iter().any(|own| own == name))
    }

    /// The platform, where the layer has other content on another; a layer without one is made once for all of them.
    pub fn own_platform(&self) -> Option<&'a Platform> {
        let bound = |input: &Input| input.layer == self.layer.name && input.platform.is_some();
        let depends = self.layer.depends_on_platform() || self.part.lock.inputs.iter().any(bound);
        depends.then_some(self.platform)
    }

    /// What the lock says must come out.
    pub fn output(&self) -> Option<&'a Output> {
        let (layer, platform) = (&self.layer.name, self.platform.to_string());
        let fits = |output: &&Output| {
            let of_platform = output.platform.as_ref().is_none_or(|own| *own == platform);
            of_platform && output.variant.as_deref() == self.variant
        };
        self.part.lock.outputs.iter().find(|output| output.layer == *layer && fits(output))
    }

    /// The layer's history line.
    pub fn history(&self) -> String {
        self.expand(&self.layer.history)
    }

    /// Replaces what definitions may name: `{version}`, and `{arch}` in Debian's words, which are OCI's for all
    /// platforms we know.
    pub fn expand(&self, text: &str) -> String {
        text.replace("{version}", &self.part.version).replace(ARCH, &self.platform.architecture)
    }
}
