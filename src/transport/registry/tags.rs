use serde::Deserialize;
use tokio::runtime::Handle;

use super::Session;
use crate::copy::{CopyError, MAX_MANIFEST};
use crate::error::Category;

#[derive(Deserialize)]
struct Listed {
    /// Some registries say null where there are none.
    tags: Option<Vec<String>>,
}

/// The tags of a repository, sorted (distribution-spec 1.1, "Listing Tags"). Blocks.
pub fn tags(session: &Session, runtime: &Handle) -> Result<Vec<String>, CopyError> {
    runtime.block_on(list(session))
}

async fn list(session: &Session) -> Result<Vec<String>, CopyError> {
    let what = "its tags";
    let failed = |why: String| CopyError::Failed {
        place: format!("docker://{}", session.repository().full_name()),
        what: what.to_owned(),
        why,
        category: Category::Refused,
        hint: None,
    };
    let mut answer = session.read(&session.url("tags/list"), &[]).await?;
    if answer.status != 200 {
        return Err(session.refused(what, answer).await);
    }
    let bytes = answer.whole(MAX_MANIFEST).await.map_err(|failure| failed(failure.to_string()))?;
    let listed: Listed =
        serde_json::from_slice(&bytes).map_err(|_| failed("the answer is no list of tags".to_owned()))?;
    let mut tags = listed.tags.unwrap_or_default();
    tags.sort();
    Ok(tags)
}
