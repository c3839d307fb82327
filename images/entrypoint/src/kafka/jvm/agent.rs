//! The agent in the broker's Java that tells `kimg-ready` its state where no listener would.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use super::given::JvmOption;
use crate::container::Container;
use crate::kafka::own_listener::{OwnListener, Protocol};
use crate::kafka::{Layout, listeners, metrics};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// The variable that asks for it, at a port, or for none.
const VARIABLE: &str = "KIMG_METRICS_PORT";

/// The port, where no variable says it.
const PORT: u16 = 9405;

/// How many ports after that one are tried, where others have them.
const TRIED: u16 = 100;

/// The agent of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The program's folder.
    home: PathBuf,
    port: u16,
    /// Why it is there.
    origin: String,
    /// Ports that the broker takes itself.
    taken: Vec<u16>,
    /// Whether the user named the port.
    is_explicit: bool,
}

/// An agent where each listener of the broker needs credentials, or where the user asks for it. `all` are the options of
/// Java so far.
pub fn decide(
    container: &Container,
    layout: &Layout,
    properties: &Properties,
    all: &[JvmOption],
    findings: &mut Findings,
) -> Option<Agent> {
    let asked = match asked(container, findings) {
        Asked::Off => return None,
        Asked::Nothing => None,
        Asked::Port(port) => Some(port),
    };
    let own = OwnListener::of(properties);
    if own.is_controller || (asked.is_none() && own.protocol == Protocol::Plaintext) {
        if asked.is_some() {
            let why = "a node that is a controller only has no port of metrics";
            findings.warn(Problem::new(VARIABLE, why, "leave it out there"));
        }
        return None;
    }
    if let Some((subject, why)) = hindrance(container, layout, all) {
        let hint = "kimg-ready asks a listener, which proves less: see docs/readiness.md";
        match asked {
            Some(_) => findings.warn(Problem::new(VARIABLE, format!("there is no such port: {subject}: {why}"), hint)),
            None => findings.note(format!("no port of metrics: {subject}: {why}")),
        }
        return None;
    }
    let taken = taken(properties, all);
    if let Some(port) = asked.filter(|port| taken.contains(port)) {
        let why = "a listener or JMX has this port too";
        findings.refuse(Problem::new(VARIABLE, why, "give the metrics another port").with_value(port.to_string()));
    }
    let origin = match asked {
        Some(_) => VARIABLE.to_owned(),
        None => "for kimg-ready: each listener needs credentials".to_owned(),
    };
    let port = asked.or_else(|| (PORT..PORT + TRIED).find(|port| !taken.contains(port)))?;
    Some(Agent { home: layout.home.clone(), port, origin, taken, is_explicit: asked.is_some() })
}

impl Agent {
    /// As Java takes it.
    pub fn option(&self) -> JvmOption {
        JvmOption::new(metrics::option(&self.home, self.port), self.origin.clone())
    }

    /// The same at a port that nobody has now: brokers in the network of their host meet there. The exporter would end Java.
    pub fn at_free_port(&self) -> Result<Agent, Problem> {
        let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let last = if self.is_explicit { self.port } else { self.port.saturating_add(TRIED) };
        let mut ports = (self.port..=last).filter(|port| self.is_explicit || !self.taken.contains(port));
        match ports.find(is_free) {
            Some(port) => Ok(Agent { port, ..self.clone() }),
            None => {
                let why = "something else has this port";
                let hint = "set KIMG_METRICS_PORT to one that is free, or to `off`";
                Err(Problem::new(VARIABLE, why, hint).with_value(self.port.to_string()))
            }
        }
    }
}

enum Asked {
    Nothing,
    Off,
    Port(u16),
}

fn asked(container: &Container, findings: &mut Findings) -> Asked {
    match container.environment.get(VARIABLE).map(str::trim) {
        None => Asked::Nothing,
        Some("off") => Asked::Off,
        // A Service called `kimg-metrics` would inject one.
        Some(text) if text.contains("://") => Asked::Nothing,
        Some(text) => match text.parse() {
            Ok(port) if port > 0 => Asked::Port(port),
            _ => {
                let hint = "give a number from 1 to 65535, or `off`";
                findings.refuse(Problem::new(VARIABLE, "it is no port", hint).with_value(text));
                Asked::Off
            }
        },
    }
}

/// What stands against it, and why.
fn hindrance(container: &Container, layout: &Layout, all: &[JvmOption]) -> Option<(String, &'static str)> {
    // Without them the exporter would end Java. Seen from the host, the image's files need not be there.
    let files = [metrics::agent(&layout.home), metrics::configuration(&layout.home)];
    if let Some(file) = files.iter().find(|file| container.is_live() && !file.exists()) {
        return Some((file.display().to_string(), "there is no such file"));
    }
    let agents = all.iter().filter_map(|option| Some((option, option.text.strip_prefix("-javaagent:")?)));
    let mut others = agents.filter(|(_, text)| {
        let path = Path::new(text.split('=').next().unwrap_or_default());
        metrics::is_exporter(&end_of(&container.path(path)), path)
    });
    let (option, _) = others.next()?;
    Some((option.origin.clone(), "it has an exporter of its own, and a second one would end Java"))
}

/// The end of a jar, with the names of its members; empty where it cannot be read.
fn end_of(path: &Path) -> Vec<u8> {
    const ENOUGH: u64 = 512 << 10;
    let read = || {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(ENOUGH)))?;
        let mut end = Vec::new();
        file.take(ENOUGH).read_to_end(&mut end)?;
        Ok::<_, std::io::Error>(end)
    };
    read().unwrap_or_default()
}

/// The ports of all listeners, and of JMX.
fn taken(properties: &Properties, all: &[JvmOption]) -> Vec<u16> {
    let listeners = listeners::parse(properties.get("listeners").unwrap_or_default()).unwrap_or_default();
    let of_jmx = ["-Dcom.sun.management.jmxremote.port=", "-Dcom.sun.management.jmxremote.rmi.port="];
    let ports = all.iter().filter_map(|option| of_jmx.iter().find_map(|prefix| option.text.strip_prefix(prefix)));
    listeners.iter().map(|listener| listener.port).chain(ports.filter_map(|port| port.parse().ok())).collect()
}
