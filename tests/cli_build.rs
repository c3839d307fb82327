//! `kimg lock` and `kimg build` of a small image from a repository in the process of the test: what they print and write.

#[path = "support/command.rs"]
mod command;
#[path = "support/demo.rs"]
mod demo;
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::process::Output;

use command::Kimg;
use demo::{JAR, PATH, demo};
use kimg::digest::Digest;
use serde_json::Value;
use server::Server;

/// A home whose lock is made, and the repository that it names.
fn locked() -> (Kimg, Server) {
    let server = Server::start();
    server.put(&format!("/{PATH}"), JAR.to_vec());
    // Where the mirror fails, kimg asks the public hosts: the proxy keeps the tests from going there.
    let kimg =
        demo().with("KIMG_MIRROR_MAVEN", &server.url()).with("all_proxy", &server.url()).with("no_proxy", "127.0.0.1");
    let output = kimg.output(&["lock", "demo", "--images", "images"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text(&output.stdout), "images/demo/1.entries\nimages/demo/1.lock.toml\n");
    (kimg, server)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn build(kimg: &Kimg, more: &[&str]) -> Output {
    let output = kimg.output(&[&["build", "--images", "images", "demo"], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn the_answer_is_the_reference_and_its_digest() {
    let (kimg, server) = locked();
    let first = text(&build(&kimg, &[]).stdout);
    let digest = first.strip_prefix("demo:1@").unwrap();
    assert!(digest.trim_end().parse::<Digest>().is_ok(), "{first}");
    let tagged = text(&build(&kimg, &["-t", "registry.example/demo:x", "-t", "other"]).stdout);
    assert_eq!(tagged, format!("registry.example/demo:x@{digest}"));
    assert_eq!(text(&build(&kimg, &["demo:1", "-j", "1"]).stdout), first.repeat(2));
    // The lock fetched it; no build fetched it again.
    assert_eq!(server.requests_for(&format!("/{PATH}")).len(), 1);
    let names = text(&kimg.output(&["store", "ls", "--json"]).stdout);
    let names: Value = serde_json::from_str(&names).unwrap();
    let names: Vec<&str> =
        names["images"].as_array().unwrap().iter().map(|image| image["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["demo:1", "other", "registry.example/demo:x"]);
}

#[test]
fn metadata_and_image_id_are_files_of_their_own() {
    let (kimg, _server) = locked();
    let output = build(&kimg, &["--metadata-file", "out.json", "--iidfile", "id", "--label", "a=b"]);
    let digest = text(&output.stdout).trim_end().split_once('@').unwrap().1.to_owned();
    let metadata: Value = serde_json::from_slice(&fs::read(kimg.home().join("out.json")).unwrap()).unwrap();
    assert_eq!(metadata["containerimage.digest"], digest);
    assert_eq!(metadata["image.name"], "demo:1");
    let id = fs::read_to_string(kimg.home().join("id")).unwrap();
    assert_eq!(metadata["containerimage.config.digest"], id);
    assert!(id.parse::<Digest>().is_ok(), "{id}");
}

#[test]
fn a_reader_that_left_does_not_keep_the_images_from_being_built() {
    let (kimg, _server) = locked();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let arguments = ["build", "--images", "images", "demo", "--metadata-file", "out.json"];
    let output = kimg.command(&arguments).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(kimg.home().join("out.json").is_file());
}

#[test]
fn the_story_is_told_in_the_style_that_is_asked_for() {
    let (kimg, _server) = locked();
    let story = |more: &[&str]| text(&build(&kimg, more).stderr);
    assert!(story(&[]).contains("demo:1: 1 layer, "));
    assert_eq!(story(&["-q"]), "");
    assert!(story(&["-v"]).contains("layer demo: reused, sha256:"));
    for line in story(&["--progress", "json", "-v"]).lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["version"], 1);
    }
}

#[test]
fn a_layer_that_is_not_reproduced_is_named_and_nothing_is_answered() {
    let (kimg, _server) = locked();
    let path = kimg.home().join("images/demo/1.lock.toml");
    let mut lock = kimg::lock::parse(&fs::read_to_string(&path).unwrap(), "lock").unwrap();
    lock.outputs[0].diff_id = Digest::of(b"another tar");
    fs::write(&path, kimg::lock::to_text(&lock)).unwrap();
    let arguments = ["build", "--images", "images", "demo", "--metadata-file", "out.json"];
    let output = kimg.command(&arguments).env("KIMG_HOME", "other").output().unwrap();
    let story = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{story}");
    assert!(story.contains("error: layer `demo` of demo:1: not reproduced: "), "{story}");
    assert!(output.stdout.is_empty());
    assert!(!kimg.home().join("out.json").exists());
    let names = kimg.command(&["store", "ls"]).env("KIMG_HOME", "other").output().unwrap();
    assert!(!text(&names.stdout).contains("demo"));
}
