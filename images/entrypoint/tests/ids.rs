//! Which id a broker gets: by variables, by the name of its pod, by its data.

#![allow(clippy::type_complexity, reason = "tables of what goes in and what comes out")]

use std::fs;
use std::path::{Path, PathBuf};

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::kafka::dialect::{AutomaticId, Dialect, Rules};
use kimg_entrypoint::kafka::{Data, Id, Mode, data::Found, identity};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;

/// A node, as far as its id depends on it.
#[derive(Default)]
struct Node<'a> {
    host: &'a str,
    variables: &'a [(&'a str, &'a str)],
    properties: &'a [(&'a str, &'a str)],
    stored: Option<&'a str>,
}

fn decide(node: &Node<'_>, mode: Mode, rules: &Rules) -> (Id, Findings) {
    let environment = Environment::of(node.variables.iter().copied());
    let container = Container {
        root: PathBuf::from("/nonexistent"),
        environment,
        host: node.host.to_owned(),
        ..Container::default()
    };
    let mut properties = Properties::default();
    for (name, value) in node.properties {
        properties.set(*name, *value, format!("KAFKA_{}", name.replace('.', "_").to_uppercase()));
    }
    let id = node.stored.map(str::to_owned);
    let found = id.map(|id| Found { folder: PathBuf::from("/data"), id: Some(id), ..Found::default() });
    let mut findings = Findings::default();
    let data = Data { found, ..Data::default() };
    let id = identity::decide(&container, &properties, mode, &data, rules, &mut findings);
    (id, findings)
}

/// The id, and the subjects of warnings and of problems.
fn outcome(node: &Node<'_>, mode: Mode) -> (String, Vec<String>, Vec<String>) {
    let (id, findings) = decide(node, mode, Dialect::Kimg.rules());
    let subjects = |list: &[kimg_entrypoint::problem::Problem]| list.iter().map(|one| one.subject.clone()).collect();
    (id.value, subjects(&findings.warnings), subjects(&findings.problems))
}

const ZOOKEEPER: Mode = Mode::ZooKeeper;
const KRAFT: Mode = Mode::Kraft;

type Pairs<'a> = &'a [(&'a str, &'a str)];

#[test]
fn the_first_source_that_tells_an_id_counts() {
    const BROKER: &str = "KAFKA_BROKER_ID";
    const NODE: &str = "KAFKA_NODE_ID";
    const OFFSET: &str = "KIMG_BROKER_ID_OFFSET";
    // Host, variables, properties, mode: id, warnings, problems.
    #[rustfmt::skip]
    let rows: &[(&str, Pairs, Pairs, Mode, &str, &[&str], &[&str])] = &[
        ("kafka-2", &[], &[("broker.id", "7")], ZOOKEEPER, "7", &[], &[]),
        ("kafka-2", &[], &[("broker.id", " 7 ")], ZOOKEEPER, "7", &[], &[]),
        ("kafka-2", &[], &[("node.id", "7")], KRAFT, "7", &[], &[]),
        ("kafka-2", &[], &[], ZOOKEEPER, "2", &[], &[]),
        ("kafka-2.kafka-hs.ns.svc.cluster.local", &[], &[], KRAFT, "2", &[], &[]),
        ("kafka-2", &[], &[("broker.id", "")], ZOOKEEPER, "2", &[], &[]),
        ("kafka-2", &[(OFFSET, "100")], &[], ZOOKEEPER, "102", &[], &[]),
        // The pod's name goes before the host's, which with `hostNetwork` is the node's.
        ("worker-3", &[("POD_NAME", "kafka-1")], &[], ZOOKEEPER, "1", &[], &[]),
        ("worker-3", &[("MY_POD_NAME", "kafka-7d9c5b6f48-24567")], &[], ZOOKEEPER, "-1", &[], &[]),
        // Nothing tells one: Kafka makes one up with ZooKeeper (33 compose files rely on it), and in KRaft it is 1.
        ("3f9a1b2c7712", &[], &[], ZOOKEEPER, "-1", &[], &[]),
        ("3f9a1b2c7712", &[], &[], KRAFT, "1", &[], &[]),
        ("kafka-7d9c5b6f48-24567", &[], &[], ZOOKEEPER, "-1", &[], &[]),
        ("ip-10-0-0-12", &[], &[], ZOOKEEPER, "-1", &[], &[]),
        // `-1` asks for that, and makes no sense in KRaft.
        ("kafka-2", &[], &[("broker.id", "-1")], ZOOKEEPER, "-1", &[], &[]),
        ("kafka-2", &[], &[("node.id", "-1")], KRAFT, "2", &[NODE], &[]),
        // Kubernetes: the pod's name as the id.
        ("x", &[], &[("broker.id", "kafka-0")], ZOOKEEPER, "0", &[BROKER], &[]),
        ("x", &[(OFFSET, "10")], &[("broker.id", "kafka-3")], ZOOKEEPER, "13", &[BROKER], &[]),
        // KRaft ids of one's own: both, or the other one.
        ("x", &[], &[("broker.id", "3"), ("node.id", "3")], KRAFT, "3", &[BROKER], &[]),
        ("x", &[], &[("broker.id", "3")], KRAFT, "3", &[BROKER], &[]),
        ("x", &[], &[("broker.id", "3"), ("node.id", "4")], KRAFT, "4", &[], &[BROKER]),
        ("x", &[], &[("broker.id", "-1"), ("node.id", "4")], KRAFT, "4", &[BROKER], &[]),
        ("x", &[], &[("broker.id", "3"), ("node.id", "-1")], KRAFT, "3", &[BROKER], &[]),
        ("x", &[], &[("node.id", "4")], ZOOKEEPER, "4", &[NODE], &[]),
        // No numbers.
        ("x", &[], &[("broker.id", "two")], ZOOKEEPER, "two", &[], &[BROKER]),
        ("x", &[], &[("broker.id", "-2")], ZOOKEEPER, "-2", &[], &[BROKER]),
        ("x", &[], &[("broker.id", "+2")], ZOOKEEPER, "+2", &[], &[BROKER]),
        ("x", &[], &[("broker.id", "${HOSTNAME##*-}")], ZOOKEEPER, "${HOSTNAME##*-}", &[], &[BROKER]),
        ("x", &[], &[("node.id", "$(POD_NAME)")], KRAFT, "$(POD_NAME)", &[], &[NODE]),
        ("x", &[], &[("broker.id", "2147483648")], KRAFT, "2147483648", &[BROKER], &[BROKER]),
        ("x", &[], &[("node.id", "2147483647")], KRAFT, "2147483647", &[], &[]),
        ("kafka-2", &[(OFFSET, "x")], &[], ZOOKEEPER, "2", &[], &[OFFSET]),
        ("kafka-2", &[(OFFSET, "4294967295")], &[], KRAFT, "2", &[], &[OFFSET]),
        // An ordinal that is needed and is not there.
        ("kafka", &[(OFFSET, "100")], &[], ZOOKEEPER, "-1", &[], &[OFFSET]),
        // Bounds: Kafka refuses what is above 1000 while ids may be made up.
        ("x", &[], &[("broker.id", "1000")], ZOOKEEPER, "1000", &[], &[]),
        ("x", &[], &[("broker.id", "1001")], ZOOKEEPER, "1001", &[], &[BROKER]),
        ("x", &[], &[("broker.id", "1001"), ("reserved.broker.max.id", "2000")], ZOOKEEPER, "1001", &[], &[]),
        ("x", &[], &[("broker.id", "1001"), ("broker.id.generation.enable", "False")], ZOOKEEPER, "1001", &[], &[]),
        ("x", &[], &[("node.id", "1001")], KRAFT, "1001", &[], &[]),
        ("kafka-5", &[(OFFSET, "1000")], &[], ZOOKEEPER, "1005", &[], &["host name kafka-5"]),
        ("kafka-2024", &[], &[], ZOOKEEPER, "-1", &["host name kafka-2024"], &[]),
        ("x", &[("POD_NAME", "kafka-2024")], &[], ZOOKEEPER, "2024", &[], &["POD_NAME kafka-2024"]),
        ("x", &[], &[("broker.id.generation.enable", "false")], ZOOKEEPER, "-1", &[], &[BROKER]),
    ];
    for (host, variables, properties, mode, id, warnings, problems) in rows {
        let node = Node { host, variables, properties, stored: None };
        let expected = (
            (*id).to_owned(),
            warnings.iter().map(|text| (*text).to_owned()).collect(),
            problems.iter().map(|text| (*text).to_owned()).collect(),
        );
        assert_eq!(outcome(&node, *mode), expected, "{host} {variables:?} {properties:?}");
    }
}

#[test]
fn data_wins_over_what_was_derived_and_not_over_what_was_asked() {
    // Host, properties, what the data has: id, explicit and another.
    let rows: &[(&str, Pairs, &str, &str, bool)] = &[
        ("kafka-2", &[], "2", "2", false),
        ("kafka-2", &[], "5", "5", false),
        ("3f9a1b2c7712", &[], "5", "5", false),
        ("x", &[("broker.id", "-1")], "5", "5", false),
        ("x", &[("broker.id", "kafka-0")], "5", "5", false),
        ("x", &[("broker.id", "5")], "5", "5", false),
        ("x", &[("broker.id", "4")], "5", "4", true),
        // Kafka made this one up, and refuses it as a setting.
        ("kafka-0", &[], "1001", "-1", false),
        ("3f9a1b2c7712", &[], "1001", "-1", false),
        ("3f9a1b2c7712", &[("reserved.broker.max.id", "2000")], "1001", "1001", false),
    ];
    for (host, properties, stored, id, is_refused) in rows {
        let node = Node { host, properties, stored: Some(stored), ..Node::default() };
        let (found, _, problems) = outcome(&node, ZOOKEEPER);
        assert_eq!((found.as_str(), !problems.is_empty()), (*id, *is_refused), "{host} {properties:?} {stored}");
    }
    let node = Node { host: "kafka-2", stored: Some("5"), ..Node::default() };
    let (id, findings) = decide(&node, KRAFT, Dialect::Kimg.rules());
    assert_eq!((id.value.as_str(), id.origin.as_str()), ("5", "data in /data"));
    assert!(findings.notes[0].contains("wins over host name kafka-2"), "{:?}", findings.notes);
}

#[test]
fn controllers_are_voters_and_brokers_are_not() {
    const VOTERS: (&str, &str) = ("controller.quorum.voters", "0@ctl-0:9093,1@ctl-1:9093,2@ctl-2:9093");
    const CONTROLLER: (&str, &str) = ("process.roles", "controller");
    const BOTH: (&str, &str) = ("process.roles", "broker, controller");
    const BROKER: (&str, &str) = ("process.roles", "broker");
    #[rustfmt::skip]
    let rows: &[(&str, Pairs, Pairs, &str, Option<&str>)] = &[
        ("ctl-1", &[], &[VOTERS, CONTROLLER], "1", None),
        ("kafka-1", &[("KIMG_BROKER_ID_OFFSET", "100")], &[VOTERS, BROKER], "101", None),
        ("kafka-1", &[], &[VOTERS, BROKER], "1", Some("KIMG_BROKER_ID_OFFSET")),
        ("x", &[], &[VOTERS, BROKER], "1", Some("KIMG_BROKER_ID_OFFSET")),
        ("ctl-3", &[], &[VOTERS, BOTH], "3", Some("a quorum does not grow by replicas")),
        ("ctl-0", &[], &[("controller.quorum.voters", "1@ctl-0:9093,2@ctl-1:9093"), BOTH], "0", Some("OFFSET to 1")),
        ("ctl-0", &[], &[("controller.quorum.voters", "1@ctl-0:9093,2@ctl-1:9093"), BOTH, ("node.id", "0")], "0", Some("this name is 1: set that")),
        ("x", &[], &[VOTERS, BOTH, ("node.id", "7")], "7", Some("a quorum does not grow by replicas")),
        ("ctl-2", &[], &[VOTERS, BOTH, ("node.id", "7")], "7", Some("with this name is 2")),
        // A compose file without an id, whose voter is this node.
        ("kafka", &[], &[("controller.quorum.voters", "4@kafka:9093"), BOTH], "4", None),
        ("3f9a1b2c77", &[], &[("controller.quorum.voters", "4@localhost:9093"), BOTH], "4", None),
        ("k2", &[], &[("controller.quorum.voters", "7@k1:9093,8@k2.net:9093"), CONTROLLER], "8", None),
        // A quorum that knows its voters from its own log.
        ("ctl-3", &[], &[CONTROLLER, ("controller.quorum.bootstrap.servers", "ctl-0:9093")], "3", None),
    ];
    for (host, variables, properties, id, hint) in rows {
        let node = Node { host, variables, properties, stored: None };
        let (found, findings) = decide(&node, KRAFT, Dialect::Kimg.rules());
        assert_eq!((found.value.as_str(), findings.problems.len()), (*id, usize::from(hint.is_some())), "{host}");
        let told = findings.problems.first().map_or("", |problem| &problem.hint);
        assert!(told.contains(hint.unwrap_or_default()), "{told}");
    }
}

#[test]
fn a_dialect_may_make_no_ids_up() {
    let rules = Rules { id: AutomaticId::Refused, ..Dialect::Kimg.rules().clone() };
    let refused = |host: &str| decide(&Node { host, ..Node::default() }, KRAFT, &rules).1.problems;
    assert_eq!(refused("kafka-0"), []);
    assert_eq!(refused("3f9a1b2c77").first().map(|problem| problem.subject.as_str()), Some("KAFKA_NODE_ID"));
}

#[test]
fn an_example_in_the_image_is_no_id_of_the_users() {
    let rules = Rules { base: Some("/opt/kafka/config/server.properties"), ..Dialect::Kimg.rules().clone() };
    let mut properties = Properties::default();
    properties.set("broker.id", "0", "/opt/kafka/config/server.properties");
    let container = Container { host: "kafka-2".to_owned(), ..Container::default() };
    let mut findings = Findings::default();
    let id = identity::decide(&container, &properties, ZOOKEEPER, &Data::default(), &rules, &mut findings);
    assert_eq!((id.value.as_str(), findings.warnings.len()), ("2", 0));
}

#[test]
fn data_wins_over_what_a_command_printed() {
    let mut properties = Properties::default();
    properties.set("broker.id", "7", "BROKER_ID_COMMAND");
    let found = Found { id: Some("5".to_owned()), ..Found::default() };
    let data = Data { found: Some(found), ..Data::default() };
    let mut findings = Findings::default();
    let rules = Dialect::Kimg.rules();
    let id = identity::decide(&Container::default(), &properties, ZOOKEEPER, &data, rules, &mut findings);
    assert_eq!((id.value.as_str(), findings.problems), ("5", vec![]));
}

#[test]
fn hints_use_the_words_of_the_user() {
    for (variable, hint) in
        [("KAFKA_CFG_BROKER_ID", "set KAFKA_CFG_NODE_ID instead"), ("/etc/x.properties", "set node.id instead")]
    {
        let mut properties = Properties::default();
        properties.set("broker.id", "3", variable);
        let mut findings = Findings::default();
        let rules = Dialect::Kimg.rules();
        identity::decide(&Container::default(), &properties, KRAFT, &Data::default(), rules, &mut findings);
        assert_eq!(findings.warnings[0].hint, hint);
    }
}

#[test]
fn one_property_holds_the_id() {
    let mut properties = Properties::default();
    properties.set("broker.id", "3", "KAFKA_BROKER_ID");
    let id = Id { value: "3".to_owned(), origin: "KAFKA_BROKER_ID".to_owned(), explicit: true };
    identity::write(&mut properties, KRAFT, &id);
    assert_eq!((properties.get("broker.id"), properties.get("node.id")), (None, Some("3")));
}

/// Whatever a value is, an id that comes out without a problem is one that Kafka takes.
#[test]
fn no_other_id_than_a_number_comes_out() {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(below).unwrap()).unwrap()
    };
    let parts = ["0", "1", "7", "-", "+", ".", "kafka", " ", "99999", "٣", "=", "\n", "$", "é"];
    for _ in 0..5000 {
        let value: String = (0..next(6)).map(|_| parts[next(parts.len())]).collect();
        let host: String = (0..next(5)).map(|_| parts[next(parts.len())]).collect();
        for mode in [ZOOKEEPER, KRAFT] {
            let node = Node { host: &host, properties: &[("broker.id", &value)], ..Node::default() };
            let (id, findings) = decide(&node, mode, Dialect::Kimg.rules());
            let is_good = id.value.parse::<i32>().is_ok_and(|id| id >= if mode == ZOOKEEPER { -1 } else { 0 });
            let is_plain = !id.value.contains('+');
            assert!(is_good && is_plain || !findings.problems.is_empty(), "{value:?} {host:?}: {id:?}");
        }
    }
}

/// With `hostNetwork` the host's full name is the node's, and says nothing about the pod.
#[test]
fn a_pod_on_the_network_of_its_node_is_not_called_like_it() {
    let full_name = Some("worker-3.region.example".to_owned());
    let named = |variables: Pairs<'_>| {
        let environment = Environment::of(variables.iter().copied());
        let root = PathBuf::from("/nonexistent");
        let host = "worker-3".to_owned();
        let container = Container { root, environment, host, full_name: full_name.clone(), ..Container::default() };
        kimg_entrypoint::pod::Pod::of(&container).headless_name()
    };
    assert_eq!(named(&[]).as_deref(), Some("worker-3.region.example"));
    assert_eq!(named(&[("POD_NAME", "kafka-1")]), None);
}

#[test]
fn the_namespace_of_a_pod_is_in_its_account() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("account");
    let folder = root.join("var/run/secrets/kubernetes.io/serviceaccount");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("namespace"), "prod\n").unwrap();
    let environment = Environment::of([("KIMG_SERVICE", "kafka-hs")]);
    let container = Container { root, environment, host: "kafka-0".to_owned(), ..Container::default() };
    let pod = kimg_entrypoint::pod::Pod::of(&container);
    assert_eq!(pod.headless_name().as_deref(), Some("kafka-0.kafka-hs.prod.svc.cluster.local"));
}
