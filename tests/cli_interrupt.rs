//! Ctrl-C and SIGTERM end a build that waits for the network: in order, with 130.

#[path = "support/command.rs"]
mod command;

use std::io::Read;
use std::net::TcpListener;

use command::Kimg;
use kimg::definition;
use kimg::digest::Digest;
use kimg::lock::{self, Input, Lock, Sha256, Upstream};
use rustix::process::{Pid, Signal, kill_process};

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

/// A home with a definition whose only input is `demo.jar`.
fn kimg() -> Kimg {
    let definition = definition::parse(DEFINITION, "image.toml").unwrap();
    let Digest::Sha256(sha256) = Digest::of(b"demo") else { unreachable!("it is what `of` makes") };
    let input = Input {
        layer: "demo".to_owned(),
        name: "demo.jar".to_owned(),
        upstream: Upstream::Maven,
        platform: None,
        path: "demo/demo.jar".to_owned(),
        size: 4,
        sha256: Sha256(sha256),
        signature: None,
    };
    let lock = Lock {
        format: lock::FORMAT,
        image: "demo:1".to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        definition: lock::definition_digest(&definition),
        debian: None,
        inputs: vec![input],
        absent: Vec::new(),
        outputs: Vec::new(),
    };
    let kimg = Kimg::new();
    kimg.write("images/demo/image.toml", DEFINITION);
    kimg.write("images/demo/1.lock.toml", &lock::to_text(&lock));
    kimg
}

#[test]
fn a_signal_ends_the_build_with_130() {
    for (signal, progress) in [(Signal::INT, "plain"), (Signal::TERM, "plain"), (Signal::INT, "json")] {
        let kimg = kimg();
        // It takes the connection, and never answers.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mirror = format!("maven=http://{}/", listener.local_addr().unwrap());
        let arguments = ["build", "demo", "--images", "images", "--mirror", &mirror, "--progress", progress];
        let child = kimg.command(&arguments).spawn().unwrap();
        let (mut connection, _) = listener.accept().unwrap();
        // The request is under way once its first byte is here.
        connection.read_exact(&mut [0]).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal:?}");
        assert!(output.stdout.is_empty(), "{signal:?}");
        let story = String::from_utf8(output.stderr).unwrap();
        let last = story.lines().last().unwrap_or_default();
        match progress {
            "json" => assert!(last.contains(r#""message":"interrupted""#) && last.contains("130"), "{story}"),
            _ => assert_eq!(last, "interrupted", "{story}"),
        }
    }
}
