//! `KIMG_ADVERTISE`: ready answers to the question under which address each broker is reached.
//!
//! It is a list of modes: an internal listener, for the cluster, and any number of external ones. `NAME=MODE` names a
//! listener, and a variable with that name at its end is for it alone: `KIMG_NODEPORT_BASE_PUBLIC`.

use super::{CLIENTS, CONTROLLERS, EXTERNAL, Listener, Node, syntax, template};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

pub(super) const VARIABLE: &str = "KIMG_ADVERTISE";

const MODES: [&str; 5] = ["headless", "nodeport", "hostip", "loadbalancer", "template"];

/// A member of the list.
struct Wanted {
    name: String,
    mode: &'static str,
}

/// A listener that is advertised; without a port at that on which it listens.
struct Told {
    name: String,
    host: String,
    port: Option<u16>,
}

/// What was found wrong, each once.
struct Refused<'a>(&'a mut Findings);

impl Refused<'_> {
    fn add(&mut self, subject: impl Into<String>, why: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem::new(subject, why, hint);
        if !self.0.problems.contains(&problem) {
            self.0.refuse(problem);
        }
    }
}

/// Sets the listeners that the modes ask for; false where something that they need is missing.
pub(super) fn complete(properties: &mut Properties, node: &mut Node<'_>, findings: &mut Findings) -> bool {
    let environment = &node.container.environment;
    // Controllers may have the variables of the brokers' template, and advertise nothing.
    let Some(text) = environment.get(VARIABLE).filter(|_| node.roles.broker) else { return true };
    if let Some(origin) = properties.origin("advertised.listeners") {
        let why = format!("{origin} says what is advertised, so it is not used");
        findings.warn(Problem::new(VARIABLE, why, "leave one of them out"));
        return true;
    }
    let before = findings.problems.len();
    let wanted = modes(text, &mut Refused(&mut *findings));
    let told = tell(&wanted, node, properties, &mut Refused(&mut *findings));
    if findings.problems.len() > before {
        return false;
    }
    set(&told, text, properties, node);
    true
}

/// The modes of a list, each with its listener's name.
fn modes(text: &str, refused: &mut Refused<'_>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut external = 0;
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, mode) = part.split_once('=').map_or((None, part), |(name, mode)| (Some(name.trim()), mode.trim()));
        let Some(mode) = MODES.into_iter().find(|known| *known == mode) else {
            let hint = format!("set it to one of {}, or set KAFKA_ADVERTISED_LISTENERS", MODES.join(", "));
            refused.add(VARIABLE, format!("`{}` is no mode", mode.escape_debug()), hint);
            continue;
        };
        external += u16::from(mode != "headless");
        let usual = match (mode, external) {
            ("headless", _) => "PLAINTEXT".to_owned(),
            (_, 1) => "EXTERNAL".to_owned(),
            (_, count) => format!("EXTERNAL{count}"),
        };
        let name = name.map_or(usual, str::to_uppercase);
        if !syntax::is_name(&name) {
            refused.add(VARIABLE, format!("`{}` is no name of a listener", name.escape_debug()), "write NAME=MODE");
        } else if wanted.iter().any(|other| other.name == name) {
            refused.add(VARIABLE, format!("it has {name} twice"), "give each its own name: NAME=MODE");
        } else {
            wanted.push(Wanted { name, mode });
        }
    }
    wanted
}

/// The listeners that the modes come to, the internal one first: all brokers have one.
fn tell(wanted: &[Wanted], node: &Node<'_>, properties: &Properties, refused: &mut Refused<'_>) -> Vec<Told> {
    let internal = wanted.iter().find(|one| one.mode == "headless").map_or("PLAINTEXT", |one| one.name.as_str());
    let mut told = Vec::new();
    for one in wanted {
        match one.mode {
            "nodeport" => node_port(one, node, refused, &mut told),
            "hostip" => host_ip(one, node, refused, &mut told),
            "loadbalancer" => load_balancer(one, node, refused, &mut told),
            "template" => from_template(one, node, properties, refused, &mut told),
            _ => {}
        }
    }
    let position = told.iter().position(|one| one.name == internal);
    let first = match (position, node.pod.headless_name()) {
        (Some(position), _) => told.remove(position),
        (None, Some(host)) => Told { name: internal.to_owned(), host, port: None },
        (None, None) => {
            let hint = "set KIMG_SERVICE to the headless Service and POD_NAMESPACE by the downward API";
            refused.add(VARIABLE, "the name of this pod in the cluster is not known", hint);
            return told;
        }
    };
    told.insert(0, first);
    told
}

fn set(told: &[Told], text: &str, properties: &mut Properties, node: &mut Node<'_>) {
    let origin = format!("{VARIABLE}={text}");
    if properties.get("listeners").is_none() {
        let mut ports = (EXTERNAL..).filter(|port| *port != CLIENTS && *port != CONTROLLERS);
        let bound: Vec<Listener> = told
            .iter()
            .enumerate()
            .map(|(index, one)| {
                let port = if index == 0 { CLIENTS } else { ports.next().unwrap_or(EXTERNAL) };
                Listener::new(&one.name, "", port)
            })
            .collect();
        properties.set("listeners", syntax::write(&bound), &origin);
        node.made.extend(told.iter().map(|one| one.name.clone()));
    }
    let bound = super::read(properties, "listeners");
    let advertised: Vec<Listener> = told
        .iter()
        .map(|one| {
            let own = bound.iter().find(|listener| listener.name == one.name).map(|listener| listener.port);
            Listener::new(&one.name, &one.host, one.port.or(own).unwrap_or(CLIENTS))
        })
        .collect();
    properties.set("advertised.listeners", syntax::write(&advertised), &origin);
    if let (Some(first), None) = (told.first(), properties.get("security.inter.broker.protocol")) {
        properties.set_default("inter.broker.listener.name", &first.name, &origin);
    }
}

/// A variable for this listener alone, or for all of the mode, with its name.
fn variable(node: &Node<'_>, listener: &str, names: &[&str]) -> Option<(String, String)> {
    let environment = &node.container.environment;
    let own = names.iter().map(|name| format!("{name}_{listener}")).find(|name| environment.get(name).is_some());
    let name = own.or_else(|| environment.first(names).map(|(name, _)| name.to_owned()))?;
    let value = environment.get(&name)?.to_owned();
    Some((name, value))
}

fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The addresses of the node, one of each family with `status.hostIPs`: each becomes a listener, for a client finds the
/// addresses of all brokers by the listener that it connected to.
fn hosts(one: &Wanted, names: &[&str], node: &Node<'_>, refused: &mut Refused<'_>) -> Vec<(String, String)> {
    let Some((subject, text)) = variable(node, &one.name, names) else {
        let hint = "set it to an address of the nodes that clients can reach";
        refused.add(names[0], format!("{VARIABLE}={} needs it", one.mode), hint);
        return Vec::new();
    };
    let mut hosts: Vec<(String, String)> = Vec::new();
    for host in list(&text) {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if !syntax::is_host(host) || syntax::is_unspecified(host) {
            let why = format!("`{}` is no host that clients can connect to", host.escape_debug());
            refused.add(&subject, why, "give a name or an address");
            continue;
        }
        let family = if host.contains(':') { "IPV6" } else { "IPV4" };
        let name = if hosts.is_empty() { one.name.clone() } else { format!("{}_{family}", one.name) };
        let is_other = |other: &(String, String)| other.1.contains(':') != host.contains(':');
        match hosts.iter().all(is_other) {
            true => hosts.push((name, host.to_owned())),
            false => {
                refused.add(&subject, "it has two addresses of one family", "give one of IPv4 and one of IPv6 at most")
            }
        }
    }
    hosts
}

fn ports(subject: &str, text: &str, refused: &mut Refused<'_>) -> Vec<u16> {
    let port = |text: &str, refused: &mut Refused<'_>| match text.parse::<u16>() {
        Ok(port) if port != 0 => Some(port),
        _ => {
            refused.add(subject, format!("`{}` is no port", text.escape_debug()), "give a number from 1 to 65535");
            None
        }
    };
    list(text).into_iter().filter_map(|text| port(text, refused)).collect()
}

fn ordinal(one: &Wanted, node: &Node<'_>, refused: &mut Refused<'_>) -> Option<u32> {
    if node.pod.ordinal.is_none() {
        let why = format!("`{}` has no ordinal, which {VARIABLE}={} needs", node.pod.name, one.mode);
        refused.add(&node.pod.origin, why, "run it in a StatefulSet, or set POD_NAME by the downward API");
    }
    node.pod.ordinal
}

/// One NodePort Service a broker: the same host, and a port counted from a base.
fn node_port(one: &Wanted, node: &Node<'_>, refused: &mut Refused<'_>, told: &mut Vec<Told>) {
    let hosts = hosts(one, &["KIMG_NODEPORT_HOST", "NODE_IP", "HOST_IP"], node, refused);
    let base = variable(node, &one.name, &["KIMG_NODEPORT_BASE"]);
    let ordinal = ordinal(one, node, refused);
    let Some((subject, text)) = base else {
        let hint = "set it to the node port of the pod with ordinal 0";
        refused.add("KIMG_NODEPORT_BASE", format!("{VARIABLE}={} needs it", one.mode), hint);
        return;
    };
    let bases = ports(&subject, &text, refused);
    if hosts.len() > bases.len() && !bases.is_empty() {
        let hint = "give one for each address: the listeners of IPv4 and IPv6 are apart, as 31090,32090";
        refused.add(&subject, format!("there are {} addresses, and it has {}", hosts.len(), bases.len()), hint);
    }
    let Some(ordinal) = ordinal else { return };
    for ((name, host), base) in hosts.into_iter().zip(bases) {
        match u16::try_from(ordinal).ok().and_then(|ordinal| base.checked_add(ordinal)) {
            Some(port) => told.push(Told { name, host, port: Some(port) }),
            None => refused.add(&subject, format!("{base} and the ordinal {ordinal} are beyond 65535"), "begin lower"),
        }
    }
}

/// `hostPort`, or the node's own network: the node's address, and the same port on each.
fn host_ip(one: &Wanted, node: &Node<'_>, refused: &mut Refused<'_>, told: &mut Vec<Told>) {
    let hosts = hosts(one, &["KIMG_HOST_IP", "HOST_IP", "NODE_IP"], node, refused);
    let chosen = variable(node, &one.name, &["KIMG_HOST_PORT"]);
    let ports = chosen.map_or_else(Vec::new, |(subject, text)| ports(&subject, &text, refused));
    for (index, (name, host)) in hosts.into_iter().enumerate() {
        told.push(Told { name, host, port: ports.get(index).copied() });
    }
}

/// A list of load balancers, one a broker, in the order of their ordinals.
fn load_balancer(one: &Wanted, node: &Node<'_>, refused: &mut Refused<'_>, told: &mut Vec<Told>) {
    let ordinal = ordinal(one, node, refused);
    let Some((subject, text)) = variable(node, &one.name, &["KIMG_LOADBALANCERS"]) else {
        let hint = "set it to the load balancers' HOST or HOST:PORT, one a broker, parted by commas";
        refused.add("KIMG_LOADBALANCERS", format!("{VARIABLE}={} needs it", one.mode), hint);
        return;
    };
    let all = list(&text);
    let Some(ordinal) = ordinal else { return };
    let Some(own) = usize::try_from(ordinal).ok().and_then(|ordinal| all.get(ordinal)) else {
        let why = format!("it has {}, and none for the ordinal {ordinal}", all.len());
        refused.add(&subject, why, "name one a broker, in the order of their ordinals");
        return;
    };
    match host_and_port(own) {
        Some((host, port)) => told.push(Told { name: one.name.clone(), host, port }),
        None => {
            let hint = "write HOST or HOST:PORT, and IPv6 addresses in brackets";
            refused.add(&subject, format!("`{}` is no host that clients can connect to", own.escape_debug()), hint);
        }
    }
}

/// `HOST`, `HOST:PORT`, `[fd00::1]:PORT`, `fd00::1`.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let is_bare = text.ends_with(']') || !text.contains(':') || (!text.contains('[') && syntax::is_host(text));
    let (host, port) = match is_bare {
        true => (text, None),
        false => text.rsplit_once(':').map(|(host, port)| (host, Some(port)))?,
    };
    let host = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'))?;
    let port = match port {
        Some(port) => Some(port.parse::<u16>().ok().filter(|port| *port != 0)?),
        None => None,
    };
    (!host.is_empty() && syntax::is_host(host) && !syntax::is_unspecified(host)).then(|| (host.to_owned(), port))
}

/// A text with placeholders: `HOST:PORT`, or several listeners with their names.
fn from_template(
    one: &Wanted,
    node: &Node<'_>,
    properties: &Properties,
    refused: &mut Refused<'_>,
    told: &mut Vec<Told>,
) {
    let Some((subject, text)) = variable(node, &one.name, &["KIMG_ADVERTISE_TEMPLATE"]) else {
        let hint = "set it to HOST:PORT with placeholders, such as kafka-{ordinal}.example.org:{31090+ordinal}";
        refused.add("KIMG_ADVERTISE_TEMPLATE", format!("{VARIABLE}=template needs it"), hint);
        return;
    };
    let whole = match template::expand(&text, node, properties) {
        Ok(whole) => whole,
        Err((why, hint)) => return refused.add(subject, why, hint),
    };
    for part in list(&whole) {
        let named = if part.contains("://") { part.to_owned() } else { format!("{}://{part}", one.name) };
        match syntax::parse(&named).as_deref() {
            Ok([listener]) if !listener.host.is_empty() => {
                let Listener { name, host, port } = listener.clone();
                told.push(Told { name, host, port: Some(port) });
            }
            Ok(_) => {
                refused.add(&subject, format!("`{part}` has no host"), "write HOST:PORT; {host} is this container's")
            }
            Err(part) => {
                let (why, hint) = syntax::explain(part);
                refused.add(&subject, why, hint);
            }
        }
    }
}
