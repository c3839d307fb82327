//! What a manifest or index says, read with suspicion: it is passed on as it is, so here it is only understood.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

use crate::oci::{Descriptor, media_type};

/// The parts of a manifest or index.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The manifests of an index.
    pub children: Vec<Descriptor>,
    /// The configuration of a manifest, then its layers.
    pub blobs: Vec<Descriptor>,
    /// Layers that stay where their publisher has them.
    pub foreign: Vec<Descriptor>,
    /// The manifest that it is about (image-spec 1.1, manifest.md, "subject").
    pub subject: Option<Descriptor>,
}

/// Why a document is none that is copied.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is of Docker's schema 1.
    Schema1,
    /// It is not what its media type says.
    Other(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<Part>,
    #[serde(default, deserialize_with = "list")]
    layers: Option<Vec<Part>>,
    #[serde(default, deserialize_with = "list")]
    manifests: Option<Vec<Part>>,
    subject: Option<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(flatten)]
    descriptor: Descriptor,
    data: Option<String>,
}

/// Go's programs write an empty list as null.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Part>>, D::Error> {
    Option::<Vec<Part>>::deserialize(deserializer).map(|list| Some(list.unwrap_or_default()))
}

impl Shape {
    /// Two readers must not see two images in a document (image-spec 1.1, manifest.md, "mediaType").
    fn is_only(&self, media_type: &str) -> bool {
        let own = self.media_type.as_deref().is_none_or(|own| own == media_type);
        own && (self.manifests.is_none() || (self.config.is_none() && self.layers.is_none()))
    }
}

impl Part {
    /// Embedded data is the blob itself or a lie (image-spec 1.1, descriptor.md, "Embedded Content").
    fn checked(self) -> Result<Descriptor, Wrong> {
        let Part { descriptor, data } = self;
        let Some(data) = data else { return Ok(descriptor) };
        let bytes = STANDARD.decode(data).unwrap_or_default();
        match bytes.len() as u64 == descriptor.size && descriptor.digest.fits(&bytes) {
            true => Ok(descriptor),
            false => Err(Wrong::Other(format!("the data that it embeds is not {}", descriptor.digest))),
        }
    }
}

impl Document {
    /// Reads a document of that media type.
    pub(super) fn parse(media_type: &str, bytes: &[u8]) -> Result<Document, Wrong> {
        if media_type::is_schema_1(media_type) {
            return Err(Wrong::Schema1);
        }
        if !media_type::is_index(media_type) && !media_type::is_manifest(media_type) {
            return Err(Wrong::Other(format!("the media type `{}` is not known", brief(media_type))));
        }
        let no_json = |why: &str| Wrong::Other(format!("is not the JSON that its media type says: {why}"));
        let shape: Shape = serde_json::from_slice(bytes).map_err(|error| no_json(&error.to_string()))?;
        if shape.schema_version == 1 {
            return Err(Wrong::Schema1);
        }
        if !shape.is_only(media_type) {
            return Err(Wrong::Other("may be read as a manifest and as an index".to_owned()));
        }
        let mut document = Document { subject: shape.subject.map(Part::checked).transpose()?, ..Document::default() };
        if media_type::is_index(media_type) {
            let manifests = shape.manifests.ok_or_else(|| no_json("missing field `manifests`"))?;
            document.children = manifests.into_iter().map(Part::checked).collect::<Result<_, _>>()?;
            return Ok(document);
        }
        let config = shape.config.ok_or_else(|| no_json("missing field `config`"))?;
        for part in std::iter::once(config).chain(shape.layers.unwrap_or_default()) {
            let blob = part.checked()?;
            let list =
                if media_type::is_foreign(&blob.media_type) { &mut document.foreign } else { &mut document.blobs };
            list.push(blob);
        }
        Ok(document)
    }
}

/// Text from outside, escaped, and no more of it than tells what it is.
pub(super) fn brief(text: &str) -> String {
    text.chars().take(100).collect::<String>().escape_debug().to_string()
}
