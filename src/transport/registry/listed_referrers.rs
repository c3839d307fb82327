use super::Session;
use super::fallback_tag::tag;
use super::links::pages;
use super::redirect::refused;
use crate::copy::{CopyError, MAX_DESCRIPTORS};
use crate::digest::Digest;
use crate::oci::{Descriptor, Index, media_type};

/// The manifests that name this one as their subject (distribution-spec 1.1, "Listing Referrers"); of a registry that
/// cannot tell, those of the fallback tag.
pub(super) async fn referrers(session: &Session, subject: &Digest) -> Result<Vec<Descriptor>, CopyError> {
    let url = session.url(&format!("referrers/{subject}"));
    if let Some(found) = list(session, subject, url).await? {
        return Ok(found);
    }
    let url = session.url(&format!("manifests/{}", tag(subject)));
    Ok(list(session, subject, url).await?.unwrap_or_default())
}

/// The index at a URL; `None` where there is none. Registries that do not know the endpoint answer as it comes.
async fn list(session: &Session, subject: &Digest, url: String) -> Result<Option<Vec<Descriptor>>, CopyError> {
    let what = format!("the referrers of {subject}");
    let (mut all, mut is_index) = (Vec::new(), true);
    let take = |bytes: &[u8]| {
        match serde_json::from_slice::<Index>(bytes) {
            Ok(index) => all.extend(index.manifests),
            Err(_) => is_index = false,
        }
        match all.len() > MAX_DESCRIPTORS {
            true => Err(refused(session, &what, format!("there are more than {MAX_DESCRIPTORS}"))),
            false => Ok(()),
        }
    };
    match pages(session, &what, url, media_type::INDEX, take).await? {
        None => Ok(is_index.then_some(all)),
        Some(answer) if matches!(answer.status, 400 | 404 | 405 | 501) => Ok(None),
        Some(answer) => Err(session.refused(&what, answer).await),
    }
}
