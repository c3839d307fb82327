//! Commands of the user's whose output is a setting (wurstmeister/kafka, start-kafka.sh): `HOSTNAME_COMMAND`,
//! `PORT_COMMAND`, `RACK_COMMAND`, `BROKER_ID_COMMAND`; and those of the later bitnami/kafka (libkafka.sh,
//! kafka_dynamic_environment_variables). Each is run once at most, only where its output is used, and only
//! in the container itself, by the image's own shell.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::container::Container;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;
use crate::seccomp;

const HOST: &str = "HOSTNAME_COMMAND";
const PORT: &str = "PORT_COMMAND";
const RACK: &str = "RACK_COMMAND";
const ID: &str = "BROKER_ID_COMMAND";
const VOTERS: &str = "KAFKA_CONTROLLER_QUORUM_VOTERS_COMMAND";

/// How long one may take: a cloud's metadata service that is not there answers never.
const PATIENCE: Duration = Duration::from_secs(10);

/// More is no host, port, rack or id.
const LONGEST: usize = 64 * 1024;

/// Programs that such commands use, and that an image may lack.
const PROGRAMS: [&str; 20] = [
    "docker", "curl", "wget", "awk", "sed", "grep", "cut", "head", "tail", "tr", "hostname", "ip", "route", "ifconfig",
    "dig", "nslookup", "getent", "jq", "aws", "kubectl",
];

/// The commands that were run, with what they printed.
#[derive(Debug, Default)]
pub struct Commands(BTreeMap<&'static str, Option<String>>);

impl Commands {
    /// The container with `_{HOSTNAME_COMMAND}` and `_{PORT_COMMAND}` replaced in every variable that begins with
    /// `KAFKA_`.
    #[must_use]
    pub fn expand(&mut self, container: &Container, findings: &mut Findings) -> Container {
        let mut expanded = container.clone();
        for name in [HOST, PORT] {
            let placeholder = format!("_{{{name}}}");
            let with: Vec<(String, String)> = container
                .environment
                .with_prefix("KAFKA_")
                .filter(|(_, value)| value.contains(&placeholder))
                .map(|(variable, _)| format!("KAFKA_{variable}"))
                .filter_map(|variable| Some((variable.clone(), expanded.environment.get(&variable)?.to_owned())))
                .collect();
            if let (Some((variable, _)), None) = (with.first(), container.environment.get(name)) {
                let why = format!("`{placeholder}` in it stands for the output of {name}, which is not set");
                findings.refuse(Problem::new(variable, why, format!("set {name}, or write the value itself")));
            }
            for (variable, value) in with {
                let output = self.output(name, container, findings).unwrap_or_else(|| stand_in(name).to_owned());
                expanded.environment.set(&variable, &value.replace(&placeholder, &output));
            }
        }
        expanded
    }

    /// Sets what commands tell and no variable does: the id, the rack, the host that is advertised.
    pub fn complete(&mut self, properties: &mut Properties, container: &Container, findings: &mut Findings) {
        let has = |properties: &Properties, names: &[&str]| {
            names.iter().any(|name| properties.get(name).is_some_and(|value| !value.trim().is_empty()))
        };
        let mut set = |name: &'static str, property: &str, others: &[&str], findings: &mut Findings| {
            let is_used = self.0.contains_key(name);
            if container.environment.get(name).is_none() {
                return;
            }
            if has(properties, &[&[property], others].concat()) {
                if !is_used {
                    let why = format!("it is not run: `{property}` or what takes its place is set");
                    findings.warn(Problem::new(name, why, "leave it out"));
                }
            } else if let Some(output) = self.output(name, container, findings) {
                properties.set(property, output, name);
            }
        };
        set(ID, "broker.id", &["node.id"], findings);
        set("KAFKA_BROKER_ID_COMMAND", "broker.id", &["node.id"], findings);
        set("KAFKA_NODE_ID_COMMAND", "node.id", &["broker.id"], findings);
        set(VOTERS, "controller.quorum.voters", &[], findings);
        set(RACK, "broker.rack", &[], findings);
        let listeners = ["listeners", "advertised.listeners"];
        set(HOST, "advertised.host.name", &listeners, findings);
        if container.environment.get(PORT).is_some() && !self.0.contains_key(PORT) {
            let why = "it is not run: no variable has `_{PORT_COMMAND}` in it";
            findings.warn(Problem::new(PORT, why, "leave it out"));
        }
        let is_told = has(properties, &["advertised.port", "listeners", "advertised.listeners"]);
        warn_of_socket(container, is_told, findings);
    }

    /// What a command prints; `None` where it does not run, or cannot. That is told once.
    fn output(&mut self, name: &'static str, container: &Container, findings: &mut Findings) -> Option<String> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let command = container.environment.get(name)?.to_owned();
        let output = match run(name, &command, container, findings) {
            Ok(output) => output,
            Err(problem) => {
                findings.refuse(problem);
                None
            }
        };
        self.0.insert(name, output.clone());
        output
    }
}

/// What stands for an output that is not known, so that the rest can be checked.
fn stand_in(name: &str) -> &'static str {
    match name {
        PORT => "9092",
        RACK => "rack-command",
        _ => "hostname-command",
    }
}

fn run(name: &str, command: &str, container: &Container, findings: &mut Findings) -> Result<Option<String>, Problem> {
    let lacking = lacking(command, container);
    if lacking.contains(&"docker") {
        return Err(Problem::new(name, "it calls docker, and there is no docker client in this image", instead(name)));
    }
    if !container.is_live() {
        if name == VOTERS || name.ends_with("_ID_COMMAND") {
            findings.note(format!("{name} was not run, for this is not its container"));
            return Ok(None);
        }
        let text = stand_in(name);
        findings.note(format!("{name} was not run, for this is not its container; `{text}` stands for its output"));
        return Ok(Some(text.to_owned()));
    }
    let Some(shell) = ["/bin/bash", "/bin/sh"].map(PathBuf::from).into_iter().find(|shell| shell.exists()) else {
        return Err(Problem::new(name, "this image has no shell that could run it", instead(name)));
    };
    if !lacking.is_empty() {
        let why = format!("this image has no {}", lacking.join(", "));
        return Err(Problem::new(name, why, instead(name)));
    }
    // A new process needs clone3 as much as a thread of Java's does.
    if let Ok(Some(done)) = seccomp::allow_threads() {
        findings.note(done);
    }
    let output = output_of(&shell, command, PATIENCE);
    let output = output.map_err(|why| Problem::new(name, why, instead(name)))?;
    let text = output.trim();
    match text.lines().count() {
        0 => Err(Problem::new(name, "it printed nothing", instead(name))),
        1 => Ok(Some(text.to_owned())),
        count => Err(Problem::new(name, format!("it printed {count} lines"), "let it print one line")),
    }
}

/// What to write instead of a command.
fn instead(name: &str) -> &'static str {
    match name {
        HOST => "name the host in KAFKA_ADVERTISED_LISTENERS, or set KIMG_ADVERTISE=hostip and HOST_IP to its address",
        PORT => "publish a port of your choice (`9094:9094`) and name it in KAFKA_ADVERTISED_LISTENERS",
        RACK => "set KAFKA_BROKER_RACK, in Kubernetes from a label of the node",
        VOTERS => "set KAFKA_CONTROLLER_QUORUM_VOTERS",
        _ => "set KAFKA_BROKER_ID, or leave both out: the ordinal of a host name such as kafka-2 is the id",
    }
}

/// The programs that a command names and the container does not have.
fn lacking(command: &str, container: &Container) -> Vec<&'static str> {
    let words: Vec<&str> =
        command.split(|letter: char| letter.is_whitespace() || "|;&()`\"'$".contains(letter)).collect();
    let path =
        container.environment.get("PATH").unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let is_there = |name: &str| path.split(':').any(|folder| container.path(Path::new(folder).join(name)).exists());
    PROGRAMS.into_iter().filter(|name| words.contains(name) && !is_there(name)).collect()
}

/// The daemon's socket is mounted for `docker port`, or for nothing.
fn warn_of_socket(container: &Container, is_told: bool, findings: &mut Findings) {
    let sockets = ["/var/run/docker.sock", "/run/docker.sock"];
    let Some(socket) =
        sockets.into_iter().find(|socket| container.mounts.iter().any(|mount| mount == Path::new(socket)))
    else {
        return;
    };
    let (why, hint) = match is_told {
        true => (
            "there is no docker client in this image, so nothing uses it",
            "leave it out: it makes root on the host of whoever is in here",
        ),
        false => (
            "there is no docker client in this image that could find the published port",
            "publish a port of your choice (`9092:9092`), name it in KAFKA_ADVERTISED_LISTENERS, and leave the socket out",
        ),
    };
    findings.warn(Problem::new(socket, why, hint));
}

/// What a command prints by this shell; else why there is nothing: it failed, or took longer than it may. There are no
/// threads here, as an old runtime may deny them: the outputs are sockets, which can be read for a bounded time.
#[allow(
    clippy::disallowed_methods,
    reason = "a command has a bounded time, and what it prints depends on no clock of ours"
)]
pub fn output_of(shell: &Path, command: &str, within: Duration) -> Result<String, String> {
    let end = Instant::now() + within;
    let failed = |error: std::io::Error| format!("it cannot be run: {error}");
    let ((mut out, out_of_child), (mut err, err_of_child)) =
        (UnixStream::pair().map_err(failed)?, UnixStream::pair().map_err(failed)?);
    err.set_nonblocking(true).map_err(failed)?;
    let mut child = Command::new(shell)
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(OwnedFd::from(out_of_child))
        .stderr(OwnedFd::from(err_of_child))
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let (mut text, mut errors) = (Vec::new(), Vec::new());
    let mut is_open = true;
    let status = loop {
        drain(&mut err, &mut errors);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || text.len() > LONGEST {
            stop(shell, &mut child);
            let seconds = within.as_secs_f32();
            return Err(match left.is_zero() {
                true => format!("it had not ended after {seconds} s"),
                false => "it prints without end".to_owned(),
            });
        }
        let step = left.min(Duration::from_millis(20));
        if is_open {
            out.set_read_timeout(Some(step)).map_err(failed)?;
            is_open = read_some(&mut out, &mut text);
        } else if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        } else {
            std::thread::sleep(step.min(Duration::from_millis(1)));
        }
    };
    drain(&mut err, &mut errors);
    let errors = String::from_utf8_lossy(&errors);
    match (status.success(), errors.trim()) {
        (true, _) => Ok(String::from_utf8_lossy(&text).into_owned()),
        (false, "") => Err(format!("it failed ({status})")),
        (false, errors) => Err(format!("it failed ({status}): {}", errors.escape_debug())),
    }
}

/// Reads what is there; false at the end.
fn read_some(from: &mut UnixStream, into: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(count) => {
            into.extend_from_slice(&buffer[..count]);
            true
        }
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted),
    }
}

/// Reads what is there of errors, so that the command never waits for that; the first of it is enough.
fn drain(from: &mut UnixStream, into: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let room = 1024_usize.saturating_sub(into.len());
        into.extend_from_slice(&buffer[..count.min(room)]);
    }
}

/// Ends a command and what it started: they are a group of processes, which only a shell can end without a system call
/// of our own.
fn stop(shell: &Path, child: &mut std::process::Child) {
    let _ = Command::new(shell).args(["-c", &format!("kill -KILL -{}", child.id())]).stderr(Stdio::null()).status();
    let _ = child.kill();
    let _ = child.wait();
}
