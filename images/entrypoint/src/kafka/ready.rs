//! Whether the broker of this container serves its clients, asked without a JVM. docs/readiness.md says what each
//! question proves on which listener.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Layout;
use super::metrics::Metrics;
use super::own_listener::{OwnListener, Protocol};
use super::protocol::{Connection, Partition, Topics};
use super::running::Running;
use crate::container::Container;
use crate::deadline::Deadline;
use crate::healthcheck;
use crate::resolver::Resolver;

/// All that is asked is answered within this time.
const PATIENCE: Duration = Duration::from_secs(3);

/// When each replica was fetched for the first time since its broker runs: a fetch waits half a second for messages
/// (replica.fetch.wait.max.ms), and a second where it failed.
const SETTLED: Duration = Duration::from_secs(10);

/// How many partitions are named that are not in sync.
const NAMED: usize = 3;

/// What is asked of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether it may go on: no only where a restart would help.
    Live,
    /// Whether it serves clients.
    Ready,
    /// Whether it serves clients, and was in sync with its cluster once since its start.
    InSync,
}

impl Question {
    /// The question of the flags of `kimg-ready kafka`; the error is a flag that there is not.
    pub fn of(flags: &[String]) -> Result<Question, String> {
        let mut question = Question::Ready;
        for flag in flags {
            question = match flag.as_str() {
                "--live" if question == Question::Ready => Question::Live,
                "--in-sync" if question == Question::Ready => Question::InSync,
                other => return Err(other.to_owned()),
            };
        }
        Ok(question)
    }
}

/// Asks the broker of a container: what was found where the answer is yes, and why not where it is no.
pub fn ask(container: &Container, layout: &Layout, question: Question) -> Result<String, String> {
    let running = Running::find(container, layout);
    let marks = Marks::of(container, layout, &running);
    let listener = OwnListener::of(&running.properties);
    let addresses = listener.addresses(&Resolver::of(container), Deadline::after(PATIENCE));
    let told = |error: io::Error| format!("{listener}: {error}");
    match question {
        Question::Live => live(&listener, &addresses, &marks),
        _ if addresses.is_empty() => Err(format!("{listener}: its host cannot be resolved")),
        Question::Ready | Question::InSync => match (listener.protocol, listener.is_controller, running.metrics) {
            (Protocol::Closed | Protocol::SaslPlaintext, false, Some(port)) => {
                let found = answers(&listener, &addresses, PATIENCE / 2).map_err(told)?;
                let text = by_metrics(port, question, &marks).map_err(|why| format!("metrics at {port}: {why}"))?;
                Ok(format!("{listener} {found}; {text}"))
            }
            (Protocol::Closed, _, _) => {
                let found = answers(&listener, &addresses, PATIENCE).map_err(told)?;
                Ok(format!("{listener} {found}; more cannot be asked without credentials"))
            }
            (Protocol::SaslPlaintext, _, _) | (_, true, _) => {
                let found = answers(&listener, &addresses, PATIENCE).map_err(told)?;
                Ok(format!("{listener} {found}"))
            }
            (Protocol::Plaintext, false, _) => {
                let is_asked = question == Question::InSync && !marks.has("in-sync");
                let found = serves(&addresses, running.id(container), is_asked).map_err(told)?;
                let text = found.map_err(|why| format!("{listener}: {why}"))?;
                if is_asked {
                    marks.set("in-sync");
                }
                Ok(format!("{listener}: {text}"))
            }
        },
    }
}

/// What a listener answers whose clients need credentials: with SASL, before they authenticate, the versions of the protocol.
fn answers(listener: &OwnListener, addresses: &[SocketAddr], patience: Duration) -> io::Result<&'static str> {
    match listener.protocol {
        Protocol::Closed => healthcheck::listens_at(addresses, patience).map(|()| "accepts connections"),
        _ => Connection::open(addresses, patience)?.api_versions().map(|()| "answers requests"),
    }
}

/// What the broker tells of itself where its listeners tell nothing.
fn by_metrics(port: u16, question: Question, marks: &Marks) -> Result<String, String> {
    let metrics = Metrics::ask(port, PATIENCE / 2).map_err(|error| error.to_string())?;
    if let Some(why) = metrics.not_running() {
        return Err(why.to_owned());
    }
    marks.set("running");
    if question != Question::InSync {
        return Ok("the broker runs".to_owned());
    }
    if !marks.has("in-sync") {
        // How far a replica is behind is known when it was fetched for the first time.
        if let Some(age) = marks.age("running").filter(|age| *age < SETTLED) {
            let (age, settled) = (age.as_secs(), SETTLED.as_secs());
            return Err(format!("it runs for {age} s; what its replicas lack is known after {settled}"));
        }
        if let Some(why) = metrics.not_in_sync() {
            return Err(why);
        }
        marks.set("in-sync");
    }
    Ok("the broker runs, in sync".to_owned())
}

/// A broker that is not reached yet may be recovering its logs, for minutes or hours, with its listeners closed: killed
/// then, it would begin anew. So it is dead only when it was reached before, since the same start.
fn live(listener: &OwnListener, addresses: &[SocketAddr], marks: &Marks) -> Result<String, String> {
    match healthcheck::listens_at(addresses, PATIENCE) {
        Ok(()) => {
            marks.set("reached");
            Ok(format!("{listener} accepts connections"))
        }
        Err(error) if marks.has("reached") => {
            Err(format!("{listener} accepted connections since this start, and does not any more: {error}"))
        }
        Err(error) => Ok(format!("{listener} does not accept connections yet: {error}")),
    }
}

/// Whether this broker is one that clients are sent to, and where asked in sync; the inner error is a broker that answers
/// and is not ready.
fn serves(addresses: &[SocketAddr], id: Option<i32>, in_sync: bool) -> io::Result<Result<String, String>> {
    let mut behind = Behind::default();
    let topics = if in_sync { Topics::All } else { Topics::None };
    let mut connection = Connection::open(addresses, PATIENCE)?;
    let cluster = connection.metadata(topics, &mut |partition| behind.see(partition, id))?;
    if cluster.brokers.is_empty() {
        return Ok(Err("it knows no broker of its cluster yet".to_owned()));
    }
    if let Some(id) = id.filter(|id| cluster.brokers.iter().all(|broker| broker.id != *id)) {
        return Ok(Err(format!("broker {id} is not among the brokers that serve clients: it is fenced, or starts")));
    }
    if behind.count > 0 {
        let dots = if behind.count > behind.names.len() { ", …" } else { "" };
        return Ok(Err(format!("{} partitions are not in sync: {}{dots}", behind.count, behind.names.join(", "))));
    }
    let who = id.map_or_else(|| "the broker".to_owned(), |id| format!("broker {id}"));
    Ok(Ok(format!("{who} serves clients{}", if in_sync { ", in sync" } else { "" })))
}

/// Partitions that a broker holds without being in sync.
#[derive(Default)]
struct Behind {
    count: usize,
    names: Vec<String>,
}

impl Behind {
    /// A partition without a leader waits for another broker, which an orderly start of a StatefulSet would start only
    /// after this one is ready: it does not count.
    fn see(&mut self, partition: &Partition, id: Option<i32>) {
        let Some(id) = id else { return };
        if partition.leader >= 0 && partition.replicas.contains(&id) && !partition.in_sync.contains(&id) {
            self.count += 1;
            if self.names.len() < NAMED {
                self.names.push(format!("{}-{}", partition.topic, partition.number));
            }
        }
    }
}

/// What is remembered of a start: small files beside the configuration, which hold the start they belong to.
struct Marks {
    folders: Vec<PathBuf>,
    start: String,
}

impl Marks {
    fn of(container: &Container, layout: &Layout, running: &Running) -> Marks {
        let beside = running.file.iter().filter_map(|file| file.parent());
        let folders = beside.chain(layout.configuration.iter().map(PathBuf::as_path));
        Marks { folders: folders.map(|folder| container.path(folder)).collect(), start: running.start.clone() }
    }

    fn has(&self, name: &str) -> bool {
        let mut files = self.folders.iter().map(|folder| folder.join(format!("kimg-{name}")));
        files.any(|file| fs::read_to_string(file).is_ok_and(|text| text == self.start))
    }

    /// The time since it was set; `None` where it is not.
    fn age(&self, name: &str) -> Option<Duration> {
        let mut files = self.folders.iter().map(|folder| folder.join(format!("kimg-{name}")));
        let file = files.find(|file| fs::read_to_string(file).is_ok_and(|text| text == self.start))?;
        fs::metadata(file).ok()?.modified().ok()?.elapsed().ok()
    }

    /// Where it can be written nowhere, the question is asked anew each time.
    fn set(&self, name: &str) {
        if !self.has(name) {
            let mut files = self.folders.iter().map(|folder| folder.join(format!("kimg-{name}")));
            files.any(|file| fs::write(file, &self.start).is_ok());
        }
    }
}
