//! Places that a build cannot write to, or should not.

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
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use catalog::{Material, World, assert_sound, tree};

/// What a build into another store says, after `change` was done to it.
fn told(what: &str, world: &World, change: impl FnOnce(&Path)) -> String {
    let home = world.kimg.home();
    let _ = fs::remove_dir_all(home.join("store"));
    let _ = fs::remove_file(home.join("store"));
    change(&home.join("store"));
    let arguments = world.build(&["other", "-q"]);
    let output = world.kimg.command(&arguments).env("KIMG_HOME", "store").output().unwrap();
    let said = world.kimg.show(&arguments, &output);
    assert!(output.stdout.is_empty() && !output.status.success(), "{what}: {said}");
    format!("{what}:\n{}", without_names(said.split_once('\n').unwrap().1))
}

/// The text with `…` for file names of digests: which of several files fails first is chance.
fn without_names(text: &str) -> String {
    let is_name = |part: &str| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let hide = |part: &str| match part.split_at_checked(64) {
        Some((name, rest)) if is_name(name) => format!("…{rest}"),
        _ => part.to_owned(),
    };
    parts.map(hide).collect()
}

/// A store, and then a file where it has a folder.
fn blocked(store: &Path, folder: &str) {
    kimg::store::Store::open(store).unwrap();
    fs::remove_dir_all(store.join(folder)).unwrap();
    fs::write(store.join(folder), "").unwrap();
}

#[test]
fn stores_that_cannot_be_used() {
    let world = Material::new().serve();
    let said = [
        told("a file", &world, |store| fs::write(store, "").unwrap()),
        told("other files in it", &world, |store| {
            fs::create_dir(store).unwrap();
            fs::write(store.join("letter.txt"), "").unwrap();
        }),
        told("others may write", &world, |store| {
            fs::create_dir(store).unwrap();
            fs::set_permissions(store, fs::Permissions::from_mode(0o777)).unwrap();
        }),
        told("the group may write", &world, |store| {
            kimg::store::Store::open(store).unwrap();
            fs::set_permissions(store, fs::Permissions::from_mode(0o775)).unwrap();
        }),
        told("no place for blobs", &world, |store| blocked(store, "blobs/sha256")),
        told("no place for downloads", &world, |store| blocked(store, "cache/downloads/sha256")),
        told("no place for parts", &world, |store| blocked(store, "cache/parts")),
        told("no place for what is under way", &world, |store| blocked(store, "cache/tmp")),
        told("no place for records", &world, |store| blocked(store, "cache/records")),
        told("an index that is none", &world, |store| {
            kimg::store::Store::open(store).unwrap();
            fs::write(store.join("index.json"), "{").unwrap();
        }),
        told("a layout of another version", &world, |store| {
            fs::create_dir(store).unwrap();
            fs::write(store.join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
        }),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

/// What a build says when no file may become larger than 512 KiB: writes fail in the midst, as on a full disk.
fn cramped(world: &World, more: &[&str]) -> String {
    let arguments = world.build(&[&["other", "-q"], more].concat());
    let program = world.kimg.command(&arguments);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"trap '' XFSZ; ulimit -f 1024; exec "$0" "$@""#]).arg(program.get_program()).args(&arguments);
    shell.current_dir(world.kimg.home()).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    world.kimg.show(&arguments, &shell.output().unwrap())
}

#[test]
fn a_write_that_fails_in_the_midst_leaves_nothing_but_the_beginning_of_a_download() {
    let world = Material::new().serve();
    let part = cramped(&world, &[]);
    assert_sound(&world.store(), &[]);
    let expected = world.built(&["other"]);
    // The second request goes on from where the disk was full.
    let requests = world.server.requests_for("/debian/pool/java/java_1.0_amd64.deb");
    assert_eq!(requests.iter().map(|request| request.header("range").is_some()).collect::<Vec<_>>(), [false, true]);
    // Now that all inputs are there, it is a layer that is too large.
    let layer = cramped(&world, &["--compression", "none"]);
    assert_sound(&world.store(), &["other:1"]);
    assert_eq!(world.built(&["other"]), expected);
    // And now a copy. Files that nobody can write to are shared, and need no room.
    assert!(cramped(&world, &["-o", "oci:shared"]).ends_with("exit code: 0\n"));
    let blobs = world.store().join("blobs/sha256");
    for name in tree(&blobs) {
        fs::set_permissions(blobs.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let copy = cramped(&world, &["-o", "oci:out"]);
    assert_eq!(tree(&world.kimg.home().join("out/blobs")), [""; 0]);
    for (said, start) in [
        (part, "error: ~/.local/share/kimg/cache/parts/"),
        (layer, "error: layer `java`: cannot write: File too large"),
        (copy, "error: oci:out: sha256:"),
    ] {
        assert!(said.contains(start) && said.contains("cannot write: File too large"), "{said}");
        assert!(said.ends_with("exit code: 1\n") && !said.contains("stdout"), "{said}");
    }
}

#[test]
fn outputs_that_cannot_be_written() {
    let world = Material::new().serve();
    let digest = world.built(&["other"]);
    world.kimg.write("letters/letter.txt", "");
    world.kimg.write("file", "");
    let said = [
        &["-o", "oci:file"][..],
        &["-o", "oci:file/below"],
        &["-o", "oci:letters"],
        &["--metadata-file", "absent/meta.json"],
        &["--metadata-file", "file/meta.json"],
        &["--metadata-file", "letters"],
        &["--metadata-file", "/dev/full"],
        &["--iidfile", "absent/id"],
        &["--iidfile", "/dev/full"],
    ]
    .map(|more| world.kimg.run(&world.build(&[&["other", "-q"], more].concat())));
    insta::assert_snapshot!(said.join("\n").replace(digest.trim_end(), "other:1@DIGEST"));
    // The image itself is there all the same.
    assert_sound(&world.store(), &["other:1"]);
    assert_eq!(tree(&world.kimg.home().join("letters")), ["letter.txt"]);
}
