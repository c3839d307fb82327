//! Topics that are created when the broker has started: `KAFKA_CREATE_TOPICS`, as wurstmeister/kafka takes it
//! (wurstmeister/kafka-docker create-topics.sh): `NAME:PARTITIONS:REPLICAS[:CLEANUP.POLICY]`, parted by commas or by any
//! letter of `KAFKA_CREATE_TOPICS_SEPARATOR`.
//!
//! There they went to ZooKeeper, which Kafka's tool cannot do any more; here they go to the broker, by its own protocol.

use std::process::Command;
use std::thread;
use std::time::Duration;

use super::Layout;
use super::dialect::{Dialect, Rules};
use super::own_listener::{OwnListener, Protocol};
use super::protocol::{Connection, Created, NewTopic, Topics};
use crate::container::Container;
use crate::deadline::Deadline;
use crate::problem::{Findings, Problem};
use crate::resolver::Resolver;

const VARIABLE: &str = "KAFKA_CREATE_TOPICS";

const SEPARATOR: &str = "KAFKA_CREATE_TOPICS_SEPARATOR";

/// How many seconds the broker may take to start; wurstmeister's variable and default.
const PATIENCE: &str = "START_TIMEOUT";

const DEFAULT_PATIENCE: u64 = 600;

/// A file with properties of clients, with which topics are created where each listener wants credentials.
const CLIENT: &str = "KIMG_CLIENT_PROPERTIES";

/// The time between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the broker may take for one answer.
const ANSWER: Duration = Duration::from_secs(30);

/// Error codes of Kafka (org.apache.kafka.common.protocol.Errors).
const EXISTS: i16 = 36;

/// Those that pass: REQUEST_TIMED_OUT, BROKER_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, INVALID_REPLICATION_FACTOR (as
/// long as too few brokers have started), NOT_CONTROLLER, THROTTLING_QUOTA_EXCEEDED.
const PASSING: [i16; 6] = [7, 8, 14, 38, 41, 89];

/// The topics that the user wants. Families that do not know the variable get a warning.
pub fn wanted(container: &Container, rules: &Rules, findings: &mut Findings) -> Vec<NewTopic> {
    let Some(text) = container.environment.get(VARIABLE) else { return Vec::new() };
    if ![Dialect::Kimg, Dialect::Wurstmeister].iter().any(|dialect| dialect.rules() == rules) {
        let why = format!("{} does not know it, so no topic is created", rules.follows);
        findings.warn(Problem::new(VARIABLE, why, "set KIMG_DIALECT to kimg or wurstmeister, which create them"));
        return Vec::new();
    }
    if let Err(problem) = patience(container) {
        findings.refuse(problem);
    }
    let unquoted = text.trim_matches(['"', '\'', ' ']);
    if unquoted.len() < text.trim().len() {
        let why = "the quotes are part of it, for Docker takes a list's values as they are; they are left out";
        findings.warn(Problem::new(VARIABLE, why, format!("write {VARIABLE}={unquoted}")).with_value(text));
    }
    let text = unquoted;
    let separator = container.environment.get(SEPARATOR).unwrap_or(",");
    let mut topics: Vec<NewTopic> = Vec::new();
    for part in text.split(|letter| separator.contains(letter)).map(str::trim).filter(|part| !part.is_empty()) {
        match topic(part) {
            Ok(topic) if topics.iter().any(|other| other.name == topic.name) => {
                let why = format!("the topic `{}` is there twice, and the first counts", topic.name);
                findings.warn(Problem::new(VARIABLE, why, "leave one of them out"));
            }
            Ok(topic) => topics.push(topic),
            Err(why) => {
                let hint =
                    "write NAME:PARTITIONS:REPLICAS or NAME:PARTITIONS:REPLICAS:CLEANUP.POLICY, parted by commas";
                findings.refuse(Problem::new(VARIABLE, why, hint).with_value(part));
            }
        }
    }
    topics
}

/// A topic of a text. Numbers that are left out are the broker's defaults, which wurstmeister's tool did not have.
fn topic(text: &str) -> Result<NewTopic, String> {
    let mut fields = text.splitn(4, ':').map(str::trim);
    let name = fields.next().unwrap_or_default();
    check_name(name)?;
    let partitions = number(fields.next(), "partitions", 1_000_000)?;
    let replicas = number(fields.next(), "replicas", i32::from(i16::MAX))?;
    let settings = settings(fields.next().unwrap_or_default())?;
    let replicas = i16::try_from(replicas).map_err(|error| error.to_string())?;
    Ok(NewTopic { name: name.to_owned(), partitions, replicas, settings })
}

/// org.apache.kafka.common.internals.Topic
fn check_name(name: &str) -> Result<(), String> {
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    match name {
        "" => Err("a topic needs a name".to_owned()),
        "." | ".." => Err(format!("`{name}` is no name of a topic")),
        _ if name.len() > 249 => Err("the name of a topic has 249 letters at most".to_owned()),
        _ if !name.chars().all(is_legal) => {
            Err(format!("`{}` is no name of a topic: letters, digits, `.`, `_` and `-` are", name.escape_debug()))
        }
        _ => Ok(()),
    }
}

fn number(text: Option<&str>, what: &str, most: i32) -> Result<i32, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(-1) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("`{}` is no number of {what}", text.escape_debug()))
}

/// The cleanup policy; wurstmeister's script put it on a command line, so people add `--config=NAME=VALUE` after it.
fn settings(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut settings = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("--config") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None if settings.is_empty() && word.split(',').all(|policy| ["compact", "delete"].contains(&policy)) => {
                settings.push(("cleanup.policy".to_owned(), word.to_owned()));
                continue;
            }
            None => return Err(format!("`{}` is no cleanup policy: compact, delete or both are", word.escape_debug())),
        };
        let (name, value) = setting.and_then(|setting| setting.split_once('=')).ok_or("--config needs NAME=VALUE")?;
        settings.push((name.to_owned(), value.to_owned()));
    }
    Ok(settings)
}

fn patience(container: &Container) -> Result<Duration, Problem> {
    let Some(text) = container.environment.get(PATIENCE) else { return Ok(Duration::from_secs(DEFAULT_PATIENCE)) };
    let wrong =
        |_| Problem::new(PATIENCE, "it is no number of seconds", "leave it out, or give seconds").with_value(text);
    text.trim().parse().map(Duration::from_secs).map_err(wrong)
}

/// Creates topics as soon as the broker answers, once; those that exist stay as they are. What became of each is told in
/// a line.
pub fn create(
    topics: &[NewTopic],
    listener: &OwnListener,
    container: &Container,
    layout: &Layout,
    tell: &mut dyn FnMut(&str),
) {
    let deadline = Deadline::after(patience(container).unwrap_or(Duration::from_secs(DEFAULT_PATIENCE)));
    if listener.is_controller {
        return tell(&format!("{VARIABLE}: this is a controller only; set it on a broker"));
    }
    if listener.protocol == Protocol::Plaintext {
        return by_protocol(topics, listener, &Resolver::of(container), deadline, tell);
    }
    match container.environment.get(CLIENT) {
        Some(file) => by_tool(topics, listener, file, layout, tell),
        None => tell(&format!(
            "{VARIABLE}: each listener of this broker wants credentials, so no topic is created; \
             set {CLIENT} to a file with a client's properties"
        )),
    }
}

fn by_protocol(
    topics: &[NewTopic],
    listener: &OwnListener,
    resolver: &Resolver,
    deadline: Deadline,
    tell: &mut dyn FnMut(&str),
) {
    let mut pending = topics.to_vec();
    let (mut at_controller, mut is_told) = (false, false);
    let mut last = String::new();
    loop {
        match try_create(&pending, listener, resolver, at_controller) {
            Ok(results) => {
                // With ZooKeeper only the controller creates topics; with KRaft each broker passes them on to it.
                at_controller ^= results.iter().any(|result| result.error == 41);
                for result in &results {
                    if !PASSING.contains(&result.error) {
                        tell(&outcome(result));
                        pending.retain(|topic| topic.name != result.name);
                    } else if result.error == 38 && !is_told {
                        is_told = true;
                        tell(&format!("{VARIABLE}: waiting for more brokers: {}", result.message.escape_debug()));
                    }
                    last.clone_from(&result.message);
                }
            }
            Err(error) => (at_controller, last) = (false, error.to_string()),
        }
        if pending.is_empty() {
            return;
        }
        let Some(pause) = deadline.left_of(PAUSE) else { break };
        thread::sleep(pause);
    }
    let names: Vec<&str> = pending.iter().map(|topic| topic.name.as_str()).collect();
    let after = deadline.passed().as_secs();
    tell(&format!("{VARIABLE}: not created after {after} s: {} ({})", names.join(", "), last.escape_debug()));
}

/// Asks this broker, or the controller where another broker is that.
fn try_create(
    topics: &[NewTopic],
    listener: &OwnListener,
    resolver: &Resolver,
    at_controller: bool,
) -> std::io::Result<Vec<Created>> {
    let own = listener.addresses(resolver, Deadline::after(ANSWER));
    let mut broker = Connection::open(&own, ANSWER)?;
    let cluster = broker.metadata(Topics::None, &mut |_| ())?;
    let controller = cluster.brokers.iter().find(|broker| broker.id == cluster.controller);
    match controller {
        _ if cluster.brokers.is_empty() => Err(std::io::Error::other("the broker knows no cluster yet")),
        Some(controller) if at_controller => {
            let addresses = resolver.addresses(&controller.host, controller.port, Deadline::after(ANSWER))?;
            Connection::open(&addresses, ANSWER)?.create_topics(topics, ANSWER / 2)
        }
        _ => broker.create_topics(topics, ANSWER / 2),
    }
}

fn outcome(result: &Created) -> String {
    match result.error {
        0 => format!("{VARIABLE}: {} is created", result.name),
        EXISTS => format!("{VARIABLE}: {} exists, and stays as it is", result.name),
        code => format!("{VARIABLE}: {} is not created: {} (error {code})", result.name, result.message.escape_debug()),
    }
}

/// With credentials, which the user's own file for clients has, by Kafka's tool. It waits for the broker by itself.
fn by_tool(topics: &[NewTopic], listener: &OwnListener, file: &str, layout: &Layout, tell: &mut dyn FnMut(&str)) {
    for topic in topics {
        match tool(topic, listener, file, layout).status() {
            Ok(status) if status.success() => tell(&format!("{VARIABLE}: {} is there", topic.name)),
            Ok(status) => tell(&format!("{VARIABLE}: {} is not created: kafka-topics.sh: {status}", topic.name)),
            Err(error) => tell(&format!("{VARIABLE}: kafka-topics.sh cannot be started: {error}")),
        }
    }
}

/// The command that creates a topic.
pub fn tool(topic: &NewTopic, listener: &OwnListener, file: &str, layout: &Layout) -> Command {
    let host = if listener.listener.host.is_empty() { "localhost" } else { &listener.listener.host };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut command = Command::new(layout.home.join("bin/kafka-topics.sh"));
    command.args(["--bootstrap-server", &format!("{host}:{}", listener.listener.port), "--command-config", file]);
    command.args(["--create", "--if-not-exists", "--topic", &topic.name]);
    for (option, number) in [("--partitions", topic.partitions), ("--replication-factor", topic.replicas.into())] {
        if number > 0 {
            command.args([option, &number.to_string()]);
        }
    }
    for (name, value) in &topic.settings {
        command.args(["--config", &format!("{name}={value}")]);
    }
    command
}
