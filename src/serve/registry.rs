use std::sync::Arc;

use hyper::{Method, Request, StatusCode};
use tokio::task::spawn_blocking;

use super::answer::{Answer, Body, Refused, empty, start};
use super::hook::Hook;
use super::repositories::Repositories;
use super::route::{Query, Route, query, route};
use super::uploads::Uploads;
use super::{blobs, manifests, referrers, tags, uploads};
use crate::store::{Lease, Store, StoreError};

/// What others may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read.
    ReadOnly,
    /// Read, and push.
    ReadWrite,
}

/// A registry over a store; cheap to clone. While it lives, no prune removes anything.
#[derive(Clone)]
pub struct Registry {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) repositories: Repositories,
    pub(super) uploads: Uploads,
    pub(super) hook: Option<Box<dyn Hook>>,
    access: Access,
    _lease: Lease,
}

impl Registry {
    /// The registry of a store.
    pub fn new(store: Store, access: Access) -> Result<Registry, StoreError> {
        Registry::make(store, access, None)
    }

    /// One whose requests somebody looks at first.
    pub fn with_hook(store: Store, access: Access, hook: Box<dyn Hook>) -> Result<Registry, StoreError> {
        Registry::make(store, access, Some(hook))
    }

    fn make(store: Store, access: Access, hook: Option<Box<dyn Hook>>) -> Result<Registry, StoreError> {
        let lease = store.lease()?;
        let repositories = Repositories::new(store);
        let shared = Shared { repositories, uploads: Uploads::default(), hook, access, _lease: lease };
        Ok(Registry { shared: Arc::new(shared) })
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<Body>) -> Answer {
        let is_head = request.method() == Method::HEAD;
        let answer = self.route(request).await.unwrap_or_else(Refused::answer);
        // The length stays; hyper leaves the bytes out too, but would read a blob for them.
        if is_head { without_body(answer) } else { answer }
    }

    async fn route(&self, request: Request<Body>) -> Result<Answer, Refused> {
        let (head, body) = request.into_parts();
        let route = route(head.uri.path())?;
        let query = query(head.uri.query().unwrap_or_default());
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        if !reads && self.shared.access == Access::ReadOnly {
            return Err(unsupported("this registry is read only"));
        }
        let (shared, is_head) = (Arc::clone(&self.shared), head.method == Method::HEAD);
        match (route, head.method) {
            (Route::Manifest(repository, name), Method::PUT) => {
                let bytes = manifests::receive(body).await?;
                blocking(move || manifests::put(&shared, &repository, name, &head.headers, &bytes)).await
            }
            (Route::Uploads(repository), Method::POST) => uploads::begin(shared, repository, query, body).await,
            (Route::Upload(repository, id), Method::PATCH) => {
                uploads::patch(shared, repository, id, head.headers, body).await
            }
            (Route::Upload(repository, id), Method::PUT) => uploads::put(shared, repository, id, query, body).await,
            (Route::Upload(repository, id), Method::GET) => uploads::status(&shared, &repository, &id).await,
            (Route::Upload(_, id), Method::DELETE) => uploads::cancel(&shared, &id),
            (route, Method::GET | Method::HEAD) => {
                blocking(move || read(&shared, route, &query, &head.headers, is_head)).await
            }
            (Route::Manifest(repository, name), Method::DELETE) => {
                blocking(move || manifests::delete(&shared, &repository, &name)).await
            }
            _ => Err(unsupported("that is not done here")),
        }
    }
}

fn read(
    shared: &Shared,
    route: Route,
    query: &Query,
    headers: &hyper::HeaderMap,
    is_head: bool,
) -> Result<Answer, Refused> {
    let repositories = &shared.repositories;
    match route {
        Route::Root => Ok(super::answer::document(start(StatusCode::OK), "application/json", &serde_json::json!({}))),
        Route::Manifest(repository, name) => manifests::get(repositories, &repository, &name),
        Route::Blob(repository, digest) => blobs::get(repositories, &repository, digest, headers, is_head),
        Route::Tags(repository) => tags::list(repositories, &repository, query),
        Route::Referrers(repository, digest) => referrers::list(repositories, &repository, digest, query),
        Route::Uploads(_) | Route::Upload(..) => Err(unsupported("that is not done here")),
    }
}

fn unsupported(why: &str) -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", why)
}

fn without_body(answer: Answer) -> Answer {
    use hyper::body::Body as _;
    use hyper::header::{CONTENT_LENGTH, HeaderValue};

    let (mut head, body) = answer.into_parts();
    if let Some(length) = body.size_hint().exact()
        && !head.headers.contains_key(CONTENT_LENGTH)
    {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let mut answer = empty(start(head.status));
    *answer.headers_mut() = head.headers;
    answer
}

/// Runs what reads and writes files where it may wait for them.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let ended = |_| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "the server ends");
    spawn_blocking(work).await.map_err(ended)?
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("access", &self.shared.access).finish_non_exhaustive()
    }
}
