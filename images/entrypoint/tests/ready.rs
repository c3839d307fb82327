//! Readiness: what is asked of which listener, and what the answers come to.

mod scripted;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use kimg_entrypoint::deadline::Deadline;
use kimg_entrypoint::kafka::protocol::{Broker, Partition};
use kimg_entrypoint::kafka::ready::{Question, ask};
use kimg_entrypoint::kafka::running::Running;
use kimg_entrypoint::kafka::{Layout, own_listener::OwnListener};
use kimg_entrypoint::properties::Properties;
use kimg_entrypoint::resolver::Resolver;
use scripted::{ScriptedBroker, container, nobody, put, root, serve};

const PATIENCE: Duration = Duration::from_secs(3);

const FILE: &str = "tmp/kimg/server.properties";

/// A container in which a broker was started with these properties.
fn start(root: &Path, properties: &str) {
    put(root, FILE, properties);
    put(root, "proc/1/cmdline", "java\0-Xmx1G\0kafka.Kafka\0/tmp/kimg/server.properties\0");
    put(root, "proc/1/stat", stat(4711));
}

/// As proc_pid_stat(5) has it: the name may hold blanks and parentheses.
fn stat(start: u32) -> String {
    format!("1 (a (b) c) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 90 0 {start} 9999 1 2")
}

fn asked(root: &Path, question: Question) -> Result<String, String> {
    ask(&container(root, &[]), &Layout::of_image(""), question)
}

#[track_caller]
fn assert_no(answer: &Result<String, String>, part: &str) {
    assert!(answer.as_ref().is_err_and(|why| why.contains(part)), "{answer:?}");
}

#[track_caller]
fn assert_yes(answer: &Result<String, String>, part: &str) {
    assert!(answer.as_ref().is_ok_and(|found| found.contains(part)), "{answer:?}");
}

#[test]
fn a_broker_is_ready_when_clients_are_sent_to_it() {
    let (root, broker) = (root("ready"), ScriptedBroker::start(1));
    start(&root, &format!("node.id=1\nlisteners=PLAINTEXT://:{}\n", broker.address.port()));
    assert_yes(&asked(&root, Question::Ready), "broker 1 serves clients");
    broker.set(|state| state.brokers[0].id = 2);
    assert_no(&asked(&root, Question::Ready), "broker 1 is not among the brokers");
    broker.set(|state| state.brokers.clear());
    assert_no(&asked(&root, Question::Ready), "no broker of its cluster yet");
}

#[test]
fn a_made_up_id_is_that_of_the_data() {
    let (root, broker) = (root("ready-made-up"), ScriptedBroker::start(1001));
    let port = broker.address.port();
    start(&root, &format!("broker.id=-1\nlog.dirs=/none, /data\nlisteners=PLAINTEXT://:{port}\n"));
    put(&root, "data/meta.properties", "version=0\nbroker.id=1001\n");
    assert_yes(&asked(&root, Question::Ready), "broker 1001 serves");
    put(&root, "data/meta.properties", "version=0\nbroker.id=1002\n");
    assert_no(&asked(&root, Question::Ready), "broker 1002 is not among");
}

fn partition(topic: &str, leader: i32, in_sync: &[i32]) -> Partition {
    Partition { topic: topic.to_owned(), number: 0, leader, replicas: vec![1, 2], in_sync: in_sync.to_vec() }
}

#[test]
fn in_sync_once_a_start_then_for_good() {
    let (root, broker) = (root("ready-in-sync"), ScriptedBroker::start(1));
    start(&root, &format!("node.id=1\nlisteners=PLAINTEXT://:{}\n", broker.address.port()));
    broker.set(|state| state.partitions = ["a", "b", "c", "d"].map(|topic| partition(topic, 2, &[2])).to_vec());
    assert_no(&asked(&root, Question::InSync), "4 partitions are not in sync: a-0, b-0, c-0, …");
    assert_yes(&asked(&root, Question::Ready), "serves");
    // One without a leader waits for another broker, one of other brokers is none of its business.
    let of_others = Partition { replicas: vec![2, 3], ..partition("o", 2, &[2]) };
    broker.set(|state| state.partitions = vec![partition("a", -1, &[2]), partition("b", 2, &[2, 1]), of_others]);
    assert_yes(&asked(&root, Question::InSync), "in sync");
    broker.set(|state| state.partitions = vec![partition("a", 2, &[2])]);
    assert_yes(&asked(&root, Question::InSync), "serves");
    // It must still be ready.
    broker.set(|state| state.brokers[0].id = 2);
    assert_no(&asked(&root, Question::InSync), "not among");
    broker.set(|state| state.brokers[0].id = 1);
    // Another start of PID 1, and another of the program that writes the file, ask again.
    put(&root, "proc/1/stat", stat(4712));
    assert_no(&asked(&root, Question::InSync), "1 partitions are not in sync: a-0");
    put(&root, "proc/1/stat", stat(4711));
    assert_yes(&asked(&root, Question::InSync), "serves");
    let later = fs::metadata(root.join(FILE)).unwrap().modified().unwrap() + Duration::from_secs(1);
    fs::File::options().write(true).open(root.join(FILE)).unwrap().set_modified(later).unwrap();
    assert_no(&asked(&root, Question::InSync), "not in sync");
}

#[test]
fn alive_until_it_was_reached_and_is_not_any_more() {
    let root = root("ready-live");
    let closed = nobody().port();
    start(&root, &format!("node.id=1\nlisteners=PLAINTEXT://:{closed}\n"));
    assert_yes(&asked(&root, Question::Live), "not accept connections yet");
    assert_no(&asked(&root, Question::Ready), "PLAINTEXT://:");
    // A broker that accepts and answers nothing may be busy.
    let open = serve(drop).port();
    let overridden = format!("java\0kafka.Kafka\0/{FILE}\0--override\0listeners=PLAINTEXT://:{open}\0");
    put(&root, "proc/1/cmdline", overridden);
    assert_yes(&asked(&root, Question::Live), "accepts connections");
    put(&root, "proc/1/cmdline", format!("java\0kafka.Kafka\0/{FILE}\0"));
    assert_no(&asked(&root, Question::Live), "does not any more");
    put(&root, "proc/1/stat", stat(4712));
    assert_yes(&asked(&root, Question::Live), "yet");
}

#[test]
fn listeners_with_credentials_prove_less() {
    let (root, broker) = (root("ready-credentials"), ScriptedBroker::start(7));
    let port = broker.address.port();
    // The broker's id is another, which these listeners do not tell.
    start(&root, &format!("node.id=1\nlisteners=SASL_PLAINTEXT://:{port}\n"));
    assert_yes(&asked(&root, Question::InSync), "answers requests");
    assert_eq!(broker.state.lock().unwrap().requests, 1);
    let (tls, asked_for) = (serve(drop).port(), Question::Ready);
    start(&root, &format!("node.id=1\nlisteners=SSL://:{tls}\n"));
    assert_yes(&asked(&root, asked_for), "more cannot be asked without credentials");
    start(&root, &format!("node.id=1\nprocess.roles=controller\ncontroller.listener.names=C\nlisteners=C://:{port}\n"));
    assert_yes(&asked(&root, asked_for), "answers requests");
}

#[test]
fn answers_that_are_none() {
    let root = root("ready-strange");
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0, 0, 0, 4, 0, 0, 0, 9], &[0, 0, 0, 2, 0, 0], &[]] {
        let port = serve(move |mut stream| {
            stream.read_exact(&mut [0; 14]).unwrap();
            std::io::Write::write_all(&mut stream, bytes).unwrap();
        });
        start(&root, &format!("node.id=1\nlisteners=PLAINTEXT://:{}\n", port.port()));
        assert!(asked(&root, Question::Ready).is_err(), "{bytes:?}");
    }
}

/// Answers that are cut anywhere, or have a byte that is another, are an error or a yes or no, and nothing worse.
#[test]
fn any_answer_is_read_without_harm() {
    let mut whole = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, b'h', 0, 0, 0, 9, 255, 255, 255, 255];
    whole.extend([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, b't', 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    whole.extend([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
    let root = root("ready-any");
    let answers: Vec<Vec<u8>> = (0..whole.len())
        .flat_map(|at| {
            let mut other = whole.clone();
            other[at] ^= 0x81;
            [whole[..at].to_vec(), other]
        })
        .chain([whole.clone()])
        .collect();
    let count = answers.len();
    let mut each = answers.into_iter();
    let port = serve(move |mut stream| {
        if scripted::read_message(&mut stream).is_some() {
            scripted::write_message(&mut stream, &each.next().unwrap());
        }
    });
    start(&root, &format!("node.id=1\nlisteners=PLAINTEXT://:{}\n", port.port()));
    let ask_anew = |_| {
        let _ = fs::remove_file(root.join("tmp/kimg/kimg-in-sync"));
        asked(&root, Question::InSync)
    };
    let results: Vec<_> = (0..count).map(ask_anew).collect();
    assert_yes(results.last().unwrap(), "in sync");
    assert!(results.iter().filter(|result| result.is_err()).count() > whole.len());
}

#[test]
fn which_listener_is_asked() {
    let map = "listener.security.protocol.map=IN:SASL_PLAINTEXT,OUT:SSL,MINE:PLAINTEXT,C:PLAINTEXT";
    for (properties, expected) in [
        ("", "PLAINTEXT://:9092"),
        ("listeners=SSL://:1,PLAINTEXT://h:2,PLAINTEXT2://:3", "PLAINTEXT://h:2"),
        ("listeners=OUT://:1,IN://:2,MINE://[::1]:3\nMAP", "MINE://[::1]:3"),
        ("listeners=OUT://:1,IN://:2\nMAP", "IN://:2"),
        ("listeners=OUT://:1\nMAP", "OUT://:1"),
        ("process.roles=broker,controller\ncontroller.listener.names=C\nlisteners=C://:1,OUT://:2\nMAP", "OUT://:2"),
        ("process.roles=controller\ncontroller.listener.names=C\nlisteners=C://:1\nMAP", "C://:1"),
        ("process.roles=broker\ncontroller.listener.names=C\nlisteners=OUT://:2\nMAP", "OUT://:2"),
    ] {
        let properties = Properties::parse(&properties.replace("MAP", map), "test");
        assert_eq!(OwnListener::of(&properties).to_string(), expected);
    }
}

#[test]
fn a_listener_is_reached_where_it_is_bound() {
    let resolver = Resolver { hosts: "10.1.2.3 kafka-1\n".to_owned(), ..Resolver::default() };
    for (listener, expected) in [
        ("PLAINTEXT://:9", vec!["127.0.0.1:9", "[::1]:9"]),
        ("PLAINTEXT://0.0.0.0:9", vec!["127.0.0.1:9", "[::1]:9"]),
        ("PLAINTEXT://[::]:9", vec!["127.0.0.1:9", "[::1]:9"]),
        ("PLAINTEXT://10.1.2.3:9", vec!["10.1.2.3:9"]),
        ("PLAINTEXT://[fd00::1]:9", vec!["[fd00::1]:9"]),
        ("PLAINTEXT://kafka-1:9", vec!["10.1.2.3:9"]),
        ("PLAINTEXT://kafka-2:9", vec![]),
    ] {
        let properties = Properties::parse(&format!("listeners={listener}"), "test");
        let addresses = OwnListener::of(&properties).addresses(&resolver, Deadline::after(PATIENCE));
        assert_eq!(addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{listener}");
    }
}

#[test]
fn the_configuration_is_that_of_the_process() {
    let (root, layout) = (root("ready-process"), Layout::of_image(""));
    let find = || Running::find(&container(&root, &[]), &layout);
    assert_eq!((find().file, find().id(&container(&root, &[]))), (None, None));
    put(&root, FILE, "node.id=1\n");
    assert_eq!(find().file.unwrap(), Path::new("/tmp/kimg/server.properties"));
    // Java is a child where something was left to do after its start, or where Docker adds an init.
    put(&root, "mine.properties", "node.id=2\nlisteners=A://:1\n");
    put(&root, "proc/1/cmdline", "/usr/bin/kimg-entrypoint\0kafka\0");
    put(&root, "proc/1/task/1/children", "8 9 ");
    put(&root, "proc/8/cmdline", "sleep\x001\0");
    put(&root, "proc/9/cmdline", "java\0kafka.Kafka\0/mine.properties\0--override\0node.id=3\0--override=a=b=c\0");
    let (found, here) = (find(), container(&root, &[]));
    assert_eq!((found.properties.get("a"), found.id(&here)), (Some("b=c"), Some(3)));
    assert_eq!(found.properties.get("listeners"), Some("A://:1"));
}

#[test]
fn questions() {
    let of = |flags: &[&str]| Question::of(&flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>());
    assert_eq!(of(&[]), Ok(Question::Ready));
    assert_eq!(of(&["--live"]), Ok(Question::Live));
    assert_eq!(of(&["--in-sync"]), Ok(Question::InSync));
    assert_eq!(of(&["--live", "--in-sync"]), Err("--in-sync".to_owned()));
    assert_eq!(of(&["--alive"]), Err("--alive".to_owned()));
}

#[test]
fn brokers_are_told_with_their_addresses() {
    let broker = ScriptedBroker::start(3);
    let other = Broker { id: 4, host: "kafka-4".to_owned(), port: 9092 };
    broker.set(|state| state.brokers.push(other.clone()));
    let mut connection =
        kimg_entrypoint::kafka::protocol::Connection::open(&[nobody(), broker.address], PATIENCE).unwrap();
    let topics = kimg_entrypoint::kafka::protocol::Topics::None;
    let cluster = connection.metadata(topics, &mut |_| panic!("no topic was asked for")).unwrap();
    assert_eq!((cluster.controller, &cluster.brokers[1]), (3, &other));
    connection.api_versions().unwrap();
}

#[test]
fn it_is_called_by_its_name_or_as_a_word() {
    let folder = root("ready-name");
    let named = folder.join("kimg-ready");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kimg-entrypoint"), &named).unwrap();
    let by_word = Path::new(env!("CARGO_BIN_EXE_kimg-entrypoint"));
    for (program, arguments) in [
        (named.as_path(), &["kafka", "--alive"][..]),
        (&named, &["zookeeper"]),
        (&named, &[]),
        (by_word, &["ready", "kafka", "--alive"]),
    ] {
        let output = std::process::Command::new(program).args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout), (Some(2), Vec::new()), "{told}");
        assert!(told.contains("is no question\nhint: ask `kimg-ready kafka [--live | --in-sync]`"), "{told}");
    }
}
