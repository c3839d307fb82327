//! `HOSTNAME_COMMAND` and its like.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::kafka::commands::{Commands, output_of};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// What commands make of these variables, in a container with that root.
fn applied(root: &str, variables: Pairs<'_>, mounts: &[&str]) -> (Container, Properties, Findings) {
    let container = Container {
        root: PathBuf::from(root),
        environment: Environment::of(variables.iter().copied()),
        mounts: mounts.iter().map(PathBuf::from).collect(),
        ..Container::default()
    };
    let (mut commands, mut findings, mut properties) =
        (Commands::default(), Findings::default(), Properties::default());
    let container = commands.expand(&container, &mut findings);
    for (name, value) in container.environment.with_prefix("KAFKA_") {
        properties.set(name.replace('_', ".").to_lowercase(), value, format!("KAFKA_{name}"));
    }
    commands.complete(&mut properties, &container, &mut findings);
    (container, properties, findings)
}

fn subjects(list: &[kimg_entrypoint::problem::Problem]) -> Vec<&str> {
    list.iter().map(|problem| problem.subject.as_str()).collect()
}

#[test]
fn outputs_become_settings() {
    let variables = [
        ("HOSTNAME_COMMAND", "echo broker-7.example"),
        ("PORT_COMMAND", "printf '%s\\n' 32768"),
        ("RACK_COMMAND", "echo ' eu-west-1a '"),
        ("BROKER_ID_COMMAND", "echo $((3 + 4))"),
        ("KAFKA_ADVERTISED_LISTENERS", "IN://:9092,OUT://_{HOSTNAME_COMMAND}:_{PORT_COMMAND}"),
        ("KAFKA_JMX_OPTS", "-Djava.rmi.server.hostname=_{HOSTNAME_COMMAND} -D_{HOSTNAME_COMMAND}"),
        ("OTHER", "_{HOSTNAME_COMMAND}"),
    ];
    let (container, properties, findings) = applied("/", &variables, &[]);
    assert_eq!((findings.problems.clone(), subjects(&findings.warnings)), (vec![], vec![]));
    let environment = |name: &str| container.environment.get(name).unwrap().to_owned();
    assert_eq!(environment("KAFKA_ADVERTISED_LISTENERS"), "IN://:9092,OUT://broker-7.example:32768");
    assert_eq!(environment("KAFKA_JMX_OPTS"), "-Djava.rmi.server.hostname=broker-7.example -Dbroker-7.example");
    assert_eq!(environment("OTHER"), "_{HOSTNAME_COMMAND}");
    assert_eq!((properties.get("broker.id"), properties.origin("broker.id")), (Some("7"), Some("BROKER_ID_COMMAND")));
    assert_eq!(properties.get("broker.rack"), Some("eu-west-1a"));
    assert_eq!(properties.get("advertised.host.name"), None);
}

#[test]
fn those_of_bitnami_too() {
    for (name, property) in [
        ("BROKER_ID_COMMAND", "broker.id"),
        ("KAFKA_BROKER_ID_COMMAND", "broker.id"),
        ("KAFKA_NODE_ID_COMMAND", "node.id"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS_COMMAND", "controller.quorum.voters"),
    ] {
        let (_, properties, findings) = applied("/", &[(name, "echo 7")], &[]);
        assert_eq!((properties.get(property), properties.origin(property)), (Some("7"), Some(name)));
        assert_eq!(findings.warnings, []);
        let (_, properties, findings) = applied("/nonexistent", &[(name, "echo 7")], &[]);
        assert_eq!((properties.get(property), findings.notes.len()), (None, 1), "{name}");
    }
}

#[test]
fn the_host_is_advertised_where_nothing_else_is() {
    let (_, properties, _) = applied("/", &[("HOSTNAME_COMMAND", "echo h")], &[]);
    assert_eq!(properties.get("advertised.host.name"), Some("h"));
    for other in ["KAFKA_ADVERTISED_HOST_NAME", "KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS"] {
        let (_, properties, findings) = applied("/", &[("HOSTNAME_COMMAND", "exit 1"), (other, "x")], &[]);
        let told = properties.get("advertised.host.name").is_none_or(|host| host == "x");
        assert!(told && findings.problems.is_empty(), "{other}");
        assert_eq!(subjects(&findings.warnings), ["HOSTNAME_COMMAND"], "{other}");
    }
}

#[test]
fn a_command_runs_once_and_only_where_it_is_used() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands-count");
    let _ = fs::remove_file(&file);
    let command = format!("echo x >> {}; echo h", file.display());
    let used = [
        ("HOSTNAME_COMMAND", command.as_str()),
        ("KAFKA_A", "_{HOSTNAME_COMMAND}"),
        ("KAFKA_B", "_{HOSTNAME_COMMAND}"),
    ];
    let (_, properties, _) = applied("/", &used, &[]);
    assert_eq!((properties.get("b"), properties.get("advertised.host.name")), (Some("h"), Some("h")));
    assert_eq!(fs::read_to_string(&file).unwrap(), "x\n");
    let unused = [
        ("PORT_COMMAND", command.as_str()),
        ("RACK_COMMAND", command.as_str()),
        ("BROKER_ID_COMMAND", command.as_str()),
        ("KAFKA_BROKER_RACK", "r"),
        ("KAFKA_NODE_ID", "1"),
    ];
    let (_, _, findings) = applied("/", &unused, &[]);
    assert_eq!(subjects(&findings.warnings), ["BROKER_ID_COMMAND", "RACK_COMMAND", "PORT_COMMAND"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "x\n");
}

#[test]
fn what_fails_is_named_with_what_to_write() {
    for (command, words) in [
        ("echo wrong >&2; exit 3", "wrong"),
        ("exit 3", "exit status: 3"),
        ("true", "it printed nothing"),
        ("printf 'a\\nb\\n'", "it printed 2 lines"),
    ] {
        let variables = [("HOSTNAME_COMMAND", command), ("KAFKA_LISTENERS", "A://_{HOSTNAME_COMMAND}:9092")];
        let (container, _, findings) = applied("/", &variables, &[]);
        assert_eq!(subjects(&findings.problems), ["HOSTNAME_COMMAND"], "{command}");
        assert!(findings.problems[0].to_string().contains(words), "{}", findings.problems[0]);
        // A command may hold a password.
        assert!(!findings.problems[0].to_string().contains("printf"), "{}", findings.problems[0]);
        // The listeners can still be checked.
        assert_eq!(container.environment.get("KAFKA_LISTENERS"), Some("A://hostname-command:9092"));
    }
    let (_, _, findings) = applied("/", &[("KAFKA_LISTENERS", "A://_{HOSTNAME_COMMAND}:_{PORT_COMMAND}")], &[]);
    assert_eq!(subjects(&findings.problems), ["KAFKA_LISTENERS", "KAFKA_LISTENERS"]);
}

#[test]
fn programs_that_the_image_lacks_are_named() {
    let none = ("PATH", "/nonexistent");
    for (name, command, words, hint) in [
        ("HOSTNAME_COMMAND", "docker info | grep ^Name: | cut -d' ' -f 2", "no docker client", "KIMG_ADVERTISE=hostip"),
        (
            "HOSTNAME_COMMAND",
            "curl -s http://169.254.169.254/latest/meta-data/public-hostname",
            "no curl",
            "KIMG_ADVERTISE",
        ),
        ("HOSTNAME_COMMAND", "route -n | awk '/UG[ \\t]/{print $2}'", "no awk, route", "KIMG_ADVERTISE"),
        (
            "RACK_COMMAND",
            "wget -qO- http://169.254.169.254/latest/meta-data/placement/zone",
            "no wget",
            "KAFKA_BROKER_RACK",
        ),
        ("BROKER_ID_COMMAND", "hostname | awk -F'-' '{print $2}'", "no awk, hostname", "KAFKA_BROKER_ID"),
    ] {
        let (_, _, findings) = applied("/", &[(name, command), none], &[]);
        assert_eq!(subjects(&findings.problems), [name], "{command}");
        let told = findings.problems[0].to_string();
        assert!(told.contains(words) && told.contains(hint), "{told}");
    }
    let port =
        [("PORT_COMMAND", "docker port $(hostname) 9092/tcp | cut -d: -f2"), none, ("KAFKA_A", "_{PORT_COMMAND}")];
    for root in ["/", "/nonexistent"] {
        let (_, _, findings) = applied(root, &port, &[]);
        assert!(findings.problems[0].hint.contains("publish a port of your choice"), "{}", findings.problems[0]);
    }
}

#[test]
fn elsewhere_nothing_is_run() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands-elsewhere");
    let _ = fs::remove_file(&file);
    let command = format!("touch {}", file.display());
    let variables = [
        ("HOSTNAME_COMMAND", command.as_str()),
        ("PORT_COMMAND", command.as_str()),
        ("RACK_COMMAND", command.as_str()),
        ("BROKER_ID_COMMAND", command.as_str()),
        ("KAFKA_LISTENERS", "A://_{HOSTNAME_COMMAND}:_{PORT_COMMAND}"),
    ];
    let (container, properties, findings) = applied("/nonexistent", &variables, &[]);
    assert!(!file.exists() && findings.problems.is_empty());
    assert_eq!(container.environment.get("KAFKA_LISTENERS"), Some("A://hostname-command:9092"));
    assert_eq!((properties.get("broker.rack"), properties.get("broker.id")), (Some("rack-command"), None));
    assert_eq!(findings.notes.len(), 4);
    assert!(findings.notes[0].contains("`hostname-command` stands for its output"), "{:?}", findings.notes);
}

#[test]
fn a_socket_of_docker_is_of_no_use() {
    let socket = ["/var/run/docker.sock"];
    let warned = |variables: Pairs<'_>| {
        let (_, _, findings) = applied("/nonexistent", variables, &socket);
        assert_eq!(subjects(&findings.warnings), socket);
        findings.warnings[0].to_string()
    };
    // wurstmeister/kafka asks docker for the port then.
    assert!(warned(&[("KAFKA_ADVERTISED_HOST_NAME", "10.0.0.1")]).contains("publish a port of your choice"));
    assert!(warned(&[("KAFKA_ADVERTISED_PORT", "9092")]).contains("nothing uses it"));
    assert_eq!(applied("/nonexistent", &[], &["/var/run"]).2.warnings, []);
}

/// What a command started in the background ends with it: in the container nobody would end it later.
#[test]
fn nothing_is_left_of_a_command_that_took_too_long() {
    for shell in ["/bin/sh", "/bin/bash"].map(Path::new).into_iter().filter(|shell| shell.exists()) {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands-background");
        let _ = fs::remove_file(&file);
        let command = format!("sleep 60 & echo $! > {}; wait", file.display());
        assert!(output_of(shell, &command, Duration::from_secs(1)).is_err());
        let status = format!("/proc/{}/stat", fs::read_to_string(&file).unwrap().trim());
        // It is gone, or waits to be reaped by whoever adopted it.
        let is_alive = || fs::read_to_string(&status).is_ok_and(|text| !text.contains(") Z "));
        let mut patience = 5000;
        while is_alive() && patience > 0 {
            std::thread::sleep(Duration::from_millis(1));
            patience -= 1;
        }
        assert!(!is_alive(), "{}", shell.display());
    }
}

#[test]
fn time_and_output_are_bounded() {
    let sh = Path::new("/bin/sh");
    let long = Duration::from_secs(60);
    let short = Duration::from_millis(100);
    assert_eq!(output_of(sh, "echo a", long).as_deref(), Ok("a\n"));
    // Also where a child of the command's keeps the output open, or the command goes on without it.
    for command in ["sleep 60", "sleep 60 & echo a", "exec >&-; sleep 60"] {
        let error = output_of(sh, command, short).unwrap_err();
        assert!(error.contains("had not ended after 0.1 s"), "{command}: {error}");
    }
    assert!(
        output_of(sh, "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", long)
            .unwrap_err()
            .contains("without end")
    );
    // Errors are read all the time, else the command would wait for ever; the first of them are told.
    let noisy = "i=0; while [ $i -lt 20000 ]; do echo error-$i-aaaaaaaaaaaaaaaaaaaa >&2; i=$((i+1)); done; exit 1";
    let error = output_of(sh, noisy, long).unwrap_err();
    assert!(error.contains("error-0-") && error.len() < 4096, "{error}");
    assert!(output_of(Path::new("/nonexistent"), "x", long).unwrap_err().contains("cannot be run"));
}
