//! KRaft's quorum: the roles of this node, and the controllers that vote.

use super::mode::Mode;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// A controller of `controller.quorum.voters`: `ID@HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    /// Its `node.id`.
    pub id: u32,
    /// Its host; IPv6 addresses without their brackets.
    pub host: String,
    /// The port of its controller listener.
    pub port: u16,
}

impl Voter {
    fn parse(text: &str) -> Option<Voter> {
        let (id, address) = text.split_once('@')?;
        let (host, port) = parse_address(address)?;
        Some(Voter { id: id.trim().parse().ok()?, host, port })
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// The voters of a text; an error is the part that is none (org.apache.kafka.raft.RaftConfig.parseVoterConnections).
pub fn parse_voters(text: &str) -> Result<Vec<Voter>, String> {
    parts(text).map(|part| Voter::parse(part).ok_or_else(|| part.to_owned())).collect()
}

/// The voters that are set; what is none is left out, for [`check`] names it.
pub fn voters(properties: &Properties) -> Vec<Voter> {
    parts(properties.get("controller.quorum.voters").unwrap_or_default()).filter_map(Voter::parse).collect()
}

/// `HOST:PORT`, where an IPv6 address has brackets.
fn parse_address(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let (inner, bracketed) = match host.strip_prefix('[') {
        Some(rest) => (rest.strip_suffix(']')?, true),
        None => (host, false),
    };
    let clean =
        |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter) || (bracketed && ":%".contains(letter));
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!inner.is_empty() && inner.chars().all(clean)).then(|| (inner.to_owned(), port))
}

/// Which roles a node of KRaft has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// It keeps messages.
    pub broker: bool,
    /// It votes, and keeps the cluster's metadata.
    pub controller: bool,
}

impl Roles {
    /// Those of a node: with ZooKeeper every node is a broker, and a single node is both. What is no role is left out, for
    /// [`check`] names it.
    pub fn of(properties: &Properties, mode: Mode) -> Roles {
        let text = properties.get("process.roles").unwrap_or_default();
        let has = |role: &str| parts(text).any(|part| part == role);
        match mode {
            Mode::ZooKeeper => Roles { broker: true, controller: false },
            Mode::KraftSingle => Roles { broker: true, controller: true },
            Mode::Kraft => Roles { broker: has("broker") || !has("controller"), controller: has("controller") },
        }
    }

    /// The roles of a text; an error says what is wrong with it (kafka.server.KafkaConfig.parseProcessRoles).
    pub fn parse(text: &str) -> Result<Roles, String> {
        let mut roles = Roles { broker: false, controller: false };
        for part in parts(text) {
            let role = match part {
                "broker" => &mut roles.broker,
                "controller" => &mut roles.controller,
                other => return Err(format!("`{other}` is no role")),
            };
            if std::mem::replace(role, true) {
                return Err(format!("`{part}` is there twice"));
            }
        }
        Ok(roles)
    }
}

fn at_least_one(roles: Roles) -> Result<Roles, String> {
    match roles.broker || roles.controller {
        true => Ok(roles),
        false => Err("it names no role".to_owned()),
    }
}

/// Checks what a node of KRaft says of its quorum. Whether its own id fits is checked where the id is decided.
pub fn check(properties: &Properties, findings: &mut Findings) {
    check_bootstrap_servers(properties, findings);
    let voters = checked_voters(properties, findings);
    let text = properties.get("process.roles").unwrap_or_default();
    match Roles::parse(text).and_then(at_least_one) {
        Ok(roles) => check_hosts(properties, &voters, roles, findings),
        Err(why) => {
            let hint = "set it to broker, to controller, or to broker,controller";
            findings.refuse(Problem::new(origin(properties, "process.roles"), why, hint).with_value(text));
        }
    }
}

fn origin(properties: &Properties, name: &str) -> String {
    properties.origin(name).unwrap_or(name).to_owned()
}

/// The voters, where all of them can be read; one of the properties that name the controllers must be there.
fn checked_voters(properties: &Properties, findings: &mut Findings) -> Vec<Voter> {
    let subject = origin(properties, "controller.quorum.voters");
    let Some(text) = properties.get("controller.quorum.voters") else {
        if properties.get("controller.quorum.bootstrap.servers").is_none() {
            let why = "it is not set, and KRaft does not find its controllers";
            let hint = "set it to ID@HOST:PORT of each controller, parted by commas; without KAFKA_PROCESS_ROLES, too, it is a \
                        single node";
            findings.refuse(Problem::new("KAFKA_CONTROLLER_QUORUM_VOTERS", why, hint));
        }
        return Vec::new();
    };
    let voters = match parse_voters(text) {
        Ok(voters) => voters,
        Err(part) => {
            let hint = "write ID@HOST:PORT of each controller, parted by commas; an IPv6 address in brackets";
            findings.refuse(Problem::new(subject, format!("`{part}` is no voter"), hint).with_value(text));
            return Vec::new();
        }
    };
    for (index, voter) in voters.iter().enumerate() {
        let before = &voters[..index];
        let why = match before.iter().find(|other| other.id == voter.id) {
            Some(_) => format!("the id {} is there twice; Kafka takes the last of them", voter.id),
            None if before.iter().any(|other| (&other.host, other.port) == (&voter.host, voter.port)) => {
                format!("{}:{} is there twice", voter.host, voter.port)
            }
            None => continue,
        };
        let hint = "give each controller an id and an address of its own";
        findings.refuse(Problem::new(&subject, why, hint).with_value(text));
    }
    voters
}

fn check_bootstrap_servers(properties: &Properties, findings: &mut Findings) {
    const NAME: &str = "controller.quorum.bootstrap.servers";
    let text = properties.get(NAME).unwrap_or_default();
    if let Some(part) = parts(text).find(|part| parse_address(part).is_none()) {
        let hint = "write HOST:PORT of each controller, parted by commas, without ids";
        findings
            .refuse(Problem::new(origin(properties, NAME), format!("`{part}` is no address"), hint).with_value(text));
    }
}

/// A voter at `localhost` is this container itself, and there can be one of them.
fn check_hosts(properties: &Properties, voters: &[Voter], roles: Roles, findings: &mut Findings) {
    let is_another = voters.len() > 1 || !roles.controller;
    let on_this_host = voters.iter().find(|voter| voter.host == "localhost" || voter.host.starts_with("127."));
    if let Some(voter) = on_this_host.filter(|_| is_another) {
        let why = format!("voter {} is at {}, which is each container itself", voter.id, voter.host);
        let hint = "name the host under which the other nodes reach it";
        let text = properties.get("controller.quorum.voters").unwrap_or_default();
        findings.warn(Problem::new(origin(properties, "controller.quorum.voters"), why, hint).with_value(text));
    }
}
