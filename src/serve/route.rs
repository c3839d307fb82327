//! What a request is about (distribution-spec 1.1, "Endpoints").

use std::collections::BTreeMap;

use hyper::StatusCode;
use url::form_urlencoded;

use super::answer::Refused;
use crate::digest::Digest;
use crate::oci::Reference;

/// The tag or digest of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Tag(String),
    Digest(Digest),
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Root,
    Manifest(String, Name),
    Blob(String, Digest),
    /// The uploads of a repository.
    Uploads(String),
    /// One of them.
    Upload(String, String),
    Tags(String),
    Referrers(String, Digest),
}

/// The parameters of a query.
pub(super) type Query = BTreeMap<String, String>;

/// What a path names.
pub(super) fn route(path: &str) -> Result<Route, Refused> {
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "there is no such endpoint");
    let path = path.replace("%3A", ":").replace("%3a", ":");
    if path == "/v2/" || path == "/v2" {
        return Ok(Route::Root);
    }
    let parts: Vec<&str> = path.strip_prefix("/v2/").ok_or_else(unknown)?.split('/').collect();
    match parts.as_slice() {
        [name @ .., "blobs", "uploads", ""] | [name @ .., "blobs", "uploads"] => Ok(Route::Uploads(repository(name)?)),
        [name @ .., "blobs", "uploads", id] => Ok(Route::Upload(repository(name)?, (*id).to_owned())),
        [name @ .., "blobs", digest] => Ok(Route::Blob(repository(name)?, self::digest(digest)?)),
        [name @ .., "tags", "list"] => Ok(Route::Tags(repository(name)?)),
        [name @ .., "referrers", digest] => Ok(Route::Referrers(repository(name)?, self::digest(digest)?)),
        [name @ .., "manifests", reference] => Ok(Route::Manifest(repository(name)?, manifest(reference)?)),
        _ => Err(unknown()),
    }
}

/// The parameters of a query.
pub(super) fn query(text: &str) -> Query {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn repository(parts: &[&str]) -> Result<String, Refused> {
    let name = parts.join("/");
    match name.parse::<Reference>() {
        Ok(reference) if reference.repository == name => Ok(name),
        _ => Err(Refused::new(StatusCode::BAD_REQUEST, "NAME_INVALID", "that is no name of a repository")),
    }
}

/// A digest.
pub(super) fn digest(text: &str) -> Result<Digest, Refused> {
    text.parse().map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "that is no digest"))
}

fn manifest(text: &str) -> Result<Name, Refused> {
    if text.contains(':') {
        return digest(text).map(Name::Digest);
    }
    match format!("a:{text}").parse::<Reference>() {
        Ok(_) => Ok(Name::Tag(text.to_owned())),
        Err(_) => Err(Refused::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "that is no tag")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn endpoints() {
        let route = |path: &str| route(path).ok();
        let digest = Digest::of(b"");
        let own = |text: &str| text.to_owned();
        assert_eq!(route("/v2/"), Some(Route::Root));
        assert_eq!(route("/v2/a/b/manifests/1"), Some(Route::Manifest(own("a/b"), Name::Tag(own("1")))));
        let encoded = digest.to_string().replace(':', "%3A");
        assert_eq!(route(&format!("/v2/a/manifests/{encoded}")), Some(Route::Manifest(own("a"), Name::Digest(digest))));
        assert_eq!(route(&format!("/v2/a/blobs/{digest}")), Some(Route::Blob(own("a"), digest)));
        assert_eq!(route("/v2/a/blobs/uploads/"), Some(Route::Uploads(own("a"))));
        assert_eq!(route("/v2/blobs/uploads/blobs/uploads/x"), Some(Route::Upload(own("blobs/uploads"), own("x"))));
        assert_eq!(route("/v2/a/tags/list"), Some(Route::Tags(own("a"))));
        for wrong in
            ["/", "/v1/", "/v2/a", "/v2/../blobs/uploads/", "/v2/A/tags/list", "/v2/a/blobs/..", "/v2/tags/list"]
        {
            assert_eq!(route(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_routed_or_refused(path in "(/v2)?[/a-zA-Z0-9:%.]{0,40}", text in "[ -~]{0,40}") {
            let _ = (route(&path), query(&text));
        }
    }
}
