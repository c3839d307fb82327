//! Security protocols of listeners: the map from names to them, completed and checked.

use super::Node;
use super::syntax::{self, Listener};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// The property.
pub(super) const MAP: &str = "listener.security.protocol.map";

/// The protocols that Kafka knows: each is the name of a listener too.
pub(super) const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// Gives each listener a protocol: one that is called like a protocol has that, and one that this program made up is
/// plain text. For any other the user says it. A map that is set replaces Kafka's own, which knows only the protocols.
pub(super) fn complete(properties: &mut Properties, node: &Node<'_>, findings: &mut Findings) {
    let origin = properties.origin(MAP).map(str::to_owned);
    let mut map = properties.get(MAP).map_or_else(Vec::new, |text| read(text, origin.as_deref(), findings));
    let is_set = origin.is_some();
    if !is_set {
        map.extend(PROTOCOLS.map(|name| (name.to_owned(), name.to_owned())));
    }
    let before = map.len();
    let listeners = ["listeners", "advertised.listeners"].map(|key| super::read(properties, key));
    let mut names: Vec<String> = listeners.concat().into_iter().map(|listener| listener.name).collect();
    names.extend(node.controllers.clone());
    // As Kafka does where no map is set (KafkaConfig.effectiveListenerSecurityProtocolMap).
    let plain_controllers = !is_set && !names.iter().any(|name| PROTOCOLS[1..].contains(&name.as_str()));
    let mut missing = Vec::new();
    for name in names {
        if map.iter().any(|(known, _)| *known == name) || missing.contains(&name) {
            continue;
        }
        let is_controller = node.controllers.contains(&name);
        if PROTOCOLS.contains(&name.as_str()) {
            map.push((name.clone(), name));
        } else if node.made.contains(&name) || (is_controller && plain_controllers) {
            map.push((name, "PLAINTEXT".to_owned()));
        } else {
            missing.push(name);
        }
    }
    refuse_missing(properties, &missing, origin.as_deref(), findings);
    if map.len() > before {
        let text: Vec<String> = map.iter().map(|(name, protocol)| format!("{name}:{protocol}")).collect();
        let origin = origin.unwrap_or_else(|| "derived from listeners".to_owned());
        properties.set(MAP, text.join(","), origin);
    }
}

fn refuse_missing(properties: &Properties, missing: &[String], origin: Option<&str>, findings: &mut Findings) {
    if missing.is_empty() {
        return;
    }
    let subject = origin.map_or_else(|| super::variable(properties, MAP), str::to_owned);
    let listed: Vec<String> = missing.iter().map(|name| format!("{name}:PLAINTEXT")).collect();
    let (what, have) = match missing {
        [_] => ("listener", "has"),
        _ => ("listeners", "have"),
    };
    let why = format!("the {what} {} {have} no security protocol", missing.join(", "));
    let hint = match origin {
        Some(_) => format!("add {}, or one of SSL, SASL_PLAINTEXT, SASL_SSL in place of PLAINTEXT", listed.join(",")),
        None => {
            let used = ["listeners", "advertised.listeners"].map(|key| super::read(properties, key)).concat();
            format!("set it to {}, or with SSL, SASL_PLAINTEXT, SASL_SSL", whole(&used, &listed))
        }
    };
    findings.refuse(Problem::new(subject, why, hint));
}

/// The map that would do: it replaces Kafka's own, so it has the names that are protocols too.
fn whole(used: &[Listener], listed: &[String]) -> String {
    let protocols = PROTOCOLS.iter().filter(|name| used.iter().any(|listener| listener.name == **name));
    protocols.map(|name| format!("{name}:{name}")).chain(listed.iter().cloned()).collect::<Vec<_>>().join(",")
}

fn entries(text: &str) -> impl Iterator<Item = (String, String)> {
    let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
    members.map(|member| {
        let (name, protocol) = member.split_once(':').unwrap_or((member, ""));
        (name.trim().to_uppercase(), protocol.trim().to_uppercase())
    })
}

fn read(text: &str, origin: Option<&str>, findings: &mut Findings) -> Vec<(String, String)> {
    let subject = origin.unwrap_or(MAP);
    let mut map: Vec<(String, String)> = Vec::new();
    for (name, protocol) in entries(text) {
        if !syntax::is_name(&name) || !PROTOCOLS.contains(&protocol.as_str()) {
            let why = format!(
                "`{}` is no security protocol of a listener `{}`",
                protocol.escape_debug(),
                name.escape_debug()
            );
            findings.refuse(Problem::new(subject, why, meant(&name, &protocol)));
        } else if map.iter().any(|(known, other)| *known == name && *other != protocol) {
            let why = format!("it has the listener {name} twice, with protocols that differ");
            findings.refuse(Problem::new(subject, why, "name each listener once"));
        }
        map.push((name, protocol));
    }
    map
}

/// What somebody meant who wrote another word for a protocol.
fn meant(name: &str, protocol: &str) -> String {
    let nearest = match protocol {
        "TLS" | "HTTPS" => "SSL",
        "SASL" | "SASL_TLS" | "SASL-SSL" | "SASLSSL" => "SASL_SSL",
        "PLAIN" | "PLAIN_TEXT" | "TCP" | "HTTP" => "PLAINTEXT",
        "SASL_PLAIN" | "SASL-PLAINTEXT" | "SASLPLAINTEXT" => "SASL_PLAINTEXT",
        _ => {
            return "write NAME:PROTOCOL, parted by commas; a protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
                .to_owned();
        }
    };
    format!("write {name}:{nearest}")
}
