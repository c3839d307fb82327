//! `NAME://HOST:PORT`, as it is read and written (kafka.cluster.EndPoint).

use std::fmt;
use std::net::IpAddr;

/// `NAME://HOST:PORT`, where the host may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// `PLAINTEXT`, `EXTERNAL`; in upper case, as Kafka compares them.
    pub name: String,
    /// The host; IPv6 addresses without their brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Listener {
    /// A listener.
    pub fn new(name: &str, host: &str, port: u16) -> Listener {
        Listener { name: name.to_owned(), host: host.to_owned(), port }
    }

    /// The host, where it is an address.
    pub fn address(&self) -> Option<IpAddr> {
        address(&self.host)
    }

    /// Whether the host stands for all addresses: `0.0.0.0`, `::`. No client can connect to it.
    pub fn is_unspecified(&self) -> bool {
        is_unspecified(&self.host)
    }

    /// Whether nobody outside this container can connect to it.
    pub fn is_local(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.name, in_brackets(&self.host), self.port)
    }
}

/// A host as it is written before a port.
pub(super) fn in_brackets(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// The address that a host is; its zone (`fe80::1%eth0`) does not matter.
fn address(host: &str) -> Option<IpAddr> {
    host.split('%').next().unwrap_or_default().parse().ok()
}

/// Whether a host stands for all addresses, however it is written.
pub(super) fn is_unspecified(host: &str) -> bool {
    // The C library, and so Java, also reads `0` as 0.0.0.0, and drops leading noughts of its parts.
    let noughts = !host.is_empty() && host.bytes().all(|byte| byte == b'0' || byte == b'.') && host.contains('0');
    noughts || address(host).is_some_and(|address| address.to_canonical().is_unspecified())
}

/// The listeners of a text; an error is the part that is none.
pub fn parse(text: &str) -> Result<Vec<Listener>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| parse_one(part).ok_or_else(|| part.to_owned())).collect()
}

/// The text of listeners.
pub fn write(listeners: &[Listener]) -> String {
    listeners.iter().map(Listener::to_string).collect::<Vec<_>>().join(",")
}

fn parse_one(text: &str) -> Option<Listener> {
    let (name, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'))?;
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_good = is_name(name) && is_host(host) && digits;
    is_good.then_some(Listener { name: name.to_uppercase(), host: host.to_owned(), port: port.parse().ok()? })
}

/// Names are free, but for what parts them from the rest in one of the properties, and for what is no name at all.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || ":,/@=\"'`$(){}[]".contains(letter))
}

/// Those letters that Kafka takes in a host. One with colons is an IPv6 address.
pub(super) fn is_host(host: &str) -> bool {
    let letters = host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-%._:".contains(letter));
    letters && (!host.contains(':') || address(host).is_some_and(|address| address.is_ipv6()))
}

/// Why a part of a list is no listener, and what to write instead.
pub(super) fn explain(part: &str) -> (String, String) {
    let why = |why: &str| format!("`{}` is no listener: {why}", part.escape_debug());
    let hint = |hint: &str| hint.to_owned();
    const FORM: &str = "write NAME://HOST:PORT, parted by commas";
    const MODES: &str = "set KIMG_ADVERTISE to a mode that knows the pod, or name the host and port";
    if part.contains(['"', '\'']) {
        return (
            why("it has quotes"),
            hint("leave the quotes out: in a list of `environment` they are part of the value"),
        );
    }
    if part.contains("$(") && !part.contains("$((") {
        return (why("a variable in it was not known"), hint("in Kubernetes, define the variable further up in `env`"));
    }
    if part.contains(['$', '`']) {
        return (why("no shell reads it"), hint(MODES));
    }
    if part.contains(['{', '}']) {
        return (why("a placeholder is left in it"), hint("KIMG_ADVERTISE_TEMPLATE takes placeholders"));
    }
    let Some((name, address)) = part.split_once("://") else {
        return (why("it has no name"), hint(FORM));
    };
    if !is_name(name) {
        return (why("its name is none"), hint(FORM));
    }
    let bare = address.starts_with('[') && address.ends_with(']');
    match address.rsplit_once(':').filter(|_| !bare) {
        None => (why("it has no port"), hint(FORM)),
        Some((_, port)) if port.parse::<u16>().is_err() || port.starts_with('+') => {
            (why("its port is no number from 0 to 65535"), hint(FORM))
        }
        Some(_) if address.contains(';') => (why("listeners are parted by commas"), hint(FORM)),
        Some((host, _)) if host.contains(':') => {
            (why("its host is neither a name nor an address"), hint("write IPv6 addresses in brackets: [fd00::1]"))
        }
        Some(_) => (why("its host has letters that no host has"), hint(FORM)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_told_however_they_are_written() {
        for host in ["0.0.0.0", "::", "0", "0.0", "000.0.0.0", "0:0:0:0:0:0:0:0", "::0", "::ffff:0.0.0.0", "::%eth0"] {
            assert!(is_unspecified(host), "{host}");
        }
        for host in ["", "0.0.0.1", "::1", "kafka", "10.0.0.0", "0x", "."] {
            assert!(!is_unspecified(host), "{host}");
        }
    }
}
