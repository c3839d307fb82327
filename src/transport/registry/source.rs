use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::runtime::Handle;

use super::Session;
use super::document::{Document, document, plain};
use super::listed_referrers::referrers;
use super::reading::Reading;
use super::redirect::{PAGE, refused};
use super::token::Actions;
use crate::copy::{CopyError, MAX_MANIFEST, Origin, Source};
use crate::digest::Digest;
use crate::net::{Answer, Exchange, Verb};
use crate::oci::{Descriptor, media_type};

/// The manifests that kimg can pass on.
pub(super) const ACCEPT: [&str; 4] =
    [media_type::MANIFEST, media_type::INDEX, media_type::DOCKER_MANIFEST, media_type::DOCKER_LIST];

/// A repository as a source. Its methods block: they are called on threads that may wait.
#[derive(Debug, Clone)]
pub struct RegistrySource {
    session: Session,
    runtime: Handle,
    /// The manifest that came where only its descriptor was wanted: some registries count how many are read.
    kept: Arc<Mutex<Option<Kept>>>,
}

/// A manifest and its digest.
type Kept = (Digest, Vec<u8>);

/// What a manifest without a media type is told by.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
}

impl RegistrySource {
    /// The repository of a session.
    pub fn new(session: Session, runtime: Handle) -> RegistrySource {
        RegistrySource { session, runtime, kept: Arc::default() }
    }

    /// Asks for the headers first: Docker Hub counts those who read manifests.
    async fn find(&self, name: &str) -> Result<Descriptor, CopyError> {
        let url = self.session.url(&format!("manifests/{name}"));
        let accept = ACCEPT.join(", ");
        let ask = || Exchange::new(Verb::Head, url.clone()).header("accept", accept.clone());
        let answer = self.session.ask(Actions::Pull, ask).await?;
        if let Some(descriptor) = described(&answer, name) {
            return Ok(descriptor);
        }
        // Some registries answer HEAD without a digest, and a refusal of HEAD cannot say why.
        let Some(document) = self.read(name, &accept).await? else {
            return Err(CopyError::NotFound { place: self.describe(), name: name.to_owned() });
        };
        let Document { media_type: told, bytes, .. } = document;
        let Some(media_type) = kind(&told, &bytes) else {
            return Err(refused(&self.session, name, "what was answered is no manifest".to_owned()));
        };
        let digest = name.parse().unwrap_or_else(|_| Digest::of(&bytes));
        let descriptor = Descriptor::new(&media_type, digest, bytes.len() as u64);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, bytes));
        Ok(descriptor)
    }

    /// A manifest, not verified; `None` where there is none.
    async fn read(&self, name: &str, accept: &str) -> Result<Option<Document>, CopyError> {
        let url = self.session.url(&format!("manifests/{name}"));
        match document(&self.session, name, &url, accept, MAX_MANIFEST).await? {
            Ok(document) if document.media_type == "text/html" => Err(refused(&self.session, name, PAGE.to_owned())),
            Ok(document) => Ok(Some(document)),
            Err(answer) if answer.status == 404 => Ok(None),
            Err(answer) => Err(self.session.refused(name, answer).await),
        }
    }

    /// The bytes of a manifest that came before, or that come now.
    async fn bytes(&self, descriptor: &Descriptor) -> Result<Vec<u8>, CopyError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((_, bytes)) = kept.filter(|(digest, _)| *digest == descriptor.digest) {
            return Ok(bytes);
        }
        let name = descriptor.digest.to_string();
        match self.read(&name, &descriptor.media_type).await? {
            Some(document) => Ok(document.bytes),
            None => Err(CopyError::NotFound { place: self.describe(), name }),
        }
    }
}

/// The descriptor that the headers of an answer make, where they are all there. A digest in the name is what counts.
fn described(answer: &Answer, name: &str) -> Option<Descriptor> {
    let told: Option<Digest> = answer.header("docker-content-digest").and_then(|text| text.parse().ok());
    let digest = name.parse().ok().or(told)?;
    let size: u64 = answer.header("content-length")?.parse().ok()?;
    let media_type = plain(answer.header("content-type")?);
    let is_known = ACCEPT.contains(&media_type);
    (answer.status == 200 && is_known && size > 0).then(|| Descriptor::new(media_type, digest, size))
}

/// The media type of a manifest: what it says itself, else what the registry told, else what it looks like. Some
/// registries tell the type of any file.
fn kind(told: &str, bytes: &[u8]) -> Option<String> {
    let shape: Shape = serde_json::from_slice(bytes).ok()?;
    let told = told.contains('+').then(|| told.to_owned());
    let looks = match (&shape.manifests, &shape.config) {
        (Some(_), None) => Some(media_type::INDEX.to_owned()),
        (None, Some(_)) => Some(media_type::MANIFEST.to_owned()),
        _ => None,
    };
    shape.media_type.or(told).or(looks)
}

impl Source for RegistrySource {
    fn describe(&self) -> String {
        format!("docker://{}", self.session.repository().full_name())
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        self.runtime.block_on(self.find(name))
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        Ok(Box::new(Reading::new(self.session.clone(), self.runtime.clone(), blob, offset)))
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, CopyError> {
        let wrong = |why: String| CopyError::Manifest {
            place: self.describe(),
            descriptor: descriptor.digest.to_string(),
            why,
        };
        if descriptor.size > MAX_MANIFEST {
            return Err(wrong(format!("{} bytes are more than the {MAX_MANIFEST} it may have", descriptor.size)));
        }
        let bytes = self.runtime.block_on(self.bytes(descriptor))?;
        if bytes.len() as u64 != descriptor.size {
            return Err(wrong(format!("it has {} bytes, and {} were told", bytes.len(), descriptor.size)));
        }
        match descriptor.digest.fits(&bytes) {
            true => Ok(bytes),
            false => Err(wrong(format!("its bytes are not those of its digest, but of {}", Digest::of(&bytes)))),
        }
    }

    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, CopyError> {
        self.runtime.block_on(referrers(&self.session, &subject.digest))
    }

    fn origin(&self) -> Option<Origin> {
        let repository = self.session.repository();
        Some(Origin { registry: repository.registry.clone(), repository: repository.name.clone() })
    }
}
