//! `kimg lock --update` and `--check`: which packages move, what is written, and when nothing is. `kimg build --locked`.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders")]

#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/debian_archive.rs"]
mod debian_archive;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;

use std::fs;

use command::Kimg;
use deb::{Deb, Tar};
use debian_archive::{Package, Suite};
use kimg::lock;
use openpgp::Key;
use server::Server;

const BASE: &str = r#"
name = "base"
title = "Base"
description = "What the others stand on"
licenses = "MIT"
default = "1"
suites = ["bookworm"]
keys = ["keys/debian.asc"]
versions = { 1 = { support = "yes" } }
[[layer]]
name = "debian"
history = "runtime"
packages = ["bash", "tool"]
"#;

const APP: &str = r#"
name = "app"
title = "App"
description = "Stands on the base"
licenses = "MIT"
default = "2"
base = "base:1"
versions = { 2 = { support = "yes" } }
[[layer]]
name = "links"
history = "a link"
links = { "opt/link" = "target" }
"#;

struct World {
    kimg: Kimg,
    server: Server,
}

fn package(name: &str, version: &str) -> Package {
    let data = Tar::new().folder("./usr/").file(&format!("./usr/{name}"), version.as_bytes());
    Package::new(name, version, "amd64", Deb::new(name, data).bytes())
}

impl World {
    /// The definitions, and locks of the first state of the archive.
    fn new() -> World {
        let server = Server::start();
        let kimg = Kimg::new()
            .with("KIMG_MIRROR_DEBIAN", &format!("{}debian", server.url()))
            .with("SOURCE_DATE_EPOCH", "1795392000")
            .with("all_proxy", &server.url())
            .with("no_proxy", "127.0.0.1");
        kimg.write("images/base/image.toml", BASE);
        kimg.write("images/app/image.toml", APP);
        kimg.write("images/keys/debian.asc", &Key::new("Archive").armored());
        let world = World { kimg, server };
        world.publish("Sat, 21 Nov 2026 08:12:34 UTC", &[package("bash", "5.2-1"), package("tool", "1:0.9-3")]);
        for name in ["base", "app"] {
            assert!(world.run(&["lock", name]).ends_with("exit code: 0\n"));
        }
        world
    }

    fn publish(&self, date: &str, packages: &[Package]) {
        let suite = Suite { date: date.to_owned(), ..Suite::new("bookworm") };
        let suite = packages.iter().fold(suite, |suite, package| suite.with(package));
        suite.publish(&self.server, "/debian", &Key::new("Archive"));
    }

    fn run(&self, arguments: &[&str]) -> String {
        self.kimg.run(&[arguments, &["--images", "images", "--progress", "none"]].concat())
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let folder = self.kimg.home().join("images/base");
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = paths.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
        files.sort();
        files
    }
}

#[test]
fn packages_move_to_what_the_archive_has_now() {
    let world = World::new();
    let first = world.files();
    // A newer Release of the same packages is no reason to make other layers.
    world.publish("Sat, 21 Nov 2026 20:12:34 UTC", &[package("bash", "5.2-1"), package("tool", "1:0.9-3")]);
    let mut all = vec![world.run(&["lock", "--check"]), world.run(&["lock", "--update"])];
    assert_eq!(world.files(), first);
    world.publish("Sun, 22 Nov 2026 08:12:34 UTC", &[package("bash", "5.2-2"), package("tool", "1:0.9-3")]);
    all.push(world.run(&["lock", "--check"]));
    all.push(world.run(&["lock", "--check", "app"]));
    assert_eq!(world.files(), first);
    all.push(world.run(&["lock", "--update", "app"]));
    all.push(world.run(&["lock", "--check", "base:1"]));
    let files = world.files();
    let names: Vec<&str> = files.iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["1.entries", "1.lock.toml", "image.toml"]);
    assert!(files[0] != first[0] && files[1] != first[1]);
    let lock = lock::parse(&String::from_utf8(files[1].1.clone()).unwrap(), "lock").unwrap();
    assert_eq!(lock.created, "2026-11-22T08:12:34Z");
    assert!(lock.inputs[0].path.ends_with("bash_5.2-2_amd64.deb"));
    insta::assert_snapshot!(all.join("\n"));
    let built = world.run(&["build", "app", "--locked"]);
    assert!(built.contains("  app:2@sha256:") && built.ends_with("exit code: 0\n"), "{built}");
}

#[test]
fn what_makes_no_sense_or_fails_is_told_and_nothing_is_written() {
    let world = World::new();
    let first = world.files();
    world.publish("Fri, 20 Nov 2026 08:12:34 UTC", &[package("bash", "5.2-0"), package("tool", "1:0.9-3")]);
    let mut all = vec![
        world.run(&["lock", "--check"]),
        world.run(&["lock", "--update"]),
        world.run(&["lock", "--update", "--check"]),
        world.run(&["lock", "--update", "bsae"]),
        world.run(&["lock", "--update", "base:2"]),
        world.run(&["lock"]),
    ];
    all.push(world.kimg.run(&["lock", "--update"]));
    assert_eq!(world.files(), first);
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_lock_without_outputs_is_refused_where_asked_for() {
    let world = World::new();
    let path = world.kimg.home().join("images/base/1.lock.toml");
    let mut lock = lock::parse(&fs::read_to_string(&path).unwrap(), "lock").unwrap();
    let locked = || world.run(&["build", "app", "--locked"]);
    assert!(locked().ends_with("exit code: 0\n"));
    lock.outputs.clear();
    fs::write(&path, lock::to_text(&lock)).unwrap();
    insta::assert_snapshot!(locked());
    assert!(world.run(&["build", "app"]).ends_with("exit code: 0\n"));
}
