//! Uploads: a session each, which keeps what has come however the connection ended (as distribution 3 does).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::header::{CONTENT_RANGE, LOCATION, RANGE};
use hyper::http::response::Builder;
use hyper::{HeaderMap, StatusCode};
use tokio::sync::{OwnedMutexGuard, mpsc};

use super::answer::{Answer, Body, Refused, empty, start};
use super::registry::{Shared, blocking};
use super::route::{self, Query};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::store::BlobWriter;

/// The uploads under way.
#[derive(Default)]
pub(super) struct Uploads(Mutex<BTreeMap<String, Session>>);

/// One request at a time: the next one waits, so that it sees all that came before the connection broke.
type Session = Arc<tokio::sync::Mutex<Option<Upload>>>;

/// An upload under way.
struct Upload {
    repository: String,
    blob: BlobWriter,
    /// One of each algorithm that the digest at the end may have.
    hashers: Vec<Hasher>,
    size: u64,
}

impl Uploads {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The upload of that name, once no other request has it. It is `None` behind the guard where it has ended since.
    async fn get(&self, repository: &str, id: &str) -> Result<OwnedMutexGuard<Option<Upload>>, Refused> {
        let session = self.lock().get(id).cloned().ok_or_else(unknown)?;
        let guard = session.lock_owned().await;
        match guard.as_ref().is_some_and(|upload| upload.repository == repository) {
            true => Ok(guard),
            false => Err(unknown()),
        }
    }
}

fn unknown() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}

/// A name that nobody guesses, and that no server before had: who resumes must not meet another's upload.
fn new_id() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// Where an upload is, and how far it has come. Of an empty one nobody can tell: `0-0` is what servers say.
fn told(status: StatusCode, repository: &str, id: &str, size: u64) -> Builder {
    start(status)
        .header(LOCATION, format!("/v2/{repository}/blobs/uploads/{id}"))
        .header(RANGE, format!("0-{}", size.saturating_sub(1)))
        .header("docker-upload-uuid", id)
}

fn created(repository: &str, digest: &Digest) -> Answer {
    let builder = start(StatusCode::CREATED).header(LOCATION, format!("/v2/{repository}/blobs/{digest}"));
    empty(builder.header("docker-content-digest", digest.to_string()))
}

/// Distribution-spec 1.1, "Pushing blobs", the POST of each way: a mount, a whole blob, or the beginning of an upload.
pub(super) async fn begin(
    shared: Arc<Shared>,
    repository: String,
    query: Query,
    body: Body,
) -> Result<Answer, Refused> {
    if let (Some(digest), Some(from)) = (query.get("mount"), query.get("from")) {
        let (digest, from) = (route::digest(digest)?, from.clone());
        let (shared, repository) = (Arc::clone(&shared), repository.clone());
        let repositories = move || Ok(shared.repositories.has_blob(&from, &digest)?.then_some((shared, repository)));
        if let Some((shared, repository)) = blocking(repositories).await? {
            shared.repositories.add_blob(&repository, digest);
            return Ok(created(&repository, &digest));
        }
    }
    let store = shared.repositories.store.clone();
    let hashers = [Algorithm::Sha256, Algorithm::Sha512].map(Hasher::new).into();
    let blob = blocking(move || Ok(store.create_blob()?)).await?;
    let upload = Upload { repository: repository.clone(), blob, hashers, size: 0 };
    let failed = |_| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "no upload can begin");
    let id = new_id().map_err(failed)?;
    shared.uploads.lock().insert(id.clone(), Arc::new(tokio::sync::Mutex::new(Some(upload))));
    if query.contains_key("digest") {
        return put(shared, repository, id, query, body).await;
    }
    Ok(empty(told(StatusCode::ACCEPTED, &repository, &id, 0)))
}

/// Distribution-spec 1.1, "Pushing a blob in chunks": a chunk that does not begin where the upload ends is refused.
pub(super) async fn patch(
    shared: Arc<Shared>,
    repository: String,
    id: String,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Refused> {
    let guard = shared.uploads.get(&repository, &id).await?;
    let size = guard.as_ref().map_or(0, |upload| upload.size);
    if let Some(range) = headers.get(CONTENT_RANGE) {
        let first = range.to_str().ok().and_then(|text| text.split_once('-')?.0.parse::<u64>().ok());
        if first != Some(size) {
            let refused = Refused::new(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID", "out of order");
            return Err(refused
                .header("range", format!("0-{}", size.saturating_sub(1)))
                .header("location", format!("/v2/{repository}/blobs/uploads/{id}")));
        }
    }
    let guard = receive(guard, body).await?;
    let size = guard.as_ref().map_or(0, |upload| upload.size);
    Ok(empty(told(StatusCode::ACCEPTED, &repository, &id, size)))
}

/// The last bytes of an upload, perhaps none, and its digest.
pub(super) async fn put(
    shared: Arc<Shared>,
    repository: String,
    id: String,
    query: Query,
    body: Body,
) -> Result<Answer, Refused> {
    let missing = || Refused::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "there is no digest");
    let digest = route::digest(query.get("digest").ok_or_else(missing)?)?;
    let mut guard = shared.uploads.get(&repository, &id).await?;
    if let Some(upload) = guard.as_mut().filter(|upload| upload.size == 0) {
        upload.hashers = vec![Hasher::new(digest.algorithm())];
    }
    let mut guard = receive(guard, body).await?;
    let upload = guard.take().ok_or_else(unknown)?;
    shared.uploads.lock().remove(&id);
    blocking(move || {
        if !upload.hashers.into_iter().any(|hasher| hasher.finish() == digest) {
            let why = "provided digest did not match uploaded content";
            return Err(Refused::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", why));
        }
        upload.blob.commit(&digest)?;
        shared.repositories.add_blob(&repository, digest);
        Ok(created(&repository, &digest))
    })
    .await
}

/// How far an upload has come.
pub(super) async fn status(shared: &Shared, repository: &str, id: &str) -> Result<Answer, Refused> {
    let guard = shared.uploads.get(repository, id).await?;
    let size = guard.as_ref().map_or(0, |upload| upload.size);
    Ok(empty(told(StatusCode::NO_CONTENT, repository, id, size)))
}

/// Ends an upload. One that a request has ends with that.
pub(super) fn cancel(shared: &Shared, id: &str) -> Result<Answer, Refused> {
    let session = shared.uploads.lock().remove(id).ok_or_else(unknown)?;
    if let Ok(mut upload) = session.try_lock() {
        upload.take();
    }
    Ok(empty(start(StatusCode::NO_CONTENT)))
}

type Guard = OwnedMutexGuard<Option<Upload>>;

/// Adds a body to an upload, on a thread that may wait for the disk. What comes before the connection breaks counts.
async fn receive(guard: Guard, mut body: Body) -> Result<Guard, Refused> {
    let (sender, mut pieces) = mpsc::channel::<Bytes>(4);
    let writing = tokio::spawn(blocking(move || {
        let mut guard = guard;
        while let Some(piece) = pieces.blocking_recv() {
            let upload = guard.as_mut().ok_or_else(unknown)?;
            upload.blob.append(&piece)?;
            upload.hashers.iter_mut().for_each(|hasher| hasher.update(&piece));
            upload.size += piece.len() as u64;
        }
        Ok(guard)
    }));
    let mut broken = false;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            broken = true;
            break;
        };
        let Ok(piece) = frame.into_data() else { continue };
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    let ended = |_| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "the server ends");
    let guard = writing.await.map_err(ended)??;
    match broken {
        true => Err(Refused::new(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", "the body broke off")),
        false => Ok(guard),
    }
}
