//! What the tests of dialects share.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::kafka::variables::{self, Given};
use kimg_entrypoint::kafka::{Dialect, Layout, known};
use kimg_entrypoint::problem::{Findings, Problem};

/// A container without a file.
pub fn container(variables: &[(&str, &str)]) -> Container {
    Container {
        root: PathBuf::from("/nonexistent"),
        environment: Environment::of(variables.iter().copied()),
        host: "kafka-1".to_owned(),
        ..Container::default()
    }
}

/// A container with these files, in a folder of the test's name.
pub fn with_files(test: &str, files: &[(&str, &str)], variables: &[(&str, &str)]) -> Container {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dialects").join(test);
    let _ = fs::remove_dir_all(&root);
    for (path, text) in files {
        let path = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir_all(&root).unwrap();
    Container { root, ..container(variables) }
}

/// What a dialect makes of it.
pub fn read(container: &Container, dialect: Dialect) -> (Given, Findings) {
    let mut findings = Findings::default();
    let given = variables::read(container, dialect.rules(), &mut findings);
    (given, findings)
}

/// The same, with what is said of the properties by a Kafka 3.
pub fn read_and_check(container: &Container, dialect: Dialect) -> (Given, Findings) {
    let (given, mut findings) = read(container, dialect);
    known::check(&given.properties, &Layout::of_image(""), &mut findings);
    (given, findings)
}

/// The properties that a variable or a file set: what the family's own file has underneath is left out.
pub fn set(given: &Given) -> Vec<(&str, &str)> {
    let all = given.properties.iter().filter(|(_, _, origin)| !origin.starts_with("default of"));
    all.map(|(name, value, _)| (name, value)).collect()
}

/// What some problems are about.
pub fn subjects(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.subject.as_str()).collect()
}
