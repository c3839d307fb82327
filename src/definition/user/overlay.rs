//! What a user's definition and the image below make together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::document::{Document, OwnRun};
use super::{OwnLayer, Placed, User};
use crate::definition::{
    Catalog, Definition, DefinitionError, Family, Folder, Generate, Layer, MAX_BASES, Run, Version, nearest,
};

impl Document {
    /// Makes it a definition in a catalog. `folder` is where the file lies, `lock` the name and the text of its lock.
    pub(in crate::definition) fn in_catalog(
        self,
        catalog: &Catalog,
        folder: PathBuf,
        (lock_file, lock): (String, Option<String>),
    ) -> Result<User, DefinitionError> {
        let Document { file, name, from, .. } = &self;
        if catalog.family(&name.value)?.is_some() {
            let message = format!("name: `{}` is an image that kimg has", name.value);
            return Err(name.place.wrong(file, &message, Some("give yours another name".to_owned())));
        }
        let below = below(catalog, from, file)?;
        let (own, version) = (&below[0].0.definition, &below[0].1);
        let layers = self.layers.iter().map(|layer| layer_of(layer, &below, file)).collect::<Result<_, _>>()?;
        let packaged = below.iter().map(|(family, _)| &family.definition).find(|below| !below.suites.is_empty());
        let version = self.version.clone().unwrap_or_else(|| version.clone());
        let known = Version { support: String::new(), revision: None, warning: None, unsigned: false };
        let definition = Definition {
            name: name.value.clone(),
            title: self.title.clone().unwrap_or_else(|| name.value.clone()),
            description: self.description.clone().unwrap_or_default(),
            licenses: self.licenses.clone().unwrap_or_default(),
            source: self.source.clone(),
            base: Some(from.value.clone()),
            suites: packaged.map(|below| below.suites.clone()).unwrap_or_default(),
            platforms: own.platforms.clone(),
            keys: packaged.map(|below| below.keys.clone()).unwrap_or_default(),
            default: version.clone(),
            archive: None,
            variants: BTreeMap::new(),
            dialects: None,
            versions: BTreeMap::from([(version.clone(), known)]),
            layers,
            run: run(&own.run, &self.run),
        };
        let Document { file, from, layers, .. } = self;
        Ok(User { file, folder, lock_file, lock, from, version, layers, definition })
    }
}

/// The families that an image stands on with their versions, its own first.
fn below(catalog: &Catalog, from: &Placed<String>, file: &str) -> Result<Vec<(Family, String)>, DefinitionError> {
    let mut found = Vec::new();
    let mut next = Some(from.value.clone());
    // A loop of bases is told when the image is resolved.
    while let Some(image) = next.filter(|_| found.len() <= MAX_BASES) {
        let (name, version) = image.split_once(':').unwrap_or((&image, ""));
        let absent = |message: String, hint: String| match from.place.wrong(file, &message, Some(hint)) {
            DefinitionError::At { file, line, column, message, hint, .. } => {
                DefinitionError::At { file, line, column, message, hint, absent: true }
            }
            error => error,
        };
        let Some(family) = catalog.family(name)? else {
            let families = catalog.families()?;
            let offered: Vec<&Family> = families.iter().filter(|family| family.is_offered()).collect();
            let near = nearest(name, offered.iter().map(|family| family.definition.name.as_str()));
            let near = near.first().and_then(|near| offered.iter().find(|family| family.definition.name == *near));
            let hint = match near {
                Some(family) => format!(
                    "did you mean {name}:{}? `kimg images` lists all",
                    family.definition.default,
                    name = family.definition.name
                ),
                None => "`kimg images` lists all".to_owned(),
            };
            return Err(absent(format!("from: kimg has no image `{}`", name.escape_debug()), hint));
        };
        if !family.versions().contains(&version) {
            let full: Vec<String> = family.versions().iter().map(|version| format!("{name}:{version}")).collect();
            let hint = format!("there is {}", full.join(", "));
            return Err(match version {
                "" => from.place.wrong(file, "from: it names no version", Some(hint)),
                _ => absent(format!("from: kimg has no `{}`", image.escape_debug()), hint),
            });
        }
        next = family.definition.base.clone();
        let version = version.to_owned();
        found.push((family, version));
    }
    Ok(found)
}

fn layer_of(own: &OwnLayer, below: &[(Family, String)], file: &str) -> Result<Layer, DefinitionError> {
    let definitions = || below.iter().map(|(family, _)| &family.definition);
    let targets = own.into.iter().chain(own.archives.iter().map(|archive| &archive.value.into));
    let mut layer = Layer {
        name: own.name.value.clone(),
        history: own.history.clone().unwrap_or_else(|| format!("{} of the user's definition", own.name.value)),
        packages: own.packages.iter().map(|package| package.value.clone()).collect(),
        into: own.into.clone(),
        maven: own.maven.iter().map(|artifact| artifact.value.to_string()).collect(),
        archives: own.archives.iter().map(|archive| archive.value.clone()).collect(),
        local: own.files.iter().map(|file| file.value.clone()).collect(),
        authorities: own.authorities.iter().map(|path| path.value.clone()).collect(),
        folders: folders(definitions(), targets),
        ..Layer::default()
    };
    let Some(first) = own.packages.first() else { return Ok(layer) };
    let Some(like) = definitions().flat_map(|below| &below.layers).find(|layer| !layer.packages.is_empty()) else {
        let message =
            format!("packages: {} is made of none, so no archive of them is known", below[0].0.definition.name);
        return Err(first.place.wrong(file, &message, None));
    };
    layer.usrmerge.clone_from(&like.usrmerge);
    layer.drop.clone_from(&like.drop);
    layer.keep.clone_from(&like.keep);
    let is_status = |rule: &&Generate| matches!(rule, Generate::PackageStatus { .. });
    layer.generate = like.generate.iter().filter(is_status).cloned().collect();
    Ok(layer)
}

/// The folders below that a path leads through, as they are there: a layer above that only passes through one would give
/// it to root.
fn folders<'a>(
    below: impl Iterator<Item = &'a Definition>,
    targets: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, Folder> {
    let targets: Vec<&String> = targets.collect();
    let leads = |path: &str| targets.iter().any(|to| *to == path || to.starts_with(&format!("{path}/")));
    let mut found = BTreeMap::new();
    for (path, folder) in below.flat_map(|below| &below.layers).flat_map(|layer| &layer.folders) {
        if leads(path) {
            // The first is the uppermost.
            found.entry(path.clone()).or_insert_with(|| folder.clone());
        }
    }
    found
}

fn run(below: &Run, own: &OwnRun) -> Run {
    let mut env = below.env.clone();
    env.extend(own.env.clone());
    let list = |own: &Option<Vec<String>>, below: &[String]| own.clone().unwrap_or_else(|| below.to_vec());
    Run {
        user: own.user.clone().or_else(|| below.user.clone()),
        env,
        entrypoint: list(&own.entrypoint, &below.entrypoint),
        command: list(&own.command, &below.command),
        folder: own.folder.clone().or_else(|| below.folder.clone()),
        volumes: list(&own.volumes, &below.volumes),
        ports: list(&own.ports, &below.ports),
        stop_signal: own.stop_signal.clone().or_else(|| below.stop_signal.clone()),
        healthcheck: own.healthcheck.clone().or_else(|| below.healthcheck.clone()),
    }
}
