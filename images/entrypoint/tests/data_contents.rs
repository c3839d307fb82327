//! What a log folder may hold: Kafka takes each folder in it for a partition.

mod support;

use std::fs;

use kimg_entrypoint::kafka::data::contents::{self, is_of_kafka};
use support::{CLUSTER, OTHER, configured, container, folder, formatted, refused, root, subjects, warned};

const ZOOKEEPER: (&str, &str) = ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181");

#[test]
fn names_as_kafka_parses_them() {
    for name in [
        "topic-0",
        "my-topic-12",
        "__consumer_offsets-49",
        "__cluster_metadata-0",
        "a.b_c-3",
        "topic-0.0123456789abcdef0123456789abcdef-delete",
        "topic-0.0123456789abcdef0123456789abcdef-future",
        "my-topic-3.x-stray",
        "-delete-0",
        "remote-log-index-cache",
        "topic--0",
    ] {
        assert!(is_of_kafka(name), "{name}");
    }
    for name in [
        "lost+found",
        ".snapshot",
        ".Trash-1000x",
        "data",
        "kafka-logs",
        "topic-",
        "-0",
        "topic-0-delete",
        "topic-0.-delete",
        "topic 1-0.id-delete",
        "topic-x.id-future",
        "topic-99999999999",
        "0",
        "",
    ] {
        assert!(!is_of_kafka(name), "{name}");
    }
}

#[test]
fn every_topic_that_kafka_allows_is_accepted_with_every_suffix() {
    const LETTERS: &[u8] = b"abcXYZ0189._-";
    let mut state: u64 = 0x2545_F491_4F6C_DD1D;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for _ in 0..5000 {
        let topic: String = (0..=next(20)).map(|_| char::from(LETTERS[next(LETTERS.len())])).collect();
        let name = format!("{topic}-{}", next(100_000));
        for suffix in ["", ".8f2a1c-delete", ".8f2a1c-future", ".8f2a1c-stray"] {
            assert!(is_of_kafka(&format!("{name}{suffix}")), "{name}{suffix}");
        }
        // With a point in the topic, `a-1.b-0-delete` reads as `a-1` with the id `b-0`.
        let is_ambiguous = topic.contains('.');
        assert!(!is_of_kafka(&format!("{topic}-x")), "{name}");
        assert!(is_ambiguous || !is_of_kafka(&format!("{name}-delete")), "{name}");
    }
}

#[test]
fn what_belongs_to_kafka_is_no_problem_and_what_does_not_is_named() {
    let root = root("contents");
    let data = formatted(&root, "/var/lib/kafka/data", 1, 1, CLUSTER);
    for name in ["topic-0", "__cluster_metadata-0", "topic-1.abc-delete"] {
        fs::create_dir(data.join(name)).unwrap();
    }
    for name in
        [".lock", "bootstrap.checkpoint", "recovery-point-offset-checkpoint", "kafka-x.lock", ".kafka_cleanshutdown"]
    {
        fs::write(data.join(name), "").unwrap();
    }
    assert_eq!(configured(&container(&root, &[], &[])).findings.problems, []);
    for name in ["lost+found", "backup"] {
        fs::create_dir(data.join(name)).unwrap();
    }
    fs::write(data.join(".nfs000000000012"), "").unwrap();
    let server = configured(&container(&root, &[], &[]));
    assert_eq!(subjects(&server.findings.problems), ["/var/lib/kafka/data"]);
    assert!(refused(&server, &["`backup`, `lost+found`"]));
    assert!(warned(&server, &["/var/lib/kafka/data", ".nfs000000000012"]));
    assert!(data.join("lost+found").is_dir(), "nothing is deleted");
    // A folder of ours with lost+found alone has the hint that helps.
    fs::remove_dir(data.join("backup")).unwrap();
    assert!(refused(&configured(&container(&root, &[], &[])), &["lost+found", "subPath"]));
}

#[test]
fn what_a_newer_version_set_aside_stops_an_older_one() {
    for (version, is_known) in [("3.5.2", false), ("3.6.0", true), ("3.9.1", true), ("4.3.0", true)] {
        let root = root(&format!("stray-{version}"));
        fs::write(folder(&root, "/opt/kafka/libs").join(format!("kafka-clients-{version}.jar")), "").unwrap();
        formatted(&root, "/var/lib/kafka/data", 1, 1, CLUSTER);
        folder(&root, "/var/lib/kafka/data/topic-0.abc-stray");
        let server = configured(&container(&root, &[], &[]));
        assert_eq!(server.findings.problems.is_empty(), is_known, "{version}");
        assert_eq!(refused(&server, &["/var/lib/kafka/data", "`topic-0.abc-stray`", "3.6"]), !is_known, "{version}");
    }
}

#[test]
fn a_controller_loads_no_partitions() {
    let root = root("contents-controller");
    formatted(&root, "/m", 1, 1, CLUSTER);
    folder(&root, "/m/lost+found");
    let quorum = ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@c1:9093");
    let common = [quorum, ("KAFKA_NODE_ID", "1"), ("KAFKA_LISTENERS", "CONTROLLER://:9093")];
    let alone = [&common[..], &[("KAFKA_PROCESS_ROLES", "controller"), ("KAFKA_LOG_DIRS", "/m")]].concat();
    assert_eq!(configured(&container(&root, &alone, &[])).findings.problems, []);
    // A metadata.log.dir that is no log folder is not loaded either.
    let combined = [
        quorum,
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
        ("KAFKA_METADATA_LOG_DIR", "/m"),
    ];
    let with = |folders: &str| {
        let variables = [&combined[..], &[("KAFKA_LOG_DIRS", folders)]].concat();
        configured(&container(&root, &variables, &[])).findings.problems
    };
    assert_eq!(subjects(&with("/new")), [""; 0]);
    assert_eq!(subjects(&with("/new,/m")), ["/m"]);
}

#[test]
fn folders_of_two_brokers_are_told_apart() {
    let root = root("disagree");
    let both = [ZOOKEEPER, ("KAFKA_LOG_DIRS", "/a,/b,/c")];
    formatted(&root, "/a", 0, 1, CLUSTER);
    formatted(&root, "/b", 0, 1, CLUSTER);
    assert_eq!(configured(&container(&root, &both, &[])).findings.problems, []);
    formatted(&root, "/c", 0, 2, OTHER);
    let server = configured(&container(&root, &both, &[]));
    assert_eq!(subjects(&server.findings.problems), ["/c", "/c"]);
    assert!(refused(&server, &["/c", "the id 2", "/a has 1"]) && refused(&server, &["/c", OTHER, CLUSTER]));
}

#[test]
fn a_file_where_a_folder_should_be() {
    let root = root("contents-file");
    fs::write(root.join("data"), "").unwrap();
    for folder in ["/data", "/data/below"] {
        let server = configured(&container(&root, &[("KAFKA_LOG_DIRS", folder)], &[]));
        assert!(refused(&server, &[folder, "a file is where a folder should be"]), "{folder}");
    }
}

#[test]
fn links_to_folders_are_folders() {
    let root = root("contents-links");
    let data = folder(&root, "/data");
    folder(&root, "/elsewhere");
    std::os::unix::fs::symlink(root.join("elsewhere"), data.join("topic-0")).unwrap();
    std::os::unix::fs::symlink(root.join("elsewhere"), data.join("stray")).unwrap();
    std::os::unix::fs::symlink(root.join("nowhere"), data.join("dangling")).unwrap();
    let found = contents::read(&data).unwrap();
    assert_eq!((found.has_partitions, found.foreign), (true, vec!["stray".to_owned()]));
}
