//! Listeners of KRaft's controllers: clients never see them.

use super::{CONTROLLERS, Listener, Node};
use crate::kafka::mode::Mode;
use crate::kafka::quorum;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

const NAMES: &str = "controller.listener.names";

/// The name that every image has for it.
const USUAL: &str = "CONTROLLER";

/// Finds the names. Kafka compares them letter by letter with names in upper case, so they are written like that.
pub(super) fn name(properties: &mut Properties, node: &mut Node<'_>, findings: &mut Findings) {
    let text = properties.get(NAMES).unwrap_or_default().to_owned();
    let names = text.split(',').map(|name| name.trim().to_uppercase()).filter(|name| !name.is_empty());
    node.controllers = names.collect();
    if node.mode == Mode::ZooKeeper {
        let migrates = properties.get("zookeeper.metadata.migration.enable") == Some("true");
        let origin = properties.origin(NAMES).unwrap_or_default().to_owned();
        if migrates || node.controllers.is_empty() {
            return;
        }
        node.controllers.clear();
        match origin.starts_with("KAFKA_") {
            true => {
                findings.refuse(Problem::new(origin, "it belongs to KRaft, and this is ZooKeeper mode", "leave it out"))
            }
            false => properties.remove(NAMES),
        }
        return;
    }
    if node.controllers.is_empty() {
        node.controllers.push(USUAL.to_owned());
        node.made.push(USUAL.to_owned());
        properties.set(NAMES, USUAL, "default");
    } else if node.controllers.join(",") != text {
        let origin = properties.origin(NAMES).unwrap_or(NAMES).to_owned();
        properties.set(NAMES, node.controllers.join(","), origin);
    }
}

/// Adds the controllers' listeners where this program made the list up, or knows that nobody could miss them; takes them
/// out of what is advertised; and names what is left to the user.
pub(super) fn complete(properties: &mut Properties, node: &mut Node<'_>, findings: &mut Findings) {
    if node.mode == Mode::ZooKeeper {
        return;
    }
    if !node.roles.broker {
        // Variables of the brokers', which Kafka would check against the controllers' listeners.
        for name in ["inter.broker.listener.name", "security.inter.broker.protocol"] {
            if let Some(origin) = properties.origin(name) {
                findings.note(format!("{name}: left out, for it is the brokers' ({origin})"));
                properties.remove(name);
            }
        }
    }
    let origin = properties.origin("listeners").unwrap_or("default").to_owned();
    let is_of_user = !super::is_made(properties, "listeners") && node.mode != Mode::KraftSingle;
    let mut listeners = super::read(properties, "listeners");
    if node.roles.controller {
        let missing: Vec<String> =
            node.controllers.iter().filter(|name| listeners.iter().all(|one| one.name != **name)).cloned().collect();
        if is_of_user && !missing.is_empty() {
            refuse_missing(properties, node, &missing, &listeners, findings);
        } else {
            for name in missing {
                let port = free_port(properties, node, &listeners);
                listeners.push(Listener::new(&name, "", port));
            }
        }
    }
    let others = |listener: &Listener| !node.roles.broker && !node.is_controller(listener);
    let hidden = |listener: &Listener| !node.roles.controller && node.is_controller(listener);
    for (list, why, hint) in [
        (
            names(&listeners, others),
            "and a node with KAFKA_PROCESS_ROLES=controller has no other listeners than those of controller.listener.names",
            "leave it out",
        ),
        (
            names(&listeners, hidden),
            "and a node with KAFKA_PROCESS_ROLES=broker has no listener of controllers",
            "leave it out",
        ),
    ] {
        if !list.is_empty() && is_of_user {
            findings.refuse(Problem::new(&origin, format!("it has {list}, {why}"), hint));
        }
    }
    if !is_of_user {
        listeners.retain(|listener| !others(listener) && !hidden(listener));
    }
    super::change(properties, "listeners", &listeners);
    if let Some(own) = listeners.iter().find(|one| node.is_controller(one) && node.mode == Mode::KraftSingle) {
        let id = properties.get(node.mode.id_property()).unwrap_or("1").to_owned();
        properties.set_default("controller.quorum.voters", format!("{id}@localhost:{}", own.port), "default");
    }
    hide(properties, node, findings);
}

fn names(listeners: &[Listener], which: impl Fn(&Listener) -> bool) -> String {
    let names: Vec<&str> = listeners.iter().filter(|one| which(one)).map(|one| one.name.as_str()).collect();
    names.join(", ")
}

fn refuse_missing(
    properties: &Properties,
    node: &Node<'_>,
    missing: &[String],
    listeners: &[Listener],
    findings: &mut Findings,
) {
    let subject = super::variable(properties, "listeners");
    if node.made.iter().any(|name| name == USUAL) {
        let candidates = names(listeners, |one| !super::protocols::PROTOCOLS.contains(&one.name.as_str()));
        let why = "it is not set, and this node is a controller";
        let hint = match candidates.is_empty() {
            true => format!("add {USUAL}://:{CONTROLLERS} to {subject}"),
            false => format!("set it to the one of {candidates} at which controllers listen"),
        };
        findings.refuse(Problem::new(super::variable(properties, NAMES), why, hint));
        return;
    }
    let port = free_port(properties, node, listeners);
    let why = format!("it has no listener {}, which controller.listener.names has", missing.join(", "));
    findings.refuse(Problem::new(subject, why, format!("add {}://:{port}", missing[0])));
}

/// The port that the voters have for this node, else the usual one, or the next that is free.
fn free_port(properties: &Properties, node: &Node<'_>, listeners: &[Listener]) -> u16 {
    let id = properties.get(node.mode.id_property()).and_then(|id| id.parse::<u32>().ok());
    let voter = quorum::voters(properties).into_iter().find(|voter| Some(voter.id) == id);
    let is_free = |port: &u16| listeners.iter().all(|listener| listener.port != *port);
    let port = voter.map(|voter| voter.port).filter(is_free);
    port.or_else(|| (CONTROLLERS..).find(is_free)).unwrap_or(CONTROLLERS)
}

/// Before Kafka 3.9 nodes refuse to start where controllers are advertised, and nobody ever needs them there. Newer ones
/// take them on controllers; a node that is a controller only has nothing else to advertise.
fn hide(properties: &mut Properties, node: &Node<'_>, findings: &mut Findings) {
    let advertised = super::read(properties, "advertised.listeners");
    let is_shown = |one: &Listener| match node.is_controller(one) {
        true => node.newer && node.roles.controller,
        false => node.roles.broker,
    };
    let (shown, hidden): (Vec<Listener>, Vec<Listener>) = advertised.into_iter().partition(is_shown);
    if hidden.is_empty() {
        return;
    }
    let list = names(&hidden, |_| true);
    let subject = super::variable(properties, "advertised.listeners");
    let why = match node.roles.broker {
        true => format!("controllers are not advertised: {list} is left out"),
        false => format!("a controller has no clients: {list} is left out"),
    };
    findings.warn(Problem::new(subject, why, format!("leave {list} out")));
    match shown.is_empty() {
        true => properties.remove("advertised.listeners"),
        false => super::change(properties, "advertised.listeners", &shown),
    }
}
