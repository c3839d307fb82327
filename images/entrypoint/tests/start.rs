//! What a start writes, and where: data, and a configuration that is nobody else's.

mod support;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kimg_entrypoint::kafka::{Layout, configure, start};
use kimg_entrypoint::properties::Properties;
use support::{CLUSTER, container, folder, root};

/// The image's program, at the same path below the root and outside; the configuration may be written to two folders.
fn layout(root: &Path) -> Layout {
    let home = root.join("opt/kafka");
    for libs in [home.join("libs"), folder(root, &home.join("libs").display().to_string())] {
        fs::create_dir_all(&libs).unwrap();
        fs::write(libs.join("kafka-clients-3.5.2.jar"), "").unwrap();
    }
    Layout { home, configuration: ["/tmp/kimg", "/dev/shm/kimg"].map(PathBuf::from).to_vec(), ..Layout::of_image("") }
}

#[test]
fn a_node_is_formatted_and_its_configuration_written() {
    let root = root("start");
    let (layout, container) = (layout(&root), container(&root, &[("CLUSTER_ID", CLUSTER)], &[]));
    let configuration = configure(&container, &layout);
    assert_eq!(configuration.findings.problems, []);
    start::prepare(&configuration, &container, &layout).unwrap();
    let meta = fs::read_to_string(root.join("var/lib/kafka/data/meta.properties")).unwrap();
    assert_eq!(meta, format!("version=1\ncluster.id={CLUSTER}\nnode.id=1\n"));
    let file = root.join("tmp/kimg/server.properties");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(start::HEADER));
    assert_eq!(Properties::parse(&text, "").get("node.id"), Some("1"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // The next start finds what this one wrote.
    let again = configure(&container, &layout);
    assert_eq!(again.data.found.as_ref().and_then(|found| found.cluster_id.as_deref()), Some(CLUSTER));
    start::prepare(&again, &container, &layout).unwrap();
    assert_eq!(fs::read_to_string(root.join("var/lib/kafka/data/meta.properties")).unwrap(), meta);
}

#[test]
fn with_zookeeper_nothing_is_formatted() {
    let root = root("start-zookeeper");
    let (layout, container) = (layout(&root), container(&root, &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")], &[]));
    start::prepare(&configure(&container, &layout), &container, &layout).unwrap();
    assert!(root.join("var/lib/kafka/data").is_dir() && !root.join("var/lib/kafka/data/meta.properties").exists());
}

#[test]
fn what_cannot_be_written_is_told_of_all_folders_and_nothing_is_formatted() {
    let root = root("start-unwritable");
    let (layout, container) = (layout(&root), container(&root, &[("KAFKA_LOG_DIRS", "/a/x,/good,/b/x")], &[]));
    let configuration = configure(&container, &layout);
    for name in ["a", "b"] {
        fs::write(root.join(name), "").unwrap();
    }
    let problem = start::prepare(&configuration, &container, &layout).unwrap_err();
    for name in ["a/x", "b/x"] {
        assert!(problem.subject.contains(&root.join(name).display().to_string()), "{problem}");
    }
    assert!(!root.join("good/meta.properties").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_passed_over() {
    let root = root("start-fallback");
    let (layout, container) = (layout(&root), container(&root, &[], &[]));
    fs::write(folder(&root, "/tmp").join("kimg"), "").unwrap();
    start::prepare(&configure(&container, &layout), &container, &layout).unwrap();
    assert!(root.join("dev/shm/kimg/server.properties").is_file());
}

#[test]
fn no_file_of_the_users_is_written_over() {
    for (dialect, path) in
        [("confluent", "/etc/kafka"), ("apache", "/opt/kafka/config"), ("bitnami", "/opt/bitnami/kafka/config")]
    {
        let root = root(&format!("start-own-{dialect}"));
        let own = folder(&root, path).join("server.properties");
        fs::write(&own, "num.partitions=3\n").unwrap();
        let variables = [
            ("KIMG_DIALECT", dialect),
            ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"),
            ("KAFKA_LISTENERS", "PLAINTEXT://:9092"),
            ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://kafka:9092"),
        ];
        let (layout, container) = (layout(&root), container(&root, &variables, &[]));
        start::prepare(&configure(&container, &layout), &container, &layout).unwrap();
        assert_eq!(fs::read_to_string(&own).unwrap(), "num.partitions=3\n", "{dialect}");
        assert!(root.join("tmp/kimg/server.properties").is_file(), "{dialect}");
    }
}

#[test]
fn a_file_of_the_users_is_used_as_it_is() {
    let root = root("start-file");
    let (layout, container) = (layout(&root), container(&root, &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")], &[]));
    let mut configuration = configure(&container, &layout);
    let file = "/mounted/server.properties";
    configuration.file = Some(PathBuf::from(file));
    configuration.properties.set("num.partitions", "3", file);
    let java = start::prepare(&configuration, &container, &layout).unwrap();
    let words: Vec<String> = java.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    assert_eq!(words[0], root.join("mounted/server.properties").display().to_string());
    // What the file leaves open and was decided here is given beside it; the file's own is not.
    let given = |text: &str| words.windows(2).any(|pair| pair == ["--override", text]);
    assert!(given("log.dirs=/var/lib/kafka/data") && !given("num.partitions=3"), "{words:?}");
    assert!(!root.join("tmp/kimg/server.properties").exists());
}

#[test]
fn a_broker_started_by_a_file_is_warned_and_not_stopped() {
    let root = root("start-warnings");
    let layout = layout(&root);
    let own = folder(&root, "/mine").join("server.properties");
    folder(&root, "/data/lost+found");
    let container = container(&root, &[], &["/", "/data"]);
    let warnings = |text: &str, arguments: &[&str]| {
        fs::write(&own, text).unwrap();
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let all = start::warnings(&container, &layout, Path::new("/mine/server.properties"), &arguments);
        all.into_iter().map(|warning| warning.subject).collect::<Vec<_>>()
    };
    assert_eq!(warnings("log.dirs=/data\n", &[]), ["/data"]);
    assert_eq!(warnings("log.dirs=/data/kafka\n", &[]), [""; 0]);
    // An override of log.dir does nothing beside the log.dirs of the file.
    assert_eq!(warnings("log.dirs=/other\n", &["--override", "log.dir=/data/kafka"]), ["--override log.dir"]);
    assert_eq!(warnings("", &["--override=log.dir=/data"]), ["/data"]);
    let absent = start::warnings(&container, &layout, Path::new("/mine/absent"), &[]);
    assert_eq!(absent, []);
}
