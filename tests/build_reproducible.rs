//! The same images, byte for byte: with any number of threads, anywhere, in any zone and locale, under any umask, by any
//! route; and the error where a layer is not reproduced.

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
use std::process::Command;

use catalog::{Material, World, tree};
use kimg::digest::Digest;

/// Builds into a store of its own, started in a way of its own.
fn built(world: &World, store: &str, more: &[&str], change: impl FnOnce(&mut Command) -> Command) -> String {
    let mut command = world.kimg.command(&world.build(&[&["app", "other"], more].concat()));
    let output = change(command.env("KIMG_HOME", store)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{store}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same command, taken out of its builder.
fn as_it_is(command: &mut Command) -> Command {
    std::mem::replace(command, Command::new("false"))
}

#[test]
fn the_same_digests_whatever_is_around() {
    let world = Material::new().lock();
    let home = world.kimg.home().to_owned();
    let first = world.built(&["app", "other"]);
    assert_eq!(world.built(&["app", "other"]), first, "twice");
    let deep = home.join("another/place of it");
    fs::create_dir_all(&deep).unwrap();
    let deep_store = deep.join("store").display().to_string();
    assert_eq!(built(&world, "one", &["-j", "1"], as_it_is), first, "one thread");
    assert_eq!(built(&world, "four", &["-j", "4"], as_it_is), first, "four threads");
    let elsewhere = built(&world, &deep_store, &[], |command| {
        command.current_dir(&deep).env("TZ", "Pacific/Kiritimati").env("LANG", "tr_TR.UTF-8").env("LC_ALL", "C");
        // The folder of the definitions is named from where the command runs.
        fs::rename(home.join("images"), deep.join("images")).unwrap();
        as_it_is(command)
    });
    assert_eq!(elsewhere, first, "elsewhere");
    fs::rename(deep.join("images"), home.join("images")).unwrap();
    for umask in ["077", "000"] {
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let masked = built(&world, &format!("umask{umask}"), &[], |command| {
            let mut shell = Command::new("/bin/sh");
            shell
                .args(["-c", &script])
                .arg(command.get_program())
                .args(command.get_args())
                .current_dir(&home)
                .env_clear();
            shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            shell
        });
        assert_eq!(masked, first, "umask {umask}");
        let mode = fs::metadata(home.join(format!("umask{umask}"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o022, 0, "umask {umask}: the store can be written by others");
    }
}

#[test]
fn a_warm_cache_is_used_and_gives_the_same() {
    let world = Material::new().lock();
    let first = world.built(&["app", "other"]);
    let asked = world.server.requests().len();
    // Each input and the signature was fetched when it was locked, once, and never again.
    assert_eq!(asked, 9);
    for gone in ["blobs", "index.json", "cache/records", "oci-layout"] {
        let path = world.store().join(gone);
        fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)).unwrap();
    }
    assert_eq!(world.built(&["app", "other", "-v"]), first);
    assert_eq!(world.server.requests().len(), asked);
    assert_eq!(tree(&world.store().join("cache/tmp")), [""; 0]);
}

#[test]
fn a_layer_that_is_not_reproduced_is_told_with_the_files_that_differ() {
    let world = Material::new().lock();
    let entries = world.kimg.home().join("images/base/1.entries");
    let good = fs::read_to_string(&entries).unwrap();
    let other_line = |line: &str| {
        let digest = line.split(' ').nth(2).unwrap();
        line.replace(digest, "0123456789abcdef")
    };
    let changed = |end: &str| {
        let lines = good.lines().map(|line| if line.ends_with(end) { other_line(line) } else { line.to_owned() });
        lines.map(|line| line + "\n").collect::<String>()
    };
    let swapped = {
        let mut lines: Vec<&str> = good.split_inclusive('\n').collect();
        lines.swap(4, 5);
        lines.concat()
    };
    world.edit_lock("base/1.lock.toml", |lock| lock.outputs[0].diff_id = Digest::of(b"another tar"));
    let mut said = Vec::new();
    for (what, text) in [
        ("a packaged file", changed(" usr/bin/tool")),
        ("a file of a rule", changed(" etc/passwd")),
        ("many", changed("t")),
        (
            "one less",
            good.lines().filter(|line| !line.ends_with(" etc/issue")).map(|line| format!("{line}\n")).collect(),
        ),
        ("one more", format!("debian linux/amd64 0123456789abcdef etc/gone\n{good}")),
        ("another order", swapped),
        ("nothing to compare with", String::new()),
    ] {
        fs::write(&entries, text).unwrap();
        said.push(format!("{what}:\n{}", world.kimg.run(&world.build(&["app", "-q"]))));
    }
    insta::assert_snapshot!(said.join("\n"));
    // The other layers ended properly, and the image got no name.
    assert_eq!(tree(&world.store().join("cache/tmp")), [""; 0]);
    assert!(!world.kimg.run(&["store", "ls"]).contains("app"));
}

#[test]
fn a_lock_whose_gzip_differs_is_noticed_though_the_layer_is_there() {
    let world = Material::new().lock();
    world.built(&["app"]);
    world.edit_lock("app/1.0.lock.toml", |lock| lock.outputs[1].gzip = Digest::of(b"another blob"));
    insta::assert_snapshot!(world.kimg.run(&world.build(&["app", "-q"])));
    // Of another epoch's blobs nothing is known but the diff id, nor of another compression's.
    world.built(&["app", "--compression", "zstd"]);
    world.edit_lock("app/1.0.lock.toml", |lock| lock.outputs[1].epoch += 1);
    world.built(&["app"]);
    world.edit_lock("app/1.0.lock.toml", |lock| lock.outputs[1].diff_id = Digest::of(b"another tar"));
    let output = world.kimg.output(&world.build(&["app", "--compression", "zstd"]));
    assert_eq!(output.status.code(), Some(3));
}
