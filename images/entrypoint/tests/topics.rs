//! Topics that are created when the broker has started, and scripts that run before.

mod scripted;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::dialect::Dialect;
use kimg_entrypoint::kafka::init_scripts::{self, Script};
use kimg_entrypoint::kafka::own_listener::OwnListener;
use kimg_entrypoint::kafka::protocol::{Broker, NewTopic};
use kimg_entrypoint::kafka::{Layout, topics};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;
use scripted::{ScriptedBroker, container, put, root};

fn here(variables: &[(&str, &str)]) -> Container {
    container(Path::new("/nonexistent"), variables)
}

fn wanted(variables: &[(&str, &str)], dialect: Dialect) -> (Vec<String>, Findings) {
    let mut findings = Findings::default();
    let topics = topics::wanted(&here(variables), dialect.rules(), &mut findings);
    let show = |topic: &NewTopic| {
        let settings: String = topic.settings.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{}:{}:{}{settings}", topic.name, topic.partitions, topic.replicas)
    };
    (topics.iter().map(show).collect(), findings)
}

/// `KAFKA_CREATE_TOPICS`, and the topics: what 15 of the repositories write, and what the image's page shows.
#[test]
fn topics_as_people_write_them() {
    for (text, expected) in [
        ("Topic1:1:3,Topic2:1:1:compact", vec!["Topic1:1:3", "Topic2:1:1 cleanup.policy=compact"]),
        ("a:1:1, b:2:1 ,c:3:1,", vec!["a:1:1", "b:2:1", "c:3:1"]),
        ("a:1:1,\n  b:2:1\n", vec!["a:1:1", "b:2:1"]),
        ("a", vec!["a:-1:-1"]),
        ("a:3", vec!["a:3:-1"]),
        ("a::", vec!["a:-1:-1"]),
        ("a:1:1:", vec!["a:1:1"]),
        (
            "a:1:1:compact --config=min.compaction.lag.ms=60000 --config x.y=a:b",
            vec!["a:1:1 cleanup.policy=compact min.compaction.lag.ms=60000 x.y=a:b"],
        ),
        ("my.topic_1-x:1:1", vec!["my.topic_1-x:1:1"]),
        ("", vec![]),
    ] {
        let (topics, findings) = wanted(&[("KAFKA_CREATE_TOPICS", text)], Dialect::Wurstmeister);
        assert_eq!(
            (topics, findings),
            (expected.iter().map(ToString::to_string).collect(), Findings::default()),
            "{text}"
        );
    }
}

#[test]
fn quotes_of_a_list_in_yaml_are_left_out() {
    let (topics, findings) = wanted(&[("KAFKA_CREATE_TOPICS", "\"a:1:1,b:2:1\"")], Dialect::Wurstmeister);
    assert_eq!(
        (topics, findings.problems.len(), findings.warnings.len()),
        (vec!["a:1:1".to_owned(), "b:2:1".to_owned()], 0, 1)
    );
}

#[test]
fn separators_are_letters_as_in_a_shell() {
    for (separator, text) in [
        ("$'\n'", "a:1:1\nb:1:1:compact,delete\n"),
        (";", "a:1:1;b:1:1:compact,delete"),
        (" ", "a:1:1  b:1:1:compact,delete"),
    ] {
        let variables = [("KAFKA_CREATE_TOPICS", text), ("KAFKA_CREATE_TOPICS_SEPARATOR", separator)];
        let (topics, findings) = wanted(&variables, Dialect::Kimg);
        assert_eq!(topics, ["a:1:1", "b:1:1 cleanup.policy=compact,delete"], "{text}");
        assert_eq!(findings, Findings::default());
    }
}

#[test]
fn every_topic_that_is_none_is_named() {
    let text = ":1:1,a:0:1,b:1:x,c:1:99999,d:1:1:zip,e e:1:1,..:1:1,fine:1:1,h:1:1:compact --config=x,ü:1:1";
    let (topics, findings) = wanted(&[("KAFKA_CREATE_TOPICS", text), ("START_TIMEOUT", "soon")], Dialect::Wurstmeister);
    assert_eq!(topics, ["fine:1:1"]);
    let values: Vec<&str> = findings.problems.iter().map(|problem| problem.value.as_deref().unwrap()).collect();
    let expected = [
        "soon",
        ":1:1",
        "a:0:1",
        "b:1:x",
        "c:1:99999",
        "d:1:1:zip",
        "e e:1:1",
        "..:1:1",
        "h:1:1:compact --config=x",
        "ü:1:1",
    ];
    assert_eq!(values, expected);
    assert!(findings.problems.iter().all(|problem| !problem.why.is_empty() && !problem.hint.is_empty()));
    let (topics, findings) = wanted(&[("KAFKA_CREATE_TOPICS", "a:1:1,a:2:1")], Dialect::Wurstmeister);
    assert_eq!((topics.len(), findings.warnings.len()), (1, 1));
}

#[test]
fn families_without_it_get_a_warning() {
    for dialect in Dialect::ALL {
        let (topics, findings) = wanted(&[("KAFKA_CREATE_TOPICS", "a:1:1")], dialect);
        let is_known = [Dialect::Kimg, Dialect::Wurstmeister].contains(&dialect);
        assert_eq!((topics.len(), findings.warnings.len()), if is_known { (1, 0) } else { (0, 1) }, "{dialect:?}");
        assert!(findings.warnings.iter().all(|warning| warning.subject == "KAFKA_CREATE_TOPICS"));
    }
}

/// Whatever the text is, it is told as topics or problems, and topics are such that Kafka takes them.
#[test]
fn any_text_is_topics_or_problems() {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bound as u64).unwrap()
    };
    for _ in 0..3000 {
        let letters =
            ["a", "topic", ":", ":", "1", "3", ",", " ", "\n", "compact", "delete", "--config", "=", "é", "."];
        let text: String = (0..below(16)).map(|_| letters[below(letters.len())]).collect();
        let mut findings = Findings::default();
        let variables = [("KAFKA_CREATE_TOPICS", text.as_str())];
        let topics = topics::wanted(&here(&variables), Dialect::Wurstmeister.rules(), &mut findings);
        for topic in &topics {
            assert!(
                !topic.name.is_empty() && topic.name.is_ascii() && !topic.name.contains([' ', ':', ',']),
                "{text:?}"
            );
            assert!(topic.partitions != 0 && topic.replicas != 0, "{text:?}");
        }
        let parts = text.split(',').filter(|part| !part.trim().is_empty()).count();
        assert_eq!(topics.len() + findings.problems.len() + findings.warnings.len(), parts, "{text:?}");
    }
}

fn topic(name: &str) -> NewTopic {
    NewTopic { name: name.to_owned(), partitions: 1, replicas: 1, settings: Vec::new() }
}

fn listener(properties: &str) -> OwnListener {
    OwnListener::of(&Properties::parse(properties, "test"))
}

fn create(topics: &[NewTopic], listener: &OwnListener, variables: &[(&str, &str)]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tell = |line: &str| lines.push(line.to_owned());
    topics::create(topics, listener, &here(variables), &Layout::of_image(""), &mut tell);
    lines
}

#[test]
fn topics_are_created_by_the_broker() {
    let broker = ScriptedBroker::start(1);
    let own = listener(&format!("listeners=PLAINTEXT://:{}", broker.address.port()));
    let mut second = topic("b");
    second.settings.push(("cleanup.policy".to_owned(), "compact".to_owned()));
    let lines = create(&[topic("a"), second.clone()], &own, &[]);
    assert_eq!(lines, ["KAFKA_CREATE_TOPICS: a is created", "KAFKA_CREATE_TOPICS: b is created"]);
    let mut body = vec![0, 0, 0, 2, 0, 1, b'a', 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend([0, 1, b'b', 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 14]);
    body.extend(b"cleanup.policy\0\x07compact\0\0\x3a\x98\0");
    assert_eq!(broker.state.lock().unwrap().asked, [body]);
    broker.set(|state| state.errors = vec![36]);
    assert_eq!(create(&[topic("a")], &own, &[]), ["KAFKA_CREATE_TOPICS: a exists, and stays as it is"]);
    broker.set(|state| state.errors = vec![17]);
    assert_eq!(create(&[topic("a")], &own, &[]), ["KAFKA_CREATE_TOPICS: a is not created: because (error 17)"]);
}

#[test]
fn what_passes_is_tried_again() {
    let broker = ScriptedBroker::start(1);
    let own = listener(&format!("listeners=PLAINTEXT://:{}", broker.address.port()));
    broker.set(|state| state.errors = vec![38, 38]);
    let lines = create(&[topic("a")], &own, &[]);
    let expected = ["KAFKA_CREATE_TOPICS: waiting for more brokers: because", "KAFKA_CREATE_TOPICS: a is created"];
    assert_eq!(lines, expected);
    // Nothing listens: it ends, and says what was not done.
    let nobody = listener(&format!("listeners=PLAINTEXT://:{}", scripted::nobody().port()));
    let lines = create(&[topic("a"), topic("b")], &nobody, &[("START_TIMEOUT", "1")]);
    assert!(lines.len() == 1 && lines[0].contains("not created after 1 s: a, b ("), "{lines:?}");
}

#[test]
fn with_zookeeper_the_controller_is_asked() {
    let (own, other) = (ScriptedBroker::start(1), ScriptedBroker::start(2));
    let controller = Broker { id: 2, host: "127.0.0.1".to_owned(), port: other.address.port() };
    own.set(|state| {
        state.brokers.push(controller);
        state.controller = 2;
        state.errors = vec![41];
    });
    let listener = listener(&format!("listeners=PLAINTEXT://:{}", own.address.port()));
    assert_eq!(create(&[topic("a")], &listener, &[]), ["KAFKA_CREATE_TOPICS: a is created"]);
    assert_eq!((own.state.lock().unwrap().asked.len(), other.state.lock().unwrap().asked.len()), (1, 1));
}

#[test]
fn listeners_with_credentials_need_a_file() {
    let own = listener("listeners=SASL_SSL://:9093");
    let lines = create(&[topic("a")], &own, &[]);
    assert!(lines.len() == 1 && lines[0].contains("set KIMG_CLIENT_PROPERTIES"), "{lines:?}");
    let controller = listener("process.roles=controller\ncontroller.listener.names=C\nlisteners=C://:1");
    assert!(create(&[topic("a")], &controller, &[])[0].contains("controller only"));
    let mut wanted = topic("a");
    (wanted.replicas, wanted.settings) = (-1, vec![("x".to_owned(), "y=z".to_owned())]);
    let command = topics::tool(&wanted, &own, "/mine", &Layout::of_image(""));
    let words: Vec<&str> = command.get_args().map(|word| word.to_str().unwrap()).collect();
    let expected = "--bootstrap-server localhost:9093 --command-config /mine --create --if-not-exists --topic a --partitions 1 --config x=y=z";
    assert_eq!(
        (command.get_program().to_str(), words.join(" ").as_str()),
        (Some("/opt/kafka/bin/kafka-topics.sh"), expected)
    );
}

/// A container with a shell, and these scripts in the folder of Bitnami's.
fn with_scripts(name: &str, scripts: &[(&str, &str, u32)]) -> Container {
    let root = root(name);
    let here = container(&root, &[]);
    fs::create_dir_all(root.join("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/sh", root.join("bin/sh")).unwrap();
    fs::create_dir_all(here.path(Dialect::Bitnami.rules().data)).unwrap();
    for (name, text, mode) in scripts {
        let inside = format!("docker-entrypoint-initdb.d/{name}");
        put(&root, &inside, text);
        fs::set_permissions(root.join(inside), fs::Permissions::from_mode(*mode)).unwrap();
    }
    here
}

#[test]
fn scripts_run_once_in_their_order() {
    let here = with_scripts(
        "scripts",
        &[
            ("2-second.sh", "echo second >> \"$(dirname \"$0\")/out\"", 0o644),
            ("1-first.sh", "#!/bin/sh\necho first >> \"$(dirname \"$0\")/out\"\n", 0o755),
            ("readme.txt", "exit 1", 0o755),
        ],
    );
    let rules = Dialect::Bitnami.rules();
    let mut findings = Findings::default();
    let scripts = init_scripts::wanted(&here, rules, &mut findings);
    assert_eq!(scripts.len(), 2);
    let mut lines = Vec::new();
    init_scripts::run(&scripts, &here, rules, &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(here.read("/docker-entrypoint-initdb.d/out").unwrap(), "first\nsecond\n");
    let folder = "running /docker-entrypoint-initdb.d";
    assert_eq!(lines, [format!("{folder}/1-first.sh"), format!("{folder}/2-second.sh")]);
    assert_eq!(init_scripts::wanted(&here, rules, &mut findings), []);
    assert_eq!(findings, Findings::default());
    // Whose family has no such folder is told that they are not run.
    assert_eq!(init_scripts::wanted(&here, Dialect::Apache.rules(), &mut findings), []);
    assert_eq!(findings.warnings[0].subject, "/docker-entrypoint-initdb.d");
}

#[test]
fn a_script_that_fails_keeps_the_broker_from_starting() {
    let cases = [
        ("exit 3", 0o644, "ended with 3"),
        ("#!/no/shell\n", 0o755, "this image has none"),
        ("kill -9 $$", 0o644, "ended with 137"),
    ];
    for (text, mode, why) in cases {
        let here = with_scripts("scripts-fail", &[("a.sh", text, mode)]);
        let rules = Dialect::Bitnami.rules();
        for _ in 0..2 {
            let scripts = init_scripts::wanted(&here, rules, &mut Findings::default());
            let problem = init_scripts::run(&scripts, &here, rules, &mut |_| ()).unwrap_err();
            assert_eq!(problem.subject, "/docker-entrypoint-initdb.d/a.sh");
            assert!(problem.why.contains(why), "{problem}");
        }
        fs::remove_file(here.root.join("bin/sh")).unwrap();
        let scripts = [Script::Text("true".to_owned())];
        let problem = init_scripts::run(&scripts, &here, rules, &mut |_| ()).unwrap_err();
        assert!(problem.why.contains("this image has none"), "{problem}");
    }
}

#[test]
fn the_custom_init_script_is_text_for_a_shell() {
    let here = with_scripts("scripts-custom", &[]);
    let text = format!("echo \"$0\" > {}/out", here.root.display());
    let environment = kimg_entrypoint::environment::Environment::of([("CUSTOM_INIT_SCRIPT", text.as_str())]);
    let here = Container { environment, ..here };
    let mut findings = Findings::default();
    let rules = Dialect::Wurstmeister.rules();
    let scripts = init_scripts::wanted(&here, rules, &mut findings);
    assert_eq!(scripts, [Script::Text(text.clone())]);
    init_scripts::run(&scripts, &here, rules, &mut |_| ()).unwrap();
    assert!(here.root.join("out").exists());
    assert_eq!(init_scripts::wanted(&here, Dialect::Confluent.rules(), &mut findings), []);
    assert_eq!(findings.warnings[0].subject, "CUSTOM_INIT_SCRIPT");
}
