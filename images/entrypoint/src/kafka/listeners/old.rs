//! Properties that Kafka lost in 3.0, when listeners took their place (KIP-604): they are translated. cp-kafka refuses
//! them, and wurstmeister/kafka and old bitnami/kafka were used with them alone.

use super::{CLIENTS, Listener, Node, syntax};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// The old names; `advertised.host` and `host` are those of cp-kafka's messages.
const LOST: [&str; 6] = ["advertised.host.name", "advertised.host", "advertised.port", "host.name", "host", "port"];

/// Translates them, each with a warning, and removes them.
pub(super) fn translate(properties: &mut Properties, node: &Node<'_>, findings: &mut Findings) {
    let mut given: Vec<(&str, String, String)> = Vec::new();
    for name in LOST {
        let Some(value) = properties.get(name).map(|value| value.trim().to_owned()) else { continue };
        let origin = properties.origin(name).unwrap_or(name).to_owned();
        properties.remove(name);
        if !value.is_empty() {
            given.push((name, value, origin));
        }
    }
    if given.is_empty() || !node.roles.broker {
        given.iter().for_each(|(_, _, origin)| warn(origin, "a controller has no clients".to_owned(), findings));
        return;
    }
    let find = |names: &[&str]| given.iter().find(|(name, _, _)| names.contains(name));
    let port = |name: &str, findings: &mut Findings| {
        let (_, value, origin) = find(&[name])?;
        let number = value.parse::<u16>().ok();
        if number.is_none() {
            let problem = Problem::new(origin, "it is no port", "set KAFKA_ADVERTISED_LISTENERS instead");
            findings.refuse(problem.with_value(value.clone()));
        }
        number
    };
    let host = |names: &[&str], findings: &mut Findings| {
        let (_, value, origin) = find(names)?;
        let bare = value.trim_start_matches('[').trim_end_matches(']');
        if !syntax::is_host(bare) {
            let problem = Problem::new(origin, "it is no host", "set KAFKA_ADVERTISED_LISTENERS instead");
            findings.refuse(problem.with_value(value.clone()));
            return None;
        }
        Some(bare.to_owned())
    };
    let (bound, own_port) = (host(&["host.name", "host"], findings), port("port", findings));
    let told = host(&["advertised.host.name", "advertised.host"], findings)
        .or_else(|| bound.clone().filter(|host| !syntax::is_unspecified(host)));
    let was_set = properties.get("listeners").is_some();
    let told_port = port("advertised.port", findings).or(own_port.filter(|_| !was_set));
    let of_given = |of_advertised: bool| {
        let mut origins = given.iter().filter(|(name, _, _)| name.starts_with("advertised.") == of_advertised);
        origins.next().map(|(_, _, origin)| origin.clone())
    };
    if !was_set && properties.get("advertised.listeners").is_none() {
        let listener = Listener::new("PLAINTEXT", bound.as_deref().unwrap_or_default(), own_port.unwrap_or(CLIENTS));
        let origin =
            of_given(false).map_or_else(|| "default".to_owned(), |origin| format!("{}{origin}", super::DERIVED));
        properties.set("listeners", listener.to_string(), origin);
    }
    // With listeners, `host.name` and `port` meant nothing, and the advertised ones were still used.
    let is_told = properties.get("advertised.listeners").is_none() && (of_given(true).is_some() || !was_set);
    if is_told {
        let clients = super::read(properties, "listeners").into_iter().filter(|one| !node.is_controller(one));
        let mut all: Vec<Listener> = clients.collect();
        let which = all.iter().position(|one| one.name == "PLAINTEXT").unwrap_or(0);
        if let Some(one) = all.get_mut(which) {
            one.host = told.unwrap_or_else(|| if one.is_unspecified() { String::new() } else { one.host.clone() });
            one.port = told_port.unwrap_or(one.port);
        }
        let origin = of_given(true).or_else(|| of_given(false)).unwrap_or_default();
        properties.set("advertised.listeners", super::write(&all), format!("{}{origin}", super::DERIVED));
    }
    for (name, _, origin) in &given {
        let why = match (is_told, name.starts_with("advertised.") || !was_set) {
            (true, true) => format!(
                "Kafka lost `{name}` in 3.0; it is read as advertised.listeners={}",
                properties.get("advertised.listeners").unwrap_or_default()
            ),
            _ => format!("Kafka lost `{name}` in 3.0, and the listeners that are set leave it without meaning"),
        };
        warn(origin, why, findings);
    }
}

fn warn(origin: &str, why: String, findings: &mut Findings) {
    let hint = match origin.starts_with("KAFKA_CFG_") {
        true => "set KAFKA_CFG_LISTENERS and KAFKA_CFG_ADVERTISED_LISTENERS instead",
        false => "set KAFKA_LISTENERS and KAFKA_ADVERTISED_LISTENERS instead",
    };
    findings.warn(Problem::new(origin, why, hint));
}
