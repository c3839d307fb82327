//! The corpus of the fuzz targets, and each input that once was a finding: checked again, without a fuzzer.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders, and at times has one of its own")]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/checks/deb.rs"]
mod deb;
#[path = "../fuzz/checks/deb_control.rs"]
mod deb_control;
#[path = "../fuzz/checks/definition.rs"]
mod definition;
#[path = "../fuzz/checks/in_release.rs"]
mod in_release;
#[path = "../fuzz/checks/jar_member.rs"]
mod jar_member;
#[path = "../fuzz/checks/keys.rs"]
mod keys;
#[path = "../fuzz/checks/lock.rs"]
mod lock;
#[path = "../fuzz/checks/maven.rs"]
mod maven;
#[path = "../fuzz/checks/members.rs"]
mod members;
#[path = "../fuzz/checks/packages.rs"]
mod packages;
#[path = "../fuzz/checks/release.rs"]
mod release;
#[path = "../fuzz/checks/signature.rs"]
mod signature;
#[path = "../fuzz/checks/tar.rs"]
mod tar;

/// The inputs of a target, sorted.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Checks each input; says which one failed.
fn replay(target: &str, check: fn(&[u8])) {
    let files = corpus(target);
    assert!(!files.is_empty(), "fuzz/corpus/{target} is empty");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| check(&bytes));
        assert!(outcome.is_ok(), "{}", file.display());
    }
}

#[test]
fn deb_is_sound() {
    replay("deb", deb::check);
}

#[test]
fn deb_control_is_sound() {
    replay("deb_control", deb_control::check);
}

#[test]
fn definition_is_sound() {
    replay("definition", definition::check);
}

#[test]
fn in_release_is_sound() {
    replay("in_release", in_release::check);
}

#[test]
fn jar_member_is_sound() {
    replay("jar_member", jar_member::check);
}

#[test]
fn keys_is_sound() {
    replay("keys", keys::check);
}

#[test]
fn lock_is_sound() {
    replay("lock", lock::check);
}

#[test]
fn maven_is_sound() {
    replay("maven", maven::check);
}

#[test]
fn members_is_sound() {
    replay("members", members::check);
    // What was made for the other reader of tars.
    replay("tar", members::check);
}

#[test]
fn packages_is_sound() {
    replay("packages", packages::check);
}

#[test]
fn release_is_sound() {
    replay("release", release::check);
}

#[test]
fn signature_is_sound() {
    replay("signature", signature::check);
}

#[test]
fn tar_is_sound() {
    replay("tar", tar::check);
}

#[test]
fn each_target_has_a_check_here() {
    let own = include_str!("fuzz_corpus.rs");
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(own.contains(&format!("fuzz/checks/{name}")), "{name}");
    }
}
