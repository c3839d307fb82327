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
use super::recipe::{Recipe, Step};
use super::reproduce;
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
    let lease = workshop.store.lease()?;
    let recipes = Recipe::resolve(&workshop.catalog, request)?;
    let Some(first) = recipes.first().cloned() else { return Err(BuildError::Worker("no platform".to_owned())) };
    warn(&first, workshop);
    local::check_files(&workshop.catalog)?;
    if request.locked {
        recipes.iter().try_for_each(check_locked)?;
    }
    let pool = Pool::new(workshop.threads);
    let mut images = Vec::new();
    for recipe in recipes {
        images.push(build_image(&Arc::new(recipe), request, workshop, &pool).await?);
    }
    let manifest = match images.as_slice() {
        [image] => image.manifest.clone(),
        images => {
            let manifests = images.iter().map(|image| image.manifest.clone()).collect();
            workshop.store.put(media_type::INDEX, &oci::to_bytes(&image::index(&first, request, manifests)))?
        }
    };
    let mut names = vec![first.name.clone()];
    names.extend(request.tags.iter().filter(|tag| **tag != first.name).cloned());
    workshop.store.name(&names, &manifest)?;
    drop(lease);
    Ok(Built { name: first.name, manifest, images })
}

/// Builds the image of one platform; nothing points at it yet.
async fn build_image(
    recipe: &Arc<Recipe>,
    request: &Request,
    workshop: &Workshop,
    pool: &Pool,
) -> Result<BuiltImage, BuildError> {
    let made = make_layers(recipe, request.compression, workshop, pool).await?;
    let mut layers = add_local(recipe, made, request.compression, workshop, pool).await?;
    if let Some(mut own) = Additions::of_flags(request) {
        if !own.authorities.is_empty() {
            // The bundle is made anew, so those of the layers below go into it again.
            own.authorities.splice(0..0, authorities(recipe));
        }
        layers.push(additions::layer(recipe, own, request.compression, workshop, &layers, pool).await?);
    }
    let config = image::config(recipe, request, &layers);
    let config = workshop.store.put(media_type::CONFIG, &oci::to_bytes(&config))?;
    let config_digest = config.digest;
    let manifest = image::manifest(recipe, request, config, &layers);
    let mut manifest = workshop.store.put(media_type::MANIFEST, &oci::to_bytes(&manifest))?;
    manifest.platform = Some(recipe.platform.clone());
    Ok(BuiltImage {
        platform: recipe.platform.clone(),
        manifest,
        config: config_digest,
        layers: layers.into_iter().map(|layer| (layer.name, layer.descriptor, layer.how)).collect(),
    })
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
fn warn(recipe: &Recipe, workshop: &Workshop) {
    for part in recipe.parts.iter() {
        let Definition { name, versions, .. } = &part.family.definition;
        if let Some(warning) = versions.get(&part.version).and_then(|version| version.warning.as_ref()) {
            workshop.events.warning(format!("{name}:{}: {warning}", part.version));
        }
    }
}

/// Whether locks say of each layer that is made of locked inputs what must come out.
fn check_locked(recipe: &Recipe) -> Result<(), BuildError> {
    match recipe.steps().find(|step| step.layer.is_locked() && step.output().is_none()) {
        None => Ok(()),
        Some(step) => Err(LockError::Unfit {
            image: step.part.lock.image.clone(),
            why: format!("it does not say what layer `{}` must be on {}", step.layer.name, step.platform),
        }
        .into()),
    }
}

/// Makes the layers that are not in the store yet, side by side, each as soon as its inputs are here. When one fails, the
/// others end, and are waited for: nothing works on with the store behind the caller's back. Those of a user's own files are
/// not among them.
async fn make_layers(
    recipe: &Arc<Recipe>,
    compression: Compression,
    workshop: &Workshop,
    pool: &Pool,
) -> Result<Vec<Option<FinishedLayer>>, BuildError> {
    let count = recipe.steps().count();
    let mut finished: Vec<Option<FinishedLayer>> = vec![None; count];
    let mut tasks: JoinSet<Result<Option<(usize, FinishedLayer)>, BuildError>> = JoinSet::new();
    let (going, halt) = halt::pair();
    let mut going = Some(going);
    let mut missing = Vec::new();
    for (index, step) in recipe.steps().enumerate().filter(|(_, step)| !step.layer.is_local()) {
        let key = key::of(&step, compression);
        let record: Option<LayerRecord> = workshop.store.recall(key::RECORDS, &key);
        let is_good = |record: &LayerRecord| {
            workshop.store.has(&record.descriptor) && reproduce::fits(&step, record, compression)
        };
        if let Some(record) = record.filter(is_good) {
            finished[index] = Some(finish(&step, &record, "reused"));
            continue;
        }
        missing.push((index, key));
    }
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
            Ok(Some((index, layer))) => finished[index] = Some(layer),
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
