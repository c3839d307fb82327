//! Images of several platforms: what an index holds, what its platforms share, and what is made once.

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

use catalog::{Material, World, assert_sound, tree};
use image::{Image, index};
use kimg::definition::embedded;
use kimg::digest::Digest;
use kimg::lock::{self, Lock, Sha256};
use serde_json::Value;

const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// Definitions for these platforms; a package of each platform beyond the first holds another Java.
fn material(platforms: &[&str]) -> Material {
    let mut material = Material::new();
    let line = format!("platforms = {platforms:?}\ndefault = ");
    for text in [&mut material.base, &mut material.app, &mut material.other] {
        *text = text.replacen("default = ", &line, 1);
    }
    let link = r#""usr/bin/loader" = { to = "tool", platforms = ["linux/amd64"] }"#;
    material.base = material.base.replacen("[layer.links]", &format!("[layer.links]\n{link}"), 1);
    material
}

fn serve(material: &Material, platforms: &[&str]) -> World {
    let world = material.serve();
    world.edit_lock("base/1.lock.toml", |lock| {
        for platform in &platforms[1..] {
            for_platform(lock, platform, &world);
        }
    });
    world
}

/// Adds the inputs of one more platform: one package for all of them, the others its own.
fn for_platform(lock: &mut Lock, platform: &str, world: &World) {
    let architecture = platform.rsplit('/').next().unwrap();
    for input in lock.inputs.clone() {
        if input.platform.as_deref() != Some("linux/amd64") {
            continue;
        }
        let mut other = input.clone();
        other.platform = Some(platform.to_owned());
        if input.name == "java" {
            let bytes = looked_up::java(architecture).bytes();
            other.path = input.path.replace("amd64", architecture);
            other.size = bytes.len() as u64;
            let Digest::Sha256(sha256) = Digest::of(&bytes) else { unreachable!() };
            other.sha256 = Sha256(sha256);
            world.server.put(&format!("/debian/{}", other.path), bytes);
        }
        lock.inputs.push(other);
    }
}

fn world() -> World {
    let world = serve(&material(&BOTH), &BOTH);
    world.lock();
    world
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn an_index_of_the_platforms_in_the_order_of_the_definition() {
    let world = world();
    // In another order, twice, and by both ways of writing several.
    let answer = world.built(&[
        "other",
        "--platform",
        "linux/arm64,linux/amd64",
        "--platform",
        "linux/arm64",
        "--annotation",
        "a=b",
        "-t",
        "x/y:1",
        "-o",
        "oci:out",
    ]);
    let out = world.kimg.home().join("out");
    let (descriptor, index) = index(&out, "x/y:1");
    assert_eq!(answer, format!("x/y:1@{}\n", text(&descriptor["digest"])));
    assert_eq!(descriptor["mediaType"], "application/vnd.oci.image.index.v1+json");
    assert!(descriptor.get("platform").is_none());
    assert_eq!(index["schemaVersion"], 2);
    assert_eq!(index["mediaType"], descriptor["mediaType"]);
    insta::assert_snapshot!("annotations", serde_json::to_string_pretty(&index["annotations"]).unwrap());
    let manifests = index["manifests"].as_array().unwrap();
    let platforms: Vec<&str> = manifests.iter().map(|manifest| text(&manifest["platform"]["architecture"])).collect();
    assert_eq!(platforms, ["amd64", "arm64"]);
    for platform in BOTH {
        let image = Image::of_platform(&out, "x/y:1", platform);
        assert_eq!(format!("linux/{}", text(&image.config["architecture"])), platform);
        assert_eq!(image.manifest["annotations"]["a"], "b");
    }
    // The store's names point at it as well, and what it is in bytes is told with what is shared counted once.
    let listed = world.kimg.run(&["store", "ls", "--json"]);
    let listed: Value =
        serde_json::from_str(listed.split_once("stdout:\n").unwrap().1.rsplit_once("exit").unwrap().0).unwrap();
    let names: Vec<&str> = listed["images"].as_array().unwrap().iter().map(|image| text(&image["name"])).collect();
    assert_eq!(names, ["other:1", "x/y:1"]);
    let blobs: u64 =
        tree(&out.join("blobs")).iter().map(|name| fs::metadata(out.join("blobs").join(name)).unwrap().len()).sum();
    assert_eq!(listed["images"][0]["size"], blobs);
    assert_eq!(listed["images"][0]["created"], catalog::BASE_CREATED);
    assert_sound(&world.store(), &["other:1", "x/y:1"]);
    assert!(world.kimg.run(&["store", "prune"]).contains("exit code: 0"));
    assert!(world.kimg.run(&["store", "check"]).contains("exit code: 0"));
    assert_sound(&world.store(), &["other:1", "x/y:1"]);
}

#[test]
fn platforms_have_what_is_theirs_and_share_the_rest() {
    let world = world();
    world.built(&["other", "--platform", "linux/amd64,linux/arm64", "-o", "oci:out"]);
    let out = world.kimg.home().join("out");
    let [amd64, arm64] = BOTH.map(|platform| Image::of_platform(&out, "other:1", platform));
    // The Debian layer differs by a link, Java by its package, the jars in nothing.
    assert!(amd64.entry("usr/bin/loader").is_some() && arm64.entry("usr/bin/loader").is_none());
    assert_eq!(amd64.at("usr/lib/jvm/java").target, "java-demo-amd64");
    assert_eq!(arm64.at("usr/lib/jvm/java").target, "java-demo-arm64");
    assert_eq!(arm64.at("usr/lib/jvm/java-demo-arm64/bin/java").text(), "arm64");
    assert_ne!(amd64.digests()[0], arm64.digests()[0]);
    assert_ne!(amd64.digests()[1], arm64.digests()[1]);
    assert_eq!(amd64.digests()[2], arm64.digests()[2]);
    // One platform alone is a manifest, the same as in the index.
    for (platform, image) in BOTH.into_iter().zip([&amd64, &arm64]) {
        let alone = world.built(&["other", "--platform", platform, "-o", "oci:alone"]);
        assert_eq!(alone, format!("other:1@{}\n", image.digest));
        assert_eq!(Image::open(&world.kimg.home().join("alone"), "other:1").digest, image.digest);
    }
    // Without the flag it is the definition's first.
    assert_eq!(world.built(&["other"]), format!("other:1@{}\n", amd64.digest));
}

#[test]
fn what_platforms_share_is_fetched_and_made_once() {
    let world = world();
    let mut command = world.kimg.command(&world.build(&["other", "-v", "--platform", "linux/amd64,linux/arm64"]));
    let asked = world.server.requests().len();
    let output = command.env("KIMG_HOME", "cold").output().unwrap();
    let story = String::from_utf8(output.stderr).unwrap();
    let made = |layer: &str| story.lines().filter(|line| line.starts_with(&format!("layer {layer}: built, "))).count();
    let found =
        |layer: &str| story.lines().filter(|line| line.starts_with(&format!("layer {layer}: reused, "))).count();
    assert_eq!(
        ["debian", "java", "other"].map(|layer| (made(layer), found(layer))),
        [(2, 0), (2, 0), (1, 1)],
        "{story}"
    );
    let mut paths: Vec<String> = world.server.requests()[asked..].iter().map(|request| request.path.clone()).collect();
    paths.sort();
    let count = paths.len();
    paths.dedup();
    // Three packages are the same file on both platforms here.
    assert_eq!((paths.len(), count), (6, 6), "{paths:?}");
    insta::assert_snapshot!(
        "notes",
        story.lines().filter(|line| line.starts_with("other:1")).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn locks_name_a_platform_only_where_it_matters() {
    let world = world();
    let read = |path: &str| fs::read_to_string(world.kimg.home().join("images").join(path)).unwrap();
    let outputs = |path: &str| {
        let lock = lock::parse(&read(path), path).unwrap();
        let line = |output: &lock::Output| format!("{} {}", output.layer, output.platform.as_deref().unwrap_or("-"));
        lock.outputs.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        outputs("base/1.lock.toml"),
        ["debian linux/amd64", "java linux/amd64", "debian linux/arm64", "java linux/arm64"]
    );
    assert_eq!(outputs("app/1.0.lock.toml"), ["third-party -", "product -"]);
    assert_eq!(outputs("other/1.lock.toml"), ["other -"]);
    let entries = read("base/1.entries");
    assert!(
        entries.lines().any(|line| line.starts_with("java linux/arm64 ") && line.ends_with("java-demo-arm64/bin/java"))
    );
    assert!(read("other/1.entries").lines().all(|line| line.starts_with("other all ")));
    // Each platform's layers are checked against its own lines.
    world.edit_lock("base/1.lock.toml", |lock| lock.outputs[3].diff_id = Digest::of(b"another"));
    world.built(&["other", "--platform", "linux/amd64"]);
    let output = world.kimg.output(&world.build(&["other", "-q", "--platform", "linux/amd64,linux/arm64"]));
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: layer `java` of other:1: not reproduced"), "{said}");
    // No name points at an index that is not whole.
    let listed = world.kimg.run(&["store", "ls", "--json"]);
    assert!(!listed.contains("index"), "{listed}");
}

#[test]
fn a_platform_more_changes_no_layer_of_those_before() {
    let mut material = Material::new();
    looked_up::name_packages(&mut material);
    let both = material.base.clone();
    material.base = both.replace(r#"["linux/amd64", "linux/arm64"]"#, r#"["linux/amd64"]"#);
    let world = material.serve();
    let relock = |material: &Material, date: &str| {
        looked_up::publish(&world, material, date);
        let output = world.kimg.output(&["lock", "base", "--images", "images"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        lock::parse(&fs::read_to_string(world.kimg.home().join("images/base/1.lock.toml")).unwrap(), "lock").unwrap()
    };
    let before = relock(&material, debian_archive::DATE);
    assert_eq!(before.created, debian_archive::DATE_IN_LOCKS);
    world.kimg.write("images/base/image.toml", &both);
    let after = relock(&material, "Sun, 22 Nov 2026 09:10:11 UTC");
    // The archive is a newer one, its packages are not.
    assert_eq!(after.debian.unwrap().releases[0].date, "2026-11-22T09:10:11Z");
    assert_eq!(after.created, before.created);
    assert_eq!(after.outputs[..2], before.outputs);
    assert_eq!(after.outputs.len(), 3);
    let deb = material.deb("files");
    deb.data = std::mem::take(&mut deb.data).file("./etc/new", b"new");
    assert_eq!(relock(&material, "Mon, 23 Nov 2026 00:00:00 UTC").created, "2026-11-23T00:00:00Z");
}

#[test]
fn an_index_is_the_same_everywhere() {
    let world = world();
    let build = |store: &str, more: &[&str]| {
        let arguments = [&["other", "--platform", "linux/arm64", "--platform", "linux/amd64"], more].concat();
        let output = world.kimg.command(&world.build(&arguments)).env("KIMG_HOME", store).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let first = build("one", &["-j", "1"]);
    assert!(first.starts_with("other:1@sha256:"));
    assert_eq!(build("two", &["-j", "4"]), first);
    // In a store that has one of the platforms already.
    let alone =
        world.kimg.command(&world.build(&["other", "--platform", "linux/arm64"])).env("KIMG_HOME", "three").output();
    assert_eq!(alone.unwrap().status.code(), Some(0));
    assert_eq!(build("three", &[]), first);
}

#[test]
fn files_of_the_users_are_in_every_platform() {
    let world = world();
    world.kimg.write("mine", "x");
    world.kimg.write("company.pem", catalog::COMPANY);
    world.built(&[
        "other",
        "--platform",
        "linux/amd64,linux/arm64",
        "--add",
        "mine:/etc/mine",
        "--ca",
        "company.pem",
        "-o",
        "oci:out",
    ]);
    let out = world.kimg.home().join("out");
    let [amd64, arm64] = BOTH.map(|platform| Image::of_platform(&out, "other:1", platform));
    assert_eq!(arm64.at("etc/mine").text(), "x");
    assert_eq!(amd64.digests()[3], arm64.digests()[3]);
    assert!(arm64.at("etc/ssl/ca-bundle.crt").text().ends_with(catalog::COMPANY));
}

#[test]
fn metadata_of_an_index_have_no_configuration() {
    let world = world();
    world.built(&["other", "--platform", "linux/amd64,linux/arm64", "--metadata-file", "meta.json", "-o", "oci:out"]);
    let metadata: Value = serde_json::from_slice(&fs::read(world.kimg.home().join("meta.json")).unwrap()).unwrap();
    let (descriptor, _) = index(&world.kimg.home().join("out"), "other:1");
    assert_eq!(metadata["containerimage.digest"], descriptor["digest"]);
    assert_eq!(metadata["containerimage.descriptor"]["mediaType"], descriptor["mediaType"]);
    assert_eq!(metadata["containerimage.descriptor"]["size"], descriptor["size"]);
    assert_eq!(metadata["image.name"], "other:1");
    assert!(metadata.get("containerimage.config.digest").is_none());
    world.built(&["other", "--platform", "linux/arm64,linux/arm64", "--metadata-file", "meta.json", "--iidfile", "id"]);
    let metadata: Value = serde_json::from_slice(&fs::read(world.kimg.home().join("meta.json")).unwrap()).unwrap();
    assert_eq!(metadata["containerimage.config.digest"], fs::read_to_string(world.kimg.home().join("id")).unwrap());
}

#[test]
fn an_architecture_without_a_program_is_told_before_anything_is_fetched() {
    let platforms = ["linux/amd64", "linux/riscv64"];
    let world = serve(&material(&platforms), &platforms);
    let said = [
        world.kimg.run(&world.build(&["app", "-q", "--platform", "linux/riscv64"])),
        world.kimg.run(&world.build(&["app", "-q", "--platform", "linux/amd64,linux/riscv64"])),
        world.kimg.run(&world.build(&["app", "-q", "--platform", "linux/s390x"])),
        world.kimg.run(&world.build(&["app", "-q", "--platform", "linux"])),
        world.kimg.run(&world.build(&["app", "-q", "--platform", "linux/amd64,linux/riscv64", "--iidfile", "id"])),
    ];
    assert_eq!(world.server.requests().len(), 0);
    assert_eq!(tree(&world.store().join("blobs")), [""; 0]);
    let known = format!("it has one for {}", known());
    insta::assert_snapshot!(said.join("\n").replace(&known, "it has one for KNOWN"));
    // What needs no program of kimg's is made for any platform.
    world.built(&["other", "--platform", "linux/riscv64"]);
}

/// The architectures that this kimg has a program for, as errors list them.
fn known() -> String {
    embedded::ENTRYPOINTS.iter().map(|entrypoint| entrypoint.architecture).collect::<Vec<_>>().join(" and ")
}

#[test]
fn the_arm64_image_has_its_own_program_or_says_how_to_make_it() {
    let world = world();
    let output =
        world.kimg.output(&world.build(&["app", "-q", "--platform", "linux/amd64,linux/arm64", "-o", "oci:out"]));
    let Some(program) = embedded::entrypoint("arm64") else {
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            said,
            "error: app:1.0: this kimg has no entrypoint program for linux/arm64\nhint: run scripts/entrypoint-arm64 and compile \
             kimg again, or take the kimg of a release, which has it\n"
        );
        return;
    };
    assert_eq!(output.status.code(), Some(0));
    let out = world.kimg.home().join("out");
    let [amd64, arm64] = BOTH.map(|platform| Image::of_platform(&out, "app:1.0", platform));
    assert_eq!(Digest::of(&arm64.at("usr/bin/kimg-entrypoint").bytes).hex(), program.sha256);
    assert_ne!(amd64.digests()[4], arm64.digests()[4]);
    assert_eq!(amd64.digests()[2..4], arm64.digests()[2..4]);
}

#[test]
fn definitions_whose_platforms_make_no_sense() {
    let world = world();
    let other = world.kimg.home().join("images/other/image.toml");
    let base = world.kimg.home().join("images/base/image.toml");
    let good = [&other, &base].map(|path| fs::read_to_string(path).unwrap());
    let mut said = Vec::new();
    for (path, good, right, wrong) in [
        (&other, &good[0], r#"["linux/amd64", "linux/arm64"]"#, "[]"),
        (&other, &good[0], r#""linux/arm64""#, r#""linux/amd64""#),
        (&other, &good[0], r#""linux/arm64""#, r#""arm64""#),
        (&base, &good[1], r#"platforms = ["linux/amd64"] }"#, r#"platforms = ["linux/s390x"] }"#),
        (&base, &good[1], r#"platforms = ["linux/amd64"] }"#, r#"platfroms = ["linux/amd64"] }"#),
    ] {
        assert!(good.contains(right), "{right}");
        fs::write(path, good.replace(right, wrong)).unwrap();
        said.push(world.kimg.run(&world.build(&["other", "-q"])));
        fs::write(path, good).unwrap();
    }
    insta::assert_snapshot!(said.join("\n"));
}
