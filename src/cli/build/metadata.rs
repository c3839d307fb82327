//! `--metadata-file` and `--iidfile`, as docker buildx writes them (docs/output.md).

use serde_json::{Map, Value, json};

use crate::build::{Built, BuiltImage};
use crate::oci::Descriptor;

/// The metadata: of one image as they are, of several by the names of the images.
pub(super) fn document(built: &[(Built, Vec<String>)]) -> Vec<u8> {
    let value = match built {
        [(built, tags)] => metadata(built, tags),
        several => {
            let entries = several.iter().map(|(built, tags)| (built.name.clone(), metadata(built, tags)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    };
    format!("{value:#}\n").into_bytes()
}

/// The image's id, which is the digest of its configuration; of the last image, without a line break, as Docker does.
pub(super) fn image_id(built: &[(Built, Vec<String>)]) -> String {
    let last = built.last().and_then(|(built, _)| built.images.last());
    last.map(|image| image.config.to_string()).unwrap_or_default()
}

fn metadata(built: &Built, tags: &[String]) -> Value {
    let names: Vec<&str> =
        std::iter::once(&built.name).chain(tags.iter().filter(|tag| **tag != built.name)).map(String::as_str).collect();
    let mut value = json!({
        "containerimage.descriptor": built.manifest,
        "containerimage.digest": built.manifest.digest,
        "image.name": names.join(","),
    });
    let layers = built.images.iter().map(|image| (image.platform.to_string(), layers(image)));
    value["kimg.layers"] = Value::Object(layers.collect());
    // An index has no configuration of its own; buildx leaves the field out too.
    if let [image] = built.images.as_slice() {
        value["containerimage.config.digest"] = json!(image.config);
    }
    value
}

fn layers(image: &BuiltImage) -> Value {
    let layer = |(name, layer, how): &(String, Descriptor, &str)| json!({ "name": name, "digest": layer.digest, "size": layer.size, "how": how });
    image.layers.iter().map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::oci::{Platform, media_type};

    fn built(name: &str) -> Built {
        let manifest = Descriptor::of(media_type::MANIFEST, name.as_bytes());
        let (platform, config) = (Platform::linux_amd64(), Digest::of(b"config"));
        let image = BuiltImage {
            platform,
            manifest: manifest.clone(),
            config,
            layers: vec![("all".to_owned(), manifest.clone(), "reused")],
        };
        Built { name: name.to_owned(), manifest, images: vec![image] }
    }

    #[test]
    fn one_image_as_buildx_writes_it() {
        let one = [(built("kafka:3.5.2"), vec!["a/b:1".to_owned(), "kafka:3.5.2".to_owned()])];
        let value: Value = serde_json::from_slice(&document(&one)).unwrap();
        assert_eq!(value["image.name"], "kafka:3.5.2,a/b:1");
        assert_eq!(value["containerimage.digest"], one[0].0.manifest.digest.to_string());
        assert_eq!(value["containerimage.descriptor"]["mediaType"], media_type::MANIFEST);
        assert_eq!(value["containerimage.config.digest"], image_id(&one));
        assert_eq!(value["kimg.layers"]["linux/amd64"][0]["how"], "reused");
    }

    #[test]
    fn several_by_name() {
        let two = [(built("kafka:3.5.2"), Vec::new()), (built("zookeeper:3.8.4"), Vec::new())];
        let value: Value = serde_json::from_slice(&document(&two)).unwrap();
        assert_eq!(value["zookeeper:3.8.4"]["image.name"], "zookeeper:3.8.4");
    }
}
