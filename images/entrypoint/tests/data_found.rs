//! Data that is there beats the default: in which folder of which image it is found, and what several mean.

mod support;

use std::fs;

use kimg_entrypoint::container::Container;
use support::{CLUSTER, OTHER, configured, container, folder, formatted, refused, root, subjects, warned};

const ZOOKEEPER: (&str, &str) = ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181");

#[test]
fn one_folder_of_any_image_is_used_and_said() {
    for (index, path) in [
        "/var/lib/kafka/data",
        "/var/lib/kafka/data/kafka-log3",
        "/var/lib/kafka",
        "/var/lib/kafka/data-0",
        "/bitnami/kafka/data",
        "/bitnami/kafka",
        "/bitnami/kafka/data/broker",
        "/kafka/kafka-logs-3f9a1b2c7712",
        "/kafka/data/1",
        "/tmp/kraft-combined-logs",
        "/tmp/kafka-logs",
        "/opt/kafka/logs",
    ]
    .iter()
    .enumerate()
    {
        let root = root(&format!("found-{index}"));
        formatted(&root, path, 0, 7, CLUSTER);
        let server = configured(&container(&root, &[ZOOKEEPER], &[]));
        assert_eq!(subjects(&server.findings.problems), [""; 0], "{path}");
        assert_eq!(server.properties.get("log.dirs"), Some(*path));
        assert_eq!(server.properties.get("broker.id"), Some("7"), "{path}");
        let said = server.findings.notes.iter().any(|note| note.contains(path) && note.contains("log.dirs"));
        assert!(said || *path == "/var/lib/kafka/data", "{path}: {:?}", server.findings.notes);
    }
}

#[test]
fn folders_that_no_image_has_are_not_looked_at() {
    for (index, path) in ["/data", "/kafka/other", "/srv/kafka/data", "/tmp/kafka-logs/x"].iter().enumerate() {
        let root = root(&format!("not-found-{index}"));
        formatted(&root, path, 0, 7, CLUSTER);
        let server = configured(&container(&root, &[ZOOKEEPER], &[]));
        assert_eq!(server.properties.get("log.dirs"), Some("/var/lib/kafka/data"), "{path}");
        assert_eq!(server.data.found, None);
    }
}

#[test]
fn several_are_an_error_that_names_them() {
    let root = root("several");
    formatted(&root, "/bitnami/kafka/data", 1, 1, CLUSTER);
    formatted(&root, "/kafka/kafka-logs-0123456789ab", 1, 1, OTHER);
    let server = configured(&container(&root, &[], &[]));
    assert!(refused(&server, &["LOG_DIRS", "/bitnami/kafka/data, /kafka/kafka-logs-0123456789ab"]));
    assert_eq!(server.findings.problems.len(), 1);
    // Whoever says which one it is has no problem.
    for variable in ["KAFKA_LOG_DIRS", "KAFKA_LOG_DIR"] {
        let server = configured(&container(&root, &[(variable, "/bitnami/kafka/data")], &[]));
        assert_eq!((subjects(&server.findings.problems), server.cluster_id.as_deref()), (vec![], Some(CLUSTER)));
    }
}

#[test]
fn two_names_of_one_folder_are_one() {
    let root = root("two-names");
    formatted(&root, "/var/lib/kafka/data", 1, 1, CLUSTER);
    folder(&root, "/bitnami");
    std::os::unix::fs::symlink("../var/lib/kafka", root.join("bitnami/kafka")).unwrap();
    let server = configured(&container(&root, &[], &[]));
    assert_eq!((subjects(&server.findings.problems), server.data.folders.len()), (vec![], 1));
    // Named twice in log.dirs they stop Kafka.
    let twice = [("KAFKA_LOG_DIRS", "/var/lib/kafka/data,/bitnami/kafka/data")];
    assert!(refused(&configured(&container(&root, &twice, &[])), &["KAFKA_LOG_DIRS", "/bitnami/kafka/data", "twice"]));
}

#[test]
fn folders_are_those_that_the_user_names() {
    // Variables, the folders that count, and whether it is said that log.dir does nothing.
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], bool);
    let rows: [Row; 8] = [
        (&[("KAFKA_LOG_DIRS", "/a, /b,")], &["/a", "/b"], false),
        (&[("KAFKA_LOG_DIR", "/a")], &["/a"], false),
        (&[("KAFKA_LOG_DIRS", "/a"), ("KAFKA_LOG_DIR", "/a")], &["/a"], false),
        (&[("KAFKA_LOG_DIRS", "/a"), ("KAFKA_LOG_DIR", "/b")], &["/a"], true),
        (&[("KAFKA_LOG_DIRS", "")], &["/var/lib/kafka/data"], false),
        (&[("KAFKA_LOG_DIRS", " , ")], &["/var/lib/kafka/data"], false),
        (&[("KAFKA_LOG_DIRS", "/a"), ("KAFKA_METADATA_LOG_DIR", "/m")], &["/a", "/m"], false),
        (&[("KAFKA_LOG_DIRS", "/a,/m"), ("KAFKA_METADATA_LOG_DIR", "/m")], &["/a", "/m"], false),
    ];
    let root = root("named");
    for (variables, folders, is_told) in rows {
        let server = configured(&container(&root, variables, &[]));
        let shown: Vec<String> = server.data.folders.iter().map(|folder| folder.display().to_string()).collect();
        assert_eq!(shown, folders, "{variables:?}");
        assert_eq!(warned(&server, &["KAFKA_LOG_DIR: `/b`", "never reads log.dir"]), is_told, "{variables:?}");
        assert_eq!(subjects(&server.findings.problems), [""; 0], "{variables:?}");
    }
    let relative = configured(&container(&root, &[("KAFKA_LOG_DIRS", "data")], &[]));
    assert!(refused(&relative, &["KAFKA_LOG_DIRS", "`data`", "/data"]));
}

#[test]
fn nothing_is_formatted_while_another_volume_holds_data() {
    let root = root("elsewhere");
    formatted(&root, "/old/broker", 1, 1, CLUSTER);
    formatted(&root, "/older", 0, 1, CLUSTER);
    let mounts = ["/", "/old", "/older", "/var/lib/kafka", "/proc"];
    for variables in [vec![], vec![ZOOKEEPER]] {
        let server = configured(&container(&root, &variables, &mounts));
        assert!(refused(&server, &["/var/lib/kafka/data", "/old/broker, /older"]), "{variables:?}");
    }
    // Without a mount, they are folders like any other.
    assert_eq!(configured(&container(&root, &[], &[])).findings.problems, []);
    // Where this broker has its data, the others are somebody else's.
    formatted(&root, "/var/lib/kafka/data", 1, 1, OTHER);
    assert_eq!(configured(&container(&root, &[], &mounts)).findings.problems, []);
    // On the volume of this broker others may have folders.
    let shared = [("KAFKA_LOG_DIRS", "/old/new")];
    assert!(!refused(&configured(&container(&root, &shared, &["/old"])), &["another volume"]));
}

#[test]
fn volumes_that_nothing_is_written_to_are_named() {
    let root = root("unused");
    let set = [("KAFKA_LOG_DIRS", "/srv/data")];
    let mounts = ["/", "/bitnami/kafka", "/etc/kafka/secrets", "/somewhere", "/srv", "/var/lib/kafka"];
    let server = configured(&container(&root, &set, &mounts));
    // /var/lib/kafka is the volume that the image declares.
    assert_eq!(subjects(&server.findings.warnings), ["/bitnami/kafka"]);
    assert!(warned(&server, &["/srv/data", "KAFKA_LOG_DIRS"]));
    let used = configured(&container(&root, &[("KAFKA_LOG_DIRS", "/bitnami/kafka/data")], &["/bitnami/kafka"]));
    assert_eq!(subjects(&used.findings.warnings), [""; 0]);
}

#[test]
fn data_that_is_lost_with_the_container_is_told() {
    let root = root("lost");
    folder(&root, "/proc/self");
    let table = "overlay / overlay rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sda /srv ext4 rw 0 0\n";
    fs::write(root.join("proc/self/mounts"), table).unwrap();
    let lost = |folder: &str, mounts: &[&str]| {
        let server = configured(&container(&root, &[("KAFKA_LOG_DIRS", folder)], mounts));
        server.findings.notes.iter().any(|note| note.contains("lost with the container"))
    };
    let mounts = ["/", "/srv", "/tmp"];
    for (folder, is_lost) in [("/srv/data", false), ("/srv", false), ("/tmp/kafka-logs", true), ("/data", true)] {
        assert_eq!(lost(folder, &mounts), is_lost, "{folder}");
    }
    assert!(!lost("/data", &[]), "nothing is known of the mounts");
}

#[test]
fn a_new_container_of_wurstmeisters_finds_the_folder_of_the_one_before() {
    let root = root("wurstmeister");
    formatted(&root, "/kafka/kafka-logs-0123456789ab", 0, 1001, CLUSTER);
    let variables = [ZOOKEEPER, ("KIMG_DIALECT", "wurstmeister"), ("KAFKA_LISTENERS", "PLAINTEXT://:9092")];
    let container = Container { host: "ba9876543210".to_owned(), ..container(&root, &variables, &["/kafka"]) };
    let server = configured(&container);
    assert_eq!(server.properties.get("log.dirs"), Some("/kafka/kafka-logs-0123456789ab"));
    assert_eq!(server.data.found.and_then(|found| found.id).as_deref(), Some("1001"));
}
