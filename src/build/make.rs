//! From a request to an image in the store.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::additions::{self, Additions};
use super::assemble::Assembly;
use super::halt::{self, Halt};
use super::image::{self, FinishedLayer};
use super::inputs::Provider;
use super::key::{self, LayerRecord};
use super::local;
use super::outline::{OutlinedImage, outline};
use super::recipe::{Recipe, Step};
use super::reproduce;
use super::reuse::{self, Reuse};
use super::vouch;
use super::{BuildError, Built, BuiltImage, Request, Workshop};
use crate::definition::Definition;
use crate::definition::embedded;
use crate::event::{Outcome, TaskKind};
use crate::layer::{Compression, EntryRecord, LayerWriter, Pool};
use crate::lock::LockError;
use crate::oci::{self, Descriptor, media_type};

/// Builds one image into the store, for each platform that is wanted, and gives it its names there. One platform after
/// the other: what they share is made once, and memory does not grow with their number.
pub async fn build(request: &Request, workshop: &Workshop) -> Result<Built, BuildError> {
    let mut outline = outline(request, workshop, Reuse::Nothing).await?;
    outline.complete().await?;
    outline.finish()
}

/// Builds the image of one platform, but the layers that may be reused and are not here; nothing points at it yet.
pub(super) async fn image(
    recipe: &Arc<Recipe>,
    request: &Request,
    workshop: &Workshop,
    pool: &Pool,
    reuse: Reuse,
) -> Result<(BuiltImage, OutlinedImage), BuildError> {
    let base = match &request.base {
        Some(base) => Some(base.image(&recipe.platform).await?),
        None => None,
    };
    let Found { mut finished, missing, known } = find(recipe, request, workshop, reuse);
    for (index, layer) in make_layers(recipe, missing, request.compression, workshop, pool).await? {
        finished[index] = Some(layer);
    }
    let mut layers = add_local(recipe, finished, request.compression, workshop, pool).await?;
    if let Some(mut own) = Additions::of_flags(request) {
        if !own.authorities.is_empty() {
            // The bundle is made anew, so those of the layers below go into it again.
            own.authorities.splice(0..0, authorities(recipe));
        }
        layers.push(additions::layer(recipe, own, request.compression, workshop, &layers, pool).await?);
    }
    let config = image::config(recipe, request, base.as_ref(), &layers);
    let config = workshop.store.put(media_type::CONFIG, &oci::to_bytes(&config))?;
    let config_digest = config.digest;
    let manifest = image::manifest(recipe, request, config, base.as_ref(), &layers);
    let mut manifest = workshop.store.put(media_type::MANIFEST, &oci::to_bytes(&manifest))?;
    manifest.platform = Some(recipe.platform.clone());
    let below = base.iter().flat_map(|base| &base.layers).map(|layer| ("base".to_owned(), layer.clone(), "reused"));
    let own = layers.into_iter().map(|layer| (layer.name, layer.descriptor, layer.how));
    let layers = below.chain(own).collect();
    let image = BuiltImage { platform: recipe.platform.clone(), manifest, config: config_digest, layers };
    Ok((image, OutlinedImage { recipe: recipe.clone(), base, known }))
}

/// Adds the layers of a user's definition that are made of files beside it, each above those that come before it.
async fn add_local(
    recipe: &Arc<Recipe>,
    made: Vec<Option<FinishedLayer>>,
    compression: Compression,
    workshop: &Workshop,
    pool: &Pool,
) -> Result<Vec<FinishedLayer>, BuildError> {
    let mut layers: Vec<FinishedLayer> = Vec::new();
    let mut trusted = Vec::new();
    for (step, layer) in recipe.steps().zip(made) {
        let user = step.part.family.user();
        let layer = match (layer, user.filter(|_| step.layer.is_local())) {
            (None, Some(user)) => {
                let mut own = local::additions(&step, user);
                if !own.authorities.is_empty() {
                    trusted.append(&mut own.authorities);
                    own.authorities.clone_from(&trusted);
                }
                additions::layer(recipe, own, compression, workshop, &layers, pool).await?
            }
            (Some(layer), _) => layer,
            (None, None) => return Err(BuildError::Worker("a layer is missing".to_owned())),
        };
        if user.is_some() && !step.layer.is_local() {
            local::check_through(&step, &layer, &layers)?;
        }
        layers.push(layer);
    }
    Ok(layers)
}

/// The authorities of a user's definition.
fn authorities(recipe: &Recipe) -> Vec<PathBuf> {
    let own = recipe.own();
    let folder = own.family.user().map(|user| user.folder.clone()).unwrap_or_default();
    own.family.definition.layers.iter().flat_map(|layer| &layer.authorities).map(|path| folder.join(path)).collect()
}

/// Tells what is to be known of the versions that an image is made of, each time: who builds it may not be who chose it.
pub(super) fn warn(recipe: &Recipe, workshop: &Workshop) {
    for part in recipe.parts.iter() {
        let Definition { name, versions, .. } = &part.family.definition;
        if let Some(warning) = versions.get(&part.version).and_then(|version| version.warning.as_ref()) {
            workshop.events.warning(format!("{name}:{}: {warning}", part.version));
        }
    }
}

/// Whether locks say of each layer that is made of locked inputs what must come out.
pub(super) fn check_locked(recipe: &Recipe) -> Result<(), BuildError> {
    match recipe.steps().find(|step| step.layer.is_locked() && step.output().is_none()) {
        None => Ok(()),
        Some(step) => Err(LockError::Unfit {
            image: step.part.lock.image.clone(),
            why: format!("it does not say what layer `{}` must be on {}", step.layer.name, step.platform),
        }
        .into()),
    }
}

/// What is known of an image's layers before one is made.
struct Found {
    /// By step.
    finished: Vec<Option<FinishedLayer>>,
    /// Steps to make, with their keys.
    missing: Vec<Missing>,
    /// Steps that are finished without being here.
    known: Vec<(usize, Descriptor)>,
}

type Missing = (usize, String);

/// Looks for the layers in the store. Those of a user's own files are not looked for.
fn find(recipe: &Recipe, request: &Request, workshop: &Workshop, reuse: Reuse) -> Found {
    let count = recipe.steps().count();
    let mut found = Found { finished: vec![None; count], missing: Vec::new(), known: Vec::new() };
    let allowed = reuse::allowed(recipe, request, reuse);
    for (index, step) in recipe.steps().enumerate().filter(|(_, step)| !step.layer.is_local()) {
        let key = key::of(&step, request.compression);
        let record: Option<LayerRecord> = workshop.store.recall(key::RECORDS, &key);
        let is_good = |record: &&LayerRecord| {
            workshop.store.has(&record.descriptor) && reproduce::fits(&step, record, request.compression)
        };
        if let Some(record) = record.as_ref().filter(is_good) {
            found.finished[index] = Some(finish(&step, record, "reused"));
        } else if let Some(record) = reuse::known(&step, record, request.compression, allowed) {
            found.finished[index] = Some(finish(&step, &record, "reused"));
            found.known.push((index, record.descriptor));
        } else {
            found.missing.push((index, key));
        }
    }
    found
}

/// Makes layers whose digests were known; each must come out so.
pub(super) async fn known(
    recipe: &Arc<Recipe>,
    steps: &[(usize, Descriptor)],
    compression: Compression,
    workshop: &Workshop,
    pool: &Pool,
) -> Result<(), BuildError> {
    let key = |index: usize| recipe.steps().nth(index).map(|step| (index, key::of(&step, compression)));
    let missing = steps.iter().filter_map(|(index, _)| key(*index)).collect();
    for (index, layer) in make_layers(recipe, missing, compression, workshop, pool).await? {
        let expected = steps.iter().find(|(other, _)| *other == index).map(|(_, descriptor)| descriptor);
        if let Some(expected) = expected.filter(|expected| expected.digest != layer.descriptor.digest) {
            return Err(BuildError::NotReproduced {
                image: recipe.name.clone(),
                layer: layer.name,
                first: Vec::new(),
                expected: format!("the blob {}", expected.digest),
                found: layer.descriptor.digest.to_string(),
            });
        }
    }
    Ok(())
}

/// Makes layers side by side, each as soon as its inputs are here. When one fails, the others end, and are waited for:
/// nothing works on with the store behind the caller's back.
async fn make_layers(
    recipe: &Arc<Recipe>,
    missing: Vec<Missing>,
    compression: Compression,
    workshop: &Workshop,
    pool: &Pool,
) -> Result<Vec<(usize, FinishedLayer)>, BuildError> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut finished = Vec::new();
    let mut tasks: JoinSet<Result<Option<(usize, FinishedLayer)>, BuildError>> = JoinSet::new();
    let (going, halt) = halt::pair();
    let mut going = Some(going);
    let provider = Arc::new(Provider::new(recipe, missing.iter().map(|(index, _)| *index).collect(), workshop));
    if workshop.sources.offline {
        provider.provide_all(&halt).await?;
    }
    // Enough to keep the processors busy; more layers under way would only take memory.
    let turns = Arc::new(Semaphore::new(workshop.threads.max(2)));
    for (index, key) in missing {
        let (provider, turns) = (provider.clone(), turns.clone());
        let (recipe, workshop, pool, halt) = (recipe.clone(), workshop.clone(), pool.clone(), halt.clone());
        tasks.spawn(async move {
            tokio::select! {
                provided = provider.provide(index, &halt) => provided?,
                () = halt.clone().wait() => return Ok(None),
            }
            let turn = tokio::select! {
                turn = turns.acquire_owned() => turn,
                () = halt.clone().wait() => return Ok(None),
            };
            let work = move || {
                let _turn = turn;
                let step = recipe.steps().nth(index).ok_or_else(|| BuildError::Worker("a layer is gone".to_owned()))?;
                let (record, _) = make(&step, compression, &workshop, &pool, &halt, Some(&recipe.name))?;
                workshop.store.remember(key::RECORDS, &key, &record)?;
                Ok(Some((index, finish(&step, &record, "built"))))
            };
            tokio::task::spawn_blocking(work).await.map_err(|error| BuildError::Worker(error.to_string()))?
        });
    }
    let mut failure = None;
    while let Some(result) = tasks.join_next().await {
        match result.unwrap_or_else(|error| Err(BuildError::Worker(error.to_string()))) {
            Ok(None) => {}
            Ok(Some(made)) => finished.push(made),
            // What comes after the first failure are those that it ended.
            Err(error) => {
                going = None;
                failure.get_or_insert(error);
            }
        }
    }
    drop(going);
    if let Some(failure) = failure {
        return Err(failure);
    }
    Ok(finished)
}

fn finish(step: &Step<'_>, record: &LayerRecord, how: &'static str) -> FinishedLayer {
    FinishedLayer {
        name: step.layer.name.clone(),
        history: step.history(),
        diff_id: record.diff_id,
        descriptor: record.descriptor.clone(),
        shape: record.shape.clone(),
        how,
    }
}

/// Makes one layer of inputs that are all in the cache. With `expected`, the image's name, it must come out as its lock
/// says.
pub(super) fn make(
    step: &Step<'_>,
    compression: Compression,
    workshop: &Workshop,
    pool: &Pool,
    halt: &Halt,
    expected: Option<&str>,
) -> Result<(LayerRecord, Vec<EntryRecord>), BuildError> {
    let total: u64 = step.inputs().iter().map(|input| input.size).sum();
    let task = Arc::new(workshop.events.task(TaskKind::Layer, &step.layer.name, (total > 0).then_some(total)));
    vouch::verify(step, workshop)?;
    let progress = task.clone();
    let downloads = workshop.store.downloads();
    let writer = LayerWriter::new(
        halt.guard(workshop.store.create_blob()?),
        compression,
        step.part.mtime,
        pool,
        Box::new(move |done| progress.progress(done)),
    )?;
    let written = Assembly::new(*step, &downloads, writer).run();
    let written = written.and_then(|(writer, shape)| Ok((writer.finish()?, shape)));
    let ((layer, blob), shape) = written.map_err(|error| error.of_layer(&step.layer.name))?;
    let descriptor = Descriptor::new(key::media_type(compression), layer.digest, layer.size);
    let record = LayerRecord { diff_id: layer.diff_id, descriptor, tar_size: layer.tar_size, shape };
    if let Some(image) = expected {
        reproduce::check(step, &record, &layer.entries, compression, image)?;
    }
    blob.into_inner().commit(&layer.digest)?;
    workshop.store.remember_tar_size(&record.descriptor, record.tar_size)?;
    for path in &layer.stripped {
        workshop.events.detail(format!("layer {}: {path} lost its setuid or setgid bit", step.layer.name));
    }
    if let Some(task) = Arc::into_inner(task) {
        task.finish(Outcome::Done);
    }
    let entrypoint = step.layer.entrypoint.as_ref().and_then(|_| embedded::entrypoint(&step.platform.architecture));
    if let Some(embedded::Entrypoint { kind, build, .. }) = entrypoint {
        workshop.events.detail(format!("layer {}: its entrypoint is {kind}: {build}", step.layer.name));
    }
    Ok((record, layer.entries))
}
