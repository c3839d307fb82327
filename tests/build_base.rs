//! `kimg build --base`: an image from elsewhere instead of the definition's own base.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders and its own environment")]

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/image.rs"]
mod image;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;
#[path = "support/small_registry.rs"]
mod small_registry;

use catalog::{COMPANY, Material, World};
use image::Image;
use kimg::digest::Digest;
use serde_json::{Value, json};
use small_registry::Registry;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An image as other tools make them: Docker's media types, `null` where nothing is meant, a layer that is no tar at all.
/// So it is known that nobody looks into it.
struct Foreign {
    layer: Vec<u8>,
    config: Vec<u8>,
    manifest: Vec<u8>,
}

impl Foreign {
    fn new(architecture: &str, layer_type: &str) -> Foreign {
        let layer = format!("no tar at all for {architecture}").into_bytes();
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "created": "2024-01-02T03:04:05Z",
            "config": {
                "Env": ["PATH=/opt/java/bin:/usr/bin", "JAVA_HOME=/opt/java", "LEVEL=of the base"],
                "Cmd": null,
                "Entrypoint": ["/base"],
                "Volumes": null,
                "Labels": {"of": "the base"},
            },
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(b"its tar").to_string()]},
            "history": [
                {"created": "2024-01-02T03:04:05Z", "created_by": "ADD rootfs"},
                {"created": "2024-01-02T03:04:05Z", "created_by": "ENV A=b", "empty_layer": true},
            ],
        });
        let config = config.to_string().into_bytes();
        let part = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len()});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": part("application/vnd.docker.container.image.v1+json", &config),
            "layers": [part(layer_type, &layer)],
        });
        Foreign { layer, config, manifest: manifest.to_string().into_bytes() }
    }

    fn gzip(architecture: &str) -> Foreign {
        Foreign::new(architecture, "application/vnd.docker.image.rootfs.diff.tar.gzip")
    }

    fn put(&self, registry: &Registry, repository: &str, tag: &str) -> Digest {
        registry.put(repository, tag, DOCKER_MANIFEST, &self.manifest, &[&self.layer, &self.config])
    }
}

fn layers(manifest: &Value) -> Vec<&str> {
    manifest["layers"].as_array().unwrap().iter().map(|layer| layer["digest"].as_str().unwrap()).collect()
}

fn config(registry: &Registry, repository: &str, tag: &str) -> Value {
    let manifest = registry.manifest(repository, tag).unwrap();
    let digest = manifest["config"]["digest"].as_str().unwrap();
    serde_json::from_slice(&registry.blob(repository, digest).unwrap()).unwrap()
}

/// Without the layers that the base stands for, nothing of Debian's is fetched.
fn without_debian(world: &World) {
    for name in ["files", "library", "certificates", "java"] {
        for kind in ["debian", "debian-security"] {
            world.server.remove(&format!("/{kind}/pool/{name}/{name}_1.0_amd64.deb"));
        }
    }
}

/// The app and its base, with the outputs in their locks.
fn world() -> World {
    Material::new().lock_only(&["base", "app"])
}

#[test]
fn the_same_base_from_a_registry_gives_the_same_layers() {
    let (world, registry) = (world(), Registry::start());
    let host = registry.host();
    let base = format!("{host}/base:1");
    let line = world.built(&["base", "-t", &base, "--push"]);
    world.built(&["app", "-t", &format!("{host}/app:whole"), "--push"]);
    without_debian(&world);
    let base = format!("docker://{}", line.trim_end());
    let target = format!("{host}/app:1");
    let arguments = world.build(&["app", "--base", &base, "-t", &target, "--push"]);
    let output = world.kimg.command(&arguments).env("KIMG_HOME", "other").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let (whole, image) = (registry.manifest("app", "whole").unwrap(), registry.manifest("app", "1").unwrap());
    assert_eq!(layers(&whole), layers(&image));
    assert_eq!(image["annotations"]["org.opencontainers.image.base.name"], format!("{host}/base:1"));
    let digest = line.trim_end().rsplit_once('@').unwrap().1;
    assert_eq!(image["annotations"]["org.opencontainers.image.base.digest"], digest);
    let (whole, image) = (config(&registry, "app", "whole"), config(&registry, "app", "1"));
    assert_eq!(whole["rootfs"], image["rootfs"]);
    assert_eq!(whole["config"]["Entrypoint"], image["config"]["Entrypoint"]);
    // What a layout holds is whole: the base's layers are brought for it.
    let line = world.built(&["app", "--base", &base, "-o", "oci:out", "-t", "mine:1"]);
    let image = Image::open(&world.kimg.home().join("out"), "mine:1");
    assert!(line.ends_with(&format!("{}\n", image.digest)));
    assert_eq!(image.at("etc/issue").text(), "demo\n");
    assert_eq!(image.at("opt/app/LICENSE").text(), "a licence");
    // And the store, whose images may be a base too. Links of a base are not looked for: those of Debian are supposed.
    world.kimg.write("mine", "mine");
    let again = world.built(&["app", "--base", "store:mine:1", "--add", "mine:/bin/mine", "-o", "oci:again"]);
    let again = Image::open(&world.kimg.home().join("again"), again.split('@').next().unwrap());
    assert_eq!(again.at("usr/bin/mine").text(), "mine");
    assert_eq!(again.layers.len(), 5 + 3 + 1);
}

#[test]
fn a_foreign_base_is_passed_on_and_never_unpacked() {
    let (world, registry) = (world(), Registry::start());
    without_debian(&world);
    let host = registry.host();
    let foreign = Foreign::gzip("amd64");
    let digest = foreign.put(&registry, "java", "17");
    let target = format!("docker://{host}/java:17");
    let base = format!("{target}@{digest}");
    world.built(&["app", "--base", &base, "-o", &format!("docker://{host}/app:1"), "--env", "MINE=1"]);
    let manifest = registry.manifest("app", "1").unwrap();
    let layer = Digest::of(&foreign.layer).to_string();
    assert_eq!((layers(&manifest)[0], layers(&manifest).len()), (layer.as_str(), 4));
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(registry.blob("app", &layer), Some(foreign.layer));
    let config = config(&registry, "app", "1");
    assert_eq!(config["rootfs"]["diff_ids"][0], Digest::of(b"its tar").to_string());
    let made: Vec<&str> =
        config["history"].as_array().unwrap().iter().map(|entry| entry["created_by"].as_str().unwrap()).collect();
    assert_eq!(made[..2], ["ADD rootfs", "ENV A=b"]);
    assert_eq!(made.len(), 5);
    assert_eq!(
        config["config"]["Env"],
        json!(["JAVA_HOME=/opt/java", "LEVEL=of the base", "MINE=1", "PATH=/opt/app/bin:/usr/bin:/bin:/opt/java/bin"])
    );
    assert_eq!(config["config"]["Entrypoint"], json!(["/usr/bin/kimg-entrypoint"]));
    assert_eq!(config["config"]["Labels"]["of"], Value::Null);
}

#[test]
fn the_platform_of_an_index_that_is_built() {
    let (world, registry) = (world(), Registry::start());
    let (amd64, arm64) = (Foreign::gzip("amd64"), Foreign::gzip("arm64"));
    let entry = |foreign: &Foreign, architecture: &str| {
        json!({
            "mediaType": DOCKER_MANIFEST,
            "digest": foreign.put(&registry, "java", architecture).to_string(),
            "size": foreign.manifest.len(),
            "platform": {"os": "linux", "architecture": architecture},
        })
    };
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [entry(&arm64, "arm64"), entry(&amd64, "amd64")],
    });
    registry.put("java", "17", INDEX, index.to_string().as_bytes(), &[]);
    let base = format!("docker://{}/java:17", registry.host());
    let target = format!("docker://{}/app", registry.host());
    let arguments = world.build(&["app", "--base", &base, "-o", &target]);
    let output = world.kimg.output(&arguments);
    let story = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{story}");
    // A tag is told with what it is now.
    let pinned = format!("{base}@{}", Digest::of(index.to_string().as_bytes()));
    assert!(story.contains("warning: --base: a tag may be another image tomorrow"), "{story}");
    assert!(story.contains(&pinned), "{story}");
    let manifest = registry.manifest("app", "latest").unwrap();
    assert_eq!(layers(&manifest)[0], Digest::of(&amd64.layer).to_string());
    assert_eq!(
        manifest["annotations"]["org.opencontainers.image.base.digest"],
        Digest::of(&amd64.manifest).to_string()
    );
}

#[test]
fn what_cannot_be_a_base() {
    let (world, registry) = (world(), Registry::start());
    let host = registry.host();
    Foreign::gzip("arm64").put(&registry, "java", "arm64");
    Foreign::new("amd64", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
        .put(&registry, "java", "windows");
    registry.put("java", "index", INDEX, br#"{"schemaVersion":2,"manifests":[]}"#, &[]);
    registry.put("java", "wrong", DOCKER_MANIFEST, br#"{"schemaVersion":2,"config":7}"#, &[]);
    let mut shown = String::new();
    let tags = ["arm64", "windows", "index", "wrong", "absent"];
    for (image, base) in tags.map(|tag| ("app", format!("docker://{host}/java:{tag}"))).into_iter().chain([
        ("base", format!("docker://{host}/java:arm64")),
        ("app", "oci:absent".to_owned()),
        ("app", "store:absent".to_owned()),
    ]) {
        let output = world.kimg.output(&world.build(&[image, "--base", &base]));
        let text = world.kimg.show(&["build", image, "--base", &base], &output).replace(&host, "registry.example");
        let lines = text.lines().filter(|line| !line.contains("warning:"));
        shown += &lines.map(|line| format!("{line}\n")).collect::<String>();
    }
    // Its certificates are not read, so that none can be added.
    world.kimg.write("company.pem", COMPANY);
    let base = Foreign::gzip("amd64").put(&registry, "java", "17");
    let base = format!("docker://{host}/java@{base}");
    let arguments = world.build(&["app", "--base", &base, "--ca", "company.pem"]);
    let text = world.kimg.show(&["build", "app", "--ca", "company.pem"], &world.kimg.output(&arguments));
    // Layers come in any order.
    let lines = text.lines().filter(|line| !line.starts_with("  layer "));
    shown += &lines.map(|line| format!("{line}\n")).collect::<String>();
    insta::assert_snapshot!(shown);
}
