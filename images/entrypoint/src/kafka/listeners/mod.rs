//! Listeners: where the broker listens, and what it tells its clients to connect to.
//!
//! What a mode of `KIMG_ADVERTISE` asks for comes first, then what follows from what is set, then what would keep Kafka
//! from starting (KafkaConfig.validateValues) or clients from connecting.

mod advertise;
mod check;
mod controllers;
mod derive;
mod old;
mod protocols;
mod syntax;
mod template;

pub use syntax::{Listener, parse, write};

use crate::container::Container;
use crate::kafka::dialect::Rules;
use crate::kafka::mode::Mode;
use crate::kafka::quorum::Roles;
use crate::launchers;
use crate::pod::Pod;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// The port of clients within the cluster, and Kafka's own default.
const CLIENTS: u16 = 9092;

/// The port of controllers, where no voter says another.
const CONTROLLERS: u16 = 9093;

/// The port of the first listener for clients from outside; further ones follow.
const EXTERNAL: u16 = 9094;

/// The listeners' properties. Empty ones are as good as none to the images that people come from: apache/kafka unsets
/// them, and bitnami/kafka exports them so.
const PROPERTIES: [&str; 6] = [
    "listeners",
    "advertised.listeners",
    protocols::MAP,
    "inter.broker.listener.name",
    "control.plane.listener.name",
    "controller.listener.names",
];

/// What listeners depend on beside the properties.
struct Node<'a> {
    container: &'a Container,
    pod: Pod,
    mode: Mode,
    roles: Roles,
    rules: &'a Rules,
    /// Whether this Kafka has no ZooKeeper mode any more: its controllers may be advertised too.
    newer: bool,
    /// Whether this Kafka takes a port twice, for one address of IPv4 and one of IPv6: from 3.6 (KIP-797).
    pairs: bool,
    /// The names of the controllers' listeners.
    controllers: Vec<String>,
    /// The names of listeners that this program makes up.
    made: Vec<String>,
}

impl Node<'_> {
    /// The name of this host, as Kafka itself would advertise it (InetAddress.getCanonicalHostName).
    fn host(&self) -> Option<&str> {
        let host = self.container.full_name.as_deref().unwrap_or(&self.container.host);
        Some(host).filter(|host| syntax::is_host(host) && !host.is_empty())
    }

    fn is_controller(&self, listener: &Listener) -> bool {
        self.controllers.contains(&listener.name)
    }
}

/// Sets what `KIMG_ADVERTISE` asks for, and what follows from listeners that are set already.
pub fn complete(
    properties: &mut Properties,
    container: &Container,
    mode: Mode,
    rules: &Rules,
    findings: &mut Findings,
) {
    for name in PROPERTIES {
        if properties.get(name).is_some_and(|value| value.trim().is_empty()) {
            properties.remove(name);
        }
    }
    let newer = launchers::has_trait(&container.table, "kafka", "kraft");
    let mut node = Node {
        container,
        pod: Pod::of(container),
        mode,
        roles: Roles::of(properties, mode),
        rules,
        newer,
        // A tool that came with the same version.
        pairs: newer || launchers::find(&container.table, "connect-plugin-path.sh").is_some(),
        controllers: Vec::new(),
        made: Vec::new(),
    };
    controllers::name(properties, &mut node, findings);
    if !are_readable(properties, findings) {
        return;
    }
    // Kafka 4 takes no list with an empty member, and older ones do.
    for key in ["listeners", "advertised.listeners", protocols::MAP] {
        let members: Vec<&str> = properties.get(key).unwrap_or_default().split(',').map(str::trim).collect();
        if members.len() > 1 && members.contains(&"") {
            let text = members.into_iter().filter(|member| !member.is_empty()).collect::<Vec<_>>().join(",");
            let origin = properties.origin(key).unwrap_or(key).to_owned();
            properties.set(key, text, origin);
        }
    }
    // A dialect's default gives way to whatever else tells what is advertised.
    let default = take_default(properties, "advertised.listeners");
    old::translate(properties, &node, findings);
    if !advertise::complete(properties, &mut node, findings) {
        return;
    }
    if let Some((value, origin)) = default.filter(|_| node.roles.broker) {
        properties.set_default("advertised.listeners", value, &origin);
    }
    derive::listeners(properties, &node);
    controllers::complete(properties, &mut node, findings);
    derive::advertised(properties, &node, findings);
    derive::inter_broker(properties, &node, findings);
    protocols::complete(properties, &node, findings);
    check::all(properties, &node, findings);
}

/// The listeners of a property; none where it cannot be read.
fn read(properties: &Properties, key: &str) -> Vec<Listener> {
    parse(properties.get(key).unwrap_or_default()).unwrap_or_default()
}

/// Sets listeners, with the origin that the property has already.
fn change(properties: &mut Properties, key: &str, listeners: &[Listener]) {
    let origin = properties.origin(key).unwrap_or("default").to_owned();
    properties.set(key, write(listeners), origin);
}

fn are_readable(properties: &Properties, findings: &mut Findings) -> bool {
    let mut all = true;
    for key in ["listeners", "advertised.listeners"] {
        let text = properties.get(key).unwrap_or_default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if parse(part).is_err() {
                let (why, hint) = syntax::explain(part);
                findings.refuse(Problem::new(properties.origin(key).unwrap_or(key), why, hint));
                all = false;
            }
        }
        if properties.get(key).is_some() && text.split(',').all(|part| part.trim().is_empty()) {
            let why = "it has no listener, only commas";
            findings.refuse(
                Problem::new(properties.origin(key).unwrap_or(key), why, "write NAME://HOST:PORT").with_value(text),
            );
            all = false;
        }
    }
    all
}

/// The origin of what follows from something else.
const DERIVED: &str = "derived from ";

/// Whether the listeners of a property are this program's own, or a dialect's, and may be completed.
fn is_made(properties: &Properties, key: &str) -> bool {
    let origin = properties.origin(key).unwrap_or("default");
    ["default", DERIVED, advertise::VARIABLE].iter().any(|prefix| origin.starts_with(prefix))
}

/// Takes the value of a property that only a dialect's default gave, and its origin.
fn take_default(properties: &mut Properties, key: &str) -> Option<(String, String)> {
    let origin = properties.origin(key).filter(|origin| origin.starts_with("default"))?.to_owned();
    let value = properties.get(key).unwrap_or_default().to_owned();
    properties.remove(key);
    Some((value, origin))
}

/// What a message names: the variable that set a property, or the one that would in the words of the user.
fn variable(properties: &Properties, name: &str) -> String {
    if let Some(origin) = properties.origin(name).filter(|origin| !origin.starts_with("default")) {
        return match origin.strip_prefix(DERIVED) {
            Some(other) if other != name && properties.get(other).is_some() => variable(properties, other),
            Some(other) => other.to_owned(),
            None => origin.to_owned(),
        };
    }
    let of_bitnami = properties.iter().any(|(_, _, origin)| origin.starts_with("KAFKA_CFG_"));
    let prefix = if of_bitnami { "KAFKA_CFG_" } else { "KAFKA_" };
    format!("{prefix}{}", name.replace('.', "_").to_uppercase())
}
