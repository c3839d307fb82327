//! Which listeners use TLS or SASL: their protocols decide, and never their names.

use crate::properties::Properties;

/// A listener's name and its protocol.
pub(super) struct Protocol {
    pub listener: String,
    pub protocol: String,
}

impl Protocol {
    pub fn is_tls(&self) -> bool {
        self.protocol.ends_with("SSL")
    }

    pub fn is_sasl(&self) -> bool {
        self.protocol.starts_with("SASL_")
    }
}

/// The listeners and their protocols; a name without an entry in the map is a protocol itself.
pub(super) fn of_listeners(properties: &Properties) -> Vec<Protocol> {
    let map = properties.get("listener.security.protocol.map").unwrap_or_default();
    let mapped: Vec<(&str, &str)> = map
        .split(',')
        .filter_map(|entry| entry.trim().split_once(':'))
        .map(|(name, to)| (name.trim(), to.trim()))
        .collect();
    let names = properties.get("listeners").or_else(|| properties.get("advertised.listeners")).unwrap_or_default();
    let names = names.split(',').filter_map(|listener| listener.trim().split_once("://")).map(|(name, _)| name);
    names
        .map(|name| {
            let protocol = mapped.iter().find(|(own, _)| *own == name).map_or(name, |(_, protocol)| *protocol);
            Protocol { listener: name.to_owned(), protocol: protocol.to_uppercase() }
        })
        .collect()
}
