//! Data folders of Kafka: what is written into new ones, and which are refused.

use std::fs;
use std::path::{Path, PathBuf};

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::kafka::{Configuration, Id, Layout, configure, storage};

/// An empty folder of a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn folders_are_formatted_once_and_with_the_features_of_the_image() {
    let root = folder("formatted");
    let folders = ["one", "two"].map(|name| root.join(name));
    folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
    fs::write(root.join("features"), b"\x00\xFF").unwrap();
    let id = Id { value: "3".to_owned(), origin: "test".to_owned(), explicit: false };
    storage::format(&folders[..1], "first", &id, &root.join("features")).unwrap();
    storage::format(&folders, "second", &id, &root.join("absent")).unwrap();
    let text = |index: usize| fs::read_to_string(folders[index].join("meta.properties")).unwrap();
    assert_eq!(text(0), "version=1\ncluster.id=first\nnode.id=3\n");
    assert_eq!(text(1), "version=1\ncluster.id=second\nnode.id=3\n");
    assert_eq!(fs::read(folders[0].join(storage::BOOTSTRAP)).unwrap(), b"\x00\xFF");
    assert!(!folders[1].join(storage::BOOTSTRAP).exists());
}

#[test]
fn data_of_a_broker_with_zookeeper_is_no_new_cluster() {
    let root = folder("with-zookeeper");
    let data = root.join("var/lib/kafka/data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("meta.properties"), "version=0\nbroker.id=1\ncluster.id=x\n").unwrap();
    let server = |table: &str, variables: &[(&str, &str)]| -> Configuration {
        let environment = Environment::of(variables.iter().copied());
        let container = Container { root: root.clone(), environment, host: "kafka".to_owned(), ..Container::default() };
        configure(&container, &Layout::of_image(table))
    };
    for (table, hint) in [("", "KAFKA_ZOOKEEPER_CONNECT"), ("s server kafka kraft", "moves to KRaft")] {
        let problems = server(table, &[]).findings.problems;
        assert_eq!((problems.len(), problems[0].subject.as_str()), (1, "/var/lib/kafka/data"));
        assert!(problems[0].hint.contains(hint), "{}", problems[0]);
    }
    let with = server("", &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")]);
    assert_eq!((with.properties.get("broker.id"), with.findings.problems), (Some("1"), vec![]));
}
