//! The port of metrics: which brokers have one, and what kimg-ready makes of what it tells.

mod scripted;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kimg_entrypoint::kafka::jvm::{self, Jvm};
use kimg_entrypoint::kafka::ready::{Question, ask};
use kimg_entrypoint::kafka::running::Running;
use kimg_entrypoint::kafka::{Dialect, Layout, metrics};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;
use scripted::{ScriptedBroker, container, nobody, put, root, serve};

const AGENT: &str = "-javaagent:/opt/kafka/metrics/agent.jar=127.0.0.1:";

fn decide(root: &Path, properties: &str, variables: &[(&str, &str)]) -> (Jvm, Findings) {
    let mut findings = Findings::default();
    let properties = Properties::parse(properties, "test");
    let layout = Layout::of_image("");
    let jvm = jvm::decide(&container(root, variables), &layout, Dialect::Kimg, &properties, &mut findings);
    (jvm, findings)
}

/// The ports of the agents among the options.
fn ports(jvm: &Jvm) -> Vec<u16> {
    let options = jvm.options(Path::new("/c"));
    options.iter().filter_map(|option| metrics::port_of(Path::new("/opt/kafka"), &option.text)).collect()
}

#[test]
fn a_broker_without_a_listener_that_anyone_may_ask_has_one() {
    let root = root("metrics-who");
    let map = "listener.security.protocol.map=IN:SASL_SSL,OUT:SSL,C:PLAINTEXT,OPEN:PLAINTEXT\n";
    for (properties, variables, expected) in [
        ("listeners=PLAINTEXT://:9092", &[][..], None),
        ("", &[], None),
        ("listeners=SASL_SSL://:9092", &[], Some(9405)),
        ("listeners=SASL_PLAINTEXT://:9092", &[], Some(9405)),
        ("listeners=SSL://:9092", &[], Some(9405)),
        ("listeners=IN://:9092,OUT://:9093\nMAP", &[], Some(9405)),
        ("listeners=IN://:9092,OPEN://127.0.0.1:9099\nMAP", &[], None),
        // A controller's listener knows nothing of the broker.
        (
            "process.roles=broker,controller\ncontroller.listener.names=C\nlisteners=IN://:1,C://:2\nMAP",
            &[],
            Some(9405),
        ),
        ("process.roles=controller\ncontroller.listener.names=C\nlisteners=C://:2\nMAP", &[], None),
        ("process.roles=controller\ncontroller.listener.names=SSL\nlisteners=SSL://:2", &[], None),
        // Ports of the broker's own.
        ("listeners=SSL://:9405,SASL_SSL://:9406", &[], Some(9407)),
        ("listeners=SSL://:9092", &[("JMX_PORT", "9405")], Some(9406)),
        ("listeners=SSL://:9092", &[("KAFKA_JMX_OPTS", "-Dcom.sun.management.jmxremote.rmi.port=9405")], Some(9406)),
        ("listeners=SSL://:9092", &[("KIMG_METRICS_PORT", "off")], None),
        ("listeners=SSL://:9092", &[("KIMG_METRICS_PORT", "7777")], Some(7777)),
        ("listeners=PLAINTEXT://:9092", &[("KIMG_METRICS_PORT", " 7777\n")], Some(7777)),
        ("listeners=SSL://:9092", &[("KIMG_METRICS_PORT", "")], Some(9405)),
        ("listeners=SSL://:9092", &[("KIMG_METRICS_PORT", "tcp://10.0.0.1:80")], Some(9405)),
        // Other agents stay, and theirs is no reason.
        ("listeners=SSL://:9092", &[("KAFKA_OPTS", "-javaagent:/otel.jar")], Some(9405)),
    ] {
        put(&root, "otel.jar", "io/opentelemetry/Agent.class");
        let (jvm, findings) = decide(&root, &properties.replace("MAP", map), variables);
        assert_eq!(ports(&jvm), expected.into_iter().collect::<Vec<_>>(), "{properties} {variables:?}");
        assert!(
            findings.problems.is_empty() && findings.warnings.is_empty(),
            "{properties} {variables:?} {findings:?}"
        );
    }
}

#[test]
fn ports_that_are_none() {
    let root = root("metrics-ports");
    for (value, says) in [
        ("0", "it is no port"),
        ("65536", "it is no port"),
        ("on", "it is no port"),
        ("9092", "a listener or JMX has this port too"),
        ("9999", "a listener or JMX has this port too"),
    ] {
        let variables = [("KIMG_METRICS_PORT", value), ("JMX_PORT", "9999")];
        let problems = decide(&root, "listeners=SSL://:9092", &variables).1.problems;
        let told: Vec<_> = problems.iter().map(|problem| (problem.subject.as_str(), problem.why.as_str())).collect();
        assert_eq!(told, [("KIMG_METRICS_PORT", says)], "{value}");
        assert_eq!(problems[0].value.as_deref(), Some(value));
    }
    let variables = [("KIMG_METRICS_PORT", "7777")];
    let properties = "process.roles=controller\ncontroller.listener.names=C\nlisteners=C://:2";
    let (jvm, findings) = decide(&root, properties, &variables);
    assert!(ports(&jvm).is_empty() && findings.warnings[0].why.contains("a controller only"), "{findings:?}");
}

/// Two exporters in one Java end it: that of the user's stays.
#[test]
fn an_exporter_of_the_users_own() {
    let root = root("metrics-two");
    put(&root, "jmx.jar", [&b"PK"[..], &[0; 2 << 20], b"\0\0io/prometheus/jmx/JavaAgent.class"].concat());
    for (name, option) in [
        ("KAFKA_OPTS", "-javaagent:/jmx.jar=7071:/jmx.yaml"),
        ("KAFKA_JMX_OPTS", "-Da=b -javaagent:/jmx.jar=7071:/jmx.yaml"),
        ("JAVA_TOOL_OPTIONS", "-javaagent:/jmx.jar=7071:/jmx.yaml"),
        // One that a mount may bring.
        ("EXTRA_ARGS", "-javaagent:/mnt/jmx_prometheus_javaagent-1.0.1.jar=7071:/jmx.yaml"),
    ] {
        put(&root, "jmx.yaml", "rules: []\n");
        let (jvm, findings) = decide(&root, "listeners=SSL://:9092", &[(name, option)]);
        assert!(ports(&jvm).is_empty(), "{name}");
        let note =
            format!("no port of metrics: {name}: it has an exporter of its own, and a second one would end Java");
        assert!(findings.notes.contains(&note), "{findings:?}");
        let asked = [(name, option), ("KIMG_METRICS_PORT", "7777")];
        let (jvm, findings) = decide(&root, "listeners=SSL://:9092", &asked);
        assert!(ports(&jvm).is_empty(), "{name}");
        let warned = findings.warnings.iter().any(|warning| warning.subject == "KIMG_METRICS_PORT");
        assert!(warned, "{findings:?}");
    }
}

#[test]
fn a_port_that_another_has_is_left_to_it() {
    let root = root("metrics-free");
    put(&root, "opt/kafka/libs/kafka.jar", "");
    let layout = Layout::of_image("");
    let start = |variables: &[(&str, &str)]| {
        let jvm = decide(&root, "listeners=SSL://:9092", variables).0;
        jvm.broker(&layout, &[root.join("tmp")], Path::new("/f"), &[])
    };
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = other.local_addr().unwrap().port().to_string();
    let problem = start(&[("KIMG_METRICS_PORT", &taken)]).unwrap_err();
    assert_eq!((problem.subject.as_str(), problem.value), ("KIMG_METRICS_PORT", Some(taken)));
    assert!(problem.why.contains("something else has this port"), "{}", problem.why);
    let of_options = |variables: &[(&str, &str)]| {
        let java = start(variables).unwrap();
        java.options.iter().find_map(|option| metrics::port_of(&layout.home, option)).unwrap()
    };
    let first = of_options(&[]);
    let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
    assert!(of_options(&[]) > first, "the next that is free");
}

/// An exporter that tells these figures, and what it was asked.
struct Exporter {
    port: u16,
    answer: Arc<Mutex<String>>,
    asked: Arc<Mutex<String>>,
}

impl Exporter {
    fn start() -> Exporter {
        let (answer, asked) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(String::new())));
        let (own, seen) = (answer.clone(), asked.clone());
        let address = serve(move |mut stream| {
            let mut bytes = [0; 1024];
            let count = stream.read(&mut bytes).unwrap();
            *seen.lock().unwrap() = String::from_utf8_lossy(&bytes[..count]).into_owned();
            let _ = stream.write_all(own.lock().unwrap().as_bytes());
        });
        Exporter { port: address.port(), answer, asked }
    }

    /// State, lag, failed partitions, dead threads, replicas offline; as the exporter writes them.
    fn tell(&self, [state, lag, failed, dead, offline]: [&str; 5]) {
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 200 OK\r\nContent-type: text/plain\r\n\r\n# HELP kimg_broker_state Attribute exposed\n\
             # TYPE kimg_broker_state untyped\nkimg_broker_state {state}\nkimg_lag {lag}\n\
             kimg_failed_partitions {failed}\nkimg_dead_fetchers {dead}\nkimg_offline_replicas {offline}\n\
             jmx_scrape_error 0.0\n"
        );
    }
}

/// A broker that was started with an agent at a port.
fn start(root: &Path, listeners: &str, port: u16) {
    put(root, "tmp/kimg/server.properties", format!("node.id=1\nlisteners={listeners}\n"));
    let line =
        format!("java\0{AGENT}{port}:/opt/kafka/metrics/metrics.yaml\0kafka.Kafka\0/tmp/kimg/server.properties\0");
    put(root, "proc/1/cmdline", line);
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

const GOOD: [&str; 5] = ["3.0", "0.0", "0.0", "0.0", "0.0"];

#[test]
fn ready_when_the_broker_runs_and_its_listener_accepts() {
    let (root, exporter, tls) = (root("metrics-ready"), Exporter::start(), serve(drop).port());
    start(&root, &format!("SSL://:{tls}"), exporter.port);
    for (state, expected) in [
        ("3.0", Ok("accepts connections; the broker runs")),
        ("0.0", Err("it has not begun to start")),
        ("", Err("it has not begun to start")),
        ("NaN", Err("it has not begun to start")),
        ("1.0", Err("it starts")),
        ("2.0", Err("it recovers its logs")),
        ("6.0", Err("it ends")),
        ("7.0", Err("it ends")),
        ("127.0", Err("its state is unknown")),
    ] {
        exporter.tell([state, "0.0", "0.0", "0.0", "0.0"]);
        match (asked(&root, Question::Ready), expected) {
            (Ok(found), Ok(part)) | (Err(found), Err(part)) => assert!(found.contains(part), "{state}: {found}"),
            (found, _) => panic!("{state}: {found:?}"),
        }
        assert_yes(&asked(&root, Question::Live), "accepts connections");
    }
    let request = exporter.asked.lock().unwrap().clone();
    assert!(request.starts_with("GET /metrics?name[]=jmx_scrape_error&name[]=kimg_broker_state&"), "{request}");
    // The listener counts too.
    exporter.tell(GOOD);
    start(&root, &format!("SSL://:{}", nobody().port()), exporter.port);
    assert_no(&asked(&root, Question::Ready), "connection refused");
    // With SASL, versions of the protocol are answered before anyone authenticates.
    let broker = ScriptedBroker::start(1);
    start(&root, &format!("SASL_PLAINTEXT://:{}", broker.address.port()), exporter.port);
    assert_yes(&asked(&root, Question::Ready), "answers requests; the broker runs");
    // A plaintext listener tells more.
    start(&root, &format!("PLAINTEXT://:{},SSL://:{tls}", broker.address.port()), exporter.port);
    assert_yes(&asked(&root, Question::Ready), "broker 1 serves clients");
}

#[test]
fn answers_that_are_none() {
    let (root, exporter, tls) = (root("metrics-strange"), Exporter::start(), serve(drop).port());
    start(&root, &format!("SSL://:{tls}"), exporter.port);
    for (answer, says) in [
        ("", "it answered ``"),
        ("HTTP/1.1 403 Forbidden\r\n\r\nkimg_broker_state 3.0\n", "it answered `HTTP/1.1 403 Forbidden`"),
        ("SSH-2.0-x\r\n", "it answered `SSH-2.0-x`"),
        ("HTTP/1.1 200 OK\r\n\r\nkimg_broker_state 3.0\njmx_scrape_error 1.0\n", "it could not ask Java for them"),
        ("HTTP/1.1 200 OK\r\n\r\nkimg_broker_state{a=\"b\",} 3.0\n", "it has not begun to start"),
        ("HTTP/1.1 200 OK\r\n\r\nkimg_broker_state 3.0", ""),
    ] {
        *exporter.answer.lock().unwrap() = answer.to_owned();
        let found = asked(&root, Question::Ready);
        match says {
            "" => assert_yes(&found, "the broker runs"),
            says => assert_no(&found, says),
        }
    }
    start(&root, &format!("SSL://:{tls}"), nobody().port());
    assert_no(&asked(&root, Question::Ready), "connection refused");
}

#[test]
fn in_sync_when_nothing_is_behind_then_for_good() {
    let (root, exporter, tls) = (root("metrics-in-sync"), Exporter::start(), serve(drop).port());
    start(&root, &format!("SSL://:{tls}"), exporter.port);
    let pass = |seconds: u64| {
        let file = fs::File::options().write(true).open(root.join("tmp/kimg/kimg-running")).unwrap();
        let written = file.metadata().unwrap().modified().unwrap();
        file.set_modified(written - Duration::from_secs(seconds)).unwrap();
    };
    exporter.tell(["2.0", "0.0", "0.0", "0.0", "0.0"]);
    assert_no(&asked(&root, Question::InSync), "it recovers");
    assert!(!root.join("tmp/kimg/kimg-running").exists());
    exporter.tell(GOOD);
    assert_no(&asked(&root, Question::InSync), " s; what its replicas lack is known after 10");
    pass(4);
    assert_no(&asked(&root, Question::InSync), "what its replicas lack is known after 10");
    pass(6);
    for (figures, says) in [
        (["3.0", "12.0", "0.0", "0.0", "0.0"], "it is 12 messages behind a leader"),
        (["3.0", "1.2345678E7", "0.0", "0.0", "0.0"], "it is 12345678 messages behind a leader"),
        (["3.0", "0.0", "1.0", "0.0", "0.0"], "1 partitions are not fetched any more"),
        (["3.0", "0.0", "0.0", "1.0", "0.0"], "1 of the threads that fetch have ended"),
        (["3.0", "0.0", "0.0", "0.0", "2.0"], "2 replicas are in log folders that failed"),
        (["7.0", "0.0", "0.0", "0.0", "0.0"], "it ends"),
    ] {
        exporter.tell(figures);
        assert_no(&asked(&root, Question::InSync), says);
        assert_eq!(asked(&root, Question::Ready).is_ok(), figures[0] == "3.0");
    }
    exporter.tell(GOOD);
    assert_yes(&asked(&root, Question::InSync), "in sync");
    exporter.tell(["3.0", "12.0", "0.0", "0.0", "0.0"]);
    assert_yes(&asked(&root, Question::InSync), "in sync");
    exporter.tell(["1.0", "0.0", "0.0", "0.0", "0.0"]);
    assert_no(&asked(&root, Question::InSync), "it starts");
    // Another start asks anew.
    put(&root, "proc/1/stat", format!("1 (java) S {} 4712 9999 1 2", ["0"; 18].join(" ")));
    exporter.tell(GOOD);
    assert_no(&asked(&root, Question::InSync), "known after 10");
}

#[test]
fn the_port_is_that_of_the_process() {
    let (root, layout) = (root("metrics-process"), Layout::of_image(""));
    let port = |line: &str| {
        put(&root, "proc/1/cmdline", line);
        Running::find(&container(&root, &[]), &layout).metrics
    };
    for (line, expected) in [
        ("java\0AGENT9405:/x.yaml\0kafka.Kafka\0/f", Some(9405)),
        ("java\0-Xmx1g\0AGENT1:/x.yaml\0-Da=b\0kafka.Kafka\0/f", Some(1)),
        ("java\0kafka.Kafka\0/f\0AGENT9405:/x.yaml", None),
        ("java\0-javaagent:/jmx.jar=127.0.0.1:7071:/x.yaml\0kafka.Kafka\0/f", None),
        ("java\0-javaagent:/opt/kafka/metrics/agent.jar=9405:/x.yaml\0kafka.Kafka\0/f", None),
        ("java\0AGENT65536:/x.yaml\0kafka.Kafka\0/f", None),
        ("java\0AGENT\0kafka.Kafka\0/f", None),
    ] {
        assert_eq!(port(&line.replace("AGENT", AGENT)), expected, "{line}");
    }
}

/// The image's configuration tells what is asked for, each by its own name.
#[test]
fn what_is_asked_for_is_told() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kafka/config/metrics.yaml");
    let text = fs::read_to_string(file).unwrap();
    let names: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("name: ")).collect();
    let beans = text.lines().filter(|line| line.starts_with("  - kafka.server:")).count();
    assert_eq!((names.len(), beans), (5, 5));
    let exporter = Exporter::start();
    exporter.tell(GOOD);
    metrics::Metrics::ask(exporter.port, Duration::from_secs(3)).unwrap();
    let request = exporter.asked.lock().unwrap().clone();
    assert!(names.iter().all(|name| request.contains(&format!("name[]={name}"))), "{request}");
}
