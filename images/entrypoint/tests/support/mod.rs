//! A container as a folder of a test.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::fs;
use std::path::{Path, PathBuf};

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::kafka::{Configuration, Layout, configure};
use kimg_entrypoint::problem::Problem;

/// A cluster id that is one.
pub const CLUSTER: &str = "AAECAwQFBgcICQoLDA0ODw";

/// Another.
pub const OTHER: &str = "_____________________w";

/// An empty folder of a test, that stands for `/`.
pub fn root(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The container with this root, these variables and these mounts. Its dialect is kimg's unless a variable says otherwise:
/// a mount at a family's folder is none of its evidence here.
pub fn container(root: &Path, variables: &[(&str, &str)], mounts: &[&str]) -> Container {
    let dialect = [("KIMG_DIALECT", "kimg")];
    Container {
        root: root.to_owned(),
        environment: Environment::of(dialect.iter().chain(variables).copied()),
        host: "box".to_owned(),
        mounts: mounts.iter().map(PathBuf::from).collect(),
        ..Container::default()
    }
}

/// Its configuration.
pub fn configured(container: &Container) -> Configuration {
    configure(container, &Layout::of_image(&container.table))
}

/// Makes a folder below the root.
pub fn folder(root: &Path, inside: &str) -> PathBuf {
    let path = root.join(inside.trim_start_matches('/'));
    fs::create_dir_all(&path).unwrap();
    path
}

/// Makes a formatted folder, as KRaft has it (version 1) or a broker with ZooKeeper (version 0).
pub fn formatted(root: &Path, inside: &str, version: u8, id: u32, cluster: &str) -> PathBuf {
    let path = folder(root, inside);
    let id = if version == 0 { format!("broker.id={id}") } else { format!("node.id={id}") };
    let text = format!("#\n#Mon Jan 01 00:00:00 UTC 2024\ncluster.id={cluster}\nversion={version}\n{id}\n");
    fs::write(path.join("meta.properties"), text).unwrap();
    path
}

/// The subjects of problems or warnings.
pub fn subjects(all: &[Problem]) -> Vec<&str> {
    all.iter().map(|problem| problem.subject.as_str()).collect()
}

/// Whether one of the problems of a configuration has all these words.
pub fn refused(configuration: &Configuration, words: &[&str]) -> bool {
    any(&configuration.findings.problems, words)
}

/// Whether one of its warnings has all these words.
pub fn warned(configuration: &Configuration, words: &[&str]) -> bool {
    any(&configuration.findings.warnings, words)
}

fn any(all: &[Problem], words: &[&str]) -> bool {
    all.iter().any(|problem| words.iter().all(|word| problem.to_string().contains(word)))
}
