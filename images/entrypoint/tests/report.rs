//! `--explain`, `--json`, `--check`, `--root`: what is shown of a configuration.

#[path = "support/java.rs"]
mod support;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kimg_entrypoint::flags::{self, Flags};
use kimg_entrypoint::json::Json;
use kimg_entrypoint::kafka::dialect::Level;
use kimg_entrypoint::kafka::jvm::{JvmOption, Logging};
use kimg_entrypoint::kafka::{Choice, Configuration, Dialect, Id, Layout, Mode, configure, report};
use kimg_entrypoint::problem::{Findings, Problem};
use kimg_entrypoint::properties::Properties;
use support::json::{self, Value};
use support::{Numbers, container, folder, write};

/// A configuration with one of everything.
fn example() -> Configuration {
    let mut configuration = configure(&container("example", &[], &[]), &Layout::of_image(""));
    configuration.dialect =
        Choice { dialect: Dialect::Bitnami, level: Level::Variable, evidence: "KAFKA_CFG_NODE_ID".to_owned() };
    configuration.mode = Mode::Kraft;
    configuration.id = Id { value: "2".to_owned(), origin: "host name kafka-2".to_owned(), explicit: false };
    let mut properties = Properties::default();
    properties.set("node.id", "2", "host name kafka-2");
    properties.set("ssl.keystore.password", "hidden", "KAFKA_CFG_SSL_KEYSTORE_PASSWORD");
    properties.set("super.users", "User:a\nUser:\"b\"", "KAFKA_CFG_SUPER_USERS");
    configuration.properties = properties;
    configuration.jvm.program = PathBuf::from("/j/bin/java");
    configuration.jvm.options = vec![JvmOption::new("-Xmx1g", "KAFKA_HEAP_OPTS")];
    configuration.jvm.logging = Logging::Options(vec![JvmOption::new("-Dlog4j.configuration=file:/l", "default")]);
    configuration.jvm.last = vec![JvmOption::new("-Djavax.net.ssl.trustStorePassword=hidden", "KAFKA_OPTS")];
    configuration.jvm.class_path = vec![PathBuf::from("/opt/kafka/libs/a.jar")];
    configuration.findings = Findings {
        notes: vec!["node.id: 2 (host name kafka-2)".to_owned()],
        warnings: vec![
            Problem::new("KAFKA_CFG_LOG_DIR", "it differs from log.dirs", "leave one out").with_value("/a\n/b"),
        ],
        problems: vec![
            Problem::new("KAFKA_CFG_SASL_JAAS_CONFIG", "it is not closed", "end it with `;`").with_value("hidden"),
        ],
    };
    configuration
}

#[test]
fn text_names_everything_with_its_origin() {
    let follows = Dialect::Bitnami.rules().follows;
    let expected = format!(
        "\
# dialect: bitnami, as {follows}, by variable (KAFKA_CFG_NODE_ID)
# node.id: 2 (host name kafka-2)
node.id=2    # host name kafka-2
ssl.keystore.password=***    # KAFKA_CFG_SSL_KEYSTORE_PASSWORD
super.users=User:a\\nUser:\"b\"    # KAFKA_CFG_SUPER_USERS
# Java: /j/bin/java
#   -Xmx1g    # KAFKA_HEAP_OPTS
#   -Dlog4j.configuration=file:/l    # default
#   -Djavax.net.ssl.trustStorePassword=***    # KAFKA_OPTS
# class path: 1 entries
# warning: KAFKA_CFG_LOG_DIR: `/a\\n/b`: it differs from log.dirs
# hint: leave one out
# error: KAFKA_CFG_SASL_JAAS_CONFIG: `***`: it is not closed
# hint: end it with `;`
"
    );
    assert_eq!(report::to_text(&example()), expected);
}

#[test]
fn json_has_the_same() {
    let text = report::to_json(&example()).to_string();
    assert!(!text.contains("hidden") && !text.contains('\n'), "{text}");
    let value = json::read(&text).unwrap();
    assert_eq!(value.get("properties").get("super.users").text(), "User:a\nUser:\"b\"");
    assert_eq!(value.get("properties").get("ssl.keystore.password").text(), "***");
    assert_eq!(value.get("origins").get("node.id").text(), "host name kafka-2");
    let dialect = value.get("dialect");
    let dialect = ["name", "level", "evidence"].map(|name| dialect.get(name).text());
    assert_eq!(dialect, ["bitnami", "variable", "KAFKA_CFG_NODE_ID"]);
    assert_eq!((value.get("mode").text(), value.get("id").get("value").text()), ("kraft", "2"));
    let options: Vec<&str> =
        value.get("jvm").get("options").list().iter().map(|one| one.get("option").text()).collect();
    assert_eq!(options, ["-Xmx1g", "-Dlog4j.configuration=file:/l", "-Djavax.net.ssl.trustStorePassword=***"]);
    assert_eq!(value.get("warnings").list()[0].get("value").text(), "/a\n/b");
    let error = &value.get("errors").list()[0];
    assert_eq!(
        ["subject", "value", "reason"].map(|name| error.get(name).text()),
        ["KAFKA_CFG_SASL_JAAS_CONFIG", "***", "it is not closed"]
    );
    assert_eq!(value.get("file"), &Value::Null);
}

#[test]
fn the_story_is_a_line_for_each_thing() {
    let lines = report::story(&example());
    assert_eq!(
        lines[1..],
        [
            "kimg: node.id: 2 (host name kafka-2)",
            "kimg: warning: KAFKA_CFG_LOG_DIR: `/a\\n/b`: it differs from log.dirs; leave one out",
        ]
    );
    assert!(lines[0].starts_with("kimg: dialect: bitnami, as "));
}

#[test]
fn any_json_is_read_back() {
    let letters: Vec<char> = "ab\"\\/\n\r\t\u{0}\u{1f}\u{7f}\u{85}\u{2028}é€😀{}[],:".chars().collect();
    let mut numbers = Numbers::new(5);
    for _ in 0..2000 {
        let (written, expected) = value(&mut numbers, &letters, 3);
        let text = written.to_string();
        assert_eq!(json::read(&text), Ok(expected), "{text}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}

/// A document, and what must be read from it.
fn value(numbers: &mut Numbers, letters: &[char], depth: usize) -> (Json, Value) {
    match numbers.below(if depth == 0 { 3 } else { 5 }) {
        0 => (Json::Null, Value::Null),
        1 => (Json::Bool(depth == 2), Value::Bool(depth == 2)),
        2 => {
            let text = numbers.text(letters);
            (Json::text(text.clone()), Value::Text(text))
        }
        3 => {
            let (written, read) = (0..numbers.below(4)).map(|_| value(numbers, letters, depth - 1)).unzip();
            (Json::List(written), Value::List(read))
        }
        _ => {
            let members = (0..numbers.below(4)).map(|_| {
                let (name, (written, read)) = (numbers.text(letters), value(numbers, letters, depth - 1));
                ((name.clone(), written), (name, read))
            });
            let (written, read) = members.unzip();
            (Json::Object(written), Value::Object(read))
        }
    }
}

fn parse(arguments: &[&str]) -> Result<Flags, Problem> {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    flags::parse(&arguments, &flags::OF_KAFKA)
}

#[test]
fn flags_that_are_wrong_name_the_right_one() {
    let root = folder("a-root");
    let root = root.to_str().unwrap();
    for (arguments, text) in [
        (&["--explian"][..], "error: --explian: there is no such flag\nhint: did you mean --explain?"),
        (&["--explain", "--jsn"], "did you mean --json?"),
        (&["-check"], "did you mean --check?"),
        (&["start"], "error: start: there is no such flag\nhint: there are --explain, --json"),
        (&["--json"], "add --explain"),
        (&["--check", "--json"], "add --explain"),
        (&["--root", root], "add --explain or --check"),
        (&["--explain", "--root"], "error: --root: it needs a folder"),
        (&["--explain", "--root", "/nonexistent"], "error: --root: `/nonexistent`: it is no folder"),
        (&["--explain", "--root="], "it is no folder"),
    ] {
        let problem = parse(arguments).unwrap_err().to_string();
        assert!(problem.contains(text), "{arguments:?}: {problem}");
    }
    let both = Flags { explain: true, json: true, root: Some(PathBuf::from(root)), ..Flags::default() };
    assert_eq!(parse(&["--json", "--root", root, "--explain"]), Ok(both.clone()));
    assert_eq!(parse(&["--json", "--explain", &format!("--root={root}")]), Ok(both));
    // `/` of this machine is looked at only, too.
    let is_root = |path: &Path| path == Path::new("/");
    assert!(!is_root(&parse(&["--check", "--root", "/"]).unwrap().root.unwrap()));
    assert!(parse(&["-h"]).unwrap().help && parse(&["--help"]).unwrap().help);
    assert!(flags::parse(&["--json".into(), "--explain".into()], &flags::OF_ZOOKEEPER).is_err());
}

/// The program itself, with these variables only.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kimg-entrypoint"));
    let Output { status, stdout, stderr } =
        command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_answer_is_on_stdout_and_the_exit_code_says_whether_it_is_good() {
    let root = folder("exit-codes");
    write(&root, &[("opt/kafka/libs/a.jar", "")]);
    let root = root.to_str().unwrap();
    let good = [("HOSTNAME", "kafka-2"), ("KAFKA_HEAP_OPTS", "-Xmx300m")];
    let (code, stdout, stderr) = run(&["kafka", "--explain", "--root", root], &good);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(
        stdout.starts_with("# dialect: kimg, ") && stdout.contains("#   -Xmx300m    # KAFKA_HEAP_OPTS\n"),
        "{stdout}"
    );
    assert!(stdout.contains("# class path: 1 entries\n"), "{stdout}");

    let (code, stdout, stderr) = run(&["kafka", "--check", "--root", root], &good);
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    assert!(stderr.lines().all(|line| line.starts_with("kimg: ")), "{stderr}");

    let bad = [("HOSTNAME", "kafka-2"), ("KAFKA_HEAP_OPTS", "300m"), ("JMX_PORT", "x"), ("KIMG_LOG_FORMAT", "xml")];
    let (code, stdout, stderr) = run(&["kafka", "--explain", "--json", "--root", root], &bad);
    assert_eq!((code, stderr.as_str()), (Some(2), ""));
    let errors = json::read(stdout.trim_end()).unwrap();
    let subjects: Vec<&str> = errors.get("errors").list().iter().map(|error| error.get("subject").text()).collect();
    assert_eq!(subjects, ["KAFKA_HEAP_OPTS", "JMX_PORT", "KIMG_LOG_FORMAT"], "all at once");
    assert_eq!(errors.get("properties").get("node.id").text(), "2", "and what there is");

    let (code, stdout, stderr) = run(&["kafka", "--check", "--root", root], &bad);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert_eq!(stderr.lines().filter(|line| line.starts_with("error: ")).count(), 3, "{stderr}");

    let (code, _, stderr) = run(&["kafka", "--chek"], &[]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("did you mean --check?"), "{stderr}");
    let (code, stdout, _) = run(&["kafka", "--help"], &[]);
    assert!(code == Some(0) && stdout.contains("--root"), "{stdout}");
}

#[test]
fn below_another_root_nothing_is_written() {
    let root = folder("untouched");
    write(&root, &[("opt/kafka/libs/a.jar", ""), ("tmp/x", ""), ("var/lib/kafka/data/x", "")]);
    let before = listing(&root);
    let variables = [("HOSTNAME", "kafka-0"), ("KAFKA_LOG4J_ROOT_LOGLEVEL", "WARN")];
    for form in [&["kafka", "--explain"][..], &["kafka", "--explain", "--json"], &["kafka", "--check"]] {
        let arguments = [form, &["--root", root.to_str().unwrap()]].concat();
        assert_eq!(run(&arguments, &variables).0, Some(0));
    }
    assert_eq!(listing(&root), before);
}

#[allow(clippy::disallowed_methods, reason = "sorted below")]
fn listing(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = entries
        .flat_map(|path| {
            let below = if path.is_dir() { listing(&path) } else { Vec::new() };
            [vec![path], below].concat()
        })
        .collect();
    all.sort();
    all
}
