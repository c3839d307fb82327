//! From a container's environment to the broker's properties.

use std::path::PathBuf;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::kafka::{Configuration, Layout, Mode, cluster_id, configure};

/// A container with these variables, in which there is no file.
fn configured(table: &str, variables: &[(&str, &str)], host: &str) -> Configuration {
    let container = Container {
        root: PathBuf::from("/nonexistent"),
        environment: Environment::of(variables.iter().copied()),
        host: host.to_owned(),
        table: table.to_owned(),
        ..Container::default()
    };
    configure(&container, &Layout::of_image(table))
}

/// The subjects of what is wrong with it.
fn subjects(configuration: &Configuration) -> Vec<&str> {
    configuration.findings.problems.iter().map(|problem| problem.subject.as_str()).collect()
}

const WITHOUT_ZOOKEEPER: &str = "kafka-server-start.sh server kafka kraft log4j2\n";

#[test]
fn nothing_set_is_a_single_node_for_clients_on_the_host() {
    let server = configured("", &[], "3f9a1b2c7712");
    let get = |name: &str| server.properties.get(name).unwrap_or_default().to_owned();
    assert_eq!((server.mode, subjects(&server)), (Mode::KraftSingle, vec![]));
    assert_eq!(get("listeners"), "PLAINTEXT://:9092,CONTROLLER://:9093");
    assert_eq!(get("advertised.listeners"), "PLAINTEXT://localhost:9092");
    assert_eq!((get("node.id"), get("controller.quorum.voters")), ("1".to_owned(), "1@localhost:9093".to_owned()));
    assert_eq!(cluster_id::check(&server.cluster_id.unwrap()), Ok(()));
}

#[test]
fn zookeeper_takes_the_ordinal() {
    let server = configured("", &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), ("KAFKA_JMX_PORT", "9999")], "kafka-2");
    assert_eq!((server.mode, &server.cluster_id, subjects(&server)), (Mode::ZooKeeper, &None, vec![]));
    assert_eq!(server.properties.get("broker.id"), Some("2"));
    assert_eq!((server.properties.get("jmx.port"), server.properties.get("process.roles")), (None, None));
}

#[test]
fn every_problem_is_told_at_once() {
    let variables = [
        ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"),
        ("KAFKA_PROCESS_ROLES", "broker"),
        ("KAFKA_BROKER_ID", "two"),
        ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://0.0.0.0:9092"),
    ];
    let server = configured("", &variables, "kafka-0");
    assert_eq!(subjects(&server), ["KAFKA_PROCESS_ROLES", "KAFKA_BROKER_ID", "KAFKA_ADVERTISED_LISTENERS"]);
}

#[test]
fn cluster_ids_are_checked() {
    let odd = configured("", &[("CLUSTER_ID", "kraft-docker")], "x");
    assert_eq!((subjects(&odd), odd.findings.warnings[0].subject.as_str()), (vec![], "CLUSTER_ID"));
    let broker = [("KAFKA_PROCESS_ROLES", "broker"), ("KAFKA_CONTROLLER_QUORUM_VOTERS", "9@c:9093")];
    assert_eq!(subjects(&configured("", &broker, "x")), ["CLUSTER_ID"]);
}

#[test]
fn without_a_zookeeper_mode_it_is_refused_and_kraft_is_not() {
    let refused = configured(WITHOUT_ZOOKEEPER, &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")], "kafka-0");
    assert_eq!(subjects(&refused), ["KAFKA_ZOOKEEPER_CONNECT"]);
    assert_eq!(configured(WITHOUT_ZOOKEEPER, &[], "kafka-0").mode, Mode::KraftSingle);
}

#[test]
fn explicit_ids_are_bounded() {
    let server = configured("", &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), ("KAFKA_BROKER_ID", "1001")], "x");
    assert!(server.findings.problems[0].why.contains("reserved.broker.max.id"));
}
