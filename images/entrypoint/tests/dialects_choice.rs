//! Which dialect an environment speaks: five levels, of which the first with evidence decides.

#[path = "support/dialects.rs"]
mod support;

use std::path::PathBuf;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::Dialect;
use kimg_entrypoint::kafka::dialect::{Choice, Level, choose};
use kimg_entrypoint::problem::Findings;

use support::{container, subjects};

fn chosen(container: &Container) -> (Choice, Findings) {
    let mut findings = Findings::default();
    (choose(container, &mut findings), findings)
}

/// A container that is called so, with this variable and this mount; what is empty is not there.
fn with(called: &str, variable: &str, mount: &str) -> Container {
    let variables: Vec<(&str, &str)> = [(variable, "x")].into_iter().filter(|(name, _)| !name.is_empty()).collect();
    let mounts = [mount].into_iter().filter(|mount| !mount.is_empty()).map(PathBuf::from).collect();
    Container { called: PathBuf::from(called), mounts, ..container(&variables) }
}

#[test]
fn each_kind_of_evidence() {
    use Dialect::{Apache, Bitnami, Confluent, Kimg, Wurstmeister};
    let (entry, variable, mount, nothing) = (Level::Entry, Level::Variable, Level::Mount, Level::Nothing);
    for (called, name, folder, dialect, level) in [
        ("/etc/kafka/docker/run", "", "", Apache, entry),
        ("/__cacert_entrypoint.sh", "", "", Apache, entry),
        ("/etc/confluent/docker/run", "", "", Confluent, entry),
        ("/opt/bitnami/scripts/kafka/entrypoint.sh", "", "", Bitnami, entry),
        ("/opt/bitnami/scripts/kafka/run.sh", "", "", Bitnami, entry),
        ("/entrypoint.sh", "", "", Bitnami, entry),
        ("start-kafka.sh", "", "", Wurstmeister, entry),
        ("/usr/bin/start-kafka.sh", "", "", Wurstmeister, entry),
        ("", "KAFKA_CFG_NUM_PARTITIONS", "", Bitnami, variable),
        ("", "KAFKA_KRAFT_CLUSTER_ID", "", Bitnami, variable),
        ("", "KAFKA_ENABLE_KRAFT", "", Bitnami, variable),
        ("", "KAFKA_TLS_TYPE", "", Bitnami, variable),
        ("", "KAFKA_CONFLUENT_LICENSE_TOPIC_REPLICATION_FACTOR", "", Confluent, variable),
        ("", "CONFLUENT_METRICS_ENABLE", "", Confluent, variable),
        ("", "HOSTNAME_COMMAND", "", Wurstmeister, variable),
        ("", "BROKER_ID_COMMAND", "", Wurstmeister, variable),
        ("", "PORT_COMMAND", "", Wurstmeister, variable),
        ("", "RACK_COMMAND", "", Wurstmeister, variable),
        ("", "KAFKA_CREATE_TOPICS", "", Wurstmeister, variable),
        ("", "KAFKA_ADVERTISED_HOST_NAME", "", Wurstmeister, variable),
        ("", "", "/bitnami", Bitnami, mount),
        ("", "", "/bitnami/kafka/data", Bitnami, mount),
        ("", "", "/mnt/shared/config", Apache, mount),
        ("", "", "/kafka", Wurstmeister, mount),
        ("", "", "/etc/confluent/docker/run", Confluent, mount),
        // What several families have proves nothing.
        ("", "ALLOW_PLAINTEXT_LISTENER", "", Kimg, nothing),
        ("", "KAFKA_ADVERTISED_LISTENERS", "", Kimg, nothing),
        ("", "CLUSTER_ID", "", Kimg, nothing),
        ("", "KAFKA_SSL_KEYSTORE_FILENAME", "", Kimg, nothing),
        ("", "LOG4J_FORMAT_MSG_NO_LOOKUPS", "", Kimg, nothing),
        ("", "", "/var/lib/kafka/data", Kimg, nothing),
        ("", "", "/etc/kafka/secrets", Kimg, nothing),
        ("", "", "/opt/kafka/config", Kimg, nothing),
        ("", "", "/kafka-data", Kimg, nothing),
        ("/usr/bin/kimg-entrypoint", "", "", Kimg, nothing),
        // The first level with evidence wins over the later ones.
        ("/etc/confluent/docker/run", "KAFKA_CFG_LISTENERS", "/kafka", Confluent, entry),
        ("", "KAFKA_CFG_LISTENERS", "/kafka", Bitnami, variable),
    ] {
        let (choice, findings) = chosen(&with(called, name, folder));
        assert_eq!((choice.dialect, choice.level), (dialect, level), "{called} {name} {folder}");
        assert_eq!(findings, Findings::default(), "{called} {name} {folder}");
        let expected = match level {
            Level::Entry => called,
            Level::Variable => name,
            Level::Mount => folder,
            _ => "nothing",
        };
        assert_eq!(choice.evidence, expected);
    }
}

#[test]
fn what_is_asked_for_wins() {
    for dialect in Dialect::ALL {
        let variables = [("KIMG_DIALECT", dialect.name()), ("KAFKA_CFG_LISTENERS", "x"), ("HOSTNAME_COMMAND", "x")];
        let asked = Container { called: PathBuf::from("/etc/confluent/docker/run"), ..container(&variables) };
        let (choice, findings) = chosen(&asked);
        assert_eq!((choice.dialect, choice.level), (dialect, Level::Asked));
        assert_eq!((choice.evidence.as_str(), findings.problems.len()), ("KIMG_DIALECT", 0));
    }
    let (choice, findings) = chosen(&container(&[("KIMG_DIALECT", "strimzi")]));
    assert_eq!((choice.dialect, subjects(&findings.problems)), (Dialect::Kimg, vec!["KIMG_DIALECT"]));
    assert!(findings.problems[0].hint.contains("kimg, apache, confluent, bitnami, wurstmeister"));
}

#[test]
fn two_families_on_one_level_are_a_problem_that_names_both() {
    for (variables, mounts, words) in [
        (
            vec![("KAFKA_CFG_LISTENERS", "x"), ("KAFKA_CREATE_TOPICS", "x")],
            vec![],
            ["KAFKA_CFG_LISTENERS", "bitnami", "KAFKA_CREATE_TOPICS", "wurstmeister"],
        ),
        (
            vec![("KAFKA_CFG_LISTENERS", "x"), ("CONFLUENT_METRICS_ENABLE", "x")],
            vec![],
            ["KAFKA_CFG_LISTENERS", "bitnami", "CONFLUENT_METRICS_ENABLE", "confluent"],
        ),
        (vec![], vec!["/bitnami", "/kafka"], ["/bitnami", "bitnami", "/kafka", "wurstmeister"]),
    ] {
        let mounts = mounts.into_iter().map(PathBuf::from).collect();
        let (_, findings) = chosen(&Container { mounts, ..container(&variables) });
        assert_eq!(findings.problems.len(), 1);
        let text = findings.problems[0].to_string();
        assert!(words.iter().all(|word| text.contains(word)) && text.contains("KIMG_DIALECT"), "{text}");
    }
}

#[test]
fn a_command_that_bitnami_has_too_is_no_evidence_beside_its_variables() {
    let (choice, findings) =
        chosen(&container(&[("BROKER_ID_COMMAND", "hostname"), ("KAFKA_CFG_ZOOKEEPER_CONNECT", "zk:2181")]));
    assert_eq!((choice.dialect, findings.problems.len()), (Dialect::Bitnami, 0));
}

#[test]
fn a_variable_that_its_own_image_could_not_have_used_is_no_evidence() {
    let topics = ("KAFKA_CREATE_TOPICS", "a:1:1");
    let advertised = ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://kafka:9092");
    let listeners = ("KAFKA_LISTENERS", "PLAINTEXT://:9092");
    for (variables, dialect) in [
        (vec![topics], Dialect::Wurstmeister),
        (vec![topics, advertised, listeners], Dialect::Wurstmeister),
        (vec![advertised, ("KAFKA_ADVERTISED_HOST_NAME", "kafka")], Dialect::Wurstmeister),
        (vec![advertised, ("HOSTNAME_COMMAND", "hostname")], Dialect::Wurstmeister),
        // Files for cp-kafka and apache/kafka have them too.
        (vec![topics, advertised], Dialect::Kimg),
        (vec![topics, ("KAFKA_PROCESS_ROLES", "broker,controller")], Dialect::Kimg),
        (vec![topics, ("KAFKA_CFG_PROCESS_ROLES", "broker,controller")], Dialect::Bitnami),
    ] {
        let (choice, findings) = chosen(&container(&variables));
        assert_eq!((choice.dialect, findings.problems.len()), (dialect, 0), "{variables:?}");
    }
}
