//! The last layer: what the user adds. It stands in no lock and is made anew each time.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::assemble::rule_name;
use super::halt::{self, Halt};
use super::image::FinishedLayer;
use super::key;
use super::recipe::Recipe;
use super::rules::{self, Collected};
use super::shape::Shape;
use super::user_files;
use super::{Addition, BuildError, Request, Workshop};
use crate::definition::Generate;
use crate::event::{Outcome, TaskKind};
use crate::layer::{Compression, Entry, EntryKind, EntryPath, LayerWriter, Limits, Origin, Pool, read_tar};
use crate::oci::{Descriptor, media_type};

/// What a layer of the user's files holds.
#[derive(Debug, Clone)]
pub(super) struct Additions {
    pub name: String,
    pub history: String,
    pub add: Vec<Addition>,
    /// PEM files for the bundle and the truststore.
    pub authorities: Vec<PathBuf>,
}

impl Additions {
    /// What the flags add; `None` where that is nothing.
    pub(super) fn of_flags(request: &Request) -> Option<Additions> {
        let (add, authorities) = (request.add.clone(), request.authorities.clone());
        let (name, history) = ("additions".to_owned(), "files added by the user of kimg".to_owned());
        (!add.is_empty() || !authorities.is_empty()).then_some(Additions { name, history, add, authorities })
    }
}

/// The error of a file that a layer of the user's cannot hold.
pub(super) fn own_error(layer: &str, path: &str, why: &str) -> BuildError {
    BuildError::BadUserFile { path: format!("layer {layer}: {path}"), why: why.to_owned() }
}

/// A certificate authority's PEM file is small; one that is not is another file.
const PEM_LIMIT: u64 = 1 << 20;

/// Makes the layer of `--add` and `--ca`, or one of a definition of the user's.
pub(super) async fn layer(
    recipe: &Arc<Recipe>,
    own: Additions,
    compression: Compression,
    workshop: &Workshop,
    below: &[FinishedLayer],
    pool: &Pool,
) -> Result<FinishedLayer, BuildError> {
    let (recipe, workshop, pool, name) = (recipe.clone(), workshop.clone(), pool.clone(), own.name.clone());
    let below = below.to_vec();
    let (_going, halt) = halt::pair();
    let work = move || make(&recipe, &own, compression, &workshop, &below, &pool, &halt);
    let made = tokio::task::spawn_blocking(work).await.map_err(|error| BuildError::Worker(error.to_string()))?;
    made.map_err(|error| error.of_layer(&name))
}

fn make(
    recipe: &Recipe,
    own: &Additions,
    compression: Compression,
    workshop: &Workshop,
    below: &[FinishedLayer],
    pool: &Pool,
    halt: &Halt,
) -> Result<FinishedLayer, BuildError> {
    let task = Arc::new(workshop.events.task(TaskKind::Layer, &own.name, None));
    let mtime = recipe.parts.iter().map(|part| part.mtime).max().unwrap_or_default();
    let blob = halt.guard(workshop.store.create_blob()?);
    let progress = task.clone();
    let report = Box::new(move |done| progress.progress(done));
    let mut writer = LayerWriter::new(blob, compression, mtime, pool, report)?;
    for (path, bytes) in trust(recipe, own, workshop, below)? {
        let entry = Entry {
            path: EntryPath::new(path.as_bytes())?,
            kind: EntryKind::File { size: bytes.len() as u64 },
            mode: 0o644,
            uid: 0,
            gid: 0,
            origin: Origin { input: Arc::from("--ca"), rule: Arc::from("authorities") },
        };
        writer.add(entry, &mut bytes.as_slice())?;
    }
    let merged = recipe.usrmerge();
    let (mut shape, mut noted) = (Shape::default(), Shape::default());
    below.iter().for_each(|layer| shape.cover(&layer.shape));
    for addition in &own.add {
        user_files::add(&mut writer, addition, &merged, &shape, &mut noted)?;
    }
    let (layer, blob) = writer.finish()?;
    blob.into_inner().commit(&layer.digest)?;
    let descriptor = Descriptor::new(key::media_type(compression), layer.digest, layer.size);
    workshop.store.remember_tar_size(&descriptor, layer.tar_size)?;
    for path in &layer.stripped {
        workshop.events.warning(format!("--add: {path} lost its setuid or setgid bit"));
    }
    if let Some(task) = Arc::into_inner(task) {
        task.finish(Outcome::Done);
    }
    Ok(FinishedLayer {
        name: own.name.clone(),
        history: own.history.clone(),
        diff_id: layer.diff_id,
        descriptor,
        shape: noted,
        how: "built",
    })
}

/// The bundle and the truststore again, with the user's authorities: made by the same rules of the same certificates,
/// which lie in a layer below.
fn trust(
    recipe: &Recipe,
    own: &Additions,
    workshop: &Workshop,
    below: &[FinishedLayer],
) -> Result<BTreeMap<String, Vec<u8>>, BuildError> {
    let mut files = BTreeMap::new();
    if own.authorities.is_empty() {
        return Ok(files);
    }
    let own = user_authorities(&own.authorities)?;
    for (step, layer) in recipe.steps().zip(below) {
        let is_trust = |rule: &&Generate| matches!(rule, Generate::CaBundle { .. } | Generate::JavaTruststore { .. });
        for rule in step.layer.generate.iter().filter(is_trust) {
            let certificates = read_layer(workshop, &layer.descriptor, rule)?;
            if certificates.is_empty() {
                // The image would trust the user's authorities only.
                let (rule, pattern) = (rule_name(rule), rule.from().unwrap_or_default().to_owned());
                return Err(BuildError::NothingMatches { layer: step.layer.name.clone(), rule, pattern });
            }
            let all: Vec<_> = certificates.iter().chain(&own).map(|(path, bytes)| (path, bytes.as_slice())).collect();
            files.extend(rules::run_on(rule, &all, &step.layer.name)?);
        }
    }
    match files.is_empty() {
        true => Err(BuildError::BadUserFile {
            path: "--ca".to_owned(),
            why: format!("no layer of {} has a rule that makes a bundle of authorities or a truststore", recipe.name),
        }),
        false => Ok(files),
    }
}

/// The user's certificates, in the order of the flags.
fn user_authorities(authorities: &[PathBuf]) -> Result<Collected, BuildError> {
    let mut found = Collected::new();
    for (number, path) in authorities.iter().enumerate() {
        let shown = path.display().to_string();
        let failed = |source| BuildError::UserFile { path: shown.clone(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(PEM_LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
        let bad = |why: &str| BuildError::BadUserFile { path: shown.clone(), why: why.to_owned() };
        if bytes.len() as u64 > PEM_LIMIT {
            return Err(bad("is larger than 1 MiB, so it is no PEM file of certificates"));
        }
        let text = String::from_utf8(bytes).map_err(|_| bad("is not text, so it is no PEM file of certificates"))?;
        let certificates = super::generate::pem_certificates(&text);
        if certificates.is_empty() {
            return Err(bad("holds no PEM certificate"));
        }
        for (index, certificate) in certificates.into_iter().enumerate() {
            let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            // Files of one name in several folders must not share a path.
            let name = EntryPath::new(format!("{number:04}/{index:04}/{stem}-{index}.crt").as_bytes())?;
            if super::generate::java_truststore(&[(&name, certificate.as_bytes())]).is_err() {
                return Err(bad("holds a PEM block that is no X.509 certificate"));
            }
            found.insert(name, certificate.into_bytes());
        }
    }
    Ok(found)
}

/// The files of a layer in the store that a rule is made of.
fn read_layer(workshop: &Workshop, layer: &Descriptor, rule: &Generate) -> Result<Collected, BuildError> {
    let blob = workshop.store.open_blob(layer)?;
    let read_error = |source| BuildError::UserFile { path: layer.digest.to_string(), source };
    let tar: Box<dyn Read> = match layer.media_type.as_str() {
        media_type::LAYER_GZIP => Box::new(flate2::read::GzDecoder::new(io::BufReader::new(blob))),
        media_type::LAYER_ZSTD => Box::new(zstd::Decoder::new(blob).map_err(read_error)?),
        _ => Box::new(blob),
    };
    let mut found = Collected::new();
    let limits = Limits { entries: 1 << 20, bytes: 1 << 40 };
    read_tar(tar, &layer.digest.to_string(), limits, |entry, content| {
        let wanted = rule.from().is_some_and(|from| super::pattern::matches(from, entry.path.as_bytes()));
        if wanted && matches!(entry.kind, EntryKind::File { .. }) {
            let mut bytes = Vec::new();
            content.take(PEM_LIMIT).read_to_end(&mut bytes).map_err(read_error)?;
            found.insert(entry.path, bytes);
        }
        Ok::<(), BuildError>(())
    })?;
    Ok(found)
}
