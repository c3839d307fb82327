//! The mode follows the variables; what belongs to the other one, and quorums that cannot be, are refused by name.

mod support;

use std::path::Path;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::quorum::{Roles, Voter, parse_voters};
use kimg_entrypoint::kafka::{Configuration, Dialect, Layout, Mode, dialect::Rules, mode};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;
use support::{configured, container, refused, root, subjects, warned};

const WITHOUT_ZOOKEEPER: &str = "kafka-server-start.sh server kafka kraft log4j2\n";
const CLUSTER_ID: (&str, &str) = ("CLUSTER_ID", support::CLUSTER);

fn server(variables: &[(&str, &str)]) -> Configuration {
    configured(&container(Path::new("/nonexistent"), variables, &[]))
}

/// The one note on the mode.
fn told(configuration: &Configuration) -> &str {
    let mut notes = configuration.findings.notes.iter().filter_map(|note| note.strip_prefix("mode: "));
    let told = notes.next().unwrap();
    assert_eq!(notes.next(), None);
    told
}

#[test]
fn the_mode_follows_the_variables_and_is_told() {
    type Row<'a> = (&'a [(&'a str, &'a str)], Mode, &'a str);
    let combined: &[(&str, &str)] = &[
        ("KAFKA_PROCESS_ROLES", "broker, controller"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@a:9093,2@b:9093,3@[fd00::3]:9093"),
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
        CLUSTER_ID,
    ];
    let controller: &[(&str, &str)] = &[
        ("KAFKA_PROCESS_ROLES", "controller"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@a:9093"),
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_LISTENERS", "CONTROLLER://:9093"),
        ("KAFKA_ADVERTISED_LISTENERS", ""),
        CLUSTER_ID,
    ];
    let broker: &[(&str, &str)] = &[
        ("KAFKA_PROCESS_ROLES", "broker"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@a:9093"),
        ("KAFKA_NODE_ID", "100"),
        CLUSTER_ID,
    ];
    let voters: &[(&str, &str)] = &[("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@a:9093"), ("KAFKA_NODE_ID", "1"), CLUSTER_ID];
    let servers: &[(&str, &str)] = &[
        ("KAFKA_PROCESS_ROLES", "broker"),
        ("KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS", "a:9093,[fd00::3]:9093"),
        ("KAFKA_NODE_ID", "100"),
        CLUSTER_ID,
    ];
    let rows: [Row; 9] = [
        (&[], Mode::KraftSingle, "neither zookeeper.connect nor process.roles"),
        (&[("KAFKA_ZOOKEEPER_CONNECT", "")], Mode::KraftSingle, "neither zookeeper.connect nor process.roles"),
        (&[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")], Mode::ZooKeeper, "KAFKA_ZOOKEEPER_CONNECT"),
        (
            &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), ("KAFKA_PROCESS_ROLES", "")],
            Mode::ZooKeeper,
            "ZooKeeper, for KAFKA_ZOOKEEPER_CONNECT",
        ),
        (combined, Mode::Kraft, "broker and controller, for KAFKA_PROCESS_ROLES"),
        (controller, Mode::Kraft, "a controller only, for KAFKA_PROCESS_ROLES"),
        (broker, Mode::Kraft, "a broker only, for KAFKA_PROCESS_ROLES"),
        (voters, Mode::Kraft, "broker and controller, for KAFKA_CONTROLLER_QUORUM_VOTERS"),
        (servers, Mode::Kraft, "a broker only, for KAFKA_PROCESS_ROLES"),
    ];
    for (variables, mode, why) in rows {
        let server = server(variables);
        assert_eq!((server.mode, subjects(&server.findings.problems)), (mode, vec![]), "{variables:?}");
        assert!(told(&server).contains(why), "{variables:?}: {}", told(&server));
    }
}

#[test]
fn what_belongs_to_the_other_mode_is_an_error() {
    for (variables, subject, word) in [
        (
            &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), ("KAFKA_PROCESS_ROLES", "broker")],
            "KAFKA_PROCESS_ROLES",
            "KAFKA_ZOOKEEPER_CONNECT to ZooKeeper",
        ),
        (
            &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@a:9093")],
            "KAFKA_CONTROLLER_QUORUM_VOTERS",
            "belongs to KRaft",
        ),
    ] {
        let server = server(variables);
        assert_eq!(subjects(&server.findings.problems), [subject], "{variables:?}");
        assert!(refused(&server, &[subject, word]));
    }
}

#[test]
fn on_the_way_to_kraft_both_belong_together() {
    let common = [
        ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"),
        ("KAFKA_ZOOKEEPER_METADATA_MIGRATION_ENABLE", "true"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "3000@c:9093"),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
    ];
    let broker = server(&[&common[..], &[("KAFKA_BROKER_ID", "1")]].concat());
    assert_eq!((broker.mode, subjects(&broker.findings.problems)), (Mode::ZooKeeper, vec![]));
    assert!(told(&broker).contains("on its way to KRaft"));
    assert!(warned(&broker, &["KAFKA_ZOOKEEPER_METADATA_MIGRATION_ENABLE"]));
    let of_controller = [
        ("KAFKA_PROCESS_ROLES", "controller"),
        ("KAFKA_NODE_ID", "3000"),
        ("KAFKA_LISTENERS", "CONTROLLER://:9093"),
        CLUSTER_ID,
    ];
    let controller = server(&[&common[..], &of_controller].concat());
    assert_eq!((controller.mode, subjects(&controller.findings.problems)), (Mode::Kraft, vec![]));
}

#[test]
fn a_variable_wins_over_the_mode_of_the_file_underneath() {
    const BASE: &str = "/base/server.properties";
    let rules = Rules { base: Some(BASE), ..Dialect::Kimg.rules().clone() };
    let zookeeper = ("zookeeper.connect", "zk:2181");
    let kraft = [("process.roles", "broker"), ("controller.quorum.voters", "1@a:9093")];
    for (of_file, of_variables, mode, left_out, is_refused) in [
        (&[zookeeper][..], &kraft[..], Mode::Kraft, 1, false),
        (&kraft, &[zookeeper], Mode::ZooKeeper, 2, false),
        (&[zookeeper], &[], Mode::ZooKeeper, 0, false),
        (&[zookeeper, kraft[0]], &[], Mode::ZooKeeper, 0, true),
        (&kraft[..1], &kraft[1..], Mode::Kraft, 0, false),
    ] {
        let (mut properties, mut findings) = (Properties::default(), Findings::default());
        of_file.iter().for_each(|(name, value)| properties.set(*name, *value, BASE));
        of_variables.iter().for_each(|(name, value)| properties.set(*name, *value, "KAFKA_X"));
        let decided = mode::decide(&mut properties, &Layout::of_image(""), &rules, &mut findings);
        assert_eq!((decided, findings.warnings.len()), (mode, left_out), "{of_file:?} {of_variables:?}");
        assert!(findings.warnings.iter().all(|warning| warning.subject == BASE));
        assert_eq!(!findings.problems.is_empty(), is_refused, "{of_file:?} {of_variables:?}");
    }
}

#[test]
fn without_zookeeper_in_the_program_it_is_refused() {
    let refused = Container {
        table: WITHOUT_ZOOKEEPER.to_owned(),
        ..container(Path::new("/nonexistent"), &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")], &[])
    };
    assert_eq!(subjects(&configured(&refused).findings.problems), ["KAFKA_ZOOKEEPER_CONNECT"]);
}

#[test]
fn quorums_that_cannot_be() {
    // Roles, voters, node.id, and what is told.
    for (roles, voters, id, words) in [
        (
            "broker;controller",
            "1@a:9093",
            "1",
            &["KAFKA_PROCESS_ROLES", "`broker;controller`", "broker,controller"][..],
        ),
        ("Broker", "1@a:9093", "2", &["KAFKA_PROCESS_ROLES", "`Broker` is no role"]),
        ("broker,broker", "1@a:9093", "2", &["KAFKA_PROCESS_ROLES", "twice"]),
        ("controller", "1@a:9093,1@b:9093", "1", &["KAFKA_CONTROLLER_QUORUM_VOTERS", "the id 1 is there twice"]),
        ("controller", "1@a:9093,2@a:9093", "1", &["KAFKA_CONTROLLER_QUORUM_VOTERS", "a:9093 is there twice"]),
        ("controller", "a:9093", "1", &["KAFKA_CONTROLLER_QUORUM_VOTERS", "`a:9093` is no voter", "ID@HOST:PORT"]),
        ("controller", "1@$(HOST):9093", "1", &["KAFKA_CONTROLLER_QUORUM_VOTERS", "is no voter"]),
        ("controller", "", "1", &["KAFKA_CONTROLLER_QUORUM_VOTERS", "not set"]),
    ] {
        let variables = [
            ("KAFKA_PROCESS_ROLES", roles),
            ("KAFKA_CONTROLLER_QUORUM_VOTERS", voters),
            ("KAFKA_NODE_ID", id),
            ("KAFKA_LISTENERS", "CONTROLLER://:9093"),
            CLUSTER_ID,
        ];
        assert!(refused(&server(&variables), words), "{roles} {voters}: {:?}", server(&variables).findings.problems);
    }
    let servers = [
        ("KAFKA_PROCESS_ROLES", "broker"),
        ("KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS", "1@a:9093"),
        ("KAFKA_NODE_ID", "5"),
        CLUSTER_ID,
    ];
    assert!(refused(&server(&servers), &["KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS", "without ids"]));
}

#[test]
fn a_controller_of_another_container_is_not_at_localhost() {
    let variables = [
        ("KAFKA_PROCESS_ROLES", "broker"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093"),
        ("KAFKA_NODE_ID", "2"),
        CLUSTER_ID,
    ];
    assert!(warned(&server(&variables), &["KAFKA_CONTROLLER_QUORUM_VOTERS", "each container itself"]));
    let several = [
        ("KAFKA_PROCESS_ROLES", "controller"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@127.0.0.1:9093,2@b:9093"),
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_LISTENERS", "CONTROLLER://:9093"),
        CLUSTER_ID,
    ];
    assert!(warned(&server(&several), &["KAFKA_CONTROLLER_QUORUM_VOTERS", "each container itself"]));
    let alone = [("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093"), ("KAFKA_NODE_ID", "1")];
    for variables in [&[][..], &alone] {
        assert!(!warned(&server(variables), &["each container itself"]));
    }
}

#[test]
fn voters_are_written_and_read() {
    let mut state: u64 = 0x1234_5678_9ABC_DEF1;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for _ in 0..2000 {
        let voters: Vec<Voter> = (0..1 + next(5))
            .map(|index| {
                let host = match next(3) {
                    0 => format!("kafka-{}.hs.ns.svc.cluster.local", next(100)),
                    1 => format!("10.0.{}.{}", next(256), next(256)),
                    _ => format!("fd00::{:x}", next(65536)),
                };
                let port = u16::try_from(1 + next(65535)).unwrap();
                Voter { id: u32::try_from(index * 1000 + next(1000)).unwrap(), host, port }
            })
            .collect();
        let each = voters.iter().map(|voter| match voter.host.contains(':') {
            true => format!("{}@[{}]:{}", voter.id, voter.host, voter.port),
            false => format!("{}@{}:{}", voter.id, voter.host, voter.port),
        });
        let text = each.collect::<Vec<_>>().join(if next(2) == 0 { "," } else { " , " });
        assert_eq!(parse_voters(&text), Ok(voters), "{text}");
    }
    for text in ["1@a", "1@:9093", "@a:9093", "1@a:0", "1@a:65536", "-1@a:9093", "1@fd00::1:9093", "1@a:9093;2@b:9093"]
    {
        assert!(parse_voters(text).is_err(), "{text}");
    }
    assert!(Roles::parse("").is_ok_and(|roles| !roles.broker && !roles.controller));
}

#[test]
fn the_data_must_fit_the_mode() {
    let root = root("mode-data");
    support::formatted(&root, "/zk", 0, 1, support::CLUSTER);
    support::formatted(&root, "/kraft", 1, 1, support::CLUSTER);
    let of = |folder: &str, variables: &[(&str, &str)]| {
        let variables = [variables, &[("KAFKA_LOG_DIRS", folder)]].concat();
        configured(&container(&root, &variables, &[]))
    };
    let zookeeper = [("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")];
    let broker = [("KAFKA_PROCESS_ROLES", "broker"), ("KAFKA_CONTROLLER_QUORUM_VOTERS", "9@c:9093")];
    let combined = [
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@c:9093"),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
    ];
    assert_eq!(of("/zk", &zookeeper).findings.problems, []);
    assert_eq!(of("/kraft", &[]).findings.problems, []);
    // A broker that moved to KRaft keeps its old file.
    assert_eq!(of("/zk", &broker).findings.problems, []);
    assert!(refused(&of("/zk", &[]), &["/zk", "of a broker with ZooKeeper"]));
    assert!(refused(&of("/zk", &combined), &["/zk", "of a broker with ZooKeeper"]));
    assert!(refused(&of("/kraft", &zookeeper), &["/kraft", "of KRaft"]));
    let migrating = [zookeeper[0], ("KAFKA_ZOOKEEPER_METADATA_MIGRATION_ENABLE", "true")];
    assert_eq!(subjects(&of("/kraft", &migrating).findings.problems), [""; 0]);
}
