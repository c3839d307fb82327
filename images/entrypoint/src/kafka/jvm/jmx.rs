//! JMX, as upstream's kafka-run-class.sh and the images of Apache and Confluent set it up.

use super::given::JvmOption;
use crate::container::Container;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

const PORTS: [&str; 2] = ["KAFKA_JMX_PORT", "JMX_PORT"];

/// The options for JMX, with those of `KAFKA_JMX_OPTS`. Without a port, and without options of the user's, there are none:
/// Java can be attached to all the same.
pub fn decide(
    container: &Container,
    own: &[JvmOption],
    properties: &Properties,
    findings: &mut Findings,
) -> Vec<JvmOption> {
    let mut options = own.to_vec();
    let Some((name, port)) = port(container, findings) else { return options };
    check_listeners(name, port, properties, findings);
    let remote = "-Dcom.sun.management.jmxremote";
    if own.is_empty() {
        options.push(JvmOption::new(remote, name));
        options.push(JvmOption::new(format!("{remote}.authenticate=false"), name));
        options.push(JvmOption::new(format!("{remote}.ssl=false"), name));
    }
    let mut add = |option: String, value: String, origin: &str| {
        let prefix = format!("{option}=");
        if !options.iter().any(|other| other.text.starts_with(&prefix)) {
            options.push(JvmOption::new(prefix + &value, origin));
        }
    };
    // Without one of its own, RMI takes any free port, which nobody can publish.
    add(format!("{remote}.port"), port.to_string(), name);
    add(format!("{remote}.rmi.port"), port.to_string(), name);
    if let Some(host) = container.environment.get("KAFKA_JMX_HOSTNAME") {
        add("-Djava.rmi.server.hostname".to_owned(), host.to_owned(), "KAFKA_JMX_HOSTNAME");
    }
    options
}

/// The port. A Service called `kafka-jmx` injects `KAFKA_JMX_PORT=tcp://…`, which nobody set.
fn port(container: &Container, findings: &mut Findings) -> Option<(&'static str, u16)> {
    let set = PORTS.into_iter().filter_map(|name| Some((name, container.environment.get(name)?)));
    let (name, text) = set.into_iter().find(|(_, text)| !text.contains("://"))?;
    match text.trim().parse() {
        Ok(port) if port > 0 => Some((name, port)),
        _ => {
            findings.refuse(Problem::new(name, "it is no port", "give a number from 1 to 65535").with_value(text));
            None
        }
    }
}

fn check_listeners(name: &str, port: u16, properties: &Properties, findings: &mut Findings) {
    let listeners = properties.get("listeners").unwrap_or_default().split(',').map(str::trim);
    let taken = listeners
        .into_iter()
        .find(|listener| listener.rsplit_once(':').is_some_and(|(_, number)| number.parse() == Ok(port)));
    if let Some(listener) = taken {
        let why = format!("the listener {listener} has this port too");
        findings.refuse(Problem::new(name, why, "give JMX another port, such as 9999").with_value(port.to_string()));
    }
}
