//! Manifests on their way into a repository, as the bytes that they are.

use super::Session;
use super::fallback_tag;
use super::redirect::{PAGE, is_page};
use super::source::ACCEPT;
use super::token::Actions;
use crate::copy::CopyError;
use crate::digest::Digest;
use crate::error::Category;
use crate::net::{Answer, Body, Exchange, Verb};
use crate::oci::{Descriptor, media_type};

/// The most of a refusal that is looked into for its code.
const REFUSAL: usize = 8 << 10;

/// Whether that is the media type of an index.
pub(super) fn is_index(descriptor: &Descriptor) -> bool {
    matches!(descriptor.media_type.as_str(), media_type::INDEX | media_type::DOCKER_LIST)
}

/// What the refusal of a manifest says is missing.
pub(super) enum Missing {
    /// Nothing: another reason.
    Nothing,
    /// Blobs, or manifests.
    Parts,
}

/// Puts a manifest under a name: a tag, or its own digest. One that names a subject is listed with it.
pub(super) async fn put(
    session: &Session,
    name: &str,
    descriptor: &Descriptor,
    bytes: &[u8],
) -> Result<(), (CopyError, Missing)> {
    let url = session.url(&format!("manifests/{name}"));
    let make = || {
        let ask = Exchange::new(Verb::Put, url.clone()).header("content-type", descriptor.media_type.clone());
        ask.body(Body::Bytes(bytes.to_vec()))
    };
    let other = |error| (error, Missing::Nothing);
    let mut answer = session.ask(Actions::Push, make).await.map_err(other)?;
    if !(200..=204).contains(&answer.status) {
        let told = String::from_utf8_lossy(answer.peek(REFUSAL).await).into_owned();
        let lacks =
            ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"].iter().any(|code| told.contains(code));
        let missing = if lacks && answer.status < 500 { Missing::Parts } else { Missing::Nothing };
        return Err((session.refused(name, answer).await, missing));
    }
    if is_page(&answer) {
        return Err(other(failed(session, name, PAGE.to_owned(), Category::Refused)));
    }
    if digest_of(&answer).is_some_and(|found| found != descriptor.digest) {
        let why = "it has another digest there: the registry, or something before it, changed its bytes".to_owned();
        return Err(other(failed(session, name, why, Category::Verification)));
    }
    let is_listed = answer.header("oci-subject").is_some();
    match fallback_tag::Referrer::of(descriptor, bytes).filter(|_| !is_listed) {
        Some(referrer) => fallback_tag::list(session, &referrer).await.map_err(other),
        None => Ok(()),
    }
}

/// What is at a name; `None` where there is nothing, or that cannot be told by HEAD.
pub(super) async fn look(session: &Session, name: &str) -> Result<Option<Digest>, CopyError> {
    let url = session.url(&format!("manifests/{name}"));
    let make = || Exchange::new(Verb::Head, url.clone()).header("accept", ACCEPT.join(", "));
    let answer = session.ask(Actions::Push, make).await?;
    match answer.status {
        200 => Ok(digest_of(&answer).or_else(|| name.parse().ok())),
        // A refusal of HEAD has no body, so that what comes next says why.
        _ => Ok(None),
    }
}

fn digest_of(answer: &Answer) -> Option<Digest> {
    answer.header("docker-content-digest")?.trim().parse().ok()
}

pub(super) fn failed(session: &Session, what: &str, why: String, category: Category) -> CopyError {
    let place = format!("docker://{}", session.repository().full_name());
    CopyError::Failed { place, what: what.to_owned(), why, category, hint: None }
}
