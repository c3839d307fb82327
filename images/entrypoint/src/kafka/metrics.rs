//! What a broker tells of its state at a port of loopback: Prometheus' exporter of JMX runs as an agent in its Java where
//! each of its listeners needs credentials, which this program does not have.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::deadline::{Deadline, TimedStream};

/// An answer is a few lines.
const LIMIT: u64 = 1 << 20;

/// The agent, as the image has it below the program's folder.
pub fn agent(home: &Path) -> PathBuf {
    home.join("metrics/agent.jar")
}

/// What the agent tells, as the image says it.
pub fn configuration(home: &Path) -> PathBuf {
    home.join("metrics/metrics.yaml")
}

/// The option of Java that starts the agent at a port.
pub fn option(home: &Path, port: u16) -> String {
    let (agent, configuration) = (agent(home), configuration(home));
    format!("-javaagent:{}={}:{port}:{}", agent.display(), Ipv4Addr::LOCALHOST, configuration.display())
}

/// The port in such an option; `None` of any other word.
pub fn port_of(home: &Path, word: &str) -> Option<u16> {
    let rest = word.strip_prefix(&format!("-javaagent:{}={}:", agent(home).display(), Ipv4Addr::LOCALHOST))?;
    rest.split(':').next()?.parse().ok()
}

/// Whether options of the user's start such an exporter too. There can be one in a Java: the second ends it.
pub fn is_exporter(jar: &[u8], path: &Path) -> bool {
    // The names of a jar's members lie in it as they are, last in its directory.
    const MEMBER: &[u8] = b"io/prometheus/jmx/";
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    jar.windows(MEMBER.len()).any(|part| part == MEMBER) || (jar.is_empty() && name.contains("prometheus"))
}

/// The state of a broker, by Kafka's MBeans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// `BrokerState`: 3 where it runs.
    pub state: Option<i64>,
    /// `MaxLag`: how many messages it is behind the leader that it is farthest behind. A leader takes a replica into the ISR
    /// that has all that consumers may read, which is where this is 0.
    pub lag: i64,
    /// Partitions that it gave up to fetch.
    pub failed: i64,
    /// Threads that fetch no more.
    pub dead: i64,
    /// Replicas in log folders that failed.
    pub offline: i64,
}

impl Metrics {
    /// Asks the agent at this port.
    pub fn ask(port: u16, patience: Duration) -> io::Result<Metrics> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TimedStream::connect(&[address], Deadline::after(patience))?;
        // Without the name of one that the exporter itself has it leaves all of Kafka's out.
        let names = NAMES.map(|name| format!("&name[]={name}")).concat();
        stream
            .write_all(format!("GET /metrics?name[]={FAILED}{names} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.take(LIMIT).read_to_end(&mut answer)?;
        Metrics::parse(&String::from_utf8_lossy(&answer))
    }

    /// Reads an answer of HTTP.
    fn parse(answer: &str) -> io::Result<Metrics> {
        let first = answer.lines().next().unwrap_or_default();
        if !(first.starts_with("HTTP/1.") && first.split(' ').nth(1) == Some("200")) {
            let first: String = first.chars().take(80).collect();
            return Err(io::Error::other(format!("it answered `{}`", first.escape_debug())));
        }
        let value = |name: &str| {
            let mut pairs = answer.lines().filter_map(|line| line.split_once(' '));
            let text = pairs.find(|(own, _)| *own == name)?.1;
            // Prometheus' numbers are floating-point ones.
            text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number as i64)
        };
        if value(FAILED) == Some(1) {
            return Err(io::Error::other("it could not ask Java for them"));
        }
        let [state, lag, failed, dead, offline] = NAMES.map(value);
        let count = |value: Option<i64>| value.unwrap_or_default();
        Ok(Metrics { state, lag: count(lag), failed: count(failed), dead: count(dead), offline: count(offline) })
    }

    /// Why it does not serve clients, where it does not (org.apache.kafka.metadata.BrokerState).
    pub fn not_running(&self) -> Option<&'static str> {
        match self.state {
            Some(3) => None,
            None | Some(0) => Some("it has not begun to start"),
            Some(1) => Some("it starts"),
            Some(2) => Some("it recovers its logs, or catches up with its controllers"),
            Some(6 | 7) => Some("it ends"),
            Some(_) => Some("its state is unknown"),
        }
    }

    /// Why its replicas are not in sync, where they are not.
    pub fn not_in_sync(&self) -> Option<String> {
        match self {
            Metrics { offline: 1.., .. } => Some(format!("{} replicas are in log folders that failed", self.offline)),
            Metrics { failed: 1.., .. } => Some(format!("{} partitions are not fetched any more", self.failed)),
            Metrics { dead: 1.., .. } => Some(format!("{} of the threads that fetch have ended", self.dead)),
            Metrics { lag: 1.., .. } => Some(format!("it is {} messages behind a leader", self.lag)),
            _ => None,
        }
    }
}

/// Whether the exporter failed: 1, else 0.
const FAILED: &str = "jmx_scrape_error";

/// As the image's configuration of the agent calls them.
const NAMES: [&str; 5] =
    ["kimg_broker_state", "kimg_lag", "kimg_failed_partitions", "kimg_dead_fetchers", "kimg_offline_replicas"];
