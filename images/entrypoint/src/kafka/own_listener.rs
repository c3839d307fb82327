//! The listener at which this container's own broker is asked.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::listeners::{self, Listener};
use crate::deadline::Deadline;
use crate::properties::Properties;
use crate::resolver::Resolver;

/// What a listener wants of a client, the easiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Nothing.
    Plaintext,
    /// Credentials, after the versions of the protocol were asked.
    SaslPlaintext,
    /// TLS, or something that this program does not know.
    Closed,
}

/// A listener of this broker's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnListener {
    /// The name, host and port.
    pub listener: Listener,
    /// What it wants.
    pub protocol: Protocol,
    /// Whether it is a controller's, which knows no topics.
    pub is_controller: bool,
}

impl OwnListener {
    /// The one of which most can be learnt: of the broker's listeners, or the controller's where it is a controller only,
    /// the first that wants the least. Without any, Kafka listens at 9092.
    pub fn of(properties: &Properties) -> OwnListener {
        let of_controllers = names(properties, "controller.listener.names");
        let roles = names(properties, "process.roles");
        let is_controller = !roles.is_empty() && !roles.contains(&"broker");
        let all = listeners::parse(properties.get("listeners").unwrap_or_default()).unwrap_or_default();
        let own = all.into_iter().filter(|listener| of_controllers.contains(&listener.name.as_str()) == is_controller);
        let own = own.map(|listener| {
            let protocol = protocol(properties, &listener.name, &of_controllers);
            OwnListener { listener, protocol, is_controller }
        });
        own.min_by_key(|own| own.protocol).unwrap_or_else(|| OwnListener {
            listener: Listener { name: "PLAINTEXT".to_owned(), host: String::new(), port: 9092 },
            protocol: Protocol::Plaintext,
            is_controller,
        })
    }

    /// The addresses at which it is reached from within the container.
    pub fn addresses(&self, resolver: &Resolver, deadline: Deadline) -> Vec<SocketAddr> {
        let (host, port) = (self.listener.host.as_str(), self.listener.port);
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        match host.parse::<IpAddr>() {
            _ if host.is_empty() => loopback.map(|address| SocketAddr::new(address, port)).to_vec(),
            Ok(address) if address.is_unspecified() => loopback.map(|address| SocketAddr::new(address, port)).to_vec(),
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => resolver.addresses(host, port, deadline).unwrap_or_default(),
        }
    }
}

impl fmt::Display for OwnListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Listener { name, host, port } = &self.listener;
        match host.contains(':') {
            true => write!(f, "{name}://[{host}]:{port}"),
            false => write!(f, "{name}://{host}:{port}"),
        }
    }
}

fn names<'a>(properties: &'a Properties, name: &str) -> Vec<&'a str> {
    let all = properties.get(name).unwrap_or_default().split(',').map(str::trim);
    all.filter(|name| !name.is_empty()).collect()
}

/// The protocol map decides; without an entry the name is the protocol's, and a controller's listener is plaintext
/// (apache/kafka KafkaConfig.effectiveListenerSecurityProtocolMap).
fn protocol(properties: &Properties, name: &str, of_controllers: &[&str]) -> Protocol {
    let entries = properties.get("listener.security.protocol.map").unwrap_or_default().split(',');
    let mut entries = entries.filter_map(|entry| entry.trim().split_once(':'));
    let mapped = entries.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, protocol)| protocol);
    let otherwise = if of_controllers.contains(&name) { "PLAINTEXT" } else { name };
    match mapped.unwrap_or(otherwise).trim().to_ascii_uppercase().as_str() {
        "PLAINTEXT" => Protocol::Plaintext,
        "SASL_PLAINTEXT" => Protocol::SaslPlaintext,
        _ => Protocol::Closed,
    }
}
