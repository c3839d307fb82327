//! What layers are made of, from wherever it may be had: the cache, then folders that `kimg fetch` made, then the release
//! archive, then the other upstreams. The pin decides what is used, never the place that it came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::archive::{self, Asked};
use super::folders;
use super::halt::Halt;
use super::maven_files;
use super::recipe::{Part, Recipe, Step};
use super::vouch::Vouchers;
use super::{BuildError, JarSource, Workshop};
use crate::definition::user::{ArchiveUrl, InvalidArchiveUrl};
use crate::digest::Digest;
use crate::lock::{Input, Upstream};
use crate::net::{Base, Download};

/// A file that the cache lacks: an input or the signature of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub upstream: Upstream,
    pub name: String,
    pub path: String,
    /// Where the user says that it is, and nowhere else.
    pub url: Option<String>,
    pub digest: Digest,
    pub size: u64,
}

/// Brings the inputs of layers into the cache. Layers share one, so that an archive that several need is asked once.
pub(super) struct Provider {
    recipe: Arc<Recipe>,
    workshop: Workshop,
    /// The layers that are to be made.
    steps: Vec<usize>,
    /// What became of the release archive of each part.
    archives: Vec<OnceCell<Asked>>,
}

impl Provider {
    pub fn new(recipe: &Arc<Recipe>, steps: Vec<usize>, workshop: &Workshop) -> Provider {
        let archives = recipe.parts.iter().map(|_| OnceCell::new()).collect();
        Provider { recipe: recipe.clone(), workshop: workshop.clone(), steps, archives }
    }

    /// Brings all that a layer is made of, with the signatures.
    pub async fn provide(&self, index: usize, halt: &Halt) -> Result<(), BuildError> {
        let Some(step) = self.recipe.steps().nth(index) else { return Ok(()) };
        if self.needs(&step)?.is_empty() {
            return Ok(());
        }
        folders::take(self.needs(&step)?, &self.workshop).await?;
        let needs = self.needs(&step)?;
        if needs.is_empty() {
            return Ok(());
        }
        let asked = self.ask_archive(step.part, halt).await?;
        self.ask_hosts(&step, asked).await
    }

    /// Brings what all layers are made of; where no host may be asked, the error names all that is lacking.
    pub async fn provide_all(&self, halt: &Halt) -> Result<(), BuildError> {
        let mut lacking = Vec::new();
        for index in &self.steps {
            match self.provide(*index, halt).await {
                Err(BuildError::Offline { names, .. }) => lacking.extend(names),
                provided => provided?,
            }
        }
        match lacking.is_empty() {
            true => Ok(()),
            false => Err(self.offline(lacking)),
        }
    }

    fn offline(&self, names: Vec<String>) -> BuildError {
        let file = self.recipe.own().family.user().map(|user| format!("-f {}", user.file));
        let (image, what) = (self.recipe.name.clone(), file.unwrap_or_else(|| self.recipe.name.clone()));
        BuildError::Offline { image, what, names }
    }

    /// What the cache lacks of a layer.
    fn needs(&self, step: &Step<'_>) -> Result<Vec<Need>, BuildError> {
        needs(step.part, &step.inputs(), &self.workshop)
    }

    /// Asks the release archive of a part, once, for all layers that are to be made.
    async fn ask_archive(&self, part: &Part, halt: &Halt) -> Result<Option<&Asked>, BuildError> {
        let number = self.recipe.parts.iter().position(|other| std::ptr::eq(other, part)).unwrap_or_default();
        if part.lock.archive.is_none() || self.workshop.sources.jars == JarSource::Maven {
            return Ok(None);
        }
        let steps = self.recipe.steps().enumerate().filter(|(index, _)| self.steps.contains(index));
        let own = steps.filter(|(_, step)| std::ptr::eq(step.part, part));
        let inputs: Vec<&Input> = own.flat_map(|(_, step)| step.inputs()).collect();
        let ask = || archive::ask(part, &inputs, &self.workshop, halt);
        Ok(Some(self.archives[number].get_or_try_init(ask).await?))
    }

    /// Fetches what is still lacking from the upstreams that have single files.
    async fn ask_hosts(&self, step: &Step<'_>, asked: Option<&Asked>) -> Result<(), BuildError> {
        let needs = self.needs(step)?;
        if needs.is_empty() {
            return Ok(());
        }
        if self.workshop.sources.offline {
            let names = needs.into_iter().map(|need| need.name).collect();
            return Err(self.offline(names));
        }
        let differ = asked.map(|asked| asked.differ.as_slice()).unwrap_or_default();
        check_route(&needs, step.part, differ, &self.workshop)?;
        download(needs, step.part, &self.workshop).await
    }
}

/// Whether each of these files may be had as a single one; `differ` are those that the archive has with other bytes.
pub(super) fn check_route(
    needs: &[Need],
    part: &Part,
    differ: &[String],
    workshop: &Workshop,
) -> Result<(), BuildError> {
    let jars = workshop.sources.jars;
    let definition = &part.family.definition;
    let is_named = |need: &Need| maven_files::named(definition).any(|(_, artifact)| artifact.path() == need.path);
    let only = needs.iter().filter(|need| match need.upstream {
        Upstream::Apache => true,
        // Whoever names Maven's coordinates in a definition means Maven.
        Upstream::Maven => jars == JarSource::Apache && part.family.user().is_none() && !is_named(need),
        Upstream::Debian | Upstream::DebianSecurity | Upstream::Url => false,
    });
    let names: Vec<String> = only.map(|need| need.name.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    if jars == JarSource::Maven {
        return Err(BuildError::ArchiveOnly { names });
    }
    let differ = names.iter().any(|name| differ.contains(name));
    let archive = part.lock.archive.as_ref().map(|archive| archive.path.clone());
    Err(BuildError::NotInArchive { names, archive, differ })
}

/// Fetches files from the upstreams that have them.
pub(super) async fn download(needs: Vec<Need>, part: &Part, workshop: &Workshop) -> Result<(), BuildError> {
    let snapshot = part.lock.debian.as_ref().map(|debian| debian.snapshot.as_str());
    // Looking for hosts reads files of the machine: once for each kind of upstream.
    let mut bases: BTreeMap<Upstream, Vec<Base>> = BTreeMap::new();
    let (mut downloads, mut named) = (Vec::new(), Vec::new());
    for Need { upstream, name, path, url, digest, size } in needs {
        if let Some(url) = url {
            named.push(Download { name, places: vec![place(&url)?], digest, size });
            continue;
        }
        let bases = bases.entry(upstream).or_insert_with(|| workshop.machine.bases(upstream, snapshot));
        let places = bases.iter().map(|base| (base.clone(), path.clone())).collect();
        downloads.push(Download { name, places, digest, size });
    }
    let cache = workshop.store.downloads();
    workshop.client.fetch(&downloads, &cache).await?;
    workshop.client.fetch(&named, &cache).await.map_err(BuildError::Url)
}

/// Where the URL of a user's archive leads.
pub(super) fn place(url: &str) -> Result<(Base, String), BuildError> {
    let parsed: ArchiveUrl = url.parse().map_err(|error: InvalidArchiveUrl| BuildError::BadUserFile {
        path: "the lock".to_owned(),
        why: format!("names a URL that cannot be asked: {error}"),
    })?;
    let base = Base { url: parsed.root().to_owned(), credentials: None, origin: "the user's definition".to_owned() };
    Ok((base, parsed.path().to_owned()))
}

/// What the cache lacks of these inputs of a part: their files, and the signatures of those that nothing else vouches for.
pub(super) fn needs(part: &Part, inputs: &[&Input], workshop: &Workshop) -> Result<Vec<Need>, BuildError> {
    let cache = workshop.store.downloads();
    let vouchers = Vouchers::of(part, workshop);
    let mut needs = Vec::new();
    for input in inputs {
        let [own, signature] = files(input);
        needs.extend(own.filter(|own| !cache.has(&own.digest, own.size)));
        let Some(signature) = signature.filter(|signature| !cache.has(&signature.digest, signature.size)) else {
            continue;
        };
        if !vouchers.has(input)? {
            needs.push(signature);
        }
    }
    Ok(needs)
}

/// The file of an input, and that of its signature.
pub(super) fn files(input: &Input) -> [Option<Need>; 2] {
    let Input { upstream, name, path, url, size, .. } = input.clone();
    let signature = input.signature.as_ref().map(|signature| Need {
        upstream,
        name: format!("{name}.asc"),
        path: signature.path.clone(),
        url: None,
        digest: signature.sha256.into(),
        size: signature.size,
    });
    [Some(Need { upstream, name, path, url, digest: input.sha256.into(), size }), signature]
}
