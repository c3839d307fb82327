//! What would keep Kafka from starting, or its clients from connecting.

use super::{Listener, Node, protocols};
use crate::kafka::mode::Mode;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// Checks listeners that are complete.
pub(super) fn all(properties: &Properties, node: &Node<'_>, findings: &mut Findings) {
    let listeners = super::read(properties, "listeners");
    let advertised = super::read(properties, "advertised.listeners");
    let of = |key: &'static str| (super::variable(properties, key), key);
    check_bound(&listeners, &of("listeners").0, super::is_made(properties, "listeners"), node, findings);
    check_advertised(&advertised, &listeners, &of("advertised.listeners").0, findings);
    if !node.roles.broker {
        check_control_plane(properties, &advertised, "", node, findings);
        return;
    }
    let advertised: Vec<Listener> = advertised.into_iter().filter(|one| !node.is_controller(one)).collect();
    if advertised.is_empty() {
        let why = "all listeners are the controllers', and there is none for clients";
        findings.refuse(Problem::new(of("listeners").0, why, "add PLAINTEXT://:9092"));
        return;
    }
    let inter_broker = check_inter_broker(properties, &advertised, findings);
    check_control_plane(properties, &advertised, &inter_broker, node, findings);
}

fn names(listeners: &[Listener]) -> String {
    listeners.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A name twice is told once.
fn check_names(listeners: &[Listener], subject: &str, findings: &mut Findings) {
    for (index, listener) in listeners.iter().enumerate() {
        let before = listeners[..index].iter().filter(|other| other.name == listener.name).count();
        if before == 1 {
            let why = format!("it has the name {} twice", listener.name);
            findings.refuse(Problem::new(subject, why, "give each listener a name of its own"));
        }
    }
}

/// Where the broker listens. Kafka refuses a port twice on whatever hosts (CoreUtils.listenerListToEndPoints); from 3.6
/// it takes one address of each family.
fn check_bound(listeners: &[Listener], subject: &str, is_derived: bool, node: &Node<'_>, findings: &mut Findings) {
    check_names(listeners, subject, findings);
    for (index, listener) in listeners.iter().enumerate() {
        let twin = listeners[..index].iter().find(|other| other.port == listener.port && listener.port != 0);
        let Some(other) = twin.filter(|other| other.name != listener.name) else { continue };
        let families = [other, listener].map(|one| one.address().map(|address| address.is_ipv6()));
        let is_pair = matches!(families, [Some(one), Some(two)] if one != two);
        let follow = if is_derived { ", and listeners follow from that" } else { "" };
        let why = format!("{} and {} have the port {}{follow}", other.name, listener.name, listener.port);
        if is_pair && node.pairs {
            continue;
        }
        let hint = match (is_pair, is_derived) {
            (true, _) => "listen on [::], which serves IPv4 and IPv6; Kafka before 3.6 takes no port twice",
            (_, true) => "set KAFKA_LISTENERS, with a port of its own for each listener",
            (_, false) => "give each listener a port of its own",
        };
        findings.refuse(Problem::new(subject, why, hint));
    }
    let of_clients = listeners.iter().filter(|one| one.is_local() && !node.is_controller(one));
    for listener in of_clients {
        let why = format!("{} listens on {}, where only this container can connect", listener.name, listener.host);
        let hint = format!("write {}://:{} to listen on all addresses", listener.name, listener.port);
        findings.warn(Problem::new(subject, why, hint));
    }
}

/// What clients are told.
fn check_advertised(advertised: &[Listener], listeners: &[Listener], subject: &str, findings: &mut Findings) {
    check_names(advertised, subject, findings);
    for (index, listener) in advertised.iter().enumerate() {
        if listener.is_unspecified() {
            let why =
                format!("{} is advertised at {}, and no client can connect to that", listener.name, listener.host);
            let hint = format!(
                "advertise a name or address that clients reach, such as {}://localhost:{} or that of the container",
                listener.name, listener.port
            );
            findings.refuse(Problem::new(subject, why, hint));
        }
        if listener.port == 0 {
            let why = format!("{} is advertised with the port 0", listener.name);
            findings.refuse(Problem::new(subject, why, "name the port that clients connect to"));
        }
        if !listeners.iter().any(|other| other.name == listener.name) {
            let why = format!("{} is no listener; there are {}", listener.name, names(listeners));
            findings.refuse(Problem::new(subject, why, "advertise those of the listeners, and no others"));
        }
        let same = |other: &&Listener| other.host == listener.host && other.port == listener.port;
        if let Some(other) = advertised[..index].iter().find(same).filter(|other| other.name != listener.name) {
            let why =
                format!("{} and {} are at one address, and clients reach only one of them", other.name, listener.name);
            findings.warn(Problem::new(subject, why, "advertise each at an address of its own"));
        }
    }
}

/// Checks the listener on which brokers talk to each other, and tells its name.
fn check_inter_broker(properties: &Properties, advertised: &[Listener], findings: &mut Findings) -> String {
    let protocol = properties.get("security.inter.broker.protocol").map(|text| text.trim().to_uppercase());
    let protocol_subject = super::variable(properties, "security.inter.broker.protocol");
    let subject = super::variable(properties, "inter.broker.listener.name");
    let Some(name) = properties.get("inter.broker.listener.name").map(str::to_uppercase) else {
        let name = protocol.clone().unwrap_or_else(|| "PLAINTEXT".to_owned());
        if protocol.is_some() && !protocols::PROTOCOLS.contains(&name.as_str()) {
            let hint = format!("set it to one of {}", protocols::PROTOCOLS.join(", "));
            findings
                .refuse(Problem::new(protocol_subject, "it is no security protocol", hint).with_value(name.clone()));
        } else if protocol.is_some() && !advertised.iter().any(|one| one.name == name) {
            let why = format!("no advertised listener is called {name}; there are {}", names(advertised));
            let hint = format!("set {subject} to one of them instead");
            findings.refuse(Problem::new(protocol_subject, why, hint));
        }
        return name;
    };
    if protocol.is_some() {
        let why = format!("Kafka refuses it beside {protocol_subject}");
        findings.refuse(Problem::new(
            &subject,
            why,
            format!("leave {protocol_subject} out: the listener has a protocol"),
        ));
    }
    if !advertised.iter().any(|one| one.name == name) {
        let why = format!("it is no advertised listener; there are {}", names(advertised));
        findings.refuse(Problem::new(&subject, why, "set it to one of them").with_value(name.clone()));
    }
    name
}

fn check_control_plane(
    properties: &Properties,
    advertised: &[Listener],
    inter_broker: &str,
    node: &Node<'_>,
    findings: &mut Findings,
) {
    const KEY: &str = "control.plane.listener.name";
    // Kafka 4 has no such property, and it is refused as one that is gone.
    let name = properties.get(KEY).filter(|_| !node.newer).map(|name| name.trim().to_uppercase());
    let Some(name) = name else { return };
    let (why, hint) = if node.mode != Mode::ZooKeeper {
        ("it belongs to ZooKeeper, and this is KRaft".to_owned(), "leave it out; controller.listener.names is KRaft's")
    } else if !advertised.iter().any(|one| one.name == name) {
        (format!("it is no advertised listener; there are {}", names(advertised)), "set it to one of them")
    } else if name == inter_broker {
        ("it is also the listener between brokers".to_owned(), "give the controller's requests a listener of their own")
    } else {
        return;
    };
    findings.refuse(Problem::new(super::variable(properties, KEY), why, hint).with_value(name));
}
