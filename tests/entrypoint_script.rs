//! `scripts/entrypoint-arm64` where it needs no compiler: what it takes, what it refuses, and that it is quick when there
//! is nothing to do. Compiling is part of `scripts/e2e build`.

#![allow(clippy::disallowed_methods, reason = "a test runs a script with the machine's own programs")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use kimg::digest::Digest;
use tempfile::TempDir;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// A checkout with what the script reads; `program` is pinned.
fn checkout(program: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let pins = format!("# a comment\n{} {TARGET} rustc 1.2.3 (a compiler)\n", Digest::of(program).hex());
    write("images/entrypoint/pins.txt", pins.as_bytes());
    write("images/entrypoint/Cargo.toml", b"[package]\n");
    write("images/entrypoint/src/main.rs", b"fn main() {}\n");
    write("released", program);
    write("other", b"other bytes");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/entrypoint-arm64");
    fs::create_dir(folder.path().join("scripts")).unwrap();
    fs::copy(script, folder.path().join("scripts/entrypoint-arm64")).unwrap();
    folder
}

/// Exit code, standard output and standard error.
fn run(folder: &TempDir, arguments: &[&str], path: &str) -> (i32, String, String) {
    let mut command = Command::new("/bin/bash");
    command.arg("scripts/entrypoint-arm64").args(arguments).current_dir(folder.path());
    let output = command.env_clear().env("PATH", path).env("HOME", folder.path()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(folder.path().to_str().unwrap(), "~");
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn path() -> String {
    env::var("PATH").unwrap()
}

#[test]
fn a_released_program_that_is_pinned_is_put_in_place_and_then_up_to_date() {
    let folder = checkout(b"a program");
    let pin = format!("{} {TARGET} rustc 1.2.3 (a compiler)", Digest::of(b"a program").hex());
    for _ in 0..2 {
        let (code, stdout, stderr) = run(&folder, &["released"], &path());
        assert_eq!((code, stderr.as_str()), (0, ""));
        assert!(stdout.starts_with(&format!("pinned: {pin}\n")), "{stdout}");
    }
    let built = folder.path().join("images/entrypoint/built");
    assert_eq!(fs::read(built.join(TARGET)).unwrap(), b"a program");
    // What build.rs reads: the pin, and the digest of the lines that sha256sum prints of the sources.
    let line = |name: &str| {
        let bytes = fs::read(folder.path().join("images/entrypoint").join(name)).unwrap();
        format!("{}  {name}\n", Digest::of(&bytes).hex())
    };
    let sources = Digest::of((line("Cargo.toml") + &line("src/main.rs")).as_bytes()).hex();
    assert_eq!(fs::read_to_string(built.join(format!("{TARGET}.txt"))).unwrap(), format!("{pin}\nsources {sources}\n"));
    assert_eq!(built.read_dir().unwrap().count(), 2, "nothing else is left");
    let (code, stdout, _) = run(&folder, &[], &path());
    assert_eq!((code, stdout), (0, format!("up to date: {pin}\n")));
}

#[test]
fn what_is_of_other_sources_or_damaged_is_not_up_to_date() {
    let folder = checkout(b"a program");
    // A folder with the programs that the script needs before it looks for a compiler, and no compiler.
    let few = folder.path().join("few");
    fs::create_dir(&few).unwrap();
    for name in ["dirname", "find", "sort", "xargs", "sha256sum", "cut", "grep", "head"] {
        let own = env::split_paths(&path()).map(|folder| folder.join(name)).find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(own, few.join(name)).unwrap();
    }
    for (changed, bytes) in [
        ("images/entrypoint/src/main.rs", b"fn main() { loop {} }\n".as_slice()),
        (&format!("images/entrypoint/built/{TARGET}"), b"torn"),
    ] {
        assert_eq!(run(&folder, &["released"], &path()).0, 0);
        fs::write(folder.path().join(changed), bytes).unwrap();
        let (code, stdout, stderr) = run(&folder, &[], few.to_str().unwrap());
        assert_eq!((code, stdout.as_str()), (1, ""), "{changed}");
        assert_eq!(
            stderr,
            "error: cargo: it is not installed\nhint: run scripts/setup as root on Debian, or name the program of a \
             release: scripts/entrypoint-arm64 FILE\n"
        );
    }
}

#[test]
fn programs_that_are_not_pinned_are_refused() {
    let folder = checkout(b"a program");
    let usage = "usage: scripts/entrypoint-arm64 [--cache FOLDER] [FILE]\n";
    let absent = "error: absent: there is no such file\nhint: name the program of a release\n";
    let other = format!(
        "error: other: its digest, {}, is not that of a program for {TARGET} in images/entrypoint/pins.txt\n\
         hint: take the program of the release that this source is of, or run scripts/entrypoint-arm64 without it\n",
        Digest::of(b"other bytes").hex()
    );
    for (arguments, code, stderr) in [
        (["other"].as_slice(), 1, other.as_str()),
        (&["absent"], 1, absent),
        (&["--chace", "x"], 2, usage),
        (&["--cache"], 2, usage),
        (&["released", "other"], 2, usage),
    ] {
        assert_eq!(run(&folder, arguments, &path()), (code, String::new(), stderr.to_owned()), "{arguments:?}");
    }
    assert_eq!(run(&folder, &["--help"], &path()), (0, usage.to_owned(), String::new()));
    assert!(!folder.path().join("images/entrypoint/built").exists());
}
