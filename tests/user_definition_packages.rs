//! Debian packages of a user's definition: what the image below lacks is added, with what that needs.

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
#[path = "support/own.rs"]
mod own;
#[path = "support/server.rs"]
mod server;

use catalog::{Material, World};
use deb::{Deb, Tar};
use debian_archive::{DATE, Package, Suite};
use image::Image;
use kimg::lock;
use openpgp::Key;
use own::build;

const LATER: &str = "Mon, 23 Nov 2026 08:12:34 UTC";

/// A package of one file, and what its stanza says besides.
fn package(name: &str, version: &str, architecture: &str, more: &str) -> (Package, String) {
    let data = Tar::new().folder("./bin/").file_of(
        &format!("./bin/{name}"),
        0o755,
        format!("{name} {architecture}").as_bytes(),
    );
    let data = data.file(&format!("./usr/share/doc/{name}/copyright"), b"free");
    let data = data.file(&format!("./usr/share/man/man1/{name}.1"), b".TH");
    (Package::new(name, version, architecture, Deb::new(name, data).bytes()), more.to_owned())
}

/// Serves the base's packages with these beside them.
fn publish(world: &World, material: &Material, date: &str, more: &[(Package, String)]) {
    let mut suite: Suite = looked_up::suite(material, date);
    for (package, _) in more {
        suite = suite.with(package);
    }
    for (architecture, text) in &mut suite.texts {
        let own = |package: &Package| [architecture, "all"].contains(&package.architecture.as_str());
        for (package, fields) in more.iter().filter(|(package, _)| own(package)) {
            let version = format!("Package: {}\nVersion: {}\n", package.name, package.version);
            *text = text.replace(&version, &format!("{version}{fields}"));
        }
    }
    suite.publish(&world.server, "/debian", &Key::new("Archive <archive@mirror.example>"));
}

fn usual() -> Vec<(Package, String)> {
    vec![
        package(
            "kcat",
            "1:1.7-1",
            "amd64",
            "Depends: library (>= 1.0), librd1 (>= 2.0), java | jre\nPre-Depends: files\n",
        ),
        package("kcat", "1:1.7-1", "arm64", "Depends: library (>= 1.0), librd1 (>= 2.0), only-arm\n"),
        package("librd1", "2.0", "all", "Depends: mailer, kcat\n"),
        package("only-arm", "1", "arm64", ""),
        package("exim", "1", "all", "Provides: mailer\nRecommends: unwanted\n"),
        package("unwanted", "1", "all", ""),
    ]
}

/// A world whose images are made for both platforms.
fn world() -> (World, Material) {
    let mut material = Material::new();
    looked_up::name_packages(&mut material);
    let both = "platforms = [\"linux/amd64\", \"linux/arm64\"]\n";
    material.other = material.other.replacen("default = ", &format!("{both}default = "), 1);
    let world = material.serve();
    looked_up::publish(&world, &material, DATE);
    world.lock();
    (world, material)
}

fn define(world: &World, packages: &str) {
    let text = format!("name = \"mine\"\nfrom = \"other:1\"\n[[layer]]\nname = \"tools\"\npackages = [{packages}]\n");
    world.kimg.write("image.toml", &text);
}

fn built(world: &World, more: &[&str]) -> Image {
    let said = world.kimg.run(&build("image.toml", &[&["-q", "-o", "oci:out:own"], more].concat()));
    assert!(said.ends_with("exit code: 0\n"), "{said}");
    Image::open(&world.kimg.home().join("out"), "own")
}

fn lock_of(world: &World) -> lock::Lock {
    let text = std::fs::read_to_string(world.kimg.home().join("image.lock.toml")).unwrap();
    lock::parse(&text, "image.lock.toml").unwrap()
}

#[test]
fn what_is_lacking_is_added_with_its_dependencies_for_each_platform() {
    let (world, material) = world();
    publish(&world, &material, LATER, &usual());
    define(&world, "\"kcat\"");
    let own = built(&world, &[]);
    insta::assert_snapshot!("layer", own.layers.last().unwrap().lines());
    assert!(own.at("var/lib/dpkg/status.d/kcat").text().starts_with("Package: kcat\n"));
    let lock = lock_of(&world);
    let inputs: Vec<String> = lock
        .inputs
        .iter()
        .map(|input| format!("{} {} {}", input.name, input.platform.as_deref().unwrap_or("all"), input.path))
        .collect();
    insta::assert_snapshot!("inputs", inputs.join("\n"));
    assert_eq!((lock.created.as_str(), lock.outputs.len()), ("2026-11-23T08:12:34Z", 2));
    let arm64 = built(&world, &["--platform", "linux/arm64", "--locked"]);
    assert_eq!(arm64.at("usr/bin/only-arm").text(), "only-arm arm64");
    assert_eq!(arm64.at("usr/bin/kcat").text(), "kcat arm64");
    let said = world.kimg.run(&build("image.toml", &["-q", "--locked", "--platform", "linux/amd64,linux/arm64"]));
    assert!(said.contains("mine:1@sha256:"), "{said}");
    // A newer Release alone changes nothing.
    let text = std::fs::read_to_string(world.kimg.home().join("image.lock.toml")).unwrap();
    publish(&world, &material, "Tue, 24 Nov 2026 08:12:34 UTC", &usual());
    let check = world.kimg.run(&["lock", "-q", "--images", "images", "-f", "image.toml", "--check"]);
    assert!(check.ends_with("exit code: 0\n"), "{check}");
    // A newer package does, where the lock is made again.
    let mut newer = usual();
    newer[2] = package("librd1", "2.1", "all", "");
    publish(&world, &material, "Tue, 24 Nov 2026 08:12:34 UTC", &newer);
    assert_eq!(built(&world, &[]).digest, own.digest);
    let check = world.kimg.run(&["lock", "-q", "--images", "images", "-f", "image.toml", "--check"]);
    assert!(check.ends_with("exit code: 1\n"), "{check}");
    let again = world.kimg.run(&["lock", "-q", "--images", "images", "-f", "image.toml"]);
    assert!(again.ends_with("exit code: 0\n"), "{again}");
    assert_ne!(std::fs::read_to_string(world.kimg.home().join("image.lock.toml")).unwrap(), text);
    assert!(lock_of(&world).inputs.iter().any(|input| input.path.contains("librd1_2.1_all")));
}

#[test]
fn what_cannot_be_added_is_told() {
    let (world, material) = world();
    publish(
        &world,
        &material,
        LATER,
        &[
            usual(),
            vec![
                package("needs-newer", "1", "all", "Depends: library (>= 9)\n"),
                package("needs-nothing-there", "1", "all", "Depends: not-there | neither-there (>= 2)\n"),
            ],
        ]
        .concat(),
    );
    let mut said = Vec::new();
    for packages in ["\"kcta\"", "\"needs-newer\"", "\"needs-nothing-there\"", "\"only-arm\""] {
        define(&world, packages);
        said.push(world.kimg.run(&build("image.toml", &["-q"])));
    }
    // What is there already is no error, and nothing is added; a layer of nothing is one all the same.
    define(&world, "\"library\"");
    said.push(world.kimg.run(&["lock", "--progress", "none", "--images", "images", "-f", "image.toml"]));
    assert!(lock_of(&world).inputs.is_empty());
    insta::assert_snapshot!(said.join("\n"));
}
