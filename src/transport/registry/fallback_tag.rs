//! Manifests that name another as their subject, in registries that do not list those themselves (distribution-spec 1.1,
//! "Unavailable Referrers API"): an index under a tag made of the subject's digest.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Session;
use super::manifests::failed;
use super::token::Actions;
use crate::copy::{CopyError, MAX_MANIFEST};
use crate::digest::Digest;
use crate::error::Category;
use crate::net::{Body, Exchange, Verb};
use crate::oci::{Descriptor, media_type};

/// Somebody else may change the list at the same time: so often it is read and written anew.
const TRIES: usize = 5;

/// A manifest and its subject.
pub(super) struct Referrer {
    subject: Digest,
    /// Its descriptor as it stands in a list, with the type of artifact and its annotations.
    descriptor: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    subject: Option<Named>,
    artifact_type: Option<String>,
    config: Option<Config>,
    #[serde(default)]
    annotations: Map<String, Value>,
}

#[derive(Deserialize)]
struct Named {
    digest: Digest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    media_type: Option<String>,
}

impl Referrer {
    /// What these bytes say; `None` where they name no subject.
    pub(super) fn of(descriptor: &Descriptor, bytes: &[u8]) -> Option<Referrer> {
        let shape: Shape = serde_json::from_slice(bytes).ok()?;
        let subject = shape.subject?.digest;
        // distribution-spec 1.1, "Listing Referrers": the type is that of the configuration where none is given.
        let config = shape.config.and_then(|config| config.media_type);
        let artifact_type = shape.artifact_type.filter(|text| !text.is_empty()).or(config);
        let mut listed = json!({
            "mediaType": descriptor.media_type,
            "digest": descriptor.digest,
            "size": descriptor.size,
        });
        if let Some(artifact_type) = artifact_type {
            listed["artifactType"] = artifact_type.into();
        }
        if !shape.annotations.is_empty() {
            listed["annotations"] = shape.annotations.into();
        }
        Some(Referrer { subject, descriptor: listed })
    }
}

/// The tag of the list of a subject: `ALGORITHM-HEX`, cut to what a tag may be (distribution-spec 1.1, "Referrers Tag
/// Schema").
pub(super) fn tag(subject: &Digest) -> String {
    let (algorithm, hex) = (subject.algorithm().name(), subject.hex());
    format!("{algorithm}-{}", &hex[..hex.len().min(64)])
}

/// Adds a referrer to the list of its subject, which stays as it is but for that.
pub(super) async fn list(session: &Session, referrer: &Referrer) -> Result<(), CopyError> {
    let tag = tag(&referrer.subject);
    let url = session.url(&format!("manifests/{tag}"));
    for _ in 0..TRIES {
        let (found, etag) = read(session, &tag, &url).await?;
        let Some(bytes) = with(&found, &referrer.descriptor) else { return Ok(()) };
        let make = || {
            let ask = Exchange::new(Verb::Put, url.clone()).header("content-type", media_type::INDEX);
            let ask = etag.iter().fold(ask, |ask, etag| ask.header("if-match", etag.clone()));
            ask.body(Body::Bytes(bytes.clone()))
        };
        let answer = session.ask(Actions::Push, make).await?;
        match answer.status {
            200..=204 => return Ok(()),
            412 => {}
            _ => return Err(session.refused(&tag, answer).await),
        }
    }
    let why = "others change the list of referrers all the time".to_owned();
    Err(failed(session, &tag, why, Category::Refused))
}

/// The list that is there, or an empty one, with its ETag.
async fn read(session: &Session, tag: &str, url: &str) -> Result<(Value, Option<String>), CopyError> {
    let make = || Exchange::new(Verb::Get, url).header("accept", media_type::INDEX);
    let mut answer = session.ask(Actions::Push, make).await?;
    let wrong = |why: String| failed(session, tag, why, Category::Refused);
    match answer.status {
        200 => {}
        404 => {
            return Ok((json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": []}), None));
        }
        _ => return Err(session.refused(tag, answer).await),
    }
    let etag = answer.header("etag").map(str::to_owned);
    let bytes = answer.whole(MAX_MANIFEST).await.map_err(|failure| wrong(failure.to_string()))?;
    let found: Value = serde_json::from_slice(&bytes).map_err(|_| wrong("it is no list of referrers".to_owned()))?;
    match found.get("manifests").is_some_and(Value::is_array) {
        true => Ok((found, etag)),
        false => Err(wrong("it is no list of referrers".to_owned())),
    }
}

/// The list with one more; `None` where it has that.
fn with(list: &Value, descriptor: &Value) -> Option<Vec<u8>> {
    let mut list = list.clone();
    let manifests = list.get_mut("manifests")?.as_array_mut()?;
    if manifests.iter().any(|own| own.get("digest") == descriptor.get("digest")) {
        return None;
    }
    manifests.push(descriptor.clone());
    Some(crate::oci::to_bytes(&list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_referrer_says_of_itself() {
        let subject = Digest::of(b"subject");
        let of = |text: String| Referrer::of(&Descriptor::of(media_type::MANIFEST, text.as_bytes()), text.as_bytes());
        let signed = of(format!(
            r#"{{"config":{{"mediaType":"application/x"}},"subject":{{"digest":"{subject}"}},"annotations":{{"a":"b"}}}}"#
        ));
        let signed = signed.unwrap();
        assert_eq!((signed.subject, &signed.descriptor["artifactType"]), (subject, &json!("application/x")));
        assert_eq!(signed.descriptor["annotations"], json!({"a": "b"}));
        let typed = of(format!(r#"{{"artifactType":"application/y","subject":{{"digest":"{subject}"}}}}"#)).unwrap();
        assert_eq!(typed.descriptor["artifactType"], json!("application/y"));
        assert!(of("{}".to_owned()).is_none() && of(r#"{"subject":{"digest":"x"}}"#.to_owned()).is_none());
    }

    #[test]
    fn tags_of_subjects() {
        let subject = Digest::of(b"");
        assert_eq!(tag(&subject), format!("sha256-{}", subject.hex()));
        assert_eq!(tag(&Digest::Sha512([7; 64])).len(), "sha512-".len() + 64);
    }

    #[test]
    fn a_list_has_each_once_and_keeps_what_it_had() {
        let list =
            json!({"schemaVersion": 2, "manifests": [{"digest": "sha256:1", "x": 1}], "annotations": {"k": "v"}});
        assert!(with(&list, &json!({"digest": "sha256:1"})).is_none());
        let bytes = with(&list, &json!({"digest": "sha256:2"})).unwrap();
        let more: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(more["annotations"], json!({"k": "v"}));
        assert_eq!(more["manifests"], json!([{"digest": "sha256:1", "x": 1}, {"digest": "sha256:2"}]));
    }
}
