//! What versions of one family have of their own: files, and a warning.

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

use catalog::{Material, World};
use image::Image;

const VERSIONS: &str = r#"
name = "other"
title = "Other"
description = "Another that runs"
licenses = "MIT"
base = "base:1"
default = "1"

[versions]
1 = { support = "yes" }
"2.9.1" = { support = "no", warning = "it is old, and\u001b[31m nobody looks after it" }
"2.10.0" = { support = "yes" }

[[layer]]
name = "other"
history = "all of it"
into = "opt/other"

[[layer]]
name = "configuration"
history = "what ships"
entrypoint = "usr/bin/kimg-entrypoint"
launchers = { into = "opt/other/bin", table = "launchers", to = "etc/kimg/launchers" }
files = [
    { from = "conf/a", to = "opt/other/a" },
    { from = "conf/b", to = "opt/other/b", versions = ["2.10", "1"] },
]
"#;

/// Three versions with the same inputs and other files.
fn world() -> World {
    let world = Material { other: VERSIONS.to_owned(), ..Material::new() }.lock();
    for version in ["2.9.1", "2.10.0"] {
        let path = format!("images/other/{version}.lock.toml");
        world.kimg.write(&path, &read(&world, "images/other/1.lock.toml"));
        world.edit_lock(&format!("other/{version}.lock.toml"), |lock| lock.image = format!("other:{version}"));
    }
    for (path, text) in [
        ("launchers", "start.sh of all\n"),
        ("2.10.0/launchers", "start.sh of 2.10.0\nnew.sh of 2.10.0\n"),
        ("conf/a", "of all"),
        ("2/conf/a", "of 2"),
        ("2.9/conf/a", "of 2.9"),
        ("2.9.2/conf/a", "of 2.9.2"),
        ("conf/b", "of all"),
        ("2.10/conf/b", "of 2.10"),
    ] {
        world.kimg.write(&format!("images/other/{path}"), text);
    }
    world
}

fn read(world: &World, path: &str) -> String {
    std::fs::read_to_string(world.kimg.home().join(path)).unwrap()
}

#[test]
fn a_version_has_the_files_of_the_nearest_folder() {
    let world = world();
    let files = |version: &str| {
        let name = format!("other:{version}");
        world.built(&[&name, "-o", "oci:out"]);
        let image = Image::open(&world.kimg.home().join("out"), &name);
        let layer = image.layers.last().unwrap();
        let below = |path: &str| layer.entries.iter().any(|entry| entry.path == path);
        let text = |path: &str| if below(path) { image.at(path).text().to_owned() } else { "none".to_owned() };
        [
            text("opt/other/a"),
            text("opt/other/b"),
            text("etc/kimg/launchers"),
            below("opt/other/bin/new.sh").to_string(),
        ]
    };
    assert_eq!(files("1"), ["of all", "of all", "start.sh of all\n", "false"]);
    assert_eq!(files("2.9.1"), ["of 2.9", "none", "start.sh of all\n", "false"]);
    assert_eq!(files("2.10.0"), ["of 2", "of 2.10", "start.sh of 2.10.0\nnew.sh of 2.10.0\n", "true"]);
}

#[test]
fn a_changed_file_of_a_version_changes_that_version_only() {
    let world = world();
    let build = || [world.built(&["other:2.9.1"]), world.built(&["other:2.10.0"])];
    let before = build();
    world.kimg.write("images/other/2.10.0/launchers", "start.sh again\n");
    let after = build();
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
}

#[test]
fn a_warning_is_told_at_each_build_and_of_no_other_version() {
    let world = world();
    let told = |image: &str| {
        let output = world.kimg.output(&world.build(&[image]));
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stderr).unwrap();
        text.lines().filter(|line| line.starts_with("warning")).map(str::to_owned).collect::<Vec<_>>()
    };
    let warning = "warning: other:2.9.1: it is old, and\\u{1b}[31m nobody looks after it";
    assert_eq!(told("other:2.9.1"), [warning]);
    assert_eq!(told("other:2.9.1"), [warning]);
    assert_eq!(told("other:2.10.0"), [""; 0]);
}

#[test]
fn versions_are_listed_by_their_numbers() {
    let world = world();
    let text = String::from_utf8(world.kimg.output(&["images", "--images", "images"]).stdout).unwrap();
    let listed: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("other"))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(listed, ["1", "2.9.1", "2.10.0"]);
}
