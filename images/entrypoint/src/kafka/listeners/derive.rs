//! What follows from the listeners that are set: the rest of them.

use super::{CLIENTS, Listener, Node, protocols};
use crate::kafka::mode::Mode;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// Without `listeners`, one is made of each advertised listener, on all addresses of the same port, as cp-kafka
/// (`cub listeners`) and apache/kafka (configure) do; an empty host stands for both families of addresses, where their
/// 0.0.0.0 is one. Without either there are the dialect's, or Kafka's own.
pub(super) fn listeners(properties: &mut Properties, node: &Node<'_>) {
    if properties.get("listeners").is_some() {
        return;
    }
    let mut advertised = super::read(properties, "advertised.listeners");
    advertised.retain(|listener| !node.is_controller(listener));
    if !advertised.is_empty() {
        let all: Vec<Listener> = advertised.iter().map(|one| Listener::new(&one.name, "", one.port)).collect();
        properties.set("listeners", super::write(&all), "derived from advertised.listeners");
        return;
    }
    let mut all = super::parse(node.rules.listeners.unwrap_or_default()).unwrap_or_default();
    // Where controllers have another name, or there are none, a dialect's default knows nothing of that.
    all.retain(|listener| protocols::PROTOCOLS.contains(&listener.name.as_str()));
    if all.is_empty() && node.roles.broker {
        all.push(Listener::new("PLAINTEXT", "", CLIENTS));
    }
    properties.set("listeners", super::write(&all), "default");
}

/// Without `advertised.listeners` Kafka takes `listeners`, and refuses those on all addresses; so the host's name is
/// written out there, and where an advertised one has no host.
pub(super) fn advertised(properties: &mut Properties, node: &Node<'_>, findings: &mut Findings) {
    const KEY: &str = "advertised.listeners";
    if !node.roles.broker {
        return;
    }
    let host = node.host().unwrap_or_default();
    let (controllers, of_clients): (Vec<Listener>, Vec<Listener>) =
        super::read(properties, KEY).into_iter().partition(|one| node.is_controller(one));
    if !of_clients.is_empty() {
        let mut advertised = super::read(properties, KEY);
        if advertised.iter().any(|one| one.host.is_empty()) && !host.is_empty() {
            advertised.iter_mut().filter(|one| one.host.is_empty()).for_each(|one| host.clone_into(&mut one.host));
            super::change(properties, KEY, &advertised);
            findings.note(format!("{KEY}: where no host is named, it is that of this container, {host}"));
        }
        return;
    }
    let is_default = properties.origin("listeners") == Some("default") && node.rules.listeners.is_none();
    // A single node of which nothing is said is for clients on the host, which publishes its port.
    let host = if node.mode == Mode::KraftSingle && is_default { "localhost" } else { host };
    let clients = super::read(properties, "listeners").into_iter().filter(|one| !node.is_controller(one));
    let all: Vec<Listener> = clients
        .map(|one| match one.host.is_empty() || one.is_unspecified() {
            true => Listener::new(&one.name, host, one.port),
            false => one,
        })
        .collect();
    if !all.is_empty() {
        let origin = if is_default { "default" } else { "derived from listeners" };
        properties.set(KEY, super::write(&[all, controllers].concat()), origin);
    }
}

/// Brokers talk to each other on the listener that is called like their protocol, unless one is named; where there is no
/// such listener and only one at all, that is meant.
pub(super) fn inter_broker(properties: &mut Properties, node: &Node<'_>, findings: &mut Findings) {
    const KEY: &str = "inter.broker.listener.name";
    const PROTOCOL: &str = "security.inter.broker.protocol";
    let asked = properties.get(PROTOCOL).map(str::trim).map(str::to_uppercase);
    if let Some(protocol) = &asked {
        // Kafka takes it in upper case only, unlike those of the map.
        let origin = properties.origin(PROTOCOL).unwrap_or(PROTOCOL).to_owned();
        properties.set(PROTOCOL, protocol, origin);
    }
    if let Some(name) = properties.get(KEY).map(str::trim).filter(|name| !name.is_empty()) {
        let (name, origin) = (name.to_owned(), properties.origin(KEY).unwrap_or(KEY).to_owned());
        properties.set(KEY, name, origin);
        return;
    }
    let asked = asked.is_some();
    let mut advertised = super::read(properties, "advertised.listeners");
    advertised.retain(|one| node.roles.broker && !node.is_controller(one));
    if let ([only], false) = (advertised.as_slice(), asked) {
        if only.name != "PLAINTEXT" {
            properties.set(KEY, &only.name, "derived from advertised.listeners");
        }
    } else if !asked && !advertised.is_empty() && advertised.iter().all(|one| one.name != "PLAINTEXT") {
        let names: Vec<&str> = advertised.iter().map(|one| one.name.as_str()).collect();
        let why = "it is not set, and no advertised listener is called PLAINTEXT, so brokers cannot reach each other";
        let hint = format!("set it to one of {}", names.join(", "));
        findings.refuse(Problem::new(super::variable(properties, KEY), why, hint));
    }
}
