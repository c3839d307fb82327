//! The inputs of images as one artifact (image-spec 1.1, manifest.md, "Guidelines for Artifact Usage"): a layer a file,
//! with its path in the folder that `kimg fetch` makes as its title. The same inputs are the same bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::folders;
use super::inputs::Need;
use super::{BuildError, PlaceError, Workshop};
use crate::copy::{CopyError, Source};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::Category;
use crate::event::{Outcome, TaskKind};
use crate::lock::Upstream;
use crate::oci::{self, Descriptor, media_type};
use crate::store::{Downloads, Lease, StoreError};

/// What the artifact is.
const ARTIFACT: &str = "application/vnd.kimg.inputs.v1";

/// What its layers are: packages, jars, archives, signatures.
const FILE: &str = "application/octet-stream";

/// The configuration of what has none (image-spec 1.1, manifest.md, "Guidance for an Empty Descriptor").
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

const TITLE: &str = "org.opencontainers.image.title";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactManifest {
    schema_version: u32,
    media_type: String,
    #[serde(default)]
    artifact_type: String,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// An artifact that builds take inputs from; cheap to clone.
#[derive(Clone)]
pub struct InputsArtifact(Arc<Inner>);

struct Inner {
    source: Arc<dyn Source>,
    files: Vec<Descriptor>,
}

impl InputsArtifact {
    /// Reads its manifest.
    pub fn read(source: Arc<dyn Source>, descriptor: &Descriptor) -> Result<InputsArtifact, BuildError> {
        let wrong = |why: &str| PlaceError::Inputs { place: source.describe(), why: why.to_owned() };
        if descriptor.media_type != media_type::MANIFEST {
            return Err(wrong("it is no artifact of inputs").into());
        }
        let bytes = source.manifest(descriptor)?;
        let manifest: ArtifactManifest =
            serde_json::from_slice(&bytes).map_err(|_| wrong("it is no artifact of inputs"))?;
        if manifest.artifact_type != ARTIFACT {
            return Err(wrong("it is an image or artifact, and none of inputs").into());
        }
        Ok(InputsArtifact(Arc::new(Inner { source, files: manifest.layers })))
    }

    /// Where it is.
    pub(super) fn place(&self) -> String {
        self.0.source.describe()
    }

    /// A file by its digest, or else, for those that are pinned by another kind of digest, by its path.
    fn find(&self, need: &Need) -> Option<&Descriptor> {
        let fits = |file: &&Descriptor| (file.digest, file.size) == (need.digest, need.size);
        let files = &self.0.files;
        files.iter().find(fits).or_else(|| self.titled(need.upstream, &need.path).filter(|file| file.size == need.size))
    }

    /// The file of that path.
    pub(super) fn titled(&self, upstream: Upstream, path: &str) -> Option<&Descriptor> {
        let title = folders::title(upstream, path);
        self.0.files.iter().find(|file| file.annotations.get(TITLE) == Some(&title))
    }

    /// Brings a file into the cache, verified by its pin; whether it is there at all.
    pub(super) fn take(&self, need: &Need, workshop: &Workshop) -> Result<bool, BuildError> {
        let Some(file) = self.find(need) else { return Ok(false) };
        let name = format!("{}: {}", self.place(), need.name);
        let task = workshop.events.task(TaskKind::Fetch, &need.name, Some(need.size));
        let mut input = workshop.store.downloads().create(&name, &need.digest, need.size)?;
        let mut content = self.0.source.open(file, 0)?;
        input.append_all(&mut content, |error| self.unreadable(&need.name, &error))?;
        input.commit()?;
        task.finish(Outcome::Done);
        Ok(true)
    }

    /// The bytes of a small file, not verified.
    pub(super) async fn bytes(&self, file: &Descriptor, limit: u64) -> Result<Vec<u8>, BuildError> {
        let (artifact, file) = (self.clone(), file.clone());
        let read = move || {
            let mut bytes = Vec::new();
            let read = artifact.0.source.open(&file, 0)?.take(limit).read_to_end(&mut bytes);
            read.map_err(|error| artifact.unreadable(&file.digest.to_string(), &error))?;
            Ok(bytes)
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| BuildError::Worker(error.to_string()))?
    }

    fn unreadable(&self, name: &str, error: &io::Error) -> BuildError {
        CopyError::Failed {
            place: self.place(),
            what: name.to_owned(),
            why: error.to_string(),
            category: Category::Refused,
            hint: None,
        }
        .into()
    }
}

impl fmt::Debug for InputsArtifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InputsArtifact").field(&self.place()).finish()
    }
}

/// Files of the cache as an artifact to copy. They stay there while this lives.
pub struct InputsSource {
    downloads: Downloads,
    _lease: Lease,
    manifest: Vec<u8>,
    /// By the digest of the artifact's blobs; that of the cache may be of another kind.
    files: BTreeMap<Digest, (Digest, u64)>,
}

impl InputsSource {
    /// The artifact of these files, by their paths.
    pub(super) fn new(
        files: &BTreeMap<String, (Digest, u64)>,
        downloads: Downloads,
        lease: Lease,
    ) -> Result<InputsSource, BuildError> {
        let (mut layers, mut by_digest) = (Vec::new(), BTreeMap::new());
        for (path, (digest, size)) in files {
            let own = match digest.algorithm() {
                Algorithm::Sha256 => *digest,
                // Registries need not know others.
                _ => hash(&downloads, digest, *size, path)?,
            };
            let annotations = BTreeMap::from([(TITLE.to_owned(), path.clone())]);
            layers.push(Descriptor { annotations, ..Descriptor::new(FILE, own, *size) });
            by_digest.insert(own, (*digest, *size));
        }
        let manifest = oci::to_bytes(&ArtifactManifest {
            schema_version: 2,
            media_type: media_type::MANIFEST.to_owned(),
            artifact_type: ARTIFACT.to_owned(),
            config: Descriptor::of(EMPTY.0, EMPTY.1),
            layers,
        });
        Ok(InputsSource { downloads, _lease: lease, manifest, files: by_digest })
    }

    /// Its manifest.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::of(media_type::MANIFEST, &self.manifest)
    }
}

fn hash(downloads: &Downloads, digest: &Digest, size: u64, path: &str) -> Result<Digest, BuildError> {
    let mut file = downloads.open(digest, size)?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(source) => return Err(BuildError::UserFile { path: path.to_owned(), source }),
        }
    }
}

const PLACE: &str = "the cache";

fn failed(digest: Digest) -> impl Fn(StoreError) -> CopyError {
    move |error| CopyError::because(PLACE, &digest.to_string(), &error)
}

impl Source for InputsSource {
    fn describe(&self) -> String {
        PLACE.to_owned()
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        Err(CopyError::NotFound { place: PLACE.to_owned(), name: name.to_owned() })
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        let rest = |bytes: &'static [u8]| &bytes[usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len())..];
        if blob.digest == Digest::of(EMPTY.1) {
            return Ok(Box::new(rest(EMPTY.1)));
        }
        if blob.digest.fits(&self.manifest) {
            let mut manifest = io::Cursor::new(self.manifest.as_slice());
            manifest.set_position(offset);
            return Ok(Box::new(manifest));
        }
        let Some((digest, size)) = self.files.get(&blob.digest) else {
            return Err(CopyError::NotFound { place: PLACE.to_owned(), name: blob.digest.to_string() });
        };
        let mut file = self.downloads.open(digest, *size).map_err(failed(blob.digest))?;
        file.seek(SeekFrom::Start(offset)).map_err(|error| CopyError::Failed {
            place: PLACE.to_owned(),
            what: blob.digest.to_string(),
            why: error.to_string(),
            category: Category::Failed,
            hint: None,
        })?;
        Ok(Box::new(file))
    }
}

impl fmt::Debug for InputsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputsSource").field("files", &self.files.len()).finish_non_exhaustive()
    }
}
