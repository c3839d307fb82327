use hyper::StatusCode;
use serde_json::json;

use super::answer::{Answer, Refused, document, start};
use super::repositories::Repositories;
use super::route::Query;

/// Distribution-spec 1.1, "Listing Tags": `n` at most, those behind `last`, and a Link to what follows.
pub(super) fn list(repositories: &Repositories, repository: &str, query: &Query) -> Result<Answer, Refused> {
    let named = repositories.named(repository)?;
    if named.is_empty() {
        return Err(Refused::new(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry"));
    }
    let last = query.get("last").map(String::as_str).unwrap_or_default();
    let mut tags: Vec<String> =
        named.into_iter().filter_map(|(tag, _)| tag).filter(|tag| tag.as_str() > last).collect();
    tags.sort();
    let mut builder = start(StatusCode::OK);
    if let Some(count) = query.get("n") {
        let wrong = |_| Refused::new(StatusCode::BAD_REQUEST, "PAGINATION_NUMBER_INVALID", "n is no number");
        let count: usize = count.parse().map_err(wrong)?;
        if count < tags.len() {
            tags.truncate(count);
            if let Some(last) = tags.last() {
                let next = format!("</v2/{repository}/tags/list?n={count}&last={last}>; rel=\"next\"");
                builder = builder.header("link", next);
            }
        }
    }
    Ok(document(builder, "application/json", &json!({ "name": repository, "tags": tags })))
}
