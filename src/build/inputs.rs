//! What layers are made of, from wherever it may be had: the cache, then folders that `kimg fetch` made, then the release
//! archive, then the other upstreams. The pin decides what is used, never the place that it came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::archive::{self, Asked};
use super::folders;
use super::halt::Halt;
use super::recipe::{Part, Recipe, Step};
use super::vouch::Vouchers;
use super::{BuildError, JarSource, Workshop};
use crate::digest::Digest;
use crate::lock::{Input, Upstream};
use crate::net::{Base, Download};

/// A file that the cache lacks: an input or the signature of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub upstream: Upstream,
    pub name: String,
    pub path: String,
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
        let sources = &self.workshop.sources;
        let (single, only): (Vec<Need>, Vec<Need>) = needs.into_iter().partition(|need| match need.upstream {
            Upstream::Apache => false,
            Upstream::Maven => sources.jars != JarSource::Apache,
            Upstream::Debian | Upstream::DebianSecurity => true,
        });
        if sources.offline {
            let names = single.into_iter().chain(only).map(|need| need.name).collect();
            return Err(BuildError::Offline { image: self.recipe.name.clone(), names });
        }
        if !only.is_empty() {
            let archive = step.part.lock.archive.as_ref().map(|archive| archive.path.clone());
            let names: Vec<String> = only.into_iter().map(|need| need.name).collect();
            let differ = asked.is_some_and(|asked| names.iter().any(|name| asked.differ.contains(name)));
            return Err(match (sources.jars, archive) {
                (JarSource::Maven, _) => BuildError::ArchiveOnly { names },
                (_, archive) => BuildError::NotInArchive { names, archive, differ },
            });
        }
        let snapshot = step.part.lock.debian.as_ref().map(|debian| debian.snapshot.as_str());
        // Looking for hosts reads files of the machine: once for each kind of upstream.
        let mut bases: BTreeMap<Upstream, Vec<Base>> = BTreeMap::new();
        let mut downloads = Vec::new();
        for Need { upstream, name, path, digest, size } in single {
            let bases = bases.entry(upstream).or_insert_with(|| self.workshop.machine.bases(upstream, snapshot));
            let places = bases.iter().map(|base| (base.clone(), path.clone())).collect();
            downloads.push(Download { name, places, digest, size });
        }
        Ok(self.workshop.client.fetch(&downloads, &self.workshop.store.downloads()).await?)
    }
}

/// What the cache lacks of these inputs of a part: their files, and the signatures of those that nothing else vouches for.
pub(super) fn needs(part: &Part, inputs: &[&Input], workshop: &Workshop) -> Result<Vec<Need>, BuildError> {
    let cache = workshop.store.downloads();
    let vouchers = Vouchers::of(part, workshop);
    let mut needs = Vec::new();
    for input in inputs {
        let Input { upstream, name, path, size, .. } = (*input).clone();
        let own = Need { upstream, name, path, digest: input.sha256.into(), size };
        if !cache.has(&own.digest, own.size) {
            needs.push(own);
        }
        let Some(signature) = &input.signature else { continue };
        let own = Need {
            upstream,
            name: format!("{}.asc", input.name),
            path: signature.path.clone(),
            digest: signature.sha256.into(),
            size: signature.size,
        };
        if !cache.has(&own.digest, own.size) && !vouchers.has(input)? {
            needs.push(own);
        }
    }
    Ok(needs)
}
