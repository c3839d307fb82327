//! Manifests of all kinds that registries hold: Docker's, artifacts, other digests, layers that stay where they are, and
//! documents that are refused before anything is sent.

#[path = "support/graphs.rs"]
mod graphs;

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use graphs::{Memory, Notes};
use kimg::copy::{Choice, CopyError, Execution, Plan, Root, execute, plan};
use kimg::digest::{Algorithm, Digest, Hasher};
use kimg::error::{Category, Diagnose};
use kimg::event::Events;
use kimg::oci::{Descriptor, media_type};
use kimg::transport::{Archive, DockerArchiveSink};
use proptest::prelude::*;
use serde_json::json;

fn plan_of(memory: &Memory, root: &Descriptor) -> Result<Plan, CopyError> {
    memory.plan(root, &Choice::default())
}

/// Copies, and shows what the sink was told, without the digests' algorithm.
fn copied(memory: &Memory, root: &Descriptor) -> Vec<String> {
    let (plan, notes) = (plan_of(memory, root).unwrap(), Notes::default());
    execute(&plan, memory, Box::new(notes.clone()), &Execution::new(Events::silent())).unwrap();
    let calls = notes.calls.lock().unwrap();
    calls.clone()
}

fn docker_archive(memory: &Memory, root: &Descriptor) -> Result<Vec<u8>, CopyError> {
    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);
    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let buffer = Buffer::default();
    let sink = Box::new(DockerArchiveSink::new(Archive::to("docker-archive:-", buffer.clone())));
    let roots = [Root { descriptor: root.clone(), names: vec!["a:1".to_owned()] }];
    let plan = plan(memory, sink.as_ref(), &roots, &Choice::default())?;
    execute(&plan, memory, sink, &Execution::new(Events::silent()))?;
    let bytes = std::mem::take(&mut *buffer.0.lock().unwrap());
    Ok(bytes)
}

#[test]
fn what_docker_pushed_passes_as_it_is() {
    let mut memory = Memory::default();
    let tar = memory.put(media_type::DOCKER_LAYER, b"a tar".to_vec());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"another").unwrap();
    let packed = memory.put(media_type::DOCKER_LAYER_GZIP, gzip.finish().unwrap());
    let zstd = memory.put(media_type::DOCKER_LAYER_ZSTD, zstd::encode_all(&b"third"[..], 1).unwrap());
    let diff_ids = [&b"a tar"[..], b"another", b"third"].map(|bytes| Digest::of(bytes).to_string());
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let config = memory.put(media_type::DOCKER_CONFIG, config.to_string().into_bytes());
    let layers = [tar, packed, zstd];
    let mut image = memory.document(media_type::DOCKER_MANIFEST, json!({"config": config, "layers": layers}));
    image.platform = Some("linux/amd64".parse().unwrap());
    let list = memory.document(media_type::DOCKER_LIST, json!({"manifests": [image]}));
    let plan = plan_of(&memory, &list).unwrap();
    assert_eq!(plan.manifests.iter().map(|(it, _)| it).collect::<Vec<_>>(), [&image, &list]);
    assert!(plan.manifests.iter().all(|(it, bytes)| it.digest.fits(bytes)));
    assert_eq!(copied(&memory, &list).len(), 4 + 2 + 1);
    // A list of one is what Docker can hold.
    assert_eq!(docker_archive(&memory, &list).unwrap(), docker_archive(&memory, &image).unwrap());
}

#[test]
fn an_image_with_its_attestation_is_one_platform() {
    let mut memory = Memory::default();
    let image = memory.child("linux/amd64");
    let mut attestation = memory.refer(&image, "x");
    attestation.platform = Some("unknown/unknown".parse().unwrap());
    let index = memory.index(&[image.clone(), attestation]);
    assert_eq!(docker_archive(&memory, &index).unwrap(), docker_archive(&memory, &image).unwrap());
}

#[test]
fn schema_1_is_refused_before_anything_is_sent() {
    let mut memory = Memory::default();
    let old =
        json!({"schemaVersion": 1, "name": "a", "tag": "1", "architecture": "amd64", "fsLayers": [], "history": []});
    let bytes = old.to_string().into_bytes();
    for kind in [media_type::DOCKER_SCHEMA_1, media_type::DOCKER_SCHEMA_1_SIGNED, media_type::DOCKER_MANIFEST] {
        let image = memory.put(kind, bytes.clone());
        let index = memory.document(media_type::DOCKER_LIST, json!({"manifests": [image]}));
        for root in [image.clone(), index] {
            let error = plan_of(&memory, &root).unwrap_err();
            let why = "its manifest is of Docker's schema 1, which is not taken any more";
            assert_eq!(error.to_string(), format!("notes: {}: {why}", image.digest));
            assert_eq!(error.category(), Category::Usage);
            assert!(error.hint().is_some());
        }
    }
}

#[test]
fn artifacts_are_images_of_another_kind() {
    let mut memory = Memory::default();
    let empty = memory.put("application/vnd.oci.empty.v1+json", b"{}".to_vec());
    let mut embedded = json!(empty);
    embedded["data"] = STANDARD.encode("{}").into();
    for layers in [json!([]), json!(null), json!([embedded])] {
        let document = json!({"artifactType": "application/x", "config": embedded, "layers": layers});
        let artifact = memory.document(media_type::MANIFEST, document);
        assert_eq!(copied(&memory, &artifact).len(), 3);
    }
    let without = memory.document(media_type::MANIFEST, json!({"artifactType": "application/x", "config": embedded}));
    assert_eq!(copied(&memory, &without).len(), 3);
    // Go's programs write an index of nothing so.
    let nothing = memory.document(media_type::INDEX, json!({"manifests": null}));
    assert_eq!(copied(&memory, &nothing).len(), 2);
    let error = docker_archive(&memory, &without).unwrap_err();
    let why = "it is of the type `application/vnd.oci.empty.v1+json`, and images only are held there";
    assert!(error.to_string().ends_with(why) && error.category() == Category::Usage, "{error}");
    // What it embeds is the blob or a lie, in whichever place.
    for data in ["e30K", "", "no base64!", "e31="] {
        let mut lie = json!(empty);
        lie["data"] = data.into();
        for document in [
            (media_type::MANIFEST, json!({"config": lie})),
            (media_type::MANIFEST, json!({"config": empty, "layers": [lie]})),
            (media_type::MANIFEST, json!({"config": empty, "subject": lie})),
            (media_type::INDEX, json!({"manifests": [lie]})),
        ] {
            let root = memory.document(document.0, document.1);
            let error = plan_of(&memory, &root).unwrap_err();
            assert!(
                error.to_string().ends_with(&format!("the data that it embeds is not {}", empty.digest)),
                "{error}"
            );
            assert_eq!(error.category(), Category::Verification);
        }
    }
}

#[test]
fn layers_that_only_their_publisher_gives_out() {
    let mut memory = Memory::default();
    let image = memory.image("windows/amd64");
    let mut document = memory.json(&image);
    let own = document["layers"][0].clone();
    let foreign = [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
    ];
    let layer = |kind: &&str| {
        let mut layer = json!(Descriptor::of(kind, kind.as_bytes()));
        layer["urls"] = json!(["https://publisher.example/layer"]);
        layer
    };
    let mut layers: Vec<_> = foreign.iter().map(layer).collect();
    layers.push(own);
    document["layers"] = json!(layers);
    let root = memory.document(media_type::MANIFEST, document);
    let plan = plan_of(&memory, &root).unwrap();
    assert_eq!((plan.blobs.len(), plan.foreign.len()), (2, 3));
    assert_eq!(copied(&memory, &root).len(), 4);
    // Docker needs them all.
    let mut config = memory.json(&serde_json::from_value(memory.json(&root)["config"].clone()).unwrap());
    let id = config["rootfs"]["diff_ids"][0].clone();
    config["rootfs"]["diff_ids"] = json!([id, id, id, id]);
    let config = memory.put(media_type::CONFIG, config.to_string().into_bytes());
    let root = memory.document(media_type::MANIFEST, json!({"config": config, "layers": layers}));
    let error = docker_archive(&memory, &root).unwrap_err();
    let why = "only its publisher gives this layer out, and all layers are needed there";
    assert!(error.to_string().ends_with(why), "{error}");
    assert_eq!(error.category(), Category::Usage);
}

#[test]
fn digests_of_the_other_kind() {
    fn sha512(bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha512);
        hasher.update(bytes);
        hasher.finish()
    }
    let mut memory = Memory::default();
    let mut put = |kind: &str, bytes: &[u8]| {
        let descriptor = Descriptor::new(kind, sha512(bytes), bytes.len() as u64);
        memory.blobs.insert(descriptor.digest, bytes.to_vec());
        descriptor
    };
    let config = put(media_type::CONFIG, b"{}");
    let layer = put(media_type::LAYER, b"layer");
    let document = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
    let image = put(media_type::MANIFEST, document.to_string().as_bytes());
    assert_eq!(copied(&memory, &image).len(), 4);
    memory.blobs.insert(image.digest, b"other".to_vec());
    assert!(plan_of(&memory, &image).is_err());
}

proptest! {
    #[test]
    fn any_document_is_planned_or_refused(
        kind in prop::sample::select(vec![media_type::MANIFEST, media_type::INDEX, media_type::DOCKER_LIST]),
        text in r#"\{("(schemaVersion|mediaType|config|layers|manifests|subject)":(2|null|\[\]|\{\}|"x"|\[\{"digest":"x"\}\]),?){0,5}\}"#,
    ) {
        let mut memory = Memory::default();
        let root = memory.put(kind, text.into_bytes());
        if let Err(error) = plan_of(&memory, &root) {
            prop_assert!(error.to_string().contains(&root.digest.to_string()));
        }
    }
}
