//! Archives that are read once, in one pass, into the store: what `docker save` writes, and OCI archives that come by a
//! pipe. Nothing of them is named there; what is left over when they are no images goes with the next prune.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::archive_kind::{no_tar, refuse_packed_stream};
use super::docker_manifest;
use super::layout_names;
use super::layout_source::small;
use super::oci_archive_source::{INDEX_LIMIT, MAX_ENTRIES};
use crate::copy::{CopyError, MAX_MANIFEST, MAX_MANIFESTS, Stop};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{Category, Diagnose};
use crate::event::{Events, Outcome, TaskKind};
use crate::layer::{Compression, EntryPath, LayerError, Passing, Pool, pack, pass_members};
use crate::oci::{Descriptor, Index, media_type};
use crate::store::{NAME, Store, Verified};

/// What archives are imported with.
#[derive(Debug, Clone)]
pub struct Import {
    /// Where they go. The caller holds its lease.
    pub store: Store,
    /// Who packs layers that come as tars.
    pub pool: Pool,
    /// Where to tell of it.
    pub events: Events,
    /// Ends it.
    pub stop: Stop,
}

/// The images of an archive that were imported.
#[derive(Debug)]
pub struct Imported {
    pub(super) place: String,
    pub(super) images: Vec<(Vec<String>, Descriptor)>,
    store: Store,
}

impl Imported {
    /// The image of that name, digest, or position (`@0`); without one, the only image that there is.
    pub fn find(&self, name: Option<&str>) -> Result<Descriptor, CopyError> {
        let position = name.and_then(|name| name.strip_prefix('@')).and_then(|number| number.parse::<usize>().ok());
        if let Some((names, image)) = position.and_then(|position| self.images.get(position)) {
            let mut image = image.clone();
            image.annotations.extend(names.first().map(|name| (NAME.to_owned(), name.clone())));
            return Ok(image);
        }
        let mut entries = Vec::new();
        for (names, image) in &self.images {
            entries.extend(names.iter().map(|name| {
                let mut named = image.clone();
                named.annotations.insert(NAME.to_owned(), name.clone());
                named
            }));
            if names.is_empty() {
                entries.push(image.clone());
            }
        }
        layout_names::find(&self.place, &Index::new(entries), name, &|digest| small(self.store.layout(), digest))
    }
}

/// What came in an archive.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// Documents by path.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// Layers by path.
    pub layers: BTreeMap<String, CameLayer>,
    links: BTreeMap<String, String>,
    bytes: u64,
}

/// A layer that came: its blob in the store.
#[derive(Debug, Clone)]
pub(super) struct CameLayer {
    pub descriptor: Descriptor,
    /// The digest of its tar, where it came as one.
    pub diff_id: Option<Digest>,
}

/// Links upon links, at most.
const MAX_LINKS: usize = 8;

impl Came {
    /// What lies at a path, through links.
    pub(super) fn at<'a, T>(&'a self, all: &'a BTreeMap<String, T>, path: &str) -> Option<&'a T> {
        let mut path = clean(path)?;
        for _ in 0..=MAX_LINKS {
            if let Some(found) = all.get(&path) {
                return Some(found);
            }
            path = self.links.get(&path)?.clone();
        }
        None
    }
}

fn clean(path: &str) -> Option<String> {
    Some(text(&EntryPath::new(path.as_bytes()).ok()?))
}

fn text(path: &EntryPath) -> String {
    String::from_utf8_lossy(path.as_bytes()).into_owned()
}

/// How long the beginning of a file is that tells what it is: a tar's first header.
const BEGINNING: u64 = 512;

/// A tar whose reads fail once the copy is to stop.
struct Stopping<'a>(Box<dyn Read + Send + 'a>, Stop);

impl Read for Stopping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_set() { Err(io::Error::other("the copy ended")) } else { self.0.read(buffer) }
    }
}

impl Import {
    /// Imports an OCI archive.
    pub fn oci(&self, place: &str, tar: Box<dyn Read + Send + '_>) -> Result<Imported, CopyError> {
        let came = self.read(place, tar)?;
        match came.documents.get("index.json") {
            Some(bytes) => self.by_index(place, bytes),
            None => Err(no_archive(place, "index.json is not in it, so this is no OCI archive")),
        }
    }

    /// Imports what `docker save` writes. Since version 25 that is an OCI archive too: then all bytes stay as they are.
    pub fn docker(&self, place: &str, tar: Box<dyn Read + Send + '_>) -> Result<Imported, CopyError> {
        let came = self.read(place, tar)?;
        match (came.documents.get("index.json"), came.documents.get("manifest.json")) {
            (Some(bytes), _) => self.by_index(place, bytes),
            (None, Some(bytes)) => {
                let images = docker_manifest::images(self, place, &came, bytes)?;
                Ok(Imported { place: place.to_owned(), images, store: self.store.clone() })
            }
            (None, None) => Err(no_archive(place, "manifest.json is not in it, so `docker save` did not write it")),
        }
    }

    fn by_index(&self, place: &str, bytes: &[u8]) -> Result<Imported, CopyError> {
        let index: Index = serde_json::from_slice(bytes)
            .map_err(|error| no_archive(place, &format!("index.json is no index of a layout: {error}")))?;
        let images = index.manifests.into_iter().map(|mut manifest| {
            let names = layout_names::name_of(&manifest).into_iter().collect();
            manifest.annotations.remove(NAME);
            (names, manifest)
        });
        Ok(Imported { place: place.to_owned(), images: images.collect(), store: self.store.clone() })
    }

    fn read(&self, place: &str, tar: Box<dyn Read + Send + '_>) -> Result<Came, CopyError> {
        let tar = refuse_packed_stream(place, tar)?;
        let mut tar = Stopping(tar, self.stop.clone());
        let mut came = Came::default();
        pass_members(&mut tar, place, MAX_ENTRIES, |path, passing| {
            let path = text(path);
            match passing {
                Passing::Link(target) => {
                    came.links.insert(path, text(&target));
                    Ok(())
                }
                Passing::File(size, content) => self.file(place, &path, size, content, &mut came).map_err(Told::Copy),
            }
        })
        .map_err(|told| match told {
            Told::Copy(error) => error,
            Told::Tar(error) => no_tar(place, place, &error),
        })?;
        Ok(came)
    }

    fn file(
        &self,
        place: &str,
        path: &str,
        size: u64,
        content: &mut dyn Read,
        came: &mut Came,
    ) -> Result<(), CopyError> {
        if matches!(path, "index.json" | "manifest.json") {
            return keep(place, path, size, INDEX_LIMIT, content, came);
        }
        if let Some(digest) = digest_of(path) {
            self.blob(place, &digest, size, content)?;
            let layer = CameLayer { descriptor: Descriptor::new("", digest, size), diff_id: None };
            came.layers.insert(path.to_owned(), layer);
            return Ok(());
        }
        let mut beginning = Vec::new();
        content.take(BEGINNING).read_to_end(&mut beginning).map_err(|error| unread(place, path, &error))?;
        let mut whole = io::Cursor::new(beginning.clone()).chain(content);
        match kind_of(&beginning) {
            Some(Kind::Document) => keep(place, path, size, MAX_MANIFEST, &mut whole, came),
            Some(Kind::Layer(media_type)) => {
                let layer = self.layer(place, path, size, media_type, &mut whole)?;
                came.layers.insert(path.to_owned(), layer);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes a blob whose path says what it is.
    fn blob(&self, place: &str, digest: &Digest, size: u64, content: &mut dyn Read) -> Result<(), CopyError> {
        let name = digest.to_string();
        let failed = |error: &dyn Diagnose| CopyError::because("store", &name, error);
        let task = self.events.task(TaskKind::Layer, name.clone(), Some(size));
        let mut blob = self.store.create_blob().map_err(|error| failed(&error))?;
        copy(
            &mut Verified::new(content, *digest, size),
            &mut |bytes| blob.append(bytes).map_err(|error| failed(&error)),
            &|done| {
                task.progress(done);
            },
            &|error| CopyError::Failed {
                place: place.to_owned(),
                what: name.clone(),
                why: error.to_string(),
                category: Category::Verification,
                hint: Some("the archive is damaged: make it again".to_owned()),
            },
        )?;
        blob.commit(digest).map_err(|error| failed(&error))?;
        task.finish(Outcome::Done);
        Ok(())
    }

    /// Takes a layer: a tar is packed, and what is packed stays as it is.
    fn layer(
        &self,
        place: &str,
        path: &str,
        size: u64,
        kind: &'static str,
        content: &mut dyn Read,
    ) -> Result<CameLayer, CopyError> {
        let failed = |error: &dyn Diagnose| CopyError::because("store", path, error);
        let task = self.events.task(TaskKind::Layer, path.to_owned(), Some(size));
        let mut blob = self.store.create_blob().map_err(|error| failed(&error))?;
        let layer = if kind == media_type::LAYER {
            let input = path.escape_debug().to_string();
            let packed = pack(content, &input, blob, Compression::Gzip(None), &self.pool, Box::new(|_| {}));
            let (packed, blob) = packed.map_err(|error| CopyError::because(place, &input, &error))?;
            blob.commit(&packed.digest).map_err(|error| failed(&error))?;
            let descriptor = Descriptor::new(media_type::LAYER_GZIP, packed.digest, packed.size);
            self.store.remember_tar_size(&descriptor, packed.tar_size).map_err(|error| failed(&error))?;
            CameLayer { descriptor, diff_id: Some(packed.diff_id) }
        } else {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            let mut take = |bytes: &[u8]| {
                hasher.update(bytes);
                blob.append(bytes).map_err(|error| failed(&error))
            };
            copy(content, &mut take, &|done| task.progress(done), &|error| unread(place, path, &error))?;
            let digest = hasher.finish();
            blob.commit(&digest).map_err(|error| failed(&error))?;
            CameLayer { descriptor: Descriptor::new(kind, digest, size), diff_id: None }
        };
        task.finish(Outcome::Done);
        Ok(layer)
    }
}

/// An error on its way through what reads tars.
enum Told {
    Copy(CopyError),
    Tar(LayerError),
}

impl From<LayerError> for Told {
    fn from(error: LayerError) -> Told {
        Told::Tar(error)
    }
}

enum Kind {
    Document,
    Layer(&'static str),
}

/// What a file of `docker save` is by its beginning: its name tells little. What is neither has no meaning.
fn kind_of(beginning: &[u8]) -> Option<Kind> {
    let is_tar = beginning.get(257..262) == Some(b"ustar");
    match beginning {
        _ if is_tar => Some(Kind::Layer(media_type::LAYER)),
        [b'{' | b'[', ..] => Some(Kind::Document),
        [0x1f, 0x8b, ..] => Some(Kind::Layer(media_type::LAYER_GZIP)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Kind::Layer(media_type::LAYER_ZSTD)),
        _ if beginning.len() as u64 == BEGINNING => Some(Kind::Layer(media_type::LAYER)),
        _ => None,
    }
}

/// The digest that a blob of a layout must have.
fn digest_of(path: &str) -> Option<Digest> {
    let (algorithm, hex) = path.strip_prefix("blobs/")?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

fn keep(
    place: &str,
    path: &str,
    size: u64,
    limit: u64,
    content: &mut dyn Read,
    came: &mut Came,
) -> Result<(), CopyError> {
    came.bytes = came.bytes.saturating_add(size);
    if size > limit || came.bytes > MAX_MANIFESTS {
        return Err(no_archive(place, &format!("{} is larger than a document may be", path.escape_debug())));
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).map_err(|error| unread(place, path, &error))?;
    came.documents.insert(path.to_owned(), bytes);
    Ok(())
}

fn copy(
    content: &mut dyn Read,
    take: &mut dyn FnMut(&[u8]) -> Result<(), CopyError>,
    progress: &dyn Fn(u64),
    failed: &dyn Fn(io::Error) -> CopyError,
) -> Result<(), CopyError> {
    let (mut buffer, mut done) = (vec![0; 1 << 20], 0);
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                take(&buffer[..count])?;
                done += count as u64;
                progress(done);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

fn unread(place: &str, path: &str, error: &io::Error) -> CopyError {
    CopyError::Failed {
        place: place.to_owned(),
        what: path.escape_debug().to_string(),
        why: error.to_string(),
        category: Category::Failed,
        hint: None,
    }
}

/// What is no archive of images.
pub(super) fn no_archive(place: &str, why: &str) -> CopyError {
    CopyError::Failed {
        place: place.to_owned(),
        what: "cannot be read".to_owned(),
        why: why.to_owned(),
        category: Category::Failed,
        hint: Some("write oci-archive:FILE or docker-archive:FILE, as it was made".to_owned()),
    }
}
