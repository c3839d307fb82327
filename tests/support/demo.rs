//! A small image of one layer with one file, `demo.jar`, from a Maven repository.

use kimg::definition;
use kimg::digest::Digest;
use kimg::lock::{self, Input, Lock, Sha256, Upstream};

use crate::command::Kimg;

/// What `demo.jar` holds.
pub const JAR: &[u8] = b"demo";

/// Where it lies in the repository.
pub const PATH: &str = "demo/demo.jar";

const DEFINITION: &str = r#"
name = "demo"
title = "Demo"
description = "Something to fetch"
licenses = "MIT"
default = "1"
versions = { 1 = { support = "yes" } }
[[layer]]
name = "demo"
history = "all of it"
into = "opt/demo"
"#;

/// A home with the definition and a lock without outputs below `images/`.
pub fn demo() -> Kimg {
    let definition = definition::parse(DEFINITION, "image.toml").unwrap();
    let Digest::Sha256(sha256) = Digest::of(JAR) else { unreachable!("it is what `of` makes") };
    let input = Input {
        layer: "demo".to_owned(),
        name: "demo.jar".to_owned(),
        upstream: Upstream::Maven,
        platform: None,
        path: PATH.to_owned(),
        size: JAR.len() as u64,
        sha256: Sha256(sha256),
        member: None,
        url: None,
        signature: None,
    };
    let lock = Lock {
        format: lock::FORMAT,
        image: "demo:1".to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        definition: lock::definition_digest(&definition),
        debian: None,
        archive: None,
        below: None,
        inputs: vec![input],
        absent: Vec::new(),
        outputs: Vec::new(),
    };
    let kimg = Kimg::new();
    kimg.write("images/demo/image.toml", DEFINITION);
    kimg.write("images/demo/1.lock.toml", &lock::to_text(&lock));
    kimg
}
