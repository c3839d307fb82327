use std::io::{self, Read};

use tokio::runtime::Handle;

use super::Session;
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
}

impl RegistrySource {
    /// The repository of a session.
    pub fn new(session: Session, runtime: Handle) -> RegistrySource {
        RegistrySource { session, runtime }
    }

    async fn find(&self, name: &str) -> Result<Descriptor, CopyError> {
        let url = self.session.url(&format!("manifests/{name}"));
        let make = |verb| Exchange::new(verb, url.clone()).header("accept", ACCEPT.join(", "));
        let answer = self.session.ask(Actions::Pull, || make(Verb::Head)).await?;
        if let Some(descriptor) = described(&answer, name) {
            return Ok(descriptor);
        }
        // Some registries answer HEAD without a digest, and a refusal of HEAD cannot say why.
        let mut answer = self.session.ask(Actions::Pull, || make(Verb::Get)).await?;
        match answer.status {
            200 => {}
            404 => {
                let place = self.describe();
                return Err(CopyError::NotFound { place, name: name.to_owned() });
            }
            _ => return Err(self.session.refused(name, answer).await),
        }
        let media_type = answer.header("content-type").unwrap_or_default().to_owned();
        let bytes = answer.whole(MAX_MANIFEST).await.map_err(|failure| self.broken(name, &failure.to_string()))?;
        Ok(Descriptor::of(plain(&media_type), &bytes))
    }

    fn broken(&self, what: &str, why: &str) -> CopyError {
        CopyError::Failed {
            place: self.describe(),
            what: what.to_owned(),
            why: why.to_owned(),
            category: crate::error::Category::Refused,
            hint: None,
        }
    }
}

/// The descriptor that the headers of an answer make, where they are all there. A digest in the name is what counts.
fn described(answer: &Answer, name: &str) -> Option<Descriptor> {
    let told: Option<Digest> = answer.header("docker-content-digest").and_then(|text| text.parse().ok());
    let digest = name.parse().ok().or(told)?;
    let size: u64 = answer.header("content-length")?.parse().ok()?;
    let media_type = plain(answer.header("content-type")?);
    (answer.status == 200 && size > 0).then(|| Descriptor::new(media_type, digest, size))
}

/// A media type without parameters.
fn plain(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

impl Source for RegistrySource {
    fn describe(&self) -> String {
        format!("docker://{}", self.session.repository().full_name())
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        self.runtime.block_on(self.find(name))
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        let url = self.session.url(&format!("blobs/{}", blob.digest));
        let reader = Reading {
            source: self,
            url,
            name: blob.digest.to_string(),
            offset,
            tries: TRIES,
            ended: false,
            answer: None,
            piece: io::Cursor::new(Vec::new()),
        };
        Ok(Box::new(reader))
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, CopyError> {
        let name = descriptor.digest.to_string();
        let url = self.session.url(&format!("manifests/{name}"));
        let bytes = self.runtime.block_on(async {
            let make = || Exchange::new(Verb::Get, url.clone()).header("accept", descriptor.media_type.clone());
            let mut answer = self.session.ask(Actions::Pull, make).await?;
            match answer.status {
                200 => answer.whole(MAX_MANIFEST).await.map_err(|failure| self.broken(&name, &failure.to_string())),
                _ => Err(self.session.refused(&name, answer).await),
            }
        })?;
        match bytes.len() as u64 == descriptor.size && descriptor.digest.fits(&bytes) {
            true => Ok(bytes),
            false => Err(CopyError::Manifest {
                place: self.describe(),
                descriptor: name,
                why: "size or digest do not fit".to_owned(),
            }),
        }
    }

    fn origin(&self) -> Option<Origin> {
        let repository = self.session.repository();
        Some(Origin { registry: repository.registry.clone(), repository: repository.name.clone() })
    }
}

/// Times that a blob goes on where it broke off, without a byte coming in between.
const TRIES: u32 = 4;

/// A blob as it comes. Where it breaks off it goes on by Range; whoever reads it verifies the whole.
struct Reading<'a> {
    source: &'a RegistrySource,
    url: String,
    name: String,
    offset: u64,
    tries: u32,
    ended: bool,
    answer: Option<Answer>,
    piece: io::Cursor<Vec<u8>>,
}

impl Reading<'_> {
    async fn next(&mut self) -> io::Result<bool> {
        loop {
            let mut answer = match self.answer.take() {
                Some(answer) => answer,
                None => self.begin().await?,
            };
            match answer.piece().await {
                Ok(None) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(Some(piece)) => {
                    (self.offset, self.tries) = (self.offset + piece.len() as u64, TRIES);
                    (self.piece, self.answer) = (io::Cursor::new(piece), Some(answer));
                    return Ok(true);
                }
                Err(failure) => {
                    self.tries -= 1;
                    if self.tries == 0 {
                        return Err(io::Error::other(failure.to_string()));
                    }
                }
            }
        }
    }

    async fn begin(&mut self) -> io::Result<Answer> {
        let mut headers: Vec<(&'static str, String)> = Vec::new();
        if self.offset > 0 {
            headers.push(("range", format!("bytes={}-", self.offset)));
        }
        let session = &self.source.session;
        let mut answer =
            session.read(&self.url, &headers).await.map_err(|error| io::Error::other(error.to_string()))?;
        match answer.status {
            206 => Ok(answer),
            200 => {
                // It does not know ranges: what came already comes again.
                let mut again = self.offset;
                while again > 0 {
                    match answer.piece().await.map_err(|failure| io::Error::other(failure.to_string()))? {
                        Some(piece) if piece.len() as u64 <= again => again -= piece.len() as u64,
                        Some(mut piece) => {
                            let rest = piece.split_off(usize::try_from(again).unwrap_or_default());
                            self.offset += rest.len() as u64;
                            self.piece = io::Cursor::new(rest);
                            again = 0;
                        }
                        None => return Err(io::ErrorKind::UnexpectedEof.into()),
                    }
                }
                Ok(answer)
            }
            _ => Err(io::Error::other(session.refused(&self.name, answer).await.to_string())),
        }
    }
}

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || buffer.is_empty() || self.ended {
                return Ok(count);
            }
            let runtime = self.source.runtime.clone();
            if !runtime.block_on(self.next())? {
                return Ok(0);
            }
        }
    }
}
