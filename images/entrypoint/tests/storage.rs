//! Storage of KRaft: formatted once, also after a crash half way, and never over data.

mod support;

use std::fs;
use std::path::PathBuf;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::{Id, storage};
use support::{CLUSTER, OTHER, configured, container, folder, formatted, refused, root, subjects};

fn id(value: &str) -> Id {
    Id { value: value.to_owned(), origin: "test".to_owned(), explicit: false }
}

fn meta(folder: &std::path::Path) -> String {
    fs::read_to_string(folder.join("meta.properties")).unwrap()
}

#[test]
fn folders_are_formatted_once_and_with_the_features_of_the_image() {
    let root = root("formatted");
    let folders = ["one", "two"].map(|name| folder(&root, name));
    fs::write(root.join("features"), b"\x00\xFF").unwrap();
    storage::format(&folders[..1], "first", &id("3"), &root.join("features")).unwrap();
    // Of several folders those that are left are formatted, as `kafka-storage.sh format --ignore-formatted` does.
    storage::format(&folders, "second", &id("3"), &root.join("absent")).unwrap();
    assert_eq!(meta(&folders[0]), "version=1\ncluster.id=first\nnode.id=3\n");
    assert_eq!(meta(&folders[1]), "version=1\ncluster.id=second\nnode.id=3\n");
    assert_eq!(fs::read(folders[0].join(storage::BOOTSTRAP)).unwrap(), b"\x00\xFF");
    assert!(!folders[1].join(storage::BOOTSTRAP).exists());
}

#[test]
fn a_crash_at_any_step_is_finished_by_the_next_start() {
    // What each crash leaves: file names and contents.
    let crashes: [&[(&str, &str)]; 5] = [
        &[],
        &[("bootstrap.new", "tor")],
        &[("bootstrap.checkpoint", "old features")],
        &[("bootstrap.checkpoint", "features"), ("meta.new", "version=1\nclus")],
        // A loss of power on a file system that keeps names before contents.
        &[("bootstrap.checkpoint", "features"), ("meta.properties", "")],
    ];
    for (index, files) in crashes.iter().enumerate() {
        let root = root(&format!("crash-{index}"));
        let data = folder(&root, "data");
        fs::write(root.join("features"), "features").unwrap();
        for (name, text) in *files {
            fs::write(data.join(name), text).unwrap();
        }
        storage::format(std::slice::from_ref(&data), CLUSTER, &id("1"), &root.join("features")).unwrap();
        assert_eq!(meta(&data), format!("version=1\ncluster.id={CLUSTER}\nnode.id=1\n"), "{files:?}");
        assert_eq!(fs::read_to_string(data.join("bootstrap.checkpoint")).unwrap(), "features");
        let names = ["bootstrap.new", "meta.new"].map(|name| data.join(name).exists());
        assert_eq!(names, [false, false], "{files:?}");
    }
}

#[test]
fn nothing_is_formatted_over_data() {
    for (index, (name, text)) in
        [("topic-0", None), ("__cluster_metadata-0", None), ("topic-0.ab-future", None), ("t-1", Some(""))]
            .iter()
            .enumerate()
    {
        let root = root(&format!("over-{index}"));
        let (empty, data) = (folder(&root, "a"), folder(&root, "b"));
        fs::create_dir(data.join(name)).unwrap();
        if let Some(text) = text {
            fs::write(data.join("meta.properties"), text).unwrap();
        }
        let problem = storage::format(&[empty.clone(), data.clone()], CLUSTER, &id("1"), &root.join("absent"));
        assert_eq!(problem.unwrap_err().subject, data.display().to_string(), "{name}");
        assert!(!empty.join("meta.properties").exists(), "all folders are looked at before one is formatted");
        // The same is told before anything is written.
        let set = [("KAFKA_LOG_DIRS", "/a,/b"), ("CLUSTER_ID", CLUSTER)];
        assert!(refused(&configured(&container(&root, &set, &[])), &["/b", "meta.properties"]), "{name}");
    }
}

#[test]
fn a_file_that_lacks_an_id_is_no_reason_to_format_over_data() {
    let root = root("damaged");
    let data = folder(&root, "/var/lib/kafka/data");
    fs::create_dir(data.join("topic-0")).unwrap();
    for text in ["version=1\nnode.id=1\n", "version=1\ncluster.id=x\n", "\u{0}\u{0}"] {
        fs::write(data.join("meta.properties"), text).unwrap();
        let server = configured(&container(&root, &[], &[]));
        assert!(refused(&server, &["/var/lib/kafka/data", "lacks"]), "{text:?}: {:?}", server.findings.problems);
    }
}

#[test]
fn data_of_a_broker_with_zookeeper_is_no_new_cluster() {
    let root = root("with-zookeeper");
    let data = folder(&root, "/var/lib/kafka/data");
    // The version is 0 where there is none.
    for text in ["version=0\nbroker.id=1\ncluster.id=x\n", "broker.id=1\n"] {
        fs::write(data.join("meta.properties"), text).unwrap();
        for (table, hint) in [("", "KAFKA_ZOOKEEPER_CONNECT"), ("s server kafka kraft", "moves to KRaft")] {
            let container = Container { table: table.to_owned(), ..container(&root, &[], &[]) };
            let problems = configured(&container).findings.problems;
            assert_eq!((problems.len(), problems[0].subject.as_str()), (1, "/var/lib/kafka/data"));
            assert!(problems[0].hint.contains(hint), "{}", problems[0]);
        }
        let with = configured(&container(&root, &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")], &[]));
        assert_eq!((with.properties.get("broker.id"), with.findings.problems), (Some("1"), vec![]));
    }
}

#[test]
fn the_log_of_kraft_is_where_kafka_looks_for_it() {
    let root = root("metadata");
    for name in ["/a", "/b"] {
        formatted(&root, name, 1, 1, CLUSTER);
    }
    folder(&root, "/b/__cluster_metadata-0");
    let with = |variables: &[(&str, &str)]| subjects_of(&configured(&container(&root, variables, &[])));
    assert_eq!(with(&[("KAFKA_LOG_DIRS", "/a,/b")]), ["/b"]);
    assert_eq!(with(&[("KAFKA_LOG_DIRS", "/b,/a")]), [""; 0]);
    assert_eq!(with(&[("KAFKA_LOG_DIRS", "/a,/b"), ("KAFKA_METADATA_LOG_DIR", "/b")]), [""; 0]);
}

fn subjects_of(configuration: &kimg_entrypoint::kafka::Configuration) -> Vec<String> {
    subjects(&configuration.findings.problems).into_iter().map(str::to_owned).collect()
}

#[test]
fn the_folders_that_are_left_get_the_cluster_of_the_others() {
    let root = root("rest");
    formatted(&root, "/b", 1, 4, OTHER);
    let set = [("KAFKA_LOG_DIRS", "/a,/b")];
    let server = configured(&container(&root, &set, &[]));
    assert_eq!((server.cluster_id.as_deref(), server.id.value.as_str()), (Some(OTHER), "4"));
    let folders: Vec<PathBuf> = ["a", "b"].map(|name| folder(&root, name)).to_vec();
    storage::format(&folders, OTHER, &server.id, &root.join("absent")).unwrap();
    assert_eq!(meta(&folders[0]), format!("version=1\ncluster.id={OTHER}\nnode.id=4\n"));
}

#[test]
fn a_text_that_is_taken_as_it_is_is_escaped() {
    let root = root("escaped");
    let data = folder(&root, "/data");
    storage::format(std::slice::from_ref(&data), "a\\b\nnode.id=9", &id("1"), &root.join("absent")).unwrap();
    assert_eq!(meta(&data), "version=1\ncluster.id=a\\\\b\\nnode.id=9\nnode.id=1\n");
}

#[test]
fn a_formatted_folder_is_left_as_it_is() {
    let root = root("as-it-is");
    let data = formatted(&root, "/data", 1, 1, CLUSTER);
    let before = meta(&data);
    storage::format(std::slice::from_ref(&data), CLUSTER, &id("1"), &root.join("absent")).unwrap();
    assert_eq!(meta(&data), before);
}
