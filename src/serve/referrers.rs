use hyper::StatusCode;
use serde_json::json;

use super::answer::{Answer, Refused, document, start};
use super::repositories::Repositories;
use super::route::Query;
use crate::digest::Digest;
use crate::oci::{Index, media_type};

/// Distribution-spec 1.1, "Listing Referrers": an index, empty where there are none.
pub(super) fn list(
    repositories: &Repositories,
    repository: &str,
    subject: Digest,
    query: &Query,
) -> Result<Answer, Refused> {
    let wanted = query.get("artifactType");
    let mut found = Vec::new();
    for mut descriptor in repositories.manifests(repository)?.into_values() {
        let own = repositories.document(&descriptor)?;
        let is_one = own.subject.as_ref().is_some_and(|other| other.digest == subject);
        if !is_one || wanted.is_some_and(|wanted| own.artifact() != Some(wanted.as_str())) {
            continue;
        }
        descriptor.artifact_type = own.artifact().map(str::to_owned);
        descriptor.annotations = own.annotations.clone();
        descriptor.platform = None;
        found.push(descriptor);
    }
    let mut builder = start(StatusCode::OK);
    if wanted.is_some() {
        builder = builder.header("oci-filters-applied", "artifactType");
    }
    Ok(document(builder, media_type::INDEX, &json!(Index::new(found))))
}
