//! Listeners: where the broker listens, and what it tells its clients to connect to.

use crate::container::Container;
use crate::kafka::dialect::Rules;
use crate::kafka::mode::Mode;
use crate::ordinal;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// `NAME://HOST:PORT`, where the host may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// `PLAINTEXT`, `EXTERNAL`.
    pub name: String,
    /// The host; IPv6 addresses without their brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The listeners of a text; an error is the part that is none.
pub fn parse(text: &str) -> Result<Vec<Listener>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| parse_one(part).ok_or_else(|| part.to_owned())).collect()
}

fn parse_one(text: &str) -> Option<Listener> {
    let (name, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'))?;
    let clean = !name.is_empty() && !name.contains(' ');
    clean.then_some(Listener { name: name.to_owned(), host: host.to_owned(), port: port.parse().ok()? })
}

/// The name under which other pods reach this one: from the downward API, else the full name of the host.
fn headless_name(container: &Container) -> Option<String> {
    let environment = &container.environment;
    let service = environment.first(&["KIMG_SERVICE", "KIMG_HEADLESS_SERVICE"]);
    let namespace = environment.first(&["KIMG_NAMESPACE", "POD_NAMESPACE"]);
    let pod = environment.first(&["KIMG_POD_NAME", "POD_NAME"]).map_or(container.host.as_str(), |(_, name)| name);
    let domain = environment.get("KIMG_CLUSTER_DOMAIN").unwrap_or("cluster.local");
    match (service, namespace) {
        (Some((_, service)), Some((_, namespace))) => Some(format!("{pod}.{service}.{namespace}.svc.{domain}")),
        _ => container.full_name.clone(),
    }
}

/// The port of clients within the cluster.
const CLIENTS: u16 = 9092;

/// The port of clients from outside, where the mode has them.
const EXTERNAL: u16 = 9094;

/// Sets what `KIMG_ADVERTISE` asks for, and what follows from listeners that are set already.
pub fn complete(
    properties: &mut Properties,
    container: &Container,
    _mode: Mode,
    _rules: &Rules,
    findings: &mut Findings,
) {
    match container.environment.get("KIMG_ADVERTISE") {
        None => {}
        Some("headless") => headless(properties, container, findings),
        Some("nodeport") => nodeport(properties, container, findings),
        Some(other) => findings.refuse(Problem::new(
            "KIMG_ADVERTISE",
            format!("`{other}` is no mode"),
            "set it to `headless` or `nodeport`, or set KAFKA_ADVERTISED_LISTENERS",
        )),
    }
    derive_listeners(properties);
    check(properties, findings);
}

fn internal_name(container: &Container, findings: &mut Findings) -> String {
    headless_name(container).unwrap_or_else(|| {
        findings.refuse(Problem::new(
            "KIMG_ADVERTISE",
            "the name of this pod in the cluster is not known",
            "set KIMG_SERVICE to the headless Service and POD_NAMESPACE by the downward API",
        ));
        String::new()
    })
}

fn headless(properties: &mut Properties, container: &Container, findings: &mut Findings) {
    let name = internal_name(container, findings);
    properties.set_default("listeners", format!("PLAINTEXT://:{CLIENTS}"), "KIMG_ADVERTISE=headless");
    properties.set_default("advertised.listeners", format!("PLAINTEXT://{name}:{CLIENTS}"), "KIMG_ADVERTISE=headless");
}

fn nodeport(properties: &mut Properties, container: &Container, findings: &mut Findings) {
    const ORIGIN: &str = "KIMG_ADVERTISE=nodeport";
    let missing = |name: &str, hint: &str| Problem::new(name, "KIMG_ADVERTISE=nodeport needs it", hint);
    let host = container.environment.first(&["KIMG_NODEPORT_HOST", "NODE_IP", "HOST_IP"]).map(|(_, host)| host);
    let base: Option<u16> = container.environment.get("KIMG_NODEPORT_BASE").and_then(|port| port.parse().ok());
    let ordinal = ordinal::of_host(&container.host);
    if host.is_none() {
        findings.refuse(missing("KIMG_NODEPORT_HOST", "set it to an address of the nodes that clients can reach"));
    }
    if base.is_none() {
        findings.refuse(missing("KIMG_NODEPORT_BASE", "set it to the node port of the pod with ordinal 0"));
    }
    if ordinal.is_none() {
        let why = format!("`{}` has no ordinal, which KIMG_ADVERTISE=nodeport needs", container.host);
        findings.refuse(Problem::new("host name", why, "run it in a StatefulSet"));
    }
    let name = internal_name(container, findings);
    let (Some(host), Some(base), Some(ordinal)) = (host, base, ordinal) else { return };
    let Some(port) = u16::try_from(ordinal).ok().and_then(|ordinal| base.checked_add(ordinal)) else {
        let why = format!("{base} and the ordinal {ordinal} are beyond 65535");
        findings.refuse(Problem::new("KIMG_NODEPORT_BASE", why, "begin lower"));
        return;
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    properties.set_default("listeners", format!("PLAINTEXT://:{CLIENTS},EXTERNAL://:{EXTERNAL}"), ORIGIN);
    let advertised = format!("PLAINTEXT://{name}:{CLIENTS},EXTERNAL://{host}:{port}");
    properties.set_default("advertised.listeners", advertised, ORIGIN);
    let map = "PLAINTEXT:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT";
    properties.set_default("listener.security.protocol.map", map, ORIGIN);
    properties.set_default("inter.broker.listener.name", "PLAINTEXT", ORIGIN);
}

/// Without `listeners`, one is made of each advertised listener, on all addresses of the same port.
fn derive_listeners(properties: &mut Properties) {
    let Some(advertised) = properties.get("advertised.listeners").and_then(|text| parse(text).ok()) else { return };
    let each: Vec<String> =
        advertised.iter().map(|listener| format!("{}://:{}", listener.name, listener.port)).collect();
    properties.set_default("listeners", each.join(","), "derived from advertised.listeners");
}

fn check(properties: &Properties, findings: &mut Findings) {
    for key in ["listeners", "advertised.listeners"] {
        let Some(text) = properties.get(key) else { continue };
        let subject = properties.origin(key).unwrap_or(key);
        let listeners = match parse(text) {
            Ok(listeners) => listeners,
            Err(part) => {
                let why = format!("`{part}` is no listener");
                findings.refuse(Problem::new(subject, why, "write NAME://HOST:PORT, parted by commas"));
                continue;
            }
        };
        for (index, listener) in listeners.iter().enumerate() {
            let before = &listeners[..index];
            let twice = before.iter().any(|other| other.name == listener.name)
                || (key == "listeners"
                    && before.iter().any(|other| other.port == listener.port && other.host == listener.host));
            if twice {
                let why = format!("{key} has the name or the port of {}:{} twice", listener.name, listener.port);
                findings.refuse(Problem::new(subject, why, "give each listener a name and a port of its own"));
            }
            if key == "advertised.listeners" && matches!(listener.host.as_str(), "0.0.0.0" | "::") {
                let why = format!("clients cannot connect to {}", listener.host);
                findings.refuse(Problem::new(subject, why, "advertise a name or address that clients can reach"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::kafka::dialect::Dialect;

    fn completed(variables: &[(&str, &str)], set: &[(&str, &str)], host: &str) -> (Properties, Vec<Problem>) {
        let (mut properties, mut findings) = (Properties::default(), Findings::default());
        for (name, value) in set {
            properties.set(*name, *value, "test");
        }
        let environment = Environment::of(variables.iter().copied());
        let container = Container { environment, host: host.to_owned(), ..Container::default() };
        complete(&mut properties, &container, Mode::ZooKeeper, Dialect::Kimg.rules(), &mut findings);
        (properties, findings.problems)
    }

    #[test]
    fn a_pod_of_a_stateful_set_advertises_its_name() {
        let variables = [("KIMG_ADVERTISE", "headless"), ("KIMG_SERVICE", "kafka-hs"), ("POD_NAMESPACE", "prod")];
        let (properties, problems) = completed(&variables, &[], "kafka-2");
        assert_eq!(problems, []);
        let name = "PLAINTEXT://kafka-2.kafka-hs.prod.svc.cluster.local:9092";
        assert_eq!(properties.get("advertised.listeners"), Some(name));
    }

    #[test]
    fn node_ports_are_counted_from_a_base() {
        let variables = [
            ("KIMG_ADVERTISE", "nodeport"),
            ("KIMG_SERVICE", "kafka-hs"),
            ("POD_NAMESPACE", "prod"),
            ("NODE_IP", "fd00::7"),
            ("KIMG_NODEPORT_BASE", "31090"),
        ];
        let (properties, problems) = completed(&variables, &[], "kafka-2");
        assert_eq!(problems, []);
        assert!(properties.get("advertised.listeners").unwrap().ends_with(",EXTERNAL://[fd00::7]:31092"));
        // All that is missing is told at once.
        assert_eq!(completed(&variables[..1], &[], "kafka").1.len(), 4);
    }

    #[test]
    fn listeners_follow_from_what_is_advertised() {
        let set = [("advertised.listeners", "IN://[fd00::1]:9092, OUT://example.org:9093")];
        let (properties, problems) = completed(&[], &set, "kafka-0");
        assert_eq!((properties.get("listeners"), problems.len()), (Some("IN://:9092,OUT://:9093"), 0));
    }

    #[test]
    fn what_no_client_could_use_is_named() {
        for (key, value) in [
            ("advertised.listeners", "PLAINTEXT://0.0.0.0:9092"),
            ("advertised.listeners", "PLAINTEXT:9092"),
            ("listeners", "A://:9092,B://:9092"),
            ("listeners", "A://:9092,A://:9093"),
        ] {
            assert_eq!(completed(&[], &[(key, value)], "kafka-0").1.len(), 1, "{value}");
        }
    }
}
