//! The lock of a user's definition: when it is made, what it no longer fits, and what is not let into it.

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/own.rs"]
mod own;
#[path = "support/server.rs"]
mod server;

use std::fs;

use catalog::{Material, World, noise};
use own::{archive, build, maven, tar_gz};
use server::Fault;

const JAR: &str = "io/example/exporter/1.2/exporter-1.2.jar";

/// A definition of a jar and an archive.
fn definition(world: &World) -> String {
    maven(world, JAR, &noise("exporter", 3000));
    let plugin = archive(world, "plugin.tgz", &tar_gz(&[(0o644, "plugin/a", "a")]));
    let text = format!(
        "name = \"mine\"\nfrom = \"app:1.0\"\n\n[[layer]]\nname = \"jar\"\nmaven = [\"io.example:exporter:1.2\"]\n\
         into = \"opt/jar\"\n\n[[layer]]\nname = \"plugin\"\n{plugin}into = \"opt/plugin\"\n"
    );
    world.kimg.write("image.toml", &text);
    text
}

/// Runs, and shows what is said without what differs from run to run.
fn run(world: &World, arguments: &[&str]) -> String {
    let said = world.kimg.run(arguments).replace(&world.server.address().to_string(), "downloads.example");
    let digest = said.split("@sha256:").nth(1).map(|rest| rest[..64].to_owned());
    match digest {
        Some(digest) => said.replace(&digest, "DIGEST"),
        None => said,
    }
}

fn lock(world: &World) -> String {
    fs::read_to_string(world.kimg.home().join("image.lock.toml")).unwrap()
}

#[test]
fn it_is_made_where_there_is_none_and_never_changed_by_a_build() {
    let world = Material::new().lock();
    let text = definition(&world);
    let quiet = ["--progress", "none"];
    let mut said = vec![
        run(&world, &build("image.toml", &["-q", "--locked"])),
        run(&world, &build("image.toml", &["-q", "--offline"])),
        run(&world, &build("image.toml", &quiet)),
        run(&world, &build("image.toml", &["--progress", "none", "--locked"])),
    ];
    let before = lock(&world);
    world.kimg.write("image.toml", &text.replace("exporter:1.2", "exporter:1.3"));
    said.push(run(&world, &build("image.toml", &["-q"])));
    assert_eq!(lock(&world), before);
    world.kimg.write("image.toml", &text);
    assert_eq!(
        run(&world, &["lock", "-q", "--images", "images", "-f", "image.toml"]).lines().last(),
        Some("exit code: 0")
    );
    assert_eq!(lock(&world), before);
    insta::assert_snapshot!(said.iter().map(|text| without_size(text)).collect::<Vec<_>>().join("\n"));
}

/// A transcript without the size of the image, in which there is a program that each compiler makes otherwise.
fn without_size(text: &str) -> String {
    let line = |line: &str| match (line.split_once(" layers, "), line.rsplit_once(" (")) {
        (Some((before, _)), Some((_, after))) => format!("{before} layers, [size] ({after}"),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_definition_that_changed_is_told_with_its_line() {
    let world = Material::new().lock();
    let text = definition(&world);
    world.built(&["-q", "-f", "image.toml"]);
    let sha256 = text.split("sha256 = \"").nth(1).unwrap()[..64].to_owned();
    let mut said = Vec::new();
    for (right, wrong) in [
        ("exporter:1.2", "exporter:1.3"),
        ("plugin.tgz", "plug-in.tgz"),
        (sha256.as_str(), "0".repeat(64).as_str()),
        ("opt/jar", "opt/jars"),
        ("into = \"opt/plugin\"", "strip = 1\ninto = \"opt/plugin\""),
        ("from = \"app:1.0\"", "from = \"other:1\""),
        ("name = \"mine\"", "name = \"yours\""),
        ("name = \"mine\"", "name = \"mine\"\nversion = \"2\""),
        ("name = \"plugin\"", "name = \"plug-in\""),
    ] {
        let changed = text.replacen(right, wrong, 1);
        assert_ne!(changed, text);
        world.kimg.write("image.toml", &changed);
        let line = run(&world, &build("image.toml", &["-q"]));
        said.push(format!("{right} -> {wrong}\n{}", line.split_once('\n').unwrap().1.replace(&sha256, "SHA256")));
    }
    insta::assert_snapshot!(
        said.join("\n").replace(&sha256, "SHA256").replace(&world.server.address().to_string(), "HOST")
    );
    // What people read shapes nothing.
    world.kimg.write("image.toml", &text.replace("name = \"jar\"", "name = \"jar\"\nhistory = \"a jar\""));
    world.built(&["-q", "-f", "image.toml", "--locked"]);
}

#[test]
fn an_image_below_that_changed_and_locks_of_others() {
    let world = Material::new().lock();
    definition(&world);
    world.built(&["-q", "-f", "image.toml"]);
    let own = lock(&world);
    let mut said = Vec::new();
    world.edit_lock("other/1.lock.toml", |lock| lock.created = "2026-03-04T05:06:07Z".to_owned());
    world.built(&["-q", "-f", "image.toml"]);
    let base = fs::read_to_string(world.kimg.home().join("images/base/1.lock.toml")).unwrap();
    world.edit_lock("base/1.lock.toml", |lock| lock.created = "2026-03-04T05:06:07Z".to_owned());
    said.push(run(&world, &build("image.toml", &["-q"])));
    world.kimg.write("images/base/1.lock.toml", &base);
    let app = fs::read_to_string(world.kimg.home().join("images/app/1.0.lock.toml")).unwrap();
    for text in [app.as_str(), "not = \"a lock\"\n", &own.replace("upstream = \"url\"", "upstream = \"maven\"")] {
        world.kimg.write("image.lock.toml", text);
        said.push(run(&world, &build("image.toml", &["-q"])));
    }
    // And the lock of a definition of a user's is none of a family's.
    world.kimg.write("images/app/1.0.lock.toml", &own);
    said.push(run(&world, &["build", "--images", "images", "app", "-q"]));
    let cut = own.replace("[from.layers]", "[from.other]");
    world.kimg.write("image.lock.toml", &cut);
    said.push(run(&world, &build("image.toml", &["-q"])));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn lock_writes_it_and_check_compares_it() {
    let world = Material::new().lock();
    let text = definition(&world);
    let lock_it = |more: &[&str]| run(&world, &[&["lock", "--images", "images", "-f", "image.toml"], more].concat());
    let mut said = vec![lock_it(&["--check", "--progress", "none"]), lock_it(&["-q"])];
    let before = lock(&world);
    said.push(lock_it(&["--check", "--progress", "none"]));
    world.kimg.write("image.toml", &text.replace("opt/jar", "opt/jars"));
    said.push(lock_it(&["--check", "--progress", "none"]));
    assert_eq!(lock(&world), before);
    said.push(lock_it(&["--update"]));
    said.push(lock_it(&["app"]));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_pin_stays_though_the_repository_serves_something_else_now() {
    let world = Material::new().lock();
    let text = definition(&world);
    world.built(&["-q", "-f", "image.toml"]);
    let pin = |lock: &str| lock.split("exporter-1.2.jar\"\nsize").nth(1).map(|rest| rest[..100].to_owned()).unwrap();
    let before = pin(&lock(&world));
    maven(&world, JAR, &noise("another", 3000));
    world.kimg.write("image.toml", &text.replace("opt/jar", "opt/jars"));
    assert!(run(&world, &["lock", "-q", "--images", "images", "-f", "image.toml"]).ends_with("exit code: 0\n"));
    assert_eq!(pin(&lock(&world)), before);
    // From then on nothing else will do, wherever it comes from.
    world.kimg.write(&format!("inputs/maven/{JAR}"), "another");
    let offline = build("image.toml", &["-q", "--offline", "--inputs", "inputs"]);
    let output = world.kimg.command(&offline).env("KIMG_HOME", world.kimg.home().join("fresh")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("exporter-1.2.jar"), "{said}");
}

#[test]
fn what_the_hosts_serve_is_verified_before_it_is_locked() {
    let world = Material::new().lock();
    definition(&world);
    let again = |world: &World| run(world, &build("image.toml", &["--progress", "none"]));
    let mut said = Vec::new();
    world.server.always("/plugin.tgz", Fault::Status(403, None));
    said.push(again(&world));
    world.server.always("/plugin.tgz", Fault::Html);
    said.push(again(&world));
    world.server.always("/plugin.tgz", Fault::None);
    let same_size = vec![b'x'; world.server.file("/plugin.tgz").len()];
    let right = world.server.file("/plugin.tgz");
    world.server.put("/plugin.tgz", same_size);
    said.push(again(&world));
    world.server.remove("/plugin.tgz");
    said.push(again(&world));
    // Cut once, and taken up where it ended.
    world.server.put("/plugin.tgz", right);
    world.server.faults("/plugin.tgz", [Fault::None, Fault::CutAfter(40)]);
    world.server.put(&format!("/maven/{JAR}.sha1"), "0".repeat(40));
    said.push(again(&world));
    world.server.put(&format!("/maven/{JAR}.sha256"), "<html>\u{1b}[31m</html>");
    said.push(again(&world));
    assert!(!world.kimg.home().join("image.lock.toml").exists());
    world.server.remove(&format!("/maven/{JAR}.sha256"));
    world.server.remove(&format!("/maven/{JAR}.sha1"));
    insta::assert_snapshot!(said.join("\n"));
}
