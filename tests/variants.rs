//! Variants: what each has and has not, what it shares with the image without one, and what is told of one that there is
//! not.

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/debian_archive.rs"]
mod debian_archive;
#[path = "support/image.rs"]
mod image;
#[path = "support/looked_up.rs"]
mod looked_up;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;

use std::fs;

use catalog::{Jar, Material, World, assert_sound, noise};
use image::Image;
use kimg::digest::Digest;
use kimg::lock;
use serde_json::Value;

const FULL: &str = r#"
[[layer]]
name = "extra"
history = "more jars for {version}"
variants = ["full"]
into = "opt/app/libs"

[[layer]]
name = "configuration"
"#;

/// The base has a variant without a package and a link, `app` one with a layer more.
fn material() -> Material {
    let mut material = Material::new();
    let mut change = |from: &str, to: &str, text: fn(&mut Material) -> &mut String| {
        assert!(text(&mut material).contains(from), "{from}");
        *text(&mut material) = text(&mut material).replacen(from, to, 1);
    };
    change("\n[[layer]]", "\n[variants]\nsmall = \"without a library\"\n\n[[layer]]", |material| &mut material.base);
    let without = "[layer.without]\nsmall = [\"library\", \"usr/bin/alternative\"]\n\n[layer.folders]";
    change("[layer.folders]", without, |material| &mut material.base);
    change("\n[[layer]]", "\n[variants]\nfull = \"with all jars\"\n\n[[layer]]", |material| &mut material.app);
    change("\n[[layer]]\nname = \"configuration\"\n", FULL, |material| &mut material.app);
    let platforms = "platforms = [\"linux/amd64\", \"linux/arm64\"]\ndefault = ";
    change("default = ", platforms, |material| &mut material.other);
    looked_up::name_packages(&mut material);
    let bytes = noise("extra", 9000);
    material.jars.push(Jar { family: "app", layer: "extra", name: "extra-3.jar", bytes, signature: None });
    material
}

fn build(world: &World, name: &str, more: &[&str]) -> Image {
    let answer = world.built(&[&["app", "-o", "oci:out"], more].concat());
    let image = Image::open(&world.kimg.home().join("out"), name);
    assert_eq!(answer, format!("{name}@{}\n", image.digest));
    image
}

fn world() -> World {
    let material = material();
    let world = material.serve();
    looked_up::publish(&world, &material, debian_archive::DATE);
    world.lock();
    world
}

#[test]
fn each_has_what_it_says_and_shares_all_other_layers() {
    let world = world();
    let plain = build(&world, "app:1.0", &[]);
    let full = build(&world, "app:1.0-full", &["--variant", "full"]);
    let small = build(&world, "app:1.0-small", &["--variant", "small"]);

    assert_eq!(full.at("opt/app/libs/extra-3.jar").bytes, noise("extra", 9000));
    assert!(plain.entry("opt/app/libs/extra-3.jar").is_none());
    assert_eq!([&full.digests()[..4], &full.digests()[5..]].concat(), plain.digests());
    assert_eq!(full.config["history"][4]["created_by"], "more jars for 1.0");

    let is_gone = |path: &str| small.entry(path).is_none() && plain.entry(path).is_some();
    for path in ["usr/lib/x/libdemo.so.1", "usr/bin/alternative", "var/lib/dpkg/status.d/library"] {
        assert!(is_gone(path), "{path}");
    }
    assert!(is_gone("var/lib/dpkg/status.d/library.md5sums") && is_gone("usr/share/doc/library/copyright"));
    let left: Vec<String> = small.layers[0].entries.iter().map(image::Found::line).collect();
    let all: Vec<String> = plain.layers[0].entries.iter().map(image::Found::line).collect();
    assert!(left.iter().all(|line| all.contains(line)), "{left:?}");
    assert!(small.entry("usr/bin/tool").is_some());
    assert_eq!(small.digests()[1..], plain.digests()[1..]);
    assert_eq!(small.config["config"], plain.config["config"]);
}

#[test]
fn what_a_variant_does_not_change_is_not_made_again() {
    let world = world();
    let run = |more: &[&str]| {
        let mut command = world.kimg.command(&world.build(&[&["app", "-v"], more].concat()));
        let story = String::from_utf8(command.env("KIMG_HOME", "cold").output().unwrap().stderr).unwrap();
        let built = story.lines().filter_map(|line| line.strip_prefix("layer ")?.split_once(": built, "));
        let mut built: Vec<String> = built.map(|(layer, _)| layer.to_owned()).collect();
        built.sort();
        built
    };
    assert_eq!(run(&["--variant", "small"]), ["configuration", "debian", "java", "product", "third-party"]);
    assert_eq!(run(&["--variant", "full"]), ["debian", "extra"]);
    assert_eq!(run(&[]), [""; 0]);
    assert_eq!(run(&["--variant", "small"]), [""; 0]);
}

#[test]
fn a_variant_of_several_platforms() {
    let world = world();
    world.built(&["other", "--variant", "small", "--platform", "linux/amd64,linux/arm64", "-o", "oci:out"]);
    let out = world.kimg.home().join("out");
    let [amd64, arm64] =
        ["linux/amd64", "linux/arm64"].map(|platform| Image::of_platform(&out, "other:1-small", platform));
    assert!(arm64.entry("usr/lib/x/libdemo.so.1").is_none());
    assert_eq!(arm64.at("usr/lib/jvm/java-demo-arm64/bin/java").text(), "arm64");
    assert_eq!((amd64.digests()[0], amd64.digests()[2]), (arm64.digests()[0], arm64.digests()[2]));
    assert_ne!(amd64.digests()[1], arm64.digests()[1]);
}

#[test]
fn names_are_of_the_variant() {
    let world = world();
    world.built(&["app", "other", "--variant", "small", "--metadata-file", "meta.json"]);
    let answer = world.built(&["app", "--variant", "full", "-t", "mine:1", "-o", "oci:out"]);
    assert!(answer.starts_with("mine:1@sha256:"), "{answer}");
    let image = Image::open(&world.kimg.home().join("out"), "mine:1");
    assert_eq!(image.layers.len(), 6);
    assert_sound(&world.store(), &["app:1.0-full", "app:1.0-small", "mine:1", "other:1-small"]);
    let metadata: Value = serde_json::from_slice(&fs::read(world.kimg.home().join("meta.json")).unwrap()).unwrap();
    assert_eq!(metadata["app:1.0-small"]["image.name"], "app:1.0-small");
    assert_eq!(metadata["other:1-small"]["image.name"], "other:1-small");
}

#[test]
fn what_must_come_out_stands_in_the_lock_and_is_checked() {
    let world = world();
    let read = |path: &str| fs::read_to_string(world.kimg.home().join("images").join(path)).unwrap();
    let outputs = |path: &str| {
        let lock = lock::parse(&read(path), path).unwrap();
        let text = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
        let line =
            |output: &lock::Output| format!("{} {} {}", output.layer, text(&output.platform), text(&output.variant));
        lock.outputs.iter().map(line).collect::<Vec<_>>()
    };
    // The packages of the first layer are for all platforms, so there is one of each kind.
    assert_eq!(
        outputs("base/1.lock.toml"),
        ["debian - -", "java linux/amd64 -", "debian - small", "java linux/arm64 -"]
    );
    assert_eq!(outputs("app/1.0.lock.toml"), ["third-party - -", "product - -", "extra - -"]);
    let entries = read("base/1.entries");
    let count = |prefix: &str| entries.lines().filter(|line| line.starts_with(prefix)).count();
    assert!(count("debian/small all ") + 5 < count("debian all "));

    world.edit_lock("base/1.lock.toml", |lock| lock.outputs[2].diff_id = Digest::of(b"another"));
    let changed = entries.lines().map(|line| match line.strip_prefix("debian/small all ") {
        Some(rest) if rest.ends_with(" usr/bin/tool") => "debian/small all 0123456789abcdef usr/bin/tool\n".to_owned(),
        _ => format!("{line}\n"),
    });
    fs::write(world.kimg.home().join("images/base/1.entries"), changed.collect::<String>()).unwrap();
    world.built(&["app"]);
    let small = world.kimg.run(&world.build(&["app", "-q", "--variant", "small"]));
    world.edit_lock("app/1.0.lock.toml", |lock| lock.outputs[2].gzip = Digest::of(b"another"));
    world.built(&["app"]);
    let full = world.kimg.run(&world.build(&["app", "-q", "--variant", "full"]));
    insta::assert_snapshot!([small, full].join("\n"));
}

#[test]
fn one_that_there_is_not_is_told_with_those_that_there_are() {
    let world = world();
    let asked = world.server.requests().len();
    let mut said = vec![
        world.kimg.run(&world.build(&["app", "-q", "--variant", "ful"])),
        world.kimg.run(&world.build(&["app", "-q", "--variant", "\u{1b}[31m"])),
        // It has the variants of its base only.
        world.kimg.run(&world.build(&["other", "-q", "--variant", "full"])),
    ];
    // A version whose lock has nothing for the layer of a variant does not have it.
    world.edit_lock("app/1.0.lock.toml", |lock| lock.inputs.retain(|input| input.layer != "extra"));
    said.push(world.kimg.run(&world.build(&["app", "-q", "--variant", "full"])));
    assert_eq!(world.server.requests().len(), asked);
    assert_eq!(world.kimg.output(&["lock", "app", "--images", "images"]).status.code(), Some(0));
    let lock = fs::read_to_string(world.kimg.home().join("images/app/1.0.lock.toml")).unwrap();
    assert!(!lock.contains("\"extra\""), "{lock}");
    let none = Material::new().lock();
    said.push(none.kimg.run(&none.build(&["app", "-q", "--variant", "full"])));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn they_are_listed_with_the_images() {
    let world = world();
    let plain = world.kimg.run(&["images", "--images", "images"]);
    insta::assert_snapshot!([plain, world.kimg.run(&["images", "--images", "images", "--json"])].join("\n"));
}

#[test]
fn definitions_whose_variants_make_no_sense() {
    let world = world();
    let path = |family: &str| world.kimg.home().join("images").join(family).join("image.toml");
    let mut said = Vec::new();
    for (family, right, wrong) in [
        ("app", "variants = [\"full\"]", "variants = [\"fuller\"]"),
        ("app", "full = \"with all jars\"", "Full = \"with all jars\""),
        ("base", "small = [\"library\"", "tiny = [\"library\""),
        ("base", "small = [\"library\"", "small = [\"libary\""),
        ("base", "usr/bin/alternative\"]", "usr/bin/tool\"]"),
    ] {
        let good = fs::read_to_string(path(family)).unwrap();
        assert!(good.contains(right), "{right}");
        fs::write(path(family), good.replacen(right, wrong, 1)).unwrap();
        said.push(world.kimg.run(&world.build(&["app", "-q"])));
        fs::write(path(family), good).unwrap();
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_layer_of_a_variant_changes_no_lock_of_definitions_without_variants() {
    // The digest of a definition is in locks, so new keys must not show where they are not used.
    let plain = Material::new();
    let definition = kimg::definition::parse(&plain.app, "image.toml").unwrap();
    let text = serde_json::to_string(&definition.layers).unwrap();
    assert!(!text.contains("variants") && !text.contains("without"), "{text}");
}
