//! `-f image.toml`: a definition of the user's on top of an image: what comes out, and that it comes out everywhere.

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
#[path = "support/own.rs"]
mod own;
#[path = "support/server.rs"]
mod server;
#[path = "support/truststore.rs"]
mod truststore;

use std::fs;

use catalog::{ALPHA, BETA, COMPANY, Material, World, noise};
use image::Image;
use own::{archive, build, lock_text, maven, tar, tar_gz, zip};
use truststore::Truststore;

const EXPORTER: &str = r#"
name = "company-app"
from = "app:1.0"

[[layer]]
name = "exporter"
maven = ["io.example.jmx:exporter:1.2"]
into = "opt/exporter"

[run]
command = ["app", "--metrics"]

[run.env]
LEVEL = "2"
JAVA_OPTS = "-javaagent:/opt/exporter/exporter-1.2.jar"
"#;

#[test]
fn a_jar_of_maven_on_top_of_an_image() {
    let world = Material::new().lock();
    maven(&world, "io/example/jmx/exporter/1.2/exporter-1.2.jar", &noise("exporter", 3000));
    world.kimg.write("own/image.toml", EXPORTER);
    let first = world.kimg.run(&build("own/image.toml", &["-q", "-o", "oci:out"]));
    let own = Image::open(&world.kimg.home().join("out"), "company-app:1.0");
    assert_eq!(
        first,
        format!(
            "$ kimg build --images images -f own/image.toml -q -o oci:out\nstdout:\n  company-app:1.0@{}\nexit code: 0\n",
            own.digest
        )
    );
    world.built(&["app", "-o", "oci:out"]);
    let below = Image::open(&world.kimg.home().join("out"), "app:1.0");
    assert_eq!(own.digests()[..below.layers.len()], below.digests()[..]);
    assert_eq!(own.layers.len(), below.layers.len() + 1);
    assert_eq!(
        own.layers.last().unwrap().lines(),
        "5 0755 0:0 opt\n5 0755 0:0 opt/exporter\n0 0644 0:0 opt/exporter/exporter-1.2.jar\n"
    );
    insta::assert_snapshot!("config", format!("{:#}", own.config["config"]));
    insta::assert_snapshot!("annotations", format!("{:#}", own.manifest["annotations"]));
    insta::assert_snapshot!("lock", lock_text(&world, "own/image.lock.toml"));
}

/// A definition with a layer of each kind in `own/`, and all that it is made of.
fn everything(world: &World) {
    maven(world, "io/example/jmx/exporter/1.2/exporter-1.2.jar", &noise("exporter", 3000));
    maven(world, "io/example/native/2/native-2-linux.zip", b"not unpacked");
    let plugin = tar_gz(&[
        (0o755, "plugin-1.2/", ""),
        (0o600, "plugin-1.2/lib/plugin.jar", "jar"),
        (0o4711, "plugin-1.2/bin/run", "#!/bin/sh\n"),
        (0o777, "plugin-1.2/bin/start -> run", ""),
        (0o644, "README", "left out"),
    ]);
    let plugin = archive(world, "files/plugin-1.2.tar.gz", &plugin);
    let more = archive(world, "files/more.zip", &zip(&[(0o700, "a/b.txt", "zipped"), (0o777, "a/c -> b.txt", "")]));
    let plain = archive(world, "files/plain.tar", &tar(&[(0o640, "./data", "plain")]));
    let text = format!(
        r#"
name = "company-app"
from = "app:1.0"
version = "7"
title = "The company's app"
description = "The app, with all that the company adds"
licenses = "MIT"

[[layer]]
name = "jars"
history = "jars for {{version}}"
maven = ["io.example.jmx:exporter:1.2", "io.example:native:zip:linux:2"]
into = "opt/exporter"

[[layer]]
name = "archives"
{plugin}strip = 1
into = "opt/app/plugins"
{more}into = "opt/more"
{plain}into = "var/data/plain"

[[layer]]
name = "company"
files = [
    {{ from = "motd", to = "etc/motd", mode = "0600" }},
    {{ from = "tree", to = "var/data/tree" }},
]
ca = ["company.pem"]
"#
    );
    world.kimg.write("own/image.toml", &text);
    world.kimg.write("own/motd", "welcome\n");
    world.kimg.write("own/tree/deep/file", "x");
    world.kimg.write("own/company.pem", COMPANY);
}

fn built(world: &World, file: &str, more: &[&str]) -> Image {
    let said = world.kimg.run(&build(file, &[&["-q", "-o", "oci:out:own"], more].concat()));
    assert!(said.ends_with("exit code: 0\n"), "{said}");
    Image::open(&world.kimg.home().join("out"), "own")
}

#[test]
fn layers_of_every_kind() {
    let world = Material::new().lock();
    everything(&world);
    let own = built(&world, "own/image.toml", &[]);
    let below = own.layers.len() - 3;
    let lines: Vec<String> = own.layers[below..].iter().map(image::Layer::lines).collect();
    insta::assert_snapshot!("every_kind", lines.join("--\n"));
    insta::assert_snapshot!(
        "every_kind_lock",
        lock_text(&world, "own/image.lock.toml").split("[[output]]").next().unwrap()
    );
    assert_eq!(own.at("opt/app/plugins/lib/plugin.jar").text(), "jar");
    assert_eq!(own.at("opt/more/a/b.txt").text(), "zipped");
    assert_eq!(own.at("etc/ssl/ca-bundle.crt").text(), [ALPHA, BETA, COMPANY].concat());
    assert_eq!(Truststore::read(&own.at("etc/ssl/cacerts").bytes).entries.len(), 3);
    let history: Vec<&str> = own.config["history"].as_array().unwrap()[below..]
        .iter()
        .map(|line| line["created_by"].as_str().unwrap())
        .collect();
    assert_eq!(history, ["jars for 7", "archives of the user's definition", "company of the user's definition"]);
    assert_eq!(
        own.manifest["annotations"]["org.opencontainers.image.licenses"],
        "(GPL-2.0-only) AND (Apache-2.0) AND (MIT)"
    );
    // One time for all, which is that of the image below.
    let times: Vec<u64> =
        own.layers[below..].iter().flat_map(|layer| &layer.entries).map(|found| found.mtime).collect();
    assert!(times.iter().all(|time| *time == kimg::lock::seconds(catalog::BASE_CREATED).unwrap()));
}

#[test]
fn authorities_of_flags_come_on_top_of_those_of_the_definition() {
    let world = Material::new().lock();
    everything(&world);
    world.kimg.write("more.pem", BETA);
    let own = built(&world, "own/image.toml", &["--ca", "more.pem", "--add", "more.pem:/etc/more.pem"]);
    assert_eq!(own.at("etc/ssl/ca-bundle.crt").text(), [ALPHA, BETA, COMPANY, BETA].concat());
    assert_eq!(own.at("etc/more.pem").text(), BETA);
}

#[test]
fn the_same_digest_again_elsewhere_and_without_a_network() {
    let world = Material::new().lock();
    everything(&world);
    let first = built(&world, "own/image.toml", &[]);
    assert_eq!(built(&world, "own/image.toml", &["--locked"]).digest, first.digest);
    let lock = fs::read_to_string(world.kimg.home().join("own/image.lock.toml")).unwrap();

    // Another folder, which makes its lock again, and another store.
    let other = world.kimg.home().join("else where/deep");
    fs::create_dir_all(&other).unwrap();
    for path in ["image.toml", "motd", "company.pem", "tree/deep/file"] {
        let bytes = fs::read(world.kimg.home().join("own").join(path)).unwrap();
        world.kimg.write(&format!("else where/deep/{path}"), std::str::from_utf8(&bytes).unwrap());
    }
    let arguments = ["build", "-q", "--images", "../../images", "-f", "image.toml", "-o", "oci:out:own"];
    let mut command = world.kimg.command(&arguments);
    let output = command.current_dir(&other).env("KIMG_HOME", other.join("store")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(Image::open(&other.join("out"), "own").digest, first.digest);
    assert_eq!(fs::read_to_string(other.join("image.lock.toml")).unwrap(), lock);

    // From a folder of inputs, with the network off.
    let fetched = world.kimg.run(&["fetch", "-q", "--images", "images", "-f", "own/image.toml", "-o", "inputs"]);
    assert!(fetched.ends_with("exit code: 0\n"), "{fetched}");
    let host = world.server.address().to_string();
    let inputs: Vec<String> = catalog::tree(&world.kimg.home().join("inputs"));
    let own = inputs.iter().filter(|path| path.starts_with("url/") || path.starts_with("maven/io"));
    let own: Vec<String> = own.map(|path| path.replace(&host, "HOST")).collect();
    insta::assert_snapshot!("inputs", own.join("\n"));
    let asked = world.server.requests().len();
    let offline =
        build("own/image.toml", &["-q", "--locked", "--offline", "--inputs", "inputs", "-o", "oci:out:offline"]);
    let mut command = world.kimg.command(&offline);
    let output = command.env("KIMG_HOME", world.kimg.home().join("fresh")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(Image::open(&world.kimg.home().join("out"), "offline").digest, first.digest);
    assert_eq!(world.server.requests().len(), asked);
}

#[test]
fn what_is_lacking_offline_is_named() {
    let world = Material::new().lock();
    everything(&world);
    built(&world, "own/image.toml", &[]);
    let mut command = world.kimg.command(&build("own/image.toml", &["-q", "--offline"]));
    let output = command.env("KIMG_HOME", world.kimg.home().join("fresh")).output().unwrap();
    insta::assert_snapshot!("offline", world.kimg.show(&build("own/image.toml", &["-q", "--offline"]), &output));
}
