//! Programs of other images that health checks and waiting scripts call, and that would be missed here: Confluent's
//! `cub kafka-ready` and `cub zk-ready` (confluentinc/confluent-docker-utils cub.py), and `nc -z`. No JVM, no Python.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::container::Container;
use crate::deadline::{Deadline, TimedStream};
use crate::kafka::protocol::{Connection, Topics};
use crate::kafka::zookeeper_connect::Ensemble;
use crate::kafka::zookeeper_protocol::Session;
use crate::resolver::Resolver;

/// How long one try may take.
const ANSWER: Duration = Duration::from_secs(3);

/// The time between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// What a probe is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Whether as many brokers serve clients.
    Brokers {
        /// The number.
        expected: usize,
        /// Where one of them is: `HOST:PORT,HOST:PORT`.
        bootstrap: String,
        /// How long to try.
        patience: Duration,
    },
    /// Whether a server of ZooKeeper answers.
    ZooKeeper {
        /// As in `zookeeper.connect`.
        connect: String,
        /// How long to try.
        patience: Duration,
    },
    /// Whether something accepts connections.
    Port {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// How long to try.
        patience: Duration,
    },
}

impl Probe {
    /// The probe of a program's name and arguments; `None` where that program is none of these. The error is what is not
    /// understood.
    pub fn of(program: &str, arguments: &[String]) -> Option<Result<Probe, String>> {
        match program {
            "cub" => Some(cub(arguments)),
            "nc" => Some(nc(arguments)),
            _ => None,
        }
    }

    /// Asks until the answer is yes or the time is over.
    pub fn ask(&self, container: &Container) -> Result<(), String> {
        let resolver = Resolver::of(container);
        match self {
            Probe::Port { host, port, patience } => {
                let deadline = Deadline::after(*patience);
                let addresses = resolver.addresses(host, *port, deadline);
                let connected = addresses.and_then(|addresses| TimedStream::connect(&addresses, deadline));
                connected.map(|_| ()).map_err(|error| format!("{host}:{port}: {error}"))
            }
            Probe::ZooKeeper { connect, patience } => until(
                *patience,
                connect,
                &mut |addresses| Session::open(addresses, ANSWER).map(Session::close),
                &resolver,
            ),
            Probe::Brokers { expected, bootstrap, patience } => until(
                *patience,
                bootstrap,
                &mut |addresses| {
                    let cluster = Connection::open(addresses, ANSWER)?.metadata(Topics::None, &mut |_| ())?;
                    match cluster.brokers.len() {
                        number if number >= *expected => Ok(()),
                        number => Err(io::Error::other(format!("{number} of {expected} brokers serve clients"))),
                    }
                },
                &resolver,
            ),
        }
    }
}

/// Asks each server in turn, again and again.
fn until(
    patience: Duration,
    servers: &str,
    ask: &mut dyn FnMut(&[SocketAddr]) -> io::Result<()>,
    resolver: &Resolver,
) -> Result<(), String> {
    let deadline = Deadline::after(patience);
    let servers = Ensemble::parse(servers).map_err(|part| format!("`{part}` is no HOST:PORT"))?.servers;
    loop {
        let mut last = "no server is named".to_owned();
        for server in &servers {
            let addresses = resolver.addresses(&server.host, server.port, Deadline::after(ANSWER));
            match addresses.and_then(|addresses| ask(&addresses)) {
                Ok(()) => return Ok(()),
                Err(error) => last = format!("{server}: {error}"),
            }
        }
        match deadline.left_of(PAUSE) {
            Some(pause) => std::thread::sleep(pause),
            None => return Err(last),
        }
    }
}

/// `cub kafka-ready EXPECTED SECONDS -b BROKERS`, `cub zk-ready CONNECT SECONDS`; options may stand anywhere.
fn cub(arguments: &[String]) -> Result<Probe, String> {
    let (mut words, mut bootstrap) = (Vec::new(), None);
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        match word {
            "-b" | "--bootstrap_broker_list" => bootstrap = rest.next(),
            // The protocol that is asked for is the one that can be spoken.
            "-s" | "--security-protocol" => match rest.next() {
                Some("PLAINTEXT") | None => {}
                Some(other) => return Err(format!("{other} needs credentials: use `kafka-topics --command-config`")),
            },
            "-c" | "--config" => drop(rest.next()),
            _ if word.starts_with('-') => return Err(format!("`cub` here has no {word}; ask brokers with -b")),
            _ => words.push(word),
        }
    }
    let seconds = |text: &str| text.parse().map(Duration::from_secs).map_err(|_| format!("`{text}` is no number"));
    match (words.as_slice(), bootstrap) {
        (["kafka-ready", expected, patience], Some(bootstrap)) => Ok(Probe::Brokers {
            expected: expected.parse().map_err(|_| format!("`{expected}` is no number"))?,
            bootstrap: without_protocols(bootstrap),
            patience: seconds(patience)?,
        }),
        (["zk-ready", connect, patience], _) => {
            Ok(Probe::ZooKeeper { connect: (*connect).to_owned(), patience: seconds(patience)? })
        }
        _ => {
            Err("here it is `cub kafka-ready EXPECTED SECONDS -b BROKERS` or `cub zk-ready CONNECT SECONDS`".to_owned())
        }
    }
}

/// `PLAINTEXT://kafka:9092`, as people write it.
fn without_protocols(brokers: &str) -> String {
    let each = brokers.split(',').map(|broker| broker.rsplit("://").next().unwrap_or(broker));
    each.collect::<Vec<_>>().join(",")
}

/// `nc -z HOST PORT`, with `-v` and `-w SECONDS` in any order.
fn nc(arguments: &[String]) -> Result<Probe, String> {
    const USE: &str = "here it is `nc -z [-v] [-w SECONDS] HOST PORT` only";
    let (mut words, mut only_looks, mut patience) = (Vec::new(), false, ANSWER);
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let Some(letters) = word.strip_prefix('-') else {
            words.push(word);
            continue;
        };
        let (flags, seconds) = letters.split_once('w').map_or((letters, None), |(flags, rest)| (flags, Some(rest)));
        if !flags.chars().all(|letter| "zvn4".contains(letter)) {
            return Err(USE.to_owned());
        }
        only_looks |= flags.contains('z');
        if let Some(seconds) = seconds {
            let text = if seconds.is_empty() { rest.next().unwrap_or_default() } else { seconds };
            patience = text.parse().map(Duration::from_secs).map_err(|_| USE.to_owned())?;
        }
    }
    match (words.as_slice(), only_looks) {
        ([host, port], true) => {
            let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
            Ok(Probe::Port { host: (*host).to_owned(), port, patience })
        }
        _ => Err(USE.to_owned()),
    }
}
