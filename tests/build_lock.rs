//! `kimg lock` of families whose inputs are known: what it writes, and what it does not touch.

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

use std::fs;

use catalog::{Material, World, assert_sound};
use kimg::lock;

fn read(world: &World, path: &str) -> String {
    fs::read_to_string(world.kimg.home().join("images").join(path)).unwrap()
}

fn run(world: &World, image: &str) -> String {
    world.kimg.run(&["lock", image, "--images", "images", "-q"])
}

#[test]
fn a_lock_made_twice_is_the_same() {
    let world = Material::new().lock();
    let files = ["base/1.lock.toml", "base/1.entries", "app/1.0.lock.toml", "app/1.0.entries"];
    let first = files.map(|path| read(&world, path));
    world.lock();
    assert_eq!(files.map(|path| read(&world, path)), first);
    // Layers that depend on the program stand in no lock.
    let lock = lock::parse(&first[2], "lock").unwrap();
    let layers: Vec<&str> = lock.outputs.iter().map(|output| output.layer.as_str()).collect();
    assert_eq!(layers, ["third-party", "product"]);
    assert_eq!(lock.created, catalog::APP_CREATED);
}

#[test]
fn a_lock_fits_its_definition_again() {
    let world = Material::new().lock();
    let definition = read(&world, "app/image.toml");
    world.kimg.write("images/app/image.toml", &definition.replace("to = \"opt/app/LICENSE\"", "to = \"opt/LICENSE\""));
    let before = world.kimg.run(&world.build(&["app", "-q"]));
    let locked = run(&world, "app");
    insta::assert_snapshot!([before, locked].join("\n"));
    world.built(&["app"]);
}

#[test]
fn a_lock_that_was_copied_becomes_that_of_its_own_version() {
    let mut material = Material::new();
    material.app = material.app.replace("versions = {", "versions = { \"2.0\" = { support = \"new\" },");
    material.app = material.app.replace("app-{version}.jar", "app-1.0.jar");
    let world = material.lock();
    let old = ["app/1.0.lock.toml", "app/1.0.entries"].map(|path| read(&world, path));
    world.kimg.write("images/app/2.0.lock.toml", &old[0]);
    let said = [world.kimg.run(&world.build(&["app:2.0", "-q"])), run(&world, "app:2.0")];
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(["app/1.0.lock.toml", "app/1.0.entries"].map(|path| read(&world, path)), old);
    assert_eq!(lock::parse(&read(&world, "app/2.0.lock.toml"), "lock").unwrap().image, "app:2.0");
    world.built(&["app:2.0", "app:1.0"]);
    assert_sound(&world.store(), &["app:1.0", "app:2.0"]);
}

#[test]
fn what_cannot_be_locked_is_told_and_nothing_is_written() {
    let world = Material::new().lock();
    let lost = Material::new().lock();
    lost.edit_lock("app/1.0.lock.toml", |lock| lock.inputs[0].layer = "thrid-party".to_owned());
    let mut bad = Material::new();
    bad.jars[2].signature = Some((catalog::signer().fingerprint(), b"none".to_vec()));
    let bad = bad.serve();
    let before = read(&bad, "app/1.0.lock.toml");
    let said = [run(&world, "ap"), run(&world, "app:9"), run(&lost, "app"), run(&bad, "app")];
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(read(&bad, "app/1.0.lock.toml"), before);
    assert!(!world.kimg.home().join("images/app/9.lock.toml").exists());
    assert!(!bad.kimg.home().join("images/app/1.0.entries").exists());
    assert_sound(&bad.store(), &[]);
}
