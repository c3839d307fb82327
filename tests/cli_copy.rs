//! `kimg copy` and what is like it: standard output, standard error and exit code together.

#[path = "support/command.rs"]
mod command;
#[path = "support/layout.rs"]
mod layout;

use std::fs;

use command::Kimg;
use kimg::store::Layout;
use layout::layout;
use serde_json::Value;

/// A home with the layout `in`.
fn kimg() -> Kimg {
    let kimg = Kimg::new().with("KIMG_HOME", "store");
    layout(&kimg.home().join("in"));
    kimg
}

fn all(kimg: &Kimg, lines: &[&[&str]]) -> String {
    lines.iter().map(|arguments| kimg.run(arguments)).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_image_goes_from_place_to_place() {
    let kimg = kimg();
    insta::assert_snapshot!(all(
        &kimg,
        &[
            &["copy", "oci:in:app:1", "oci:out", "-j", "1"],
            &["copy", "oci:in:app:1", "oci:out", "-j", "1"],
            &["copy", "oci:in:one:1", "oci:out:other:2", "-j", "1", "-q"],
            &["copy", "oci:in:one:1", "store:registry.example/one:1", "-j", "1", "-v"],
            &["copy", "store:registry.example/one:1", "oci-archive:one.tar", "-j", "1"],
            &["copy", "store:registry.example/one:1", "docker-archive:docker.tar:one:1", "-q"],
            &["ls", "oci:out"],
            &["ls", "store:"],
        ]
    ));
    let bytes = |name: &str| {
        let descriptor = Layout::open(&kimg.home().join(name)).unwrap().resolve("app:1").unwrap().unwrap();
        fs::read(kimg.home().join(name).join("blobs/sha256").join(descriptor.digest.hex())).unwrap()
    };
    assert!(bytes("in") == bytes("out"), "manifests are passed on as they are");
}

#[test]
fn a_digest_says_what_is_fetched_and_a_tag_what_it_is_called() {
    let kimg = kimg();
    let digest = Layout::open(&kimg.home().join("in")).unwrap().resolve("one:1").unwrap().unwrap().digest;
    let (alone, named) = (format!("oci:in@{digest}"), format!("store:x:1@{digest}"));
    insta::assert_snapshot!(all(
        &kimg,
        &[
            &["copy", &alone, "store:x:1", "-q"],
            &["copy", &named, "oci:out:y:1", "-q"],
            &["copy", &named, &alone, "-q"],
            &["copy", "oci:in:app:1", "oci:out:y:1@sha256:00", "-q"],
        ]
    ));
}

#[test]
fn a_dry_run_makes_nothing() {
    let kimg = kimg();
    insta::assert_snapshot!(all(
        &kimg,
        &[
            &["copy", "oci:in:app:1", "oci:out", "--dry-run"],
            &["copy", "oci:in:one:1", "oci-archive:out.tar", "--dry-run"],
            &["copy", "oci:in:one:1", "store:one:1", "-q"],
            &["copy", "oci:in:app:1", "store:app:1", "--dry-run"],
            &["copy", "oci:in:one:1", "store:one:2", "--dry-run", "--json"],
        ]
    ));
    for name in ["out", "out.tar"] {
        assert!(!kimg.home().join(name).exists(), "{name}");
    }
}

#[test]
fn what_was_done_as_json_and_the_digest_in_a_file() {
    let kimg = kimg();
    let output = kimg.output(&["copy", "oci:in:app:1", "oci:out", "--json", "--digestfile", "digest"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let digest = answer["digest"].as_str().unwrap();
    assert_eq!(fs::read_to_string(kimg.home().join("digest")).unwrap(), format!("{digest}\n"));
    assert_eq!((&answer["version"], &answer["dry_run"]), (&1.into(), &false.into()));
    let moved = &answer["moved"];
    assert_eq!((&moved["sent"], &moved["bytes"]), (&5.into(), &answer["bytes"]));
    let output = kimg.output(&["copy", "oci:in:app:1", "oci:out", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["bytes"], &answer["moved"]["present"]), (&0.into(), &5.into()));
}

#[test]
fn the_story_as_json_adds_up() {
    let kimg = kimg();
    let output = kimg.output(&["copy", "oci:in:app:1", "oci:out", "--progress", "json"]);
    let story = String::from_utf8(output.stderr).unwrap();
    let events: Vec<Value> = story.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let transfers: Vec<&Value> = events.iter().filter(|event| event["event"] == "transfer").collect();
    // When it begins, after each of five blobs, and when it ended.
    assert_eq!(transfers.len(), 7, "{story}");
    let (first, last) = (transfers[0], transfers[6]);
    assert_eq!(first["all"], last["all"], "what there is to do is known before it is done");
    assert_eq!((&last["outcome"], &last["sent"]), (&"done".into(), &last["all"]));
    let finished = |event: &&Value| event["event"] == "finished" && event["outcome"] == "done";
    let bytes: u64 = events.iter().filter(finished).map(|event| event["done"].as_u64().unwrap()).sum();
    assert_eq!(last["all"]["bytes"], bytes);
}

#[test]
fn locations_that_are_none_are_told_with_what_may_be_meant() {
    let kimg = Kimg::new();
    let long = format!("docker://registry.example/x@sha256:{}", "0".repeat(63));
    let wrong = [
        "",
        "in",
        "in.tar",
        "registry.example/kafka:3.5.2",
        "localhost:5000/kafka",
        "kafka:3.5.2",
        "https://me:secret@registry.example/kafka",
        "docker:/registry.example/kafka",
        "docker:kafka",
        "docker://",
        "docker:///kafka",
        "docker://registry.example/Kafka:3.5.2",
        "docker://registry.example/kafka:",
        "docker://registry.example/kafka:a b",
        "docker://registry.example:port/kafka",
        &long,
        "dokcer://kafka",
        "OCI:in",
        "oci:",
        "oci:in:",
        "oci:in:A B",
        "oci:in@sha256:12",
        "oci-archive:",
        "docker-daemon:",
        "store:",
        "dir:in",
        "containers-storage:kafka",
        "bundle:x",
        "\u{1b}[31m:x",
    ];
    let told = wrong.map(|text| kimg.run(&["copy", text, "oci:out"]).replace(" oci:out\n", "\n"));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn flags_that_make_no_sense() {
    let kimg = kimg();
    insta::assert_snapshot!(all(
        &kimg,
        &[
            &["copy"],
            &["copy", "oci:in:app:1"],
            &["copy", "oci:in:app:1", "oci:out", "x"],
            &["copy", "oci:in:app:1", "oci:out", "-j", "0"],
            &["copy", "oci:in:app:1", "oci:out", "--retry", "-1"],
            &["copy", "oci:in:app:1", "oci:out", "--retry", "often"],
            &["copy", "oci:in:app:1", "oci:out", "--platform", "amd64"],
            &["copy", "oci:in:app:1", "oci:out", "--all", "--platform", "linux/amd64"],
            &["copy", "oci:in:app:1", "oci:out", "--new-index"],
            &["copy", "oci:in:app:1", "oci:out", "--digestfile", "absent/digest"],
            &["copy", "oci:in:app:1", "oci:out", "--digestfile", "digest", "--dry-run"],
            &["copy", "oci:in:app:1", "oci-archive:-", "--json"],
            &["copy", "oci:in:app:1", "oci:out", "--dryrun"],
            &["push"],
            &["push", "kafka:3.5.2"],
            &["push", "Kafka", "registry.example/kafka"],
            &["push", "kafka", "oci:out"],
            &["pull"],
            &["pull", "oci:in"],
            &["pull", "https://registry.example/kafka"],
        ]
    ));
    assert!(!kimg.home().join("out").exists());
}

#[test]
fn what_is_not_there_or_not_whole() {
    let kimg = kimg();
    let layer = kimg.home().join("in/blobs/sha256").join(kimg::digest::Digest::of(b"shared").hex());
    let absent = all(
        &kimg,
        &[
            &["copy", "oci:absent", "oci:out"],
            &["copy", "oci:in:two:1", "oci:out"],
            &["copy", "oci:in", "oci:out"],
            &["copy", "store:one:1", "oci:out"],
            &["push", "one:1", "localhost:1/one:1"],
        ],
    );
    fs::remove_file(&layer).unwrap();
    let missing = kimg.run(&["copy", "oci:in:one:1", "oci:out", "-j", "1"]);
    fs::write(&layer, b"shaped").unwrap();
    let damaged = kimg.run(&["copy", "oci:in:one:1", "oci:out", "-j", "1"]);
    assert_eq!(Layout::open(&kimg.home().join("out")).unwrap().index().unwrap().manifests, []);
    insta::assert_snapshot!([absent, missing, damaged].join("\n"));
}

#[test]
fn an_archive_in_a_pipe_is_all_of_standard_output() {
    let kimg = kimg();
    let output = kimg.output(&["copy", "oci:in:one:1", "oci-archive:-", "-j", "1"]);
    assert_eq!(output.status.code(), Some(0));
    let mut archive = tar::Archive::new(output.stdout.as_slice());
    let paths: Vec<_> = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned()).collect();
    assert_eq!((paths[0].to_str(), paths.len()), (Some("oci-layout"), 8));
    let digest = Layout::open(&kimg.home().join("in")).unwrap().resolve("one:1").unwrap().unwrap().digest;
    let story = String::from_utf8(output.stderr).unwrap();
    assert_eq!(story.lines().last(), Some(digest.to_string().as_str()));
}
