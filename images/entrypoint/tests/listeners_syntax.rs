//! Reading and writing listeners.

#![allow(clippy::type_complexity, reason = "tables of what goes in and what comes out")]

mod listeners_support;

use kimg_entrypoint::kafka::Mode;
use kimg_entrypoint::kafka::listeners::{Listener, parse, write};
use listeners_support::{Chance, complete};

#[test]
fn listeners_are_read_as_kafka_reads_them() {
    let listener = |name: &str, host: &str, port: u16| Listener { name: name.to_owned(), host: host.to_owned(), port };
    for (text, expected) in [
        ("PLAINTEXT://:9092", vec![listener("PLAINTEXT", "", 9092)]),
        ("PLAINTEXT://[::]:9092", vec![listener("PLAINTEXT", "::", 9092)]),
        ("in-1://[fe80::1%eth0]:0", vec![listener("IN-1", "fe80::1%eth0", 0)]),
        // Without brackets Kafka takes them too.
        ("A://fd00::1:9092", vec![listener("A", "fd00::1", 9092)]),
        ("A.b_c://my_host.net:65535", vec![listener("A.B_C", "my_host.net", 65535)]),
        (" A://a:1 ,, B://b:2 ", vec![listener("A", "a", 1), listener("B", "b", 2)]),
        ("ÄUSSEN://a:1", vec![listener("ÄUSSEN", "a", 1)]),
        ("", vec![]),
    ] {
        assert_eq!(parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_listener_is_named_with_what_to_write() {
    for (text, hint) in [
        ("PLAINTEXT:9092", "NAME://HOST:PORT"),
        ("kafka:9092", "NAME://HOST:PORT"),
        ("PLAINTEXT://kafka", "NAME://HOST:PORT"),
        ("PLAINTEXT://[fd00::1]", "NAME://HOST:PORT"),
        ("PLAINTEXT://", "NAME://HOST:PORT"),
        ("://kafka:9092", "NAME://HOST:PORT"),
        ("A B://kafka:9092", "NAME://HOST:PORT"),
        ("PLAINTEXT://kafka:65536", "NAME://HOST:PORT"),
        ("PLAINTEXT://kafka:-1", "NAME://HOST:PORT"),
        ("PLAINTEXT://kafka:+1", "NAME://HOST:PORT"),
        ("PLAINTEXT://kafka:port", "NAME://HOST:PORT"),
        ("PLAINTEXT://kafka:9092:9092", "brackets"),
        ("PLAINTEXT://a:1;SSL://b:2", "parted by commas"),
        ("PLAINTEXT://kä:9092", "NAME://HOST:PORT"),
        ("PLAINTEXT://a\nb:9092", "NAME://HOST:PORT"),
        ("A=PLAINTEXT://a:9092", "NAME://HOST:PORT"),
        ("PLAINTEXT://user@a:9092", "NAME://HOST:PORT"),
        ("PLAINTEXT://a:9092#comment", "NAME://HOST:PORT"),
        ("PLAINTEXT://a b:9092", "NAME://HOST:PORT"),
        ("\"PLAINTEXT://:9092\"", "quotes"),
        ("EXTERNAL://${HOST_IP}:9092", "KIMG_ADVERTISE"),
        ("EXTERNAL://a:$((31090+id))", "KIMG_ADVERTISE"),
        ("PLAINTEXT://$(POD_NAME).kafka:9092", "further up"),
        ("PLAINTEXT://{pod}:9092", "KIMG_ADVERTISE_TEMPLATE"),
        (",", "NAME://HOST:PORT"),
    ] {
        for key in ["KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS"] {
            let outcome = complete(&[(key, text)], "kafka", Mode::ZooKeeper);
            assert_eq!(outcome.findings.problems.len(), 1, "{text}\n{}", outcome.problems());
            let problem = &outcome.findings.problems[0];
            assert_eq!(problem.subject, key, "{text}");
            assert!(problem.hint.contains(hint), "{text}: {problem}");
            assert!(!problem.to_string().contains("a\nb"), "control letters are shown as such: {problem}");
        }
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mut chance = Chance::new();
    let names = ["PLAINTEXT", "A", "IN-1", "OUT_2", "Ä", "X.Y", "日本"];
    let hosts = ["", "kafka", "a.b-c.example", "10.0.0.1", "::", "fd00::1", "fe80::1%eth0", "0.0.0.0", "h_1", "."];
    for _ in 0..2000 {
        let one = |chance: &mut Chance| Listener {
            name: chance.one(&names).to_owned(),
            host: chance.one(&hosts).to_owned(),
            port: u16::try_from(chance.below(65536)).unwrap(),
        };
        let listeners: Vec<Listener> = (0..chance.below(5)).map(|_| one(&mut chance)).collect();
        assert_eq!(parse(&write(&listeners)), Ok(listeners));
    }
}

/// Texts of parts that belong there, in any order: reading ends, and what was read is read again from what is written.
#[test]
fn any_text_is_read_or_refused() {
    let mut chance = Chance::new();
    let parts = [
        "PLAINTEXT://",
        "A://",
        "://",
        ":",
        ",",
        "[",
        "]",
        "::",
        ":9092",
        ":1",
        "0",
        "kafka",
        " ",
        "%",
        ".",
        "é",
        "$",
        "\"",
        "/",
        "-",
    ];
    let mut read = 0;
    for _ in 0..20000 {
        let text: String = (0..chance.below(9)).map(|_| chance.one(&parts)).collect();
        if let Ok(listeners) = parse(&text) {
            read += usize::from(!listeners.is_empty());
            assert_eq!(parse(&write(&listeners)), Ok(listeners), "{text}");
        } else {
            let outcome = complete(&[("KAFKA_LISTENERS", &text)], "kafka", Mode::ZooKeeper);
            assert!(!outcome.findings.problems.is_empty(), "{text}");
        }
    }
    assert!(read > 10, "{read}");
}

/// Whatever goes in, nothing that no client can connect to is advertised without a word.
#[test]
fn all_addresses_are_never_advertised() {
    let mut chance = Chance::new();
    let hosts = [
        "",
        "0.0.0.0",
        "[::]",
        "[0:0::0]",
        "[::ffff:0.0.0.0]",
        "0",
        "000.000.0.0",
        "kafka",
        "localhost",
        "[::1]",
        "[::%lo]",
    ];
    let names = ["PLAINTEXT", "SSL", "CONTROLLER", "OUT"];
    let keys = ["KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS", "KIMG_ADVERTISE_TEMPLATE"];
    let modes = [Mode::ZooKeeper, Mode::KraftSingle, Mode::Kraft];
    let mut good = 0;
    for _ in 0..5000 {
        let mut variables: Vec<(&str, String)> = Vec::new();
        for key in keys {
            let one = |chance: &mut Chance| {
                format!("{}://{}:{}", chance.one(&names), chance.one(&hosts), 1 + chance.below(9))
            };
            let all: Vec<String> = (0..chance.below(3)).map(|_| one(&mut chance)).collect();
            variables.push((key, all.join(",")));
        }
        for key in ["KAFKA_ADVERTISED_HOST_NAME", "KAFKA_HOST_NAME", "KIMG_HOST_IP", "KIMG_LOADBALANCERS"] {
            if chance.below(3) == 0 {
                variables.push((key, chance.one(&hosts).to_owned()));
            }
        }
        let advertise = chance.one(&["", "hostip", "template", "headless,loadbalancer"]).to_owned();
        variables.push(("KIMG_ADVERTISE", advertise));
        variables.push(("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "OUT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned()));
        let pairs: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mode = modes[chance.below(modes.len())];
        let host = chance.one(&["kafka-0.hs.ns.svc.cluster.local", "kafka-0", "", "0.0.0.0"]);
        let outcome = complete(&pairs, host, mode);
        if outcome.findings.problems.is_empty() {
            good += 1;
            for listener in parse(outcome.get("advertised.listeners")).unwrap() {
                assert!(!listener.is_unspecified(), "{pairs:?} {host}");
            }
        }
    }
    assert!(good > 100, "{good}");
}
