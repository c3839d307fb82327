//! KRaft's quorum: the roles of this node, and the controllers that vote.

use crate::kafka::Layout;
use crate::kafka::identity::Id;
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

/// The voters of a text; an error is the part that is none (org.apache.kafka.raft.RaftConfig.parseVoterConnections).
pub fn parse_voters(text: &str) -> Result<Vec<Voter>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let parse = |part: &str| {
        let (id, address) = part.split_once('@')?;
        let (host, port) = parse_address(address)?;
        Some(Voter { id: id.trim().parse().ok()?, host, port })
    };
    parts.map(|part| parse(part).ok_or_else(|| part.to_owned())).collect()
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

/// The roles of a text; an error says what is wrong with it (kafka.server.KafkaConfig.parseProcessRoles).
pub fn parse_roles(text: &str) -> Result<Roles, String> {
    let mut roles = Roles { broker: false, controller: false };
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
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

/// Completes and checks what a node of KRaft says of its quorum.
pub fn complete(properties: &mut Properties, id: &Id, layout: &Layout, findings: &mut Findings) {
    let voters = voters(properties, findings);
    check_bootstrap_servers(properties, findings);
    let number: Option<u32> = id.value.parse().ok();
    let votes = voters.iter().any(|voter| Some(voter.id) == number);
    if properties.get("process.roles").is_none() {
        let roles = if votes || voters.is_empty() { "broker,controller" } else { "broker" };
        properties.set("process.roles", roles, format!("default, for controller.quorum.voters {}", has(votes)));
    }
    let text = properties.get("process.roles").unwrap_or_default();
    let roles = match parse_roles(text) {
        Ok(roles) => roles,
        Err(why) => {
            let hint = "set it to broker, to controller, or to broker,controller";
            findings.refuse(Problem::new(origin(properties, "process.roles"), why, hint).with_value(text));
            return;
        }
    };
    check_own_id(properties, &voters, roles, id, findings);
    if !roles.broker {
        check_controller(properties, layout, findings);
    }
    let has_listener = properties.get("listeners").is_some_and(|text| text.contains("CONTROLLER://"));
    if has_listener || !roles.controller {
        properties.set_default("controller.listener.names", "CONTROLLER", "default");
    }
}

fn has(votes: bool) -> &'static str {
    if votes { "has this node" } else { "lacks this node" }
}

fn origin(properties: &Properties, name: &str) -> String {
    properties.origin(name).unwrap_or(name).to_owned()
}

/// The voters, where all of them can be read; one of the properties that name the controllers must be there.
fn voters(properties: &Properties, findings: &mut Findings) -> Vec<Voter> {
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
    let mut parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    if let Some(part) = parts.find(|part| parse_address(part).is_none()) {
        let hint = "write HOST:PORT of each controller, parted by commas, without ids";
        findings
            .refuse(Problem::new(origin(properties, NAME), format!("`{part}` is no address"), hint).with_value(text));
    }
}

/// A controller is one of the voters, and a broker is none; in KRaft, their ids are of one row.
fn check_own_id(properties: &Properties, voters: &[Voter], roles: Roles, id: &Id, findings: &mut Findings) {
    let number: Option<u32> = id.value.parse().ok();
    let (false, Some(number)) = (voters.is_empty(), number) else { return };
    let subject = origin(properties, "controller.quorum.voters");
    let text = properties.get("controller.quorum.voters").unwrap_or_default();
    let own = voters.iter().find(|voter| voter.id == number);
    let told = format!("node.id is {number} ({})", id.origin);
    match own {
        None if roles.controller => {
            let why = format!("{told}, and this controller is none of the voters");
            let hint =
                format!("add {number}@HOST:PORT to the voters of all nodes, or set KAFKA_PROCESS_ROLES to broker");
            findings.refuse(Problem::new(subject, why, hint).with_value(text));
        }
        Some(voter) if !roles.controller => {
            let why = format!("{told}, and the controller {}:{} has that id too", voter.host, voter.port);
            let hint = "give brokers other ids than controllers: KIMG_BROKER_ID_OFFSET=100 moves those of pods";
            findings.refuse(Problem::new(subject, why, hint).with_value(text));
        }
        _ => {}
    }
    let on_this_host = voters.iter().find(|voter| voter.host == "localhost" || voter.host.starts_with("127."));
    if let Some(voter) = on_this_host.filter(|voter| voter.id != number) {
        let why = format!("voter {} is at {}, which is this container itself", voter.id, voter.host);
        let hint = "name the host under which the other controller is reached";
        findings.warn(Problem::new(origin(properties, "controller.quorum.voters"), why, hint).with_value(text));
    }
}

/// A controller alone serves no clients. From 3.9 it may advertise its own listeners, which only quorums without
/// `controller.quorum.voters` need.
fn check_controller(properties: &Properties, layout: &Layout, findings: &mut Findings) {
    let is_static = properties.get("controller.quorum.voters").is_some();
    if let (true, Some(text)) = (is_static && !layout.kraft, properties.get("advertised.listeners")) {
        let why = "it belongs to brokers, and this node is a controller only";
        let hint = "leave it out, or set KAFKA_PROCESS_ROLES to broker,controller";
        findings.refuse(Problem::new(origin(properties, "advertised.listeners"), why, hint).with_value(text));
    }
}
