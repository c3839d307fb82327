//! The inputs of images as an artifact in a registry: `kimg fetch -o docker://REF`, `kimg build --inputs docker://REF`.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders and its own environment")]

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/release.rs"]
mod release;
#[path = "support/server.rs"]
mod server;
#[path = "support/small_registry.rs"]
mod small_registry;

use std::process::Output;

use catalog::{Material, World};
use kimg::digest::Digest;
use release::{PATH, Released, told};
use serde_json::json;
use small_registry::Registry;

fn run(world: &World, store: &str, arguments: &[&str]) -> Output {
    world.kimg.command(arguments).env("KIMG_HOME", store).env("no_proxy", "127.0.0.1").output().unwrap()
}

fn fetch(world: &World, store: &str, target: &str, more: &[&str]) -> (Option<i32>, String, String) {
    told(&run(world, store, &[&["fetch", "app", "--images", "images", "-o", target], more].concat()))
}

/// Builds without a host but the registry.
fn offline(world: &World, store: &str, inputs: &str) -> (Option<i32>, String, String) {
    let before = world.server.requests().len();
    let told = told(&run(world, store, &world.build(&["app", "--offline", "--inputs", inputs])));
    assert_eq!(world.server.requests().len(), before, "a host was asked");
    told
}

fn titles(registry: &Registry) -> Vec<String> {
    let manifest = registry.manifest("inputs", "latest").unwrap();
    let title =
        |layer: &serde_json::Value| layer["annotations"]["org.opencontainers.image.title"].as_str().unwrap().to_owned();
    manifest["layers"].as_array().unwrap().iter().map(title).collect()
}

/// The app and its base, with the outputs in their locks.
fn world() -> World {
    Material::new().lock_only(&["base", "app"])
}

#[test]
fn an_artifact_is_all_that_a_build_needs() {
    let (world, registry) = (world(), Registry::start());
    let expected = world.built(&["app"]);
    let target = format!("docker://{}/inputs", registry.host());
    let (code, answer, story) = fetch(&world, "one", &target, &[]);
    assert_eq!(code, Some(0), "{story}");
    assert!(story.contains("app:1.0: 8 files, 1.5 MB"), "{story}");
    let digest = answer.trim_end().strip_prefix(&format!("{}/inputs:latest@", registry.host())).unwrap().to_owned();
    let manifest = registry.manifest("inputs", &digest).unwrap();
    assert_eq!(manifest["artifactType"], "application/vnd.kimg.inputs.v1");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
    assert_eq!(
        titles(&registry),
        [
            "debian-security/pool/library/library_1.0_amd64.deb",
            "debian/pool/certificates/certificates_1.0_amd64.deb",
            "debian/pool/files/files_1.0_amd64.deb",
            "debian/pool/java/java_1.0_amd64.deb",
            "maven/example/app/app-1.0.jar",
            "maven/example/app/app-1.0.jar.asc",
            "maven/example/app/one-1.1.jar",
            "maven/example/app/two-2.2.jar",
        ]
    );
    // By tag, and by digest.
    for (store, inputs) in [("two", target.clone()), ("three", format!("{target}@{digest}"))] {
        let (code, answer, story) = offline(&world, store, &inputs);
        assert_eq!((code, answer), (Some(0), expected.clone()), "{story}");
    }
    // Another machine makes the same artifact, and sends nothing of it.
    let before = registry.received();
    let (code, again, story) = fetch(&world, "four", &target, &[]);
    assert_eq!((code, again), (Some(0), answer), "{story}");
    assert!(registry.received() - before < 4000);
}

#[test]
fn only_what_is_needed_is_read() {
    let (world, registry) = (world(), Registry::start());
    let target = format!("docker://{}/inputs", registry.host());
    fetch(&world, "one", &target, &["other"]);
    assert_eq!(titles(&registry).len(), 9);
    registry.requests();
    let (code, _, story) = offline(&world, "two", &target);
    assert_eq!(code, Some(0), "{story}");
    let blobs = registry.requests().iter().filter(|request| request.contains("/blobs/")).count();
    assert_eq!(blobs, 8);
}

#[test]
fn the_release_archive_stands_for_its_members() {
    let registry = Registry::start();
    let Released { world, apache, expected } = Released::good();
    let target = format!("docker://{}/inputs", registry.host());
    let mirror = format!("apache={}", apache.url());
    let (code, _, story) = fetch(&world, "one", &target, &["--mirror", &mirror]);
    assert_eq!(code, Some(0), "{story}");
    assert_eq!(titles(&registry), [format!("apache/{PATH}"), format!("apache/{PATH}.asc")]);
    let (code, answer, story) = offline(&world, "two", &target);
    assert_eq!((code, answer), (Some(0), expected), "{story}");
}

#[test]
fn other_bytes_are_never_used() {
    let (world, registry) = (world(), Registry::start());
    let target = format!("docker://{}/inputs", registry.host());
    fetch(&world, "one", &target, &[]);
    let manifest = registry.manifest("inputs", "latest").unwrap();
    let jar = manifest["layers"][6].clone();
    let size = usize::try_from(jar["size"].as_u64().unwrap()).unwrap();
    registry.replace("inputs", jar["digest"].as_str().unwrap(), &vec![b'x'; size]);
    let (code, _, story) = offline(&world, "two", &target);
    assert_eq!(code, Some(3), "{story}");
    assert!(story.contains("inputs: one-1.1.jar"), "{story}");
    // Where a host may be asked, it is.
    let (code, _, story) = told(&run(&world, "three", &world.build(&["app", "--inputs", &target])));
    assert_eq!(code, Some(0), "{story}");
    assert!(story.contains("a host is asked for it"), "{story}");
}

#[test]
fn what_is_no_artifact_of_inputs() {
    let (world, registry) = (world(), Registry::start());
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}});
    let config = config.to_string().into_bytes();
    let image = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest::of(&config).to_string(),
            "size": config.len(),
        },
        "layers": [],
    });
    let manifest = image.to_string().into_bytes();
    registry.put("image", "1", image["mediaType"].as_str().unwrap(), &manifest, &[&config]);
    let host = registry.host();
    let mut shown = String::new();
    for inputs in [format!("docker://{host}/image:1"), format!("docker://{host}/absent"), "docker://".to_owned()] {
        let arguments = world.build(&["app", "--offline", "--inputs", &inputs]);
        let output = run(&world, "one", &arguments);
        shown += &world.kimg.show(&["build", "app", "--inputs", &inputs], &output).replace(&host, "registry.example");
    }
    let target = format!("docker://registry.example/inputs@{}", Digest::of(b"it"));
    shown += &world.kimg.run(&["fetch", "app", "--images", "images", "-o", &target]);
    insta::assert_snapshot!(shown);
}
