//! `kimg build --push`: what a registry has already is neither fetched, nor made, nor sent.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders and its own environment")]

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;
#[path = "support/small_registry.rs"]
mod small_registry;
#[path = "support/workshop.rs"]
mod workshop;

use std::io::Read;
use std::process::Output;

use catalog::{Material, World, assert_sound};
use command::Kimg;
use kimg::build::{self, Reuse, Workshop};
use kimg::copy::{CopyError, Source};
use kimg::event::Events;
use kimg::store::Store;
use small_registry::Registry;

/// Upstreams that nobody can reach, by whatever name they are asked.
const NOBODY: [(&str, &str); 6] = [
    ("KIMG_MIRROR_MAVEN", "http://127.0.0.1:1/"),
    ("KIMG_MIRROR_APACHE", "http://127.0.0.1:1/"),
    ("KIMG_MIRROR_DEBIAN", "http://127.0.0.1:1/"),
    ("KIMG_MIRROR_DEBIAN_SECURITY", "http://127.0.0.1:1/"),
    ("https_proxy", "http://127.0.0.1:1/"),
    ("http_proxy", "http://127.0.0.1:1/"),
];

/// Builds `app` with a store of its own on a machine that can fetch nothing.
fn cut_off(world: &World, store: &str, more: &[&str]) -> Output {
    let mut command = world.kimg.command(&world.build(&[&["app", "--offline"], more].concat()));
    command.env("KIMG_HOME", store).env("no_proxy", "127.0.0.1").envs(NOBODY).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Pushes from the world's own store; the digest.
fn pushed(world: &World, reference: &str) -> String {
    let line = world.built(&["app", "-t", reference, "--push"]);
    let (name, digest) = line.trim_end().split_once('@').unwrap();
    assert_eq!(name, reference);
    digest.to_owned()
}

/// A digest of the image's layers, lowest first.
fn layer(registry: &Registry, index: usize) -> String {
    let manifest = registry.manifest("app", "1").unwrap();
    manifest["layers"][index]["digest"].as_str().unwrap().to_owned()
}

fn puts(requests: &[String]) -> Vec<&String> {
    requests.iter().filter(|request| request.starts_with("PUT") || request.starts_with("PATCH")).collect()
}

/// The app and its base, with the outputs in their locks.
fn world() -> World {
    Material::new().lock_only(&["base", "app"])
}

#[test]
fn an_image_goes_into_a_registry_under_all_of_its_tags() {
    let (world, registry) = (world(), Registry::start());
    let host = registry.host();
    let tags = [format!("{host}/app:1"), format!("{host}/app:one"), format!("{host}/team/app"), "app:mine".to_owned()];
    let [one, two, other, own] = &tags;
    let line = world.built(&["app", "-t", own, "-t", one, "-t", two, "-t", other, "--push"]);
    let digest = line.trim_end().strip_prefix(&format!("{one}@")).unwrap();
    let manifest = registry.manifest("app", "1").unwrap();
    assert_eq!(registry.manifest("app", "one"), Some(manifest.clone()));
    assert_eq!(registry.manifest("team/app", "latest"), Some(manifest.clone()));
    assert_eq!(registry.manifest("app", digest), Some(manifest.clone()));
    for part in manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]) {
        let blob = registry.blob("app", part["digest"].as_str().unwrap()).unwrap();
        assert_eq!(part["size"], blob.len());
    }
    // All of it was made here, so it lies in the store too, under all of its names.
    let mut names: Vec<&str> = tags.iter().map(String::as_str).chain(["app:1.0"]).collect();
    names.sort_unstable();
    assert_sound(&world.store(), &names);
}

#[test]
fn an_index_goes_there_with_its_images() {
    let mut material = Material::new();
    let platforms = "platforms = [\"linux/amd64\", \"linux/arm64\"]\ndefault = ";
    material.other = material.other.replace("base = \"base:1\"\n", "").replacen("default = ", platforms, 1);
    let (world, registry) = (material.lock(), Registry::start());
    let reference = format!("{}/other:1", registry.host());
    let flags = ["other", "--platform", "linux/arm64,linux/amd64", "-t", &reference, "--push"];
    let line = world.built(&flags);
    let index = registry.manifest("other", "1").unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    for manifest in index["manifests"].as_array().unwrap() {
        assert!(registry.manifest("other", manifest["digest"].as_str().unwrap()).is_some());
    }
    // The layer that both share is known without its jar.
    registry.requests();
    let metadata = ["--offline", "--trust-lock-outputs", "--metadata-file", "out.json"];
    let output = world.kimg.command(&world.build(&[&flags[..], &metadata].concat())).env("KIMG_HOME", "other").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), line);
    assert_eq!(registry.requests().iter().filter(|request| request.starts_with("POST")).count(), 0);
    let metadata = std::fs::read(world.kimg.home().join("out.json")).unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap();
    for platform in ["linux/amd64", "linux/arm64"] {
        assert_eq!(metadata["kimg.layers"][platform][0]["how"], "reused");
    }
}

#[test]
fn an_output_in_a_registry_is_a_push() {
    let (world, registry) = (world(), Registry::start());
    let target = format!("docker://{}/x/app", registry.host());
    let line = world.built(&["app", "-o", &target, "-o", "oci:out"]);
    assert!(line.starts_with(&format!("{}/x/app:latest@sha256:", registry.host())), "{line}");
    assert!(registry.manifest("x/app", "latest").is_some());
    assert!(world.kimg.home().join("out/index.json").is_file());
}

#[test]
fn an_unchanged_image_costs_an_empty_machine_next_to_nothing() {
    let (world, registry) = (world(), Registry::start());
    let reference = format!("{}/app:1", registry.host());
    let expected = pushed(&world, &reference);
    registry.requests();
    let before = registry.received();
    let output = cut_off(&world, "other", &["-t", &reference, "--push", "--trust-lock-outputs"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{reference}@{expected}\n"));
    let requests = registry.requests();
    assert!(requests.len() <= 12, "{requests:?}");
    assert!(registry.received() - before <= 20_000);
    // No name of the store points at a part of an image.
    assert_sound(&world.kimg.home().join("other"), &[]);
}

#[test]
fn only_what_the_registry_lacks_is_made() {
    let (world, registry) = (world(), Registry::start());
    let reference = format!("{}/app:1", registry.host());
    let expected = pushed(&world, &reference);
    let product = layer(&registry, 3);
    registry.forget("app", &product);
    world.server.remove("/maven/example/app/one-1.1.jar");
    registry.requests();
    // The third-party jars cannot be had any more; the product's can, and its layer is the only one that is made.
    let arguments = world.build(&["app", "-v", "-t", &reference, "--push", "--trust-lock-outputs"]);
    let output = world.kimg.command(&arguments).env("KIMG_HOME", "other").output().unwrap();
    let story = told(&output);
    assert_eq!(output.status.code(), Some(0), "{story}");
    for (layer, how) in [("debian", "reused"), ("third-party", "reused"), ("product", "built")] {
        assert!(story.contains(&format!("layer {layer}: {how}, sha256:")), "{story}");
    }
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{reference}@{expected}\n"));
    let sent = registry.requests();
    let uploads = sent.iter().filter(|request| request.starts_with("POST")).count();
    assert_eq!(uploads, 1, "{sent:?}");
    assert!(registry.blob("app", &product).is_some());
}

#[test]
fn a_registry_that_is_wrong_about_a_blob_gets_it_once() {
    let (world, registry) = (world(), Registry::start());
    let reference = format!("{}/app:1", registry.host());
    let expected = pushed(&world, &reference);
    registry.lose("app", &layer(&registry, 2));
    registry.requests();
    // Under a new tag, as the manifest of the old one is there.
    let reference = format!("{}/app:2", registry.host());
    let arguments = world.build(&["app", "-t", &reference, "--push", "--trust-lock-outputs"]);
    let output = world.kimg.command(&arguments).env("KIMG_HOME", "other").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{reference}@{expected}\n"));
    let requests = registry.requests();
    let manifests = puts(&requests).into_iter().filter(|request| request.contains("/manifests/")).count();
    assert_eq!(manifests, 2, "{requests:?}");
    let uploads = requests.iter().filter(|request| request.starts_with("POST")).count();
    assert_eq!(uploads, 1, "{requests:?}");
}

#[test]
fn a_layer_that_was_not_made_is_no_layer_of_the_source() {
    let world = world();
    let workshop = workshop::workshop(&world, &workshop::mirrors(&world), Events::silent());
    let store = tempfile::tempdir().unwrap();
    let workshop = Workshop { store: Store::open(&store.path().join("store")).unwrap(), ..workshop };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let request = workshop::request("app");
        let mut outline = build::outline(&request, &workshop, Reuse::AllLocks).await.unwrap();
        let (name, layer, how) = outline.built().images[0].layers[2].clone();
        assert_eq!((name.as_str(), how), ("third-party", "reused"));
        match outline.source().unwrap().open(&layer, 0).map(drop) {
            Err(CopyError::Incomplete { blobs, .. }) => assert_eq!(blobs, [layer.digest]),
            other => panic!("{other:?}"),
        }
        assert_eq!(outline.make(|wanted| wanted.digest == layer.digest).await.unwrap(), 1);
        let mut bytes = Vec::new();
        outline.source().unwrap().open(&layer, 0).unwrap().read_to_end(&mut bytes).unwrap();
        assert!(layer.digest.fits(&bytes));
        assert_eq!(outline.built().images[0].layers[2].2, "built");
        // The others are lacking still, so that no name points at the image.
        let manifest = outline.built().manifest.clone();
        assert_eq!(outline.finish().unwrap().manifest, manifest);
        assert_eq!(workshop.store.resolve("app:1.0").unwrap(), None);
        // All of it, made now, is the same image.
        let built = build::build(&request, &workshop).await.unwrap();
        assert_eq!(built.manifest, manifest);
    });
}

#[test]
fn what_a_lock_of_the_users_says_is_not_believed() {
    let (world, registry) = (world(), Registry::start());
    let reference = format!("{}/app:1", registry.host());
    pushed(&world, &reference);
    let output = cut_off(&world, "other", &["-t", &reference, "--push"]);
    assert_eq!(output.status.code(), Some(5), "{}", told(&output));
    // What this store made once counts, though its layers are gone.
    for blob in catalog::tree(&world.store().join("blobs/sha256")) {
        std::fs::remove_file(world.store().join("blobs/sha256").join(blob)).unwrap();
    }
    std::fs::remove_file(world.store().join("index.json")).unwrap();
    let store = world.store().display().to_string();
    let output = cut_off(&world, &store, &["-t", &reference, "--push"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

#[test]
fn files_of_the_users_need_the_layers_below_them() {
    let (world, registry) = (world(), Registry::start());
    let reference = format!("{}/app:1", registry.host());
    pushed(&world, &reference);
    world.kimg.write("mine", "mine");
    let output =
        cut_off(&world, "other", &["-t", &reference, "--push", "--trust-lock-outputs", "--add", "mine:/etc/mine"]);
    // Whether `/etc` is a link there is not in the lock.
    assert_eq!(output.status.code(), Some(5), "{}", told(&output));
}

#[test]
fn the_locks_that_ship_with_kimg_are_believed() {
    let registry = Registry::start();
    registry.claim_all();
    let kimg = Kimg::new();
    let reference = format!("{}/kafka:3.5.2", registry.host());
    let mut command = kimg.command(&["build", "kafka:3.5.2", "-t", &reference, "--push"]);
    let output = command.env("no_proxy", "127.0.0.1").envs(NOBODY).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(registry.received() <= 20_000);
    assert!(registry.requests().len() <= 12);
    assert_eq!(registry.manifest("kafka", "3.5.2").unwrap()["layers"].as_array().unwrap().len(), 6);
}

#[test]
fn wrong_orders() {
    let kimg = Kimg::new();
    let digest = format!("docker://registry.example/a@sha256:{}", "0".repeat(64));
    let runs = [
        &["build", "kafka", "--push"][..],
        &["build", "kafka", "--push", "-t", "kafka:mine", "-t", "team/kafka:1"],
        &["build", "kafka", "-o", &digest],
        &["build", "kafka", "zookeeper", "-o", "docker://registry.example/a"],
        &["build", "kafka", "-o", "store:a"],
        &["build", "kafka", "--base", "docker-daemon:a:1"],
    ];
    let told: Vec<String> = runs.iter().map(|arguments| kimg.run(arguments)).collect();
    insta::assert_snapshot!(told.join("\n"));
}
