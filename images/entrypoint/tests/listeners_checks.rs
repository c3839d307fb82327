//! Listeners that would keep Kafka from starting, or its clients from connecting: all are named at once.

#![allow(clippy::type_complexity, reason = "tables of what goes in and what comes out")]

mod listeners_support;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::Mode;
use listeners_support::{Pairs, complete, complete_in, container};

const L: &str = "KAFKA_LISTENERS";
const A: &str = "KAFKA_ADVERTISED_LISTENERS";
const M: &str = "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP";
const I: &str = "KAFKA_INTER_BROKER_LISTENER_NAME";
const C: &str = "KAFKA_CONTROLLER_LISTENER_NAMES";
const P: &str = "KAFKA_CONTROL_PLANE_LISTENER_NAME";
const S: &str = "KAFKA_SECURITY_INTER_BROKER_PROTOCOL";
const R: &str = "KAFKA_PROCESS_ROLES";

/// Each variable is the subject of one problem that says this, and there are no others.
fn refused(rows: &[(Pairs<'_>, &[(&str, &str)])], mode: Mode) {
    for (variables, expected) in rows {
        let outcome = complete(variables, "kafka", mode);
        let all = outcome.problems();
        assert_eq!(outcome.findings.problems.len(), expected.len(), "{variables:?}\n{all}");
        for (problem, (subject, words)) in outcome.findings.problems.iter().zip(*expected) {
            assert_eq!(problem.subject, *subject, "{variables:?}\n{all}");
            assert!(problem.to_string().contains(words), "{variables:?}: {words}\n{all}");
        }
    }
}

#[test]
fn of_any_broker() {
    #[rustfmt::skip]
    refused(&[
        (&[(A, "PLAINTEXT://0.0.0.0:9092")], &[(A, "no client can connect to that")]),
        (&[(A, "PLAINTEXT://[::]:9092")], &[(A, "PLAINTEXT://localhost:9092")]),
        (&[(A, "PLAINTEXT://kafka:0")], &[(A, "port 0")]),
        (&[(L, "PLAINTEXT://:9092,SSL://:9092")], &[(L, "PLAINTEXT and SSL have the port 9092")]),
        (&[(L, "PLAINTEXT://kafka:9092,SSL://10.0.0.1:9092")], &[(L, "have the port 9092")]),
        (&[(L, "PLAINTEXT://10.0.0.1:9092,SSL://[fd00::1]:9092")], &[(L, "Kafka before 3.6")]),
        (&[(L, "PLAINTEXT://:9092,PLAINTEXT://:9093"), (A, "PLAINTEXT://k:9092")], &[(L, "the name PLAINTEXT twice")]),
        (&[(L, "PLAINTEXT://:1,plaintext://:2,PLAINTEXT://:3"), (A, "PLAINTEXT://k:1")], &[(L, "the name PLAINTEXT twice")]),
        (&[(A, "PLAINTEXT://k:9092,PLAINTEXT://l:9093"), (L, "PLAINTEXT://:9092")], &[(A, "the name PLAINTEXT twice")]),
        // One address on the host and one inside, of one port: the derived listeners would share it.
        (
            &[(A, "PLAINTEXT://kafka:9092,SSL://localhost:9092")],
            &[(A, "have the port 9092, and listeners follow from that")],
        ),
        (&[(L, "PLAINTEXT://:9092"), (A, "PLAINTEXT://k:9092,SSL://k:9093")], &[(A, "SSL is no listener; there are PLAINTEXT")]),
        // Protocols.
        (&[(L, "IN://:9092"), (A, "IN://k:9092")], &[(M, "set it to IN:PLAINTEXT")]),
        (&[(L, "PLAINTEXT://:9092,OUT://:9094,LAN://:9095")], &[(M, "set it to PLAINTEXT:PLAINTEXT,OUT:PLAINTEXT,LAN:PLAINTEXT")]),
        (&[(L, "PLAINTEXT://:9092,OUT://:9094"), (M, "PLAINTEXT:PLAINTEXT")], &[(M, "add OUT:PLAINTEXT")]),
        (&[("KAFKA_CFG_LISTENERS", "IN://:9092"), (A, "IN://k:9092")], &[("KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP", "no security protocol")]),
        (&[(L, "SSL://:9092"), (M, "SSL:TLS")], &[(M, "write SSL:SSL")]),
        (&[(L, "PLAINTEXT://:9092,B://:9093"), (M, "B:SASL")], &[(M, "write B:SASL_SSL")]),
        (&[(M, "PLAINTEXT")], &[(M, "NAME:PROTOCOL")]),
        (&[(M, "PLAINTEXT:PLAINTEXT;B:SSL")], &[(M, "NAME:PROTOCOL")]),
        (&[(M, "PLAINTEXT:PLAINTEXT,PLAINTEXT:SSL")], &[(M, "twice")]),
        (&[(M, "\"PLAINTEXT:PLAINTEXT\"")], &[(M, "NAME:PROTOCOL")]),
        // Between brokers.
        (&[(I, "IN")], &[(I, "it is no advertised listener; there are PLAINTEXT")]),
        (&[(I, "PLAINTEXT"), (S, "PLAINTEXT")], &[(I, "refuses it beside KAFKA_SECURITY_INTER_BROKER_PROTOCOL")]),
        (&[(L, "SSL://:9092,B://:9093"), (M, "B:SSL")], &[(I, "set it to one of SSL, B")]),
        (&[(S, "SSL")], &[(S, "no advertised listener is called SSL")]),
        (&[(S, "TLS")], &[(S, "no security protocol")]),
        (&[(P, "CTL")], &[(P, "no advertised listener")]),
        (&[(P, "PLAINTEXT")], &[(P, "also the listener between brokers")]),
        // All at once.
        (
            &[(L, "PLAINTEXT://:9092,OUT://:9092"), (A, "PLAINTEXT://0.0.0.0:9092"), (I, "X")],
            &[(M, "OUT"), (L, "9092"), (A, "0.0.0.0"), (I, "X")],
        ),
        (&[(L, "PLAINTEXT"), (A, "kafka")], &[(L, "PLAINTEXT"), (A, "kafka")]),
        (&[(C, "CONTROLLER")], &[(C, "belongs to KRaft")]),
    ], Mode::ZooKeeper);
}

#[test]
fn newer_brokers_take_a_port_once_for_each_family() {
    let problems = |listeners: &str| {
        let table = "connect-plugin-path.sh tool 2G org.apache.kafka.tools.ConnectPluginPath\n".to_owned();
        complete_in(&Container { table, ..container(&[(L, listeners)], "kafka") }, Mode::ZooKeeper)
            .findings
            .problems
            .len()
    };
    assert_eq!(problems("PLAINTEXT://10.0.0.1:9092,SSL://[fd00::1]:9092"), 0);
    assert_eq!(problems("PLAINTEXT://10.0.0.1:9092,SSL://10.0.0.2:9092"), 1);
    assert_eq!(problems("PLAINTEXT://10.0.0.1:9092,SSL://[fd00::1]:9092,SASL_SSL://:9092"), 1);
    assert_eq!(problems("PLAINTEXT://10.0.0.1:9092,SSL://kafka:9092"), 1);
}

#[test]
fn of_controllers() {
    let both = (R, "broker,controller");
    #[rustfmt::skip]
    refused(&[
        (&[both, (L, "PLAINTEXT://:9092"), (C, "CTL")], &[(L, "add CTL://:9093"), ]),
        (&[both, (L, "PLAINTEXT://:9092,CTL://:9093"), (M, "CTL:PLAINTEXT"), (A, "PLAINTEXT://k:9092")], &[(C, "one of CTL at which controllers listen")]),
        (&[both, (L, "PLAINTEXT://:9092")], &[(C, "add CONTROLLER://:9093 to KAFKA_LISTENERS")]),
        (&[both, (L, "CONTROLLER://:9093"), (C, "CONTROLLER")], &[(L, "there is none for clients")]),
        (&[(R, "broker"), (L, "PLAINTEXT://:9092,CONTROLLER://:9093"), (C, "CONTROLLER")], &[(L, "has no listener of controllers")]),
        (&[(R, "controller"), (L, "PLAINTEXT://:9092,CONTROLLER://:9093"), (C, "CONTROLLER")], &[(L, "has no other listeners")]),
        // With SSL in use Kafka maps no controller to plain text by itself.
        (&[both, (L, "SSL://:9092,CONTROLLER://:9093"), (C, "CONTROLLER")], &[(M, "set it to SSL:SSL,CONTROLLER:PLAINTEXT")]),
        (&[both, (L, "PLAINTEXT://:9092,CONTROLLER://:9093"), (C, "CONTROLLER"), (M, "PLAINTEXT:PLAINTEXT")], &[(M, "add CONTROLLER:PLAINTEXT")]),
        (&[both, (P, "PLAINTEXT")], &[(P, "belongs to ZooKeeper")]),
        (&[(R, "controller"), (P, "PLAINTEXT")], &[(P, "belongs to ZooKeeper")]),
    ], Mode::Kraft);
}

#[test]
fn what_starts_and_is_not_what_was_meant_is_warned_of() {
    let rows: &[(Pairs, &str)] = &[
        (&[(L, "PLAINTEXT://localhost:9092")], "listens on localhost, where only this container can connect"),
        (&[(L, "PLAINTEXT://127.0.0.1:9092"), (A, "PLAINTEXT://kafka:9092")], "write PLAINTEXT://:9092"),
        (&[(L, "PLAINTEXT://:1,SSL://:2"), (A, "PLAINTEXT://k:1,SSL://k:1")], "are at one address"),
    ];
    for (variables, words) in rows {
        let outcome = complete(variables, "kafka", Mode::ZooKeeper);
        assert_eq!(outcome.problems(), "", "{variables:?}");
        assert_eq!(outcome.findings.warnings.len(), 1, "{variables:?}\n{}", outcome.warnings());
        assert!(outcome.warnings().contains(words), "{variables:?}\n{}", outcome.warnings());
    }
    // Localhost advertised is what 71 of 103 repositories do.
    let outcome = complete(&[(A, "PLAINTEXT://localhost:9092")], "kafka", Mode::ZooKeeper);
    assert_eq!((outcome.problems(), outcome.warnings()), (String::new(), String::new()));
}
