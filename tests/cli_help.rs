//! Help pages, and what a wrong command line says: standard output, standard error and exit code together.

#[path = "support/command.rs"]
mod command;

use command::Kimg;
use kimg::definition::embedded::ENTRYPOINTS;

fn all(lines: &[&[&str]]) -> String {
    let kimg = Kimg::new();
    lines.iter().map(|arguments| kimg.run(arguments)).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_command_is_help_on_standard_error() {
    insta::assert_snapshot!(all(&[&[], &["store"]]));
}

#[test]
fn short_help() {
    insta::assert_snapshot!(all(&[&["-h"], &["build", "-h"]]));
}

#[test]
fn long_help_of_every_command_has_examples() {
    insta::assert_snapshot!(all(&[
        &["--help"],
        &["build", "--help"],
        &["fetch", "--help"],
        &["images", "--help"],
        &["lock", "--help"],
        &["copy", "--help"],
        &["push", "--help"],
        &["pull", "--help"],
        &["inspect", "--help"],
        &["ls", "--help"],
        &["store", "--help"],
        &["store", "ls", "--help"],
        &["store", "prune", "--help"],
        &["store", "check", "--help"],
        &["completions", "--help"],
    ]));
}

#[test]
fn the_version_is_that_of_the_package() {
    let first = format!("kimg {}\n", env!("CARGO_PKG_VERSION"));
    let output = Kimg::new().output(&["-V"]);
    assert_eq!((String::from_utf8(output.stdout).unwrap(), output.status.code()), (first.clone(), Some(0)));
    // The long one also tells which programs it puts into images, one a line.
    let output = Kimg::new().output(&["--version"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.strip_prefix(&first).unwrap().lines().collect();
    assert_eq!(lines.len(), ENTRYPOINTS.len(), "{text}");
    for (line, entrypoint) in lines.iter().zip(ENTRYPOINTS) {
        assert!(line.starts_with("entrypoint: ") && line.contains(entrypoint.sha256), "{text}");
    }
}

#[test]
fn typos_are_told_with_what_may_be_meant() {
    insta::assert_snapshot!(all(&[
        &["biuld", "kafka"],
        &["build", "kafka", "--platfrom", "linux/amd64"],
        &["cpoy", "oci:a", "oci:b"],
        &["copy", "oci:a", "oci:b", "--dry-rnu"],
        &["store", "prnue"],
        &["completions", "bsh"],
        &["images", "--progress", "plian"],
        &["images", "-q", "-v"],
        &["images", "kafka"],
        &["build"],
    ]));
}

#[test]
fn every_flag_of_build_refuses_nonsense_by_name() {
    insta::assert_snapshot!(all(&[
        &["build", ""],
        &["build", "kafka:"],
        &["build", ":3.5.2"],
        &["build", "kafka", "-o", "out"],
        &["build", "kafka", "-o", "oic:out"],
        &["build", "kafka", "-o", "oci:"],
        &["build", "kafka", "-o", "docker:registry.example/kafka"],
        &["build", "kafka", "-t", "Kafka"],
        &["build", "kafka", "-t", "kafka:a b"],
        &["build", "kafka", "--label", "team"],
        &["build", "kafka", "--annotation", "=data"],
        &["build", "kafka", "--env", "TOKEN"],
        &["build", "kafka", "--env", "=secret"],
        &["build", "kafka", "--compression", "gz"],
        &["build", "kafka", "--compression", "gzip:10"],
        &["build", "kafka", "--compression", "none:1"],
        &["build", "kafka", "--add", "a"],
        &["build", "kafka", "--add", "a:b"],
        &["build", "kafka", "--add", "a:/b:rw"],
        &["build", "kafka", "--add", "a:/../b"],
        &["build", "kafka", "--add", "a:/b:4755"],
        &["build", "kafka", "--add", "absent:/b"],
        &["build", "kafka", "--ca", "absent.pem"],
        &["build", "kafka", "--platform", "linux"],
        &["build", "kafka", "--platform", "linux/amd64,linux/s390x"],
        &["build", "kafka", "--metadata-file", "absent/file"],
        &["build", "kafka", "--iidfile", "absent/file"],
        &["build", "kafka", "--mirror", "maven"],
        &["build", "kafka", "--mirror", "debain=http://mirror.example"],
        &["build", "kafka", "--mirror", "maven=ftp://user:secret@mirror.example/maven2"],
        &["build", "kafka", "-j", "0"],
        &["build", "kafka", "--source", "apcahe"],
        &["fetch", "kafka"],
        &["build", "kafka", "zookeeper", "-t", "both"],
        &["build", "kafka", "zookeeper", "--iidfile", "id"],
    ]));
}

#[test]
fn text_of_the_user_is_escaped() {
    insta::assert_snapshot!(all(&[
        &["bui\u{1b}[31mld\nhint: none"],
        &["build", "kafka", "--compression", "\u{1b}]0;title\u{7}\u{202e}"],
        &["build", "kafka", "--add", "a\u{1b}[2J:/b"],
    ]));
}
