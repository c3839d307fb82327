//! Cluster ids: whose variable names one, what Kafka makes of it, and when one is made up.

mod support;

use std::fs;
use std::path::Path;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::{Configuration, cluster_id};
use support::{CLUSTER, OTHER, configured, container, folder, formatted, refused, root, subjects, warned};

/// That of Confluent's examples, whose last character Kafka reads as `g`.
const LAX: &str = "MkU3OEVBNTcwNTJENDM2Qk";
const STRICT: &str = "MkU3OEVBNTcwNTJENDM2Qg";

const OF_SEVERAL: [(&str, &str); 4] = [
    ("KAFKA_PROCESS_ROLES", "broker,controller"),
    ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@a:9093,2@b:9093"),
    ("KAFKA_NODE_ID", "1"),
    ("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
];

fn server(root: &Path, variables: &[(&str, &str)]) -> Configuration {
    configured(&container(root, variables, &[]))
}

#[test]
fn every_variable_means_the_same() {
    let root = root("ids-variables");
    for name in ["CLUSTER_ID", "KAFKA_KRAFT_CLUSTER_ID", "KAFKA_CLUSTER_ID"] {
        let server = server(&root, &[(name, CLUSTER)]);
        assert_eq!(
            (server.cluster_id.as_deref(), subjects(&server.findings.problems)),
            (Some(CLUSTER), vec![]),
            "{name}"
        );
    }
    let same = server(&root, &[("CLUSTER_ID", LAX), ("KAFKA_KRAFT_CLUSTER_ID", STRICT)]);
    assert_eq!(subjects(&same.findings.problems), [""; 0]);
    let different = server(&root, &[("CLUSTER_ID", CLUSTER), ("KAFKA_KRAFT_CLUSTER_ID", OTHER)]);
    assert!(refused(&different, &["KAFKA_KRAFT_CLUSTER_ID", OTHER, "CLUSTER_ID is set too"]));
}

#[test]
fn what_kafka_alters_is_altered_and_said() {
    let root = root("ids-lax");
    let server = server(&root, &[("CLUSTER_ID", LAX)]);
    assert_eq!((server.cluster_id.as_deref(), subjects(&server.findings.problems)), (Some(STRICT), vec![]));
    assert!(warned(&server, &["CLUSTER_ID", LAX, STRICT]));
}

#[test]
fn any_text_is_taken_with_a_warning_and_a_proposal() {
    for jar in ["3.5.2", "3.8.1", "3.9.1", "4.3.0"] {
        let root = root(&format!("ids-{jar}"));
        fs::write(folder(&root, "/opt/kafka/libs").join(format!("kafka-clients-{jar}.jar")), "").unwrap();
        let texts = ["kraft-docker", "123", "AAECAwQFBgcICQoLDA0OD!", "c1d9c2a8-3f0a-4d8e-9d0f-6a1b2c3d4e5f"];
        for text in texts {
            let server = server(&root, &[("CLUSTER_ID", text)]);
            assert_eq!(subjects(&server.findings.problems), Vec::<&str>::new(), "{jar}");
            assert_eq!(server.cluster_id.as_deref(), Some(text), "{jar}");
            assert!(warned(&server, &["CLUSTER_ID", text, "as it is"]), "{jar}: {text}");
            let proposal = cluster_id::derive(text);
            assert_eq!(cluster_id::check(&proposal), Ok(()));
            assert_eq!(warned(&server, &["CLUSTER_ID", &proposal]), jar < "3.9", "{jar}: {text}");
        }
    }
}

#[test]
fn data_wins_over_nothing_and_stops_what_differs() {
    let root = root("ids-data");
    formatted(&root, "/var/lib/kafka/data", 1, 1, STRICT);
    for variables in [&[][..], &[("CLUSTER_ID", STRICT)], &[("CLUSTER_ID", LAX)]] {
        let server = server(&root, variables);
        assert_eq!((server.cluster_id.as_deref(), subjects(&server.findings.problems)), (Some(STRICT), vec![]));
    }
    let other = server(&root, &[("KAFKA_CLUSTER_ID", OTHER)]);
    assert!(refused(&other, &["KAFKA_CLUSTER_ID", OTHER, STRICT, "/var/lib/kafka/data"]));
    // A text that this version would refuse is fine where the data has it: a newer one wrote it.
    formatted(&root, "/var/lib/kafka/data", 1, 1, "kraft-docker");
    let kept = server(&root, &[("CLUSTER_ID", "kraft-docker")]);
    assert_eq!((kept.cluster_id.as_deref(), subjects(&kept.findings.problems)), (Some("kraft-docker"), vec![]));
}

#[test]
fn one_is_made_up_only_where_the_cluster_begins_with_this_node() {
    let root = root("ids-made-up");
    let alone = [
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@kafka:9093"),
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
    ];
    for variables in [&[][..], &alone[..]] {
        let (one, two) = (server(&root, variables), server(&root, variables));
        assert_eq!(one.cluster_id.as_deref().map(cluster_id::check), Some(Ok(())));
        assert!(one.cluster_id != two.cluster_id && one.findings.notes.iter().any(|note| note.contains("made up")));
    }
    assert_eq!(subjects(&server(&root, &OF_SEVERAL).findings.problems), ["CLUSTER_ID"]);
    let broker = [&OF_SEVERAL[1..2], &[("KAFKA_PROCESS_ROLES", "broker"), ("KAFKA_NODE_ID", "5")]].concat();
    assert_eq!(subjects(&server(&root, &broker).findings.problems), ["CLUSTER_ID"]);
}

#[test]
fn a_cluster_of_apaches_image_has_its_public_id() {
    let root = root("ids-apache");
    let variables = [&OF_SEVERAL[..], &[("KIMG_DIALECT", "apache")]].concat();
    let server = server(&root, &variables);
    assert_eq!(server.cluster_id.as_deref(), Some("5L6g3nShT-eMCtK--X86sw"));
    assert!(warned(&server, &["CLUSTER_ID", "not set"]));
}

#[test]
fn with_zookeeper_it_is_not_used() {
    let root = root("ids-zookeeper");
    let server = server(&root, &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), ("CLUSTER_ID", "kraft-docker")]);
    assert_eq!((server.cluster_id.as_deref(), subjects(&server.findings.problems)), (None, vec![]));
    assert!(warned(&server, &["CLUSTER_ID", "kraft-docker", "not used"]));
}

#[test]
fn formatting_may_be_left_to_the_user() {
    let root = root("ids-skipped");
    for (text, skips) in [("yes", true), ("TRUE", true), ("no", false)] {
        let container = Container {
            host: "kafka-1".to_owned(),
            ..container(&root, &[("KAFKA_SKIP_KRAFT_STORAGE_INIT", text)], &[])
        };
        let server = configured(&container);
        assert_eq!(server.cluster_id.is_none(), skips, "{text}");
        assert_eq!(warned(&server, &["KAFKA_SKIP_KRAFT_STORAGE_INIT", "not formatted"]), skips, "{text}");
    }
}

#[test]
fn a_quorum_that_may_change_is_begun_by_kafkas_own_tool() {
    let root = root("ids-dynamic");
    let variables = [
        ("KAFKA_PROCESS_ROLES", "controller"),
        ("KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS", "a:9093"),
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_LISTENERS", "CONTROLLER://:9093"),
        ("CLUSTER_ID", CLUSTER),
    ];
    let words = ["KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS", "--standalone"];
    assert!(warned(&server(&root, &variables), &words));
    formatted(&root, "/var/lib/kafka/data", 1, 1, CLUSTER);
    assert!(!warned(&server(&root, &variables), &words));
}

#[test]
fn a_command_that_was_appended_to_a_script_of_confluents_names_one() {
    let root = root("ids-scripts");
    let script = |text: &str| {
        fs::create_dir_all(root.join("etc/confluent/docker")).unwrap();
        fs::write(root.join("etc/confluent/docker/ensure"), text).unwrap();
        server(&root, &OF_SEVERAL)
    };
    let line = format!("#!/x\nkafka-storage format --ignore-formatted -t {STRICT} -c /etc/kafka/kafka.properties\n");
    assert_eq!(script(&line).cluster_id.as_deref(), Some(STRICT));
    let quoted = format!("kafka-storage.sh format --cluster-id \"{STRICT}\"");
    assert_eq!(script(&quoted).cluster_id.as_deref(), Some(STRICT));
    let expression = script("kafka-storage format -t $(cat /tmp/id) -c x");
    assert_eq!(subjects(&expression.findings.problems), ["CLUSTER_ID"]);
    assert!(warned(&expression, &["/etc/confluent/docker/ensure", "shell"]), "{:?}", expression.findings);
    assert_eq!(script("exec true\n").cluster_id, None);
}
