use http_body_util::{BodyExt, Limited};
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::{HeaderMap, StatusCode};

use super::answer::{Answer, Body, Refused, bytes, empty, start};
use super::document::Document;
use super::registry::Shared;
use super::repositories::{MAX_MANIFEST, Repositories};
use super::route::Name;
use crate::digest::{Digest, Hasher};
use crate::oci::{Descriptor, media_type};

pub(super) fn unknown() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown")
}

/// Distribution-spec 1.1, "Pulling manifests".
pub(super) fn get(repositories: &Repositories, repository: &str, name: &Name) -> Result<Answer, Refused> {
    let descriptor = repositories.manifest(repository, name)?.ok_or_else(unknown)?;
    let content = repositories.bytes(&descriptor)?;
    let builder = start(StatusCode::OK)
        .header(CONTENT_TYPE, &descriptor.media_type)
        .header("docker-content-digest", descriptor.digest.to_string())
        .header("etag", format!("\"{}\"", descriptor.digest));
    Ok(bytes(builder, content))
}

/// The body of a manifest that is pushed.
pub(super) async fn receive(body: Body) -> Result<Vec<u8>, Refused> {
    match Limited::new(body, MAX_MANIFEST).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(_) => Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID", "a manifest has 4 MiB at most")),
    }
}

/// Distribution-spec 1.1, "Pushing Manifests".
pub(super) fn put(
    shared: &Shared,
    repository: &str,
    name: Name,
    headers: &HeaderMap,
    content: &[u8],
) -> Result<Answer, Refused> {
    let invalid = |why: &str| Refused::new(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", why);
    let document: Document = serde_json::from_slice(content).map_err(|_| invalid("that is no manifest"))?;
    let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default().trim();
    if document.media_type.as_deref().is_some_and(|own| own != told) {
        return Err(invalid("its media type is not that of the request"));
    }
    if !is_manifest(told) {
        return Err(invalid("that is no media type of a manifest"));
    }
    let repositories = &shared.repositories;
    for blob in document.blobs().filter(|blob| !is_foreign(&blob.media_type)) {
        if !repositories.has_blob(repository, &blob.digest)? {
            let what = format!("blob unknown to registry: {}", blob.digest);
            return Err(Refused::new(StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN", what));
        }
    }
    let digest = digest(&name, content)?;
    let descriptor = Descriptor::new(told, digest, content.len() as u64);
    let store = &repositories.store;
    if !store.has(&descriptor) {
        let mut blob = store.create_blob()?;
        blob.append(content)?;
        blob.commit(&digest)?;
    }
    let own = match name {
        Name::Tag(tag) => format!("{repository}:{tag}"),
        Name::Digest(digest) => format!("{repository}@{digest}"),
    };
    store.name(&[own], &descriptor)?;
    let mut builder = start(StatusCode::CREATED)
        .header(LOCATION, format!("/v2/{repository}/manifests/{digest}"))
        .header("docker-content-digest", digest.to_string());
    if let Some(subject) = &document.subject {
        builder = builder.header("oci-subject", subject.digest.to_string());
    }
    Ok(empty(builder))
}

fn digest(name: &Name, content: &[u8]) -> Result<Digest, Refused> {
    let Name::Digest(expected) = name else { return Ok(Digest::of(content)) };
    let mut hasher = Hasher::new(expected.algorithm());
    hasher.update(content);
    match hasher.finish() == *expected {
        true => Ok(*expected),
        false => Err(Refused::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "provided digest did not match")),
    }
}

fn is_manifest(text: &str) -> bool {
    matches!(text, media_type::MANIFEST | media_type::INDEX | media_type::DOCKER_MANIFEST | media_type::DOCKER_LIST)
}

/// Layers that stay where they are (image-spec 1.1, layer.md, "Non-Distributable Layers").
fn is_foreign(text: &str) -> bool {
    text.contains(".nondistributable.") || text.contains(".foreign.")
}

/// Distribution-spec 1.1, "Deleting tags" and "Deleting Manifests". The bytes stay until the next prune.
pub(super) fn delete(shared: &Shared, repository: &str, name: &Name) -> Result<Answer, Refused> {
    let repositories = &shared.repositories;
    let mut gone = Vec::new();
    for (tag, descriptor) in repositories.named(repository)? {
        let is_it = match name {
            Name::Tag(own) => tag.as_ref() == Some(own),
            Name::Digest(digest) => descriptor.digest == *digest,
        };
        if is_it {
            let name = tag.map_or_else(|| format!("@{}", descriptor.digest), |tag| format!(":{tag}"));
            gone.push(format!("{repository}{name}"));
        }
    }
    match repositories.store.layout().unname(&gone)? {
        0 => Err(unknown()),
        _ => Ok(empty(start(StatusCode::ACCEPTED))),
    }
}
