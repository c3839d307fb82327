//! `zookeeper.connect`: `HOST:PORT,HOST:PORT/CHROOT`, read as ZooKeeper's client reads it (apache/zookeeper
//! ConnectStringParser): the chroot begins at the first slash and is one for all, a host without a port has 2181, blanks
//! and empty members do not count.

use std::fmt;

/// The port of a host that has none.
const PORT: u16 = 2181;

/// The servers, and the folder in their tree that is Kafka's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensemble {
    /// The servers.
    pub servers: Vec<Server>,
    /// `/kafka`; empty where the root is ZooKeeper's own.
    pub chroot: String,
}

/// A server of ZooKeeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The name or address; IPv6 addresses without their brackets.
    pub host: String,
    /// The port for clients.
    pub port: u16,
}

impl Ensemble {
    /// The ensemble of a text; the error is the part that is no server.
    pub fn parse(text: &str) -> Result<Ensemble, String> {
        let (servers, chroot) = text.find('/').map_or((text, ""), |at| text.split_at(at));
        let parts = servers.split(',').map(str::trim).filter(|part| !part.is_empty());
        let servers: Result<Vec<Server>, String> =
            parts.map(|part| Server::parse(part).ok_or_else(|| part.to_owned())).collect();
        Ok(Ensemble { servers: servers?, chroot: chroot.trim_end_matches('/').to_owned() })
    }

    /// Whether it has the pattern of ports that were mapped on a host, one a server: `zoo1:2181,zoo2:2182,zoo3:2183`.
    pub fn has_mapped_ports(&self) -> bool {
        let pairs = || self.servers.windows(2);
        let count_up = pairs().all(|pair| Some(pair[1].port) == pair[0].port.checked_add(1));
        let differ = |index: usize| self.servers[..index].iter().all(|other| other.host != self.servers[index].host);
        self.servers.len() > 1 && count_up && (0..self.servers.len()).all(differ)
    }
}

impl Server {
    fn parse(text: &str) -> Option<Server> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, ""),
            Some((host, port)) => (host, port.strip_prefix(':')?),
            None => text.rsplit_once(':').unwrap_or((text, "")),
        };
        let port = if port.is_empty() { PORT } else { port.parse().ok()? };
        let is_clean = !host.is_empty() && !host.contains([' ', '@', '=', '[', ']', '"', '\'']);
        is_clean.then(|| Server { host: host.to_owned(), port })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
