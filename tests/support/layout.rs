//! A layout as other tools make it: an index of two platforms, and an image of one.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::path::Path;

use kimg::digest::Digest;
use kimg::oci::{Descriptor, Platform, media_type};
use kimg::store::Layout;
use serde_json::{Value, json};

/// The configuration of an image as Docker writes it, with null for what is empty and with what terminals must not see.
pub fn configuration(architecture: &str, layers: &[&[u8]]) -> Value {
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    json!({
        "created": "2026-01-02T03:04:05Z", "architecture": architecture, "os": "linux",
        "config": {
            "User": "1000:1000", "Entrypoint": ["/bin/run", "a b"], "Cmd": null, "Env": ["PATH=/bin", "A=\u{1b}[31m\n"],
            "ExposedPorts": {"9092/tcp": {}}, "Volumes": null, "Labels": {"team": "data\u{202e}"}, "WorkingDir": "/srv",
            "StopSignal": "SIGTERM",
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [
            {"created_by": "COPY  a\tb"}, {"created_by": "ENV A", "empty_layer": true},
            {"created_by": format!("RUN {}\u{1b}[2J", "make ".repeat(20))},
        ],
    })
}

/// Puts a blob into a layout.
pub fn put(layout: &Layout, media_type: &str, bytes: &[u8]) -> Descriptor {
    let descriptor = Descriptor::of(media_type, bytes);
    let mut blob = layout.create_blob().unwrap();
    blob.append(bytes).unwrap();
    blob.commit(&descriptor.digest).unwrap();
    descriptor
}

/// Puts an image of a platform into a layout, without a name.
pub fn image(layout: &Layout, architecture: &str) -> Descriptor {
    let (one, two) = (architecture.repeat(100_000), "shared");
    let configuration = configuration(architecture, &[one.as_bytes(), two.as_bytes()]);
    let config = put(layout, media_type::CONFIG, configuration.to_string().as_bytes());
    let layers = [one, two.to_owned()].map(|layer| put(layout, media_type::LAYER, layer.as_bytes()));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": config, "layers": layers,
        "annotations": {"org.example.note": "made by\u{7} hand"},
    });
    let mut descriptor = put(layout, media_type::MANIFEST, manifest.to_string().as_bytes());
    descriptor.platform = Some(format!("linux/{architecture}").parse::<Platform>().unwrap());
    descriptor
}

/// A layout with the index `app:1` of linux/amd64 and linux/arm64, and the first of these as `one:1`.
pub fn layout(folder: &Path) -> Layout {
    let layout = Layout::open(folder).unwrap();
    let manifests = [image(&layout, "amd64"), image(&layout, "arm64")];
    let index = json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": manifests});
    let index = put(&layout, media_type::INDEX, index.to_string().as_bytes());
    layout.name(&["app:1".to_owned()], &index).unwrap();
    layout.name(&["one:1".to_owned()], &manifests[0]).unwrap();
    layout
}
