use std::collections::BTreeSet;

use serde::Deserialize;
use tokio::runtime::Handle;

use super::Session;
use super::links::pages;
use super::redirect::refused;
use crate::copy::CopyError;
use crate::oci::Reference;

/// Tags of a repository, at most.
pub const MAX_TAGS: usize = 200_000;

/// The tags that are asked for at a time: more is refused by some (Amazon's ECR), and others give fewer.
const AT_A_TIME: usize = 1000;

#[derive(Deserialize)]
struct Listed {
    /// Some registries say null where there are none.
    tags: Option<Vec<String>>,
}

/// The tags of a repository, sorted, each once (distribution-spec 1.1, "Listing Tags"). What could be the tag of no
/// reference is left out. Blocks.
pub fn tags(session: &Session, runtime: &Handle) -> Result<Vec<String>, CopyError> {
    runtime.block_on(list(session))
}

async fn list(session: &Session) -> Result<Vec<String>, CopyError> {
    let what = "its tags";
    let mut all = BTreeSet::new();
    let mut take = |bytes: &[u8]| {
        let listed: Listed = serde_json::from_slice(bytes)
            .map_err(|_| refused(session, what, "the answer is no list of tags".to_owned()))?;
        all.extend(listed.tags.unwrap_or_default().into_iter().filter(|tag| is_tag(tag)));
        match all.len() > MAX_TAGS {
            true => Err(refused(session, what, format!("it has more than {MAX_TAGS} tags"))),
            false => Ok(()),
        }
    };
    let url = session.url("tags/list");
    let first = pages(session, what, format!("{url}?n={AT_A_TIME}"), "application/json", &mut take).await?;
    let first = match first {
        // It may be that many that it minds.
        Some(answer) if answer.status == 400 => pages(session, what, url, "application/json", &mut take).await?,
        other => other,
    };
    match first {
        None => Ok(all.into_iter().collect()),
        Some(answer) if answer.status == 404 => {
            let repository = session.repository();
            Err(CopyError::NotFound {
                place: format!("docker://{}", repository.registry),
                name: repository.name.clone(),
            })
        }
        Some(answer) => Err(session.refused(what, answer).await),
    }
}

fn is_tag(text: &str) -> bool {
    format!("a:{text}").parse::<Reference>().is_ok_and(|reference| reference.tag.as_deref() == Some(text))
}
