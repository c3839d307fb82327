//! Waiting for ZooKeeper, and for the session of a broker that was killed.

mod scripted;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kimg_entrypoint::kafka::wait::{Waited, check, for_zookeeper};
use kimg_entrypoint::kafka::zookeeper_connect::{Ensemble, Server};
use kimg_entrypoint::kafka::zookeeper_protocol::{Node, Session};
use kimg_entrypoint::kafka::{Layout, configure};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;
use scripted::{Tree, container, nobody, zookeeper};

fn tree(node: Option<(&str, &str)>) -> Arc<Mutex<Tree>> {
    let nodes = node.iter().map(|(path, data)| ((*path).to_owned(), (*data).to_owned())).collect();
    Arc::new(Mutex::new(Tree { has_quorum: true, nodes, ..Tree::default() }))
}

/// Waits as broker 1; each line that is told is handed to `each`.
fn wait(variables: &[(&str, &str)], mut each: impl FnMut(&str)) -> (Waited, Vec<String>) {
    let defaults = [("KIMG_DIALECT", "kimg"), ("KAFKA_BROKER_ID", "1")];
    let container = container(Path::new("/nonexistent"), &[&defaults[..], variables].concat());
    let configuration = configure(&container, &Layout::of_image(""));
    let mut lines = Vec::new();
    let waited = for_zookeeper(&configuration, &container, &mut |line| {
        each(line);
        lines.push(line.to_owned());
    });
    (waited, lines)
}

fn connect(address: SocketAddr) -> String {
    format!("{address}/kafka")
}

const NODE: &str = r#"{"features":{},"listener_security_protocol_map":{"IN":"PLAINTEXT"},"endpoints":["IN://kafka-1:9092","OUT://[fd00::1]:31091"],"jmx_port":-1,"port":-1,"host":null,"version":5,"timestamp":"1"}"#;

#[test]
fn a_server_that_answers_is_not_waited_for() {
    let tree = tree(None);
    let address = zookeeper(0, Arc::clone(&tree));
    assert_eq!(wait(&[("KAFKA_ZOOKEEPER_CONNECT", &connect(address))], |_| ()), (Waited::GoOn, vec![]));
    let tree = tree.lock().unwrap();
    assert_eq!((tree.asked.as_slice(), tree.closed), (&["/kafka/brokers/ids/1".to_owned()][..], 1));
}

#[test]
fn one_line_when_it_begins_and_one_when_it_ends() {
    let address = nobody();
    // A name that does not resolve is no reason to give up either.
    let servers = format!("no.such.host.invalid:2181, {address}");
    let mut is_there = false;
    let (waited, lines) = wait(&[("KAFKA_ZOOKEEPER_CONNECT", &servers)], |_| {
        if !std::mem::replace(&mut is_there, true) {
            zookeeper(address.port(), tree(None));
        }
    });
    assert_eq!((waited, lines.len()), (Waited::GoOn, 2), "{lines:?}");
    let begin = "waiting for ZooKeeper, 60 s at most (no.such.host.invalid:2181: its name does not resolve; ";
    assert!(lines[0].starts_with(begin) && lines[0].contains("refused"), "{lines:?}");
    assert!(lines[1].starts_with(&format!("ZooKeeper answers at {address} after ")), "{lines:?}");
}

#[test]
fn without_a_quorum_it_does_not_answer() {
    let tree = tree(None);
    tree.lock().unwrap().has_quorum = false;
    let address = zookeeper(0, Arc::clone(&tree));
    let (waited, lines) = wait(&[("KAFKA_ZOOKEEPER_CONNECT", &address.to_string())], |line| {
        assert!(line.contains("no quorum") || line.contains("answers"), "{line}");
        tree.lock().unwrap().has_quorum = true;
    });
    assert_eq!((waited, lines.len()), (Waited::GoOn, 2), "{lines:?}");
}

#[test]
fn the_wait_is_bounded_and_kafka_starts_all_the_same() {
    let address = nobody().to_string();
    let variables = [("KAFKA_ZOOKEEPER_CONNECT", address.as_str()), ("KIMG_WAIT_SECONDS", "1")];
    let (waited, lines) = wait(&variables, |_| ());
    assert_eq!((waited, lines.len()), (Waited::GoOn, 2), "{lines:?}");
    assert!(lines[1].starts_with("ZooKeeper did not answer in 1 s") && lines[1].ends_with("Kafka starts all the same"));
    assert_eq!(wait(&[variables[0], ("KIMG_WAIT_SECONDS", "0")], |_| ()), (Waited::GoOn, vec![]));
    assert_eq!(wait(&[("KAFKA_PROCESS_ROLES", "broker")], |_| ()), (Waited::GoOn, vec![]));
    assert_eq!(wait(&[("KAFKA_ZOOKEEPER_CONNECT", "")], |_| ()), (Waited::GoOn, vec![]));
}

#[test]
fn with_tls_a_connection_is_enough() {
    let tree = tree(None);
    let address = zookeeper(0, Arc::clone(&tree)).to_string();
    for tls in [("KAFKA_ZOOKEEPER_SSL_CLIENT_ENABLE", "true"), ("KAFKA_OPTS", "-Da=b -Dzookeeper.client.secure=true")] {
        assert_eq!(wait(&[("KAFKA_ZOOKEEPER_CONNECT", &address), tls], |_| ()), (Waited::GoOn, vec![]));
    }
    assert!(tree.lock().unwrap().asked.is_empty());
}

#[test]
fn a_killed_predecessor_is_waited_for() {
    for (advertised, whose) in [("IN://kafka-1:9092", "of the one before this"), ("IN://other:9092", "perhaps of")] {
        let tree = tree(Some(("/kafka/brokers/ids/1", NODE)));
        let address = zookeeper(0, Arc::clone(&tree));
        let variables = [("KAFKA_ZOOKEEPER_CONNECT", &*connect(address)), ("KAFKA_ADVERTISED_LISTENERS", advertised)];
        let (waited, lines) = wait(&variables, |_| tree.lock().unwrap().nodes.clear());
        assert_eq!((waited, lines.len()), (Waited::GoOn, 2), "{lines:?}");
        let begin = "waiting for a session of broker 1 at IN://kafka-1:9092,OUT://[fd00::1]:31091 to end (";
        assert!(lines[0].starts_with(&format!("{begin}{whose}")) && lines[0].ends_with(" 36 s at most"), "{lines:?}");
        assert!(lines[1].starts_with("the session of broker 1 ended after "), "{lines:?}");
    }
}

#[test]
fn a_broker_that_lives_has_the_same_id() {
    let tree = tree(Some(("/kafka/brokers/ids/1", NODE)));
    let address = zookeeper(0, Arc::clone(&tree));
    let variables = [("KAFKA_ZOOKEEPER_CONNECT", &*connect(address)), ("KAFKA_ZOOKEEPER_SESSION_TIMEOUT_MS", "300")];
    let (waited, lines) = wait(&variables, |_| ());
    let Waited::Refused(problem) = waited else { panic!("{waited:?}") };
    assert_eq!((problem.subject.as_str(), lines.len()), ("KAFKA_BROKER_ID", 1));
    assert!(problem.why.starts_with("another broker has the id 1 at IN://kafka-1:9092"), "{problem}");
    assert_eq!(tree.lock().unwrap().closed, 1);
}

#[test]
fn what_may_not_be_read_is_not_waited_for() {
    for error in [-102, -115, -124] {
        let tree = tree(Some(("/kafka/brokers/ids/1", NODE)));
        tree.lock().unwrap().error = error;
        let address = zookeeper(0, Arc::clone(&tree));
        assert_eq!(wait(&[("KAFKA_ZOOKEEPER_CONNECT", &connect(address))], |_| ()), (Waited::GoOn, vec![]));
    }
    // An id that Kafka makes up is nobody's yet.
    let tree = tree(None);
    let address = zookeeper(0, Arc::clone(&tree)).to_string();
    let variables = [("KAFKA_BROKER_ID", "-1"), ("KAFKA_ZOOKEEPER_CONNECT", &*address)];
    assert_eq!(wait(&variables, |_| ()), (Waited::GoOn, vec![]));
    assert!(tree.lock().unwrap().asked.is_empty());
}

#[test]
fn connect_strings_are_read_as_zookeeper_reads_them() {
    let server = |host: &str, port: u16| Server { host: host.to_owned(), port };
    for (text, servers, chroot) in [
        ("zk", vec![server("zk", 2181)], ""),
        ("zk:", vec![server("zk", 2181)], ""),
        ("a:1, b:2 ,,c:3/x/y/", vec![server("a", 1), server("b", 2), server("c", 3)], "/x/y"),
        ("[fd00::1]:2182/", vec![server("fd00::1", 2182)], ""),
        ("[fd00::1]", vec![server("fd00::1", 2181)], ""),
        ("", vec![], ""),
        ("/only", vec![], "/only"),
    ] {
        let expected = Ensemble { servers, chroot: chroot.to_owned() };
        assert_eq!(Ensemble::parse(text), Ok(expected), "{text}");
    }
    for text in ["a:port", "a:1,b:70000", ":2181", "[fd00::1]x", "a b:1", "user@zk:1"] {
        assert!(Ensemble::parse(text).is_err(), "{text}");
    }
}

/// What is written is read back, whatever it is made of; any other text is read without harm.
#[test]
fn connect_strings_of_any_kind() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..2000 {
        let hosts = ["zoo1", "zk-0.zk-hs.ns.svc", "10.0.0.1", "fd00::1", "::1"];
        let pick = |random: &mut Random| hosts[random.below(hosts.len())].to_owned();
        let servers: Vec<Server> = (0..1 + random.below(4))
            .map(|_| Server { host: pick(&mut random), port: u16::try_from(1 + random.below(65535)).unwrap() })
            .collect();
        let chroot = ["", "/kafka", "/a/b"][random.below(3)].to_owned();
        let text = servers.iter().map(ToString::to_string).collect::<Vec<_>>().join([",", ", ", ",,"][random.below(3)]);
        let ensemble = Ensemble { servers, chroot };
        assert_eq!(Ensemble::parse(&(text + &ensemble.chroot)), Ok(ensemble));
        let noise: String = (0..random.below(12)).map(|_| char::from(b" ,:/[]@=a1.-"[random.below(12)])).collect();
        if let Ok(parsed) = Ensemble::parse(&noise) {
            assert!(parsed.servers.iter().all(|server| !server.host.is_empty()), "{noise}");
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// The table of what is told of `zookeeper.connect` and of the time: (warnings, problems), and a part of the text.
#[test]
fn what_is_wrong_is_told_before_the_wait() {
    for (text, seconds, counts, part) in [
        ("zk:2181", "60", (0, 0), ""),
        ("zk-0:2181,zk-1:2181,zk-2:2181/kafka", "0", (0, 0), ""),
        // Nine of the repositories looked at.
        ("zoo1:2181,zoo2:2182,zoo3:2183", "", (1, 0), "only one of these answers"),
        ("localhost:2181,localhost:2182", "", (0, 0), ""),
        ("zoo1:2181,zoo2:2181,zoo3:2182", "", (0, 0), ""),
        ("a:2181/kafka,b:2181/kafka", "", (1, 0), "one path, `/kafka,b:2181/kafka`"),
        ("tcp://zk:2181", "", (0, 1), "no scheme"),
        ("zk:port", "", (0, 1), "`zk:port` is no server"),
        (",", "", (0, 1), "names no server"),
        (" ", "", (0, 0), ""),
        ("zk", "soon", (0, 1), "no number"),
        ("zk", "-1", (0, 1), "no number"),
    ] {
        let (mut properties, mut findings) = (Properties::default(), Findings::default());
        properties.set("zookeeper.connect", text, "KAFKA_ZOOKEEPER_CONNECT");
        check(&container(Path::new("/nonexistent"), &[("KIMG_WAIT_SECONDS", seconds)]), &properties, &mut findings);
        assert_eq!((findings.warnings.len(), findings.problems.len()), counts, "{text}");
        let mut all = findings.warnings.iter().chain(&findings.problems);
        assert!(all.all(|finding| finding.why.contains(part) && finding.subject.starts_with('K')), "{findings:?}");
    }
}

/// Answers that are cut anywhere, or have a byte that is another, are an error or data, and nothing worse.
#[test]
fn any_answer_of_a_server_is_read_without_harm() {
    let connected = [&[0, 0, 0, 0, 0, 0, 0x17, 0x70][..], &[1; 8], &[0, 0, 0, 16], &[2; 16], &[0]].concat();
    let data = [&[0, 0, 0, 1][..], &[0; 8], &[0; 4], &[0, 0, 0, 4], b"data", &[0; 68]].concat();
    let damaged = |whole: &[u8]| -> Vec<Vec<u8>> {
        let cuts = (0..whole.len()).map(|at| whole[..at].to_vec());
        let others = (0..whole.len()).map(|at| {
            let mut other = whole.to_vec();
            other[at] ^= 0x81;
            other
        });
        cuts.chain(others).collect()
    };
    let first = damaged(&connected).into_iter().map(|answer| (answer, data.clone()));
    let second = damaged(&data).into_iter().map(|answer| (connected.clone(), answer));
    let answers: Vec<_> = first.chain(second).chain([(connected.clone(), data.clone())]).collect();
    let (count, mut each) = (answers.len(), answers.into_iter());
    let address = scripted::serve(move |mut stream| {
        let (connected, data) = each.next().unwrap();
        for answer in [connected, data] {
            if scripted::read_message(&mut stream).is_some() {
                scripted::write_message(&mut stream, &answer);
            }
        }
    });
    let ask = |_| Session::open(&[address], Duration::from_secs(3)).and_then(|mut session| session.data("/node"));
    let results: Vec<_> = (0..count).map(ask).collect();
    assert_eq!(results.last().unwrap().as_ref().unwrap(), &Node::Present(b"data".to_vec()));
    assert!(results.iter().filter(|result| result.is_err()).count() > 30);
}
