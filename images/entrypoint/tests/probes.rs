//! Probes of other images' health checks: how people write them, and what they find.

mod scripted;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kimg_entrypoint::kafka::protocol::Broker;
use kimg_entrypoint::probes::Probe;
use scripted::{ScriptedBroker, Tree, container, nobody, serve, zookeeper};

fn of(line: &str) -> Result<Probe, String> {
    let mut words = line.split_whitespace().map(str::to_owned);
    let program = words.next().unwrap();
    Probe::of(&program, &words.collect::<Vec<_>>()).unwrap()
}

fn ask(line: &str) -> Result<(), String> {
    of(line).unwrap().ask(&container(Path::new("/nonexistent"), &[]))
}

#[test]
fn lines_as_people_write_them() {
    let brokers = |expected: usize, bootstrap: &str, seconds: u64| Probe::Brokers {
        expected,
        bootstrap: bootstrap.to_owned(),
        patience: Duration::from_secs(seconds),
    };
    let port =
        |seconds: u64| Probe::Port { host: "localhost".to_owned(), port: 9092, patience: Duration::from_secs(seconds) };
    for (line, expected) in [
        ("cub kafka-ready -b kafka:9092 1 20", brokers(1, "kafka:9092", 20)),
        ("cub kafka-ready 3 60 -b PLAINTEXT://a:1,b:2", brokers(3, "a:1,b:2", 60)),
        ("cub kafka-ready -s PLAINTEXT -c /etc/kafka/client.properties -b a:1 1 5", brokers(1, "a:1", 5)),
        (
            "cub zk-ready zk:2181 40",
            Probe::ZooKeeper { connect: "zk:2181".to_owned(), patience: Duration::from_secs(40) },
        ),
        ("nc -z localhost 9092", port(3)),
        ("nc -vz localhost 9092", port(3)),
        ("nc -zv -w 5 localhost 9092", port(5)),
        ("nc -w1 -z localhost 9092", port(1)),
        ("nc -zw2 localhost 9092", port(2)),
    ] {
        assert_eq!(of(line), Ok(expected), "{line}");
    }
    for line in [
        "cub",
        "cub kafka-ready 1 20",
        "cub kafka-ready one 20 -b a:1",
        "cub kafka-ready -z zk:2181 1 20",
        "cub kafka-ready -s SASL_SSL -b a:1 1 20",
        "cub sr-ready host 8081 20",
        "nc localhost 9092",
        "nc -l 9092",
        "nc -z localhost",
        "nc -z localhost kafka",
    ] {
        assert!(of(line).is_err_and(|why| !why.is_empty()), "{line}");
    }
    assert_eq!(Probe::of("kafka-topics.sh", &[]), None);
}

#[test]
fn what_they_find() {
    let broker = ScriptedBroker::start(1);
    let (address, closed) = (broker.address, nobody());
    assert_eq!(ask(&format!("cub kafka-ready 1 5 -b {closed},{address}")), Ok(()));
    let why = ask(&format!("cub kafka-ready 2 1 -b {address}")).unwrap_err();
    assert!(why.ends_with("1 of 2 brokers serve clients"), "{why}");
    broker.set(|state| state.brokers.push(Broker { id: 2, host: "b".to_owned(), port: 1 }));
    assert_eq!(ask(&format!("cub kafka-ready 2 1 -b {address}")), Ok(()));
    let tree = Arc::new(Mutex::new(Tree { has_quorum: true, ..Tree::default() }));
    let server = zookeeper(0, Arc::clone(&tree));
    assert_eq!(ask(&format!("cub zk-ready {server}/kafka 5")), Ok(()));
    tree.lock().unwrap().has_quorum = false;
    assert!(ask(&format!("cub zk-ready {server} 0")).unwrap_err().contains("no quorum"));
    let open = serve(drop).port();
    assert_eq!(ask(&format!("nc -z 127.0.0.1 {open}")), Ok(()));
    assert!(ask(&format!("nc -z 127.0.0.1 {}", closed.port())).unwrap_err().contains("refused"));
}
