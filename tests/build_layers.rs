//! What comes out of a build, read from the layout that it wrote.

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
#[path = "support/truststore.rs"]
mod truststore;

use std::fs;

use catalog::{ALPHA, APP_CREATED, BASE_CREATED, BETA, Material, World};
use image::Image;
use kimg::lock;
use serde_json::{Value, json};
use truststore::Truststore;

/// Both images in one layout.
fn images() -> (World, Image, Image) {
    let world = Material::new().lock();
    let answer = world.built(&["app", "other", "-o", "oci:out"]);
    let out = world.kimg.home().join("out");
    let (app, other) = (Image::open(&out, "app:1.0"), Image::open(&out, "other:1"));
    assert_eq!(answer, format!("app:1.0@{}\nother:1@{}\n", app.digest, other.digest));
    (world, app, other)
}

#[test]
fn every_entry_of_every_layer() {
    let (_world, app, other) = images();
    insta::assert_snapshot!("app", app.layers.iter().map(image::Layer::lines).collect::<Vec<_>>().join("\n"));
    insta::assert_snapshot!("other", other.layers[2].lines());
    let (base, own) = (lock::seconds(BASE_CREATED).unwrap(), lock::seconds(APP_CREATED).unwrap());
    for (index, layer) in app.layers.iter().enumerate() {
        let time = if index < 2 { base } else { own };
        assert!(layer.entries.iter().all(|found| found.mtime == time), "layer {index}");
    }
}

#[test]
fn images_on_one_base_share_its_layers_byte_for_byte() {
    let (_world, app, other) = images();
    assert_eq!(app.digests()[..2], other.digests()[..2]);
    assert_eq!((app.layers.len(), other.layers.len()), (5, 3));
    assert!(!app.digests().contains(&other.digests()[2]));
}

#[test]
fn files_that_package_scripts_would_have_made() {
    let (_world, app, _) = images();
    // By the sorted paths: usr/share/ca-certificates/a comes before z.
    assert_eq!(app.at("etc/ssl/ca-bundle.crt").text(), [ALPHA, BETA].concat());
    assert_eq!(app.at("etc/passwd").text(), "root:*:0:0:root:/root:/bin/sh\napp:x:1000:1000::/tmp:/bin/false\n");
    assert_eq!(app.at("etc/group").text(), "root:*:0:\napp:x:1000:\n");
    assert_eq!(app.at("etc/services").text(), "a 1/tcp\n");
    assert_eq!(app.at("etc/issue").text(), "demo\n");
    let store = Truststore::read(&app.at("etc/ssl/cacerts").bytes);
    let found: Vec<_> = store.entries.iter().map(|entry| (entry.alias.as_str(), entry.milliseconds)).collect();
    // The notBefore of both: 2001-02-03T04:05:06Z and 2020-03-04T05:06:07Z.
    assert_eq!(found, [("same.crt", 981_173_106_000), ("same.crt-2", 1_583_298_367_000)]);
    assert_eq!(store.pem(), [ALPHA, BETA]);
}

#[test]
fn scanners_are_told_of_packages_and_of_the_files_that_are_in_the_image() {
    let (_world, app, _) = images();
    let status = |package: &str| app.at(&format!("var/lib/dpkg/status.d/{package}")).text().to_owned();
    assert_eq!(status("files"), Material::new().deb("files").stanza());
    assert!(status("java").starts_with("Package: java\n"));
    let sums = status("files.md5sums");
    let paths: Vec<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    let expected = [
        "bin/tool",
        "sbin/mount",
        "etc/tool.conf",
        "usr/lib/os-release",
        "usr/share/doc/files/copyright",
        "usr/share/demo/services",
    ];
    assert_eq!(paths, expected);
    assert!(app.entry("usr/share/doc/java/copyright").is_some());
}

#[test]
fn what_the_entrypoint_and_the_definition_bring() {
    let (_world, app, _) = images();
    let configuration = &app.layers[4];
    assert_eq!(app.at("opt/app/bin/start.sh").target, "../../../usr/bin/kimg-entrypoint");
    assert_eq!(app.at("usr/bin/kimg-entrypoint").bytes[..4], *b"\x7FELF");
    assert!(app.at("etc/kimg/launchers").text().contains("admin.sh demo.Admin"));
    assert_eq!(app.at("opt/app/config/app.properties").text(), "level = 1\n");
    assert_eq!(app.at("opt/app/LICENSE").text(), "a licence");
    assert_eq!(app.at("opt/app/libs/one-1.1.jar").bytes, catalog::noise("one-1.1.jar", 5000));
    assert!(configuration.entries.iter().any(|found| found.path == "usr/bin/kimg-entrypoint"));
}

#[test]
fn the_configuration_and_the_manifest() {
    let (_world, app, _) = images();
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let mut config = app.config.clone();
    // They are checked against the layers; the last depends on the program's own bytes.
    config["rootfs"]["diff_ids"] = json!([]);
    insta::assert_snapshot!("config", text(&config));
    insta::assert_snapshot!("annotations", text(&app.manifest["annotations"]));
    let types: Vec<&str> = app.layers.iter().map(|layer| layer.media_type.as_str()).collect();
    assert_eq!(types, ["application/vnd.oci.image.layer.v1.tar+gzip"; 5]);
}

#[test]
fn locks_tell_what_must_come_out_and_what_of() {
    let (world, app, other) = images();
    let images = world.kimg.home().join("images");
    let outputs = |path: &str| lock::parse(&fs::read_to_string(images.join(path)).unwrap(), path).unwrap().outputs;
    for (path, layers) in [
        ("base/1.lock.toml", &app.layers[..2]),
        ("app/1.0.lock.toml", &app.layers[2..4]),
        ("other/1.lock.toml", &other.layers[2..]),
    ] {
        let outputs = outputs(path);
        let locked: Vec<_> =
            outputs.iter().map(|output| (output.diff_id.to_string(), output.gzip.to_string())).collect();
        let found: Vec<_> = layers.iter().map(|layer| (layer.diff_id.clone(), layer.digest.clone())).collect();
        assert_eq!(locked, found, "{path}");
    }
    let entries = fs::read_to_string(images.join("base/1.entries")).unwrap();
    let paths: Vec<&str> = entries.lines().map(|line| line.rsplit_once(' ').unwrap().1).collect();
    let found: Vec<&str> =
        app.layers[..2].iter().flat_map(|layer| &layer.entries).map(|found| found.path.as_str()).collect();
    assert_eq!(paths, found);
}
