//! What follows from the listeners that a user set: rows are habits of public compose files.

#![allow(clippy::type_complexity, reason = "tables of what goes in and what comes out")]

mod listeners_support;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::dialect::{Dialect, Rules};
use kimg_entrypoint::kafka::{Layout, Mode, configure, listeners};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;
use listeners_support::{Outcome, Pairs, complete, complete_in, container};

const ZOOKEEPER: Mode = Mode::ZooKeeper;
const SINGLE: Mode = Mode::KraftSingle;

/// Every expected property has its value; an empty one is not set.
fn holds(outcome: &Outcome, expected: Pairs<'_>, about: &str) {
    for (name, value) in expected {
        assert_eq!(outcome.get(name), *value, "{name} of {about}\n{}", outcome.problems());
    }
}

#[test]
fn habits_of_compose_files_with_zookeeper() {
    const L: &str = "KAFKA_LISTENERS";
    const A: &str = "KAFKA_ADVERTISED_LISTENERS";
    const M: &str = "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP";
    const I: &str = "KAFKA_INTER_BROKER_LISTENER_NAME";
    #[rustfmt::skip]
    let rows: &[(Pairs, Pairs)] = &[
        // Names of any kind (76), localhost on one and the container's name on another (71), no listeners (44).
        (
            &[(A, "PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092"), (M, "PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT"), (I, "PLAINTEXT")],
            &[("listeners", "PLAINTEXT://:29092,PLAINTEXT_HOST://:9092"), ("advertised.listeners", "PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092")],
        ),
        (
            &[(A, "LISTENER_DOCKER_INTERNAL://kafka:19092, lc://127.0.0.1:9092"), (M, "LISTENER_DOCKER_INTERNAL:PLAINTEXT,LC:PLAINTEXT"), (I, "LISTENER_DOCKER_INTERNAL")],
            &[("listeners", "LISTENER_DOCKER_INTERNAL://:19092,LC://:9092")],
        ),
        (
            &[(A, "TLS://[fd00::1]:9093"), (M, "TLS:SSL")],
            &[("listeners", "TLS://:9093"), ("advertised.listeners", "TLS://[fd00::1]:9093"), ("inter.broker.listener.name", "TLS")],
        ),
        // Listeners with an empty host, or on 0.0.0.0, and nothing advertised: Kafka would refuse the second.
        (&[(L, "PLAINTEXT://:9092")], &[("listeners", "PLAINTEXT://:9092"), ("advertised.listeners", "PLAINTEXT://kafka:9092")]),
        (&[(L, "PLAINTEXT://0.0.0.0:9092")], &[("listeners", "PLAINTEXT://0.0.0.0:9092"), ("advertised.listeners", "PLAINTEXT://kafka:9092")]),
        (&[(L, "PLAINTEXT://[::]:9092")], &[("advertised.listeners", "PLAINTEXT://kafka:9092")]),
        (&[(L, "PLAINTEXT://broker:9092")], &[("advertised.listeners", "PLAINTEXT://broker:9092")]),
        // Advertised with an empty host (13).
        (&[(L, "PLAINTEXT://:9092"), (A, "PLAINTEXT://:9092")], &[("advertised.listeners", "PLAINTEXT://kafka:9092")]),
        (&[(A, "PLAINTEXT://:9092,SSL://localhost:9093")], &[("listeners", "PLAINTEXT://:9092,SSL://:9093"), ("advertised.listeners", "PLAINTEXT://kafka:9092,SSL://localhost:9093")]),
        // Nothing at all.
        (&[], &[("listeners", "PLAINTEXT://:9092"), ("advertised.listeners", "PLAINTEXT://kafka:9092"), ("listener.security.protocol.map", "")]),
        // Empty values (7), as bitnami exports them.
        (&[(L, ""), (A, " "), (M, ""), (I, "")], &[("listeners", "PLAINTEXT://:9092"), ("advertised.listeners", "PLAINTEXT://kafka:9092"), ("inter.broker.listener.name", ""), ("listener.security.protocol.map", "")]),
        // Lists with empty members.
        (&[(L, ",PLAINTEXT://:9092,,SSL://:9093,"), (M, ",SSL:SSL, ,PLAINTEXT:PLAINTEXT")], &[("listeners", "PLAINTEXT://:9092,SSL://:9093"), ("listener.security.protocol.map", "SSL:SSL,PLAINTEXT:PLAINTEXT"), ("advertised.listeners", "PLAINTEXT://kafka:9092,SSL://kafka:9093")]),
        // A map that is set replaces Kafka's own: those that are called like a protocol are added.
        (&[(L, "PLAINTEXT://:9092,OUT://:9094"), (M, "OUT:SASL_SSL")], &[("listener.security.protocol.map", "OUT:SASL_SSL,PLAINTEXT:PLAINTEXT")]),
        (&[(L, "plaintext://:9092"), (M, "plaintext:plaintext")], &[("listener.security.protocol.map", "plaintext:plaintext")]),
        // A protocol between brokers.
        (&[(L, "SSL://:9093"), ("KAFKA_SECURITY_INTER_BROKER_PROTOCOL", "ssl")], &[("security.inter.broker.protocol", "SSL"), ("inter.broker.listener.name", ""), ("advertised.listeners", "SSL://kafka:9093")]),
        // Two addresses that share a port on different hosts are advertised, where the listeners differ.
        (&[(L, "A://:9092,B://:9093"), (A, "A://kafka:9092,B://localhost:9092"), (M, "A:PLAINTEXT,B:PLAINTEXT"), (I, "A")], &[("advertised.listeners", "A://kafka:9092,B://localhost:9092")]),
    ];
    for (variables, expected) in rows {
        let outcome = complete(variables, "kafka", ZOOKEEPER);
        holds(&outcome, expected, &format!("{variables:?}"));
        assert_eq!((outcome.problems(), outcome.warnings()), (String::new(), String::new()), "{variables:?}");
    }
}

#[test]
fn the_full_name_of_a_pod_is_advertised() {
    let full_name = Some("kafka-0.kafka-hs.prod.svc.cluster.local".to_owned());
    let pod = Container { full_name, ..container(&[], "kafka-0") };
    let outcome = complete_in(&pod, ZOOKEEPER);
    assert_eq!(outcome.get("advertised.listeners"), "PLAINTEXT://kafka-0.kafka-hs.prod.svc.cluster.local:9092");
    // Below another root the name may not be known: Kafka finds it.
    assert_eq!(complete(&[], "", ZOOKEEPER).get("advertised.listeners"), "PLAINTEXT://:9092");
}

#[test]
fn keys_that_kafka_lost_become_listeners() {
    const HOST: &str = "KAFKA_ADVERTISED_HOST_NAME";
    const PORT: &str = "KAFKA_ADVERTISED_PORT";
    const L: &str = "KAFKA_LISTENERS";
    const A: &str = "KAFKA_ADVERTISED_LISTENERS";
    // Variables: listeners, advertised, how many are warned of.
    #[rustfmt::skip]
    let rows: &[(Pairs, &str, &str, usize)] = &[
        (&[(HOST, "192.168.99.100")], "PLAINTEXT://:9092", "PLAINTEXT://192.168.99.100:9092", 1),
        (&[(HOST, "192.168.99.100"), (PORT, "32768")], "PLAINTEXT://:9092", "PLAINTEXT://192.168.99.100:32768", 2),
        (&[(HOST, "kafka.net"), (PORT, "9093"), ("KAFKA_PORT", "9093")], "PLAINTEXT://:9093", "PLAINTEXT://kafka.net:9093", 3),
        (&[("KAFKA_PORT", "9093")], "PLAINTEXT://:9093", "PLAINTEXT://kafka:9093", 1),
        (&[(PORT, "9093")], "PLAINTEXT://:9092", "PLAINTEXT://kafka:9093", 1),
        (&[("KAFKA_HOST_NAME", "10.0.0.1")], "PLAINTEXT://10.0.0.1:9092", "PLAINTEXT://10.0.0.1:9092", 1),
        (&[("KAFKA_HOST_NAME", "0.0.0.0")], "PLAINTEXT://0.0.0.0:9092", "PLAINTEXT://kafka:9092", 1),
        (&[(HOST, "0.0.0.0")], "PLAINTEXT://:9092", "PLAINTEXT://0.0.0.0:9092", 1),
        (&[(HOST, "[fd00::1]")], "PLAINTEXT://:9092", "PLAINTEXT://[fd00::1]:9092", 1),
        (&[("KAFKA_CFG_ADVERTISED_HOST_NAME", "k")], "PLAINTEXT://:9092", "PLAINTEXT://k:9092", 1),
        (&[("KAFKA_ADVERTISED_HOST", "k"), (PORT, "1")], "PLAINTEXT://:9092", "PLAINTEXT://k:1", 2),
        // With listeners, `host.name` and `port` meant nothing, and the advertised ones were still used.
        (&[(L, "PLAINTEXT://:9093"), (HOST, "k")], "PLAINTEXT://:9093", "PLAINTEXT://k:9093", 1),
        (&[(L, "PLAINTEXT://:9093"), (HOST, "k"), (PORT, "9095")], "PLAINTEXT://:9093", "PLAINTEXT://k:9095", 2),
        (&[(L, "PLAINTEXT://:9093"), ("KAFKA_PORT", "9092")], "PLAINTEXT://:9093", "PLAINTEXT://kafka:9093", 1),
        (&[(L, "PLAINTEXT://:9093"), ("KAFKA_PORT", "9092"), (HOST, "k")], "PLAINTEXT://:9093", "PLAINTEXT://k:9093", 2),
        (&[(L, "SSL://0.0.0.0:9093"), (HOST, "k")], "SSL://0.0.0.0:9093", "SSL://k:9093", 1),
        (&[(A, "PLAINTEXT://a:9093"), (HOST, "k"), (PORT, "1")], "PLAINTEXT://:9093", "PLAINTEXT://a:9093", 2),
        // A Service called kafka is no setting.
        (&[("KAFKA_PORT", "tcp://10.0.0.1:9092")], "PLAINTEXT://:9092", "PLAINTEXT://kafka:9092", 0),
        (&[(HOST, "")], "PLAINTEXT://:9092", "PLAINTEXT://kafka:9092", 0),
    ];
    for (variables, listeners, advertised, warned) in rows {
        let outcome = complete(variables, "kafka", ZOOKEEPER);
        let about = format!("{variables:?}");
        holds(&outcome, &[("listeners", listeners), ("advertised.listeners", advertised)], &about);
        assert_eq!(outcome.findings.warnings.len(), *warned, "{about}\n{}", outcome.warnings());
        for lost in ["advertised.host.name", "advertised.port", "host.name", "port", "advertised.host"] {
            assert_eq!(outcome.get(lost), "", "{about}");
        }
        let is_refused = advertised.contains("0.0.0.0");
        assert_eq!(!outcome.findings.problems.is_empty(), is_refused, "{about}\n{}", outcome.problems());
    }
    let bad = complete(&[("KAFKA_ADVERTISED_PORT", "http"), ("KAFKA_ADVERTISED_HOST_NAME", "a b")], "kafka", ZOOKEEPER);
    assert_eq!(bad.findings.problems.len(), 2, "{}", bad.problems());
}

#[test]
fn a_single_node_needs_nothing() {
    const BOTH: &str = "PLAINTEXT://:9092,CONTROLLER://:9093";
    const VOTERS: &str = "controller.quorum.voters";
    #[rustfmt::skip]
    let rows: &[(Pairs, Pairs)] = &[
        (&[], &[("listeners", BOTH), ("advertised.listeners", "PLAINTEXT://localhost:9092"), ("controller.listener.names", "CONTROLLER")]),
        (&[("KAFKA_LISTENERS", "PLAINTEXT://0.0.0.0:9092")], &[("listeners", "PLAINTEXT://0.0.0.0:9092,CONTROLLER://:9093"), ("advertised.listeners", "PLAINTEXT://kafka:9092")]),
        (&[("KAFKA_LISTENERS", BOTH), ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://:9092")], &[("listeners", BOTH), ("advertised.listeners", "PLAINTEXT://kafka:9092")]),
        (&[("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://localhost:9093")], &[("listeners", "PLAINTEXT://:9093,CONTROLLER://:9094"), (VOTERS, "1@localhost:9094")]),
        // The map has the controllers' name also where the user forgot it.
        (
            &[("KAFKA_ADVERTISED_LISTENERS", "IN://kafka:29092,OUT://localhost:9092"), ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "IN:PLAINTEXT,OUT:PLAINTEXT"), ("KAFKA_INTER_BROKER_LISTENER_NAME", "IN")],
            &[("listeners", "IN://:29092,OUT://:9092,CONTROLLER://:9093"), ("listener.security.protocol.map", "IN:PLAINTEXT,OUT:PLAINTEXT,CONTROLLER:PLAINTEXT")],
        ),
        // Names are compared letter by letter with those in upper case.
        (&[("KAFKA_LISTENERS", "PLAINTEXT://:9092,ctl://:9099"), ("KAFKA_CONTROLLER_LISTENER_NAMES", " ctl")], &[("controller.listener.names", "CTL"), (VOTERS, "1@localhost:9099"), ("advertised.listeners", "PLAINTEXT://kafka:9092")]),
    ];
    for (variables, expected) in rows {
        let outcome = complete(variables, "kafka", SINGLE);
        holds(&outcome, expected, &format!("{variables:?}"));
        assert_eq!(outcome.problems(), "", "{variables:?}");
    }
}

#[test]
fn controllers_listen_apart_and_are_never_advertised() {
    const BROKER: (&str, &str) = ("KAFKA_PROCESS_ROLES", "broker");
    const CONTROLLER: (&str, &str) = ("KAFKA_PROCESS_ROLES", "controller");
    const BOTH: (&str, &str) = ("KAFKA_PROCESS_ROLES", "broker,controller");
    const VOTERS: (&str, &str) = ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@kafka:19093");
    const L: &str = "KAFKA_LISTENERS";
    const A: &str = "KAFKA_ADVERTISED_LISTENERS";
    const C: &str = "KAFKA_CONTROLLER_LISTENER_NAMES";
    #[rustfmt::skip]
    let rows: &[(Pairs, Pairs)] = &[
        (&[BOTH], &[("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"), ("advertised.listeners", "PLAINTEXT://kafka:9092"), ("controller.listener.names", "CONTROLLER")]),
        // The port of the voter that this node is.
        (&[BOTH, VOTERS, (A, "PLAINTEXT://kafka:9092")], &[("listeners", "PLAINTEXT://:9092,CONTROLLER://:19093")]),
        (&[CONTROLLER, VOTERS], &[("listeners", "CONTROLLER://:19093"), ("advertised.listeners", "")]),
        (&[CONTROLLER, (L, "CTL://:9093"), (C, "CTL")], &[("listeners", "CTL://:9093"), ("advertised.listeners", ""), ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,CTL:PLAINTEXT")]),
        (&[BROKER, VOTERS], &[("listeners", "PLAINTEXT://:9092"), ("controller.listener.names", "CONTROLLER")]),
        (&[BROKER, VOTERS, (A, "PLAINTEXT://kafka:9092"), (C, "SSL")], &[("listeners", "PLAINTEXT://:9092")]),
        (&[BOTH, (L, "SSL://:9092,CTL://:9093"), (C, "CTL"), ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CTL:SSL")], &[("listener.security.protocol.map", "CTL:SSL,SSL:SSL"), ("inter.broker.listener.name", "SSL")]),
        // Variables of the brokers on a controller.
        (&[CONTROLLER, ("KAFKA_INTER_BROKER_LISTENER_NAME", "IN"), ("KAFKA_SECURITY_INTER_BROKER_PROTOCOL", "SSL")], &[("inter.broker.listener.name", ""), ("security.inter.broker.protocol", "")]),
        (&[CONTROLLER, ("KIMG_ADVERTISE", "headless")], &[("advertised.listeners", "")]),
    ];
    for (variables, expected) in rows {
        let outcome = complete(variables, "kafka", Mode::Kraft);
        holds(&outcome, expected, &format!("{variables:?}"));
        assert_eq!((outcome.problems(), outcome.warnings()), (String::new(), String::new()), "{variables:?}");
    }
    // Advertised controllers are left out, with a word; Kafka 4 takes them.
    let variables = [BOTH, (L, "PLAINTEXT://:9092,CONTROLLER://:9093"), (A, "PLAINTEXT://k:9092,CONTROLLER://k:9093")];
    let outcome = complete(&variables, "kafka", Mode::Kraft);
    assert_eq!((outcome.get("advertised.listeners"), outcome.findings.warnings.len()), ("PLAINTEXT://k:9092", 1));
    assert_eq!(outcome.problems(), "");
    let newer = Container { table: "s server kafka kraft\n".to_owned(), ..container(&variables, "kafka") };
    let outcome = complete_in(&newer, Mode::Kraft);
    assert_eq!((outcome.get("advertised.listeners"), outcome.problems().as_str()), (variables[2].1, ""));
    let only = [CONTROLLER, VOTERS, (A, "CONTROLLER://k:9093,PLAINTEXT://k:9092")];
    let outcome = complete_in(&Container { table: newer.table.clone(), ..container(&only, "kafka") }, Mode::Kraft);
    assert_eq!((outcome.get("advertised.listeners"), outcome.problems().as_str()), ("CONTROLLER://k:9093", ""));
    assert_eq!((outcome.get("inter.broker.listener.name"), outcome.findings.warnings.len()), ("", 1));
    let outcome = complete_in(
        &Container { table: newer.table.clone(), ..container(&[BROKER, VOTERS, only[2]], "kafka") },
        Mode::Kraft,
    );
    assert_eq!((outcome.get("advertised.listeners"), outcome.findings.warnings.len()), ("PLAINTEXT://k:9092", 1));
    // Where only the controllers are advertised, clients have the rest.
    let part = [BOTH, (A, "CONTROLLER://k:9093")];
    let outcome = complete_in(&Container { table: newer.table.clone(), ..container(&part, "kafka") }, Mode::Kraft);
    assert_eq!(outcome.get("advertised.listeners"), "PLAINTEXT://kafka:9092,CONTROLLER://k:9093");
    let outcome = complete(&[CONTROLLER, VOTERS, (A, "PLAINTEXT://k:9092")], "kafka", Mode::Kraft);
    assert_eq!((outcome.get("advertised.listeners"), outcome.findings.warnings.len()), ("", 1));
}

/// bitnami/kafka has defaults for both lists, which give way to whatever the user says in another way.
#[test]
fn a_dialects_defaults_give_way() {
    let rules = Rules { listeners: Some("PLAINTEXT://:9092,CONTROLLER://:9093"), ..Dialect::Bitnami.rules().clone() };
    let completed = |variables: Pairs<'_>, given: Pairs<'_>, mode: Mode| {
        let (mut properties, mut findings) = (Properties::default(), Findings::default());
        properties.set("advertised.listeners", "PLAINTEXT://:9092", "default of bitnami/kafka 3.5.1");
        given.iter().for_each(|(name, value)| properties.set(*name, *value, "KAFKA_CFG_X"));
        listeners::complete(&mut properties, &container(variables, "kafka-0"), mode, &rules, &mut findings);
        Outcome { properties, findings }
    };
    let host_ip =
        [("KIMG_ADVERTISE", "hostip"), ("HOST_IP", "10.0.0.7"), ("KIMG_SERVICE", "hs"), ("POD_NAMESPACE", "ns")];
    let names = "PLAINTEXT://kafka-0.hs.ns.svc.cluster.local:9092,EXTERNAL://10.0.0.7:9094";
    let role = [("process.roles", "controller")];
    #[rustfmt::skip]
    let rows: &[(Pairs, Pairs, Mode, &str, &str)] = &[
        (&[], &[], ZOOKEEPER, "PLAINTEXT://:9092", "PLAINTEXT://kafka-0:9092"),
        (&[], &[], SINGLE, "PLAINTEXT://:9092,CONTROLLER://:9093", "PLAINTEXT://kafka-0:9092"),
        (&[], &role, Mode::Kraft, "CONTROLLER://:9093", ""),
        (&host_ip, &[], ZOOKEEPER, "PLAINTEXT://:9092,EXTERNAL://:9094", names),
        (&[], &[("advertised.host.name", "k")], ZOOKEEPER, "PLAINTEXT://:9092", "PLAINTEXT://k:9092"),
    ];
    for (variables, given, mode, bound, advertised) in rows {
        let outcome = completed(variables, given, *mode);
        let about = format!("{variables:?} {given:?}");
        holds(&outcome, &[("listeners", bound), ("advertised.listeners", advertised)], &about);
        assert_eq!(outcome.problems(), "", "{about}");
        let of_lost = given.iter().filter(|(name, _)| *name == "advertised.host.name").count();
        assert_eq!(outcome.findings.warnings.len(), of_lost, "{about}\n{}", outcome.warnings());
    }
}

/// A compose file of wurstmeister/kafka's as people write them, as a whole.
#[test]
fn commands_ids_and_listeners_come_together() {
    let variables = [
        ("KIMG_DIALECT", "wurstmeister"),
        ("KAFKA_ZOOKEEPER_CONNECT", "zookeeper:2181"),
        ("BROKER_ID_COMMAND", "echo 7"),
        ("HOSTNAME_COMMAND", "echo 10.0.0.7"),
        ("KAFKA_LISTENERS", "INSIDE://:9092,OUTSIDE://:9094"),
        ("KAFKA_ADVERTISED_LISTENERS", "INSIDE://:9092,OUTSIDE://_{HOSTNAME_COMMAND}:9094"),
        ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT"),
        ("KAFKA_INTER_BROKER_LISTENER_NAME", "INSIDE"),
    ];
    let told = |root: &str| {
        let container = Container { root: root.into(), ..container(&variables, "3f9a1b2c7712") };
        let configuration = configure(&container, &Layout::of_image(""));
        let get = |name: &str| configuration.properties.get(name).unwrap_or_default().to_owned();
        let of_ours = |subject: &str| subject.ends_with("_COMMAND") || subject.contains("LISTENER");
        let problems = configuration.findings.problems.iter().filter(|problem| of_ours(&problem.subject)).count();
        (problems, get("broker.id"), get("advertised.listeners"))
    };
    let expected = "INSIDE://3f9a1b2c7712:9092,OUTSIDE://10.0.0.7:9094";
    assert_eq!(told("/"), (0, "7".to_owned(), expected.to_owned()));
    // Elsewhere the commands are not run, and all the rest is checked.
    let expected = "INSIDE://3f9a1b2c7712:9092,OUTSIDE://hostname-command:9094";
    assert_eq!(told("/nonexistent"), (0, "-1".to_owned(), expected.to_owned()));
}
