//! The variables of kimg's own images. They mean the same in every dialect, and one that there is not is never swallowed.

use super::listeners;
use crate::container::Container;
use crate::nearest::nearest;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

const PREFIX: &str = "KIMG_";

/// All of them.
const ALL: [&str; 20] = [
    "KIMG_ADVERTISE",
    "KIMG_ADVERTISE_TEMPLATE",
    "KIMG_BROKER_ID_OFFSET",
    "KIMG_CLIENT_PROPERTIES",
    "KIMG_CLUSTER_DOMAIN",
    "KIMG_DIALECT",
    "KIMG_GC_LOG",
    "KIMG_HEADLESS_SERVICE",
    "KIMG_HOST_IP",
    "KIMG_HOST_PORT",
    "KIMG_LOADBALANCERS",
    "KIMG_LOG_FORMAT",
    "KIMG_METRICS_PORT",
    "KIMG_NAMESPACE",
    "KIMG_NODE",
    "KIMG_NODEPORT_BASE",
    "KIMG_NODEPORT_HOST",
    "KIMG_POD_NAME",
    "KIMG_SERVICE",
    "KIMG_WAIT_SECONDS",
];

/// Those that there are for one listener too: `KIMG_NODEPORT_BASE_PUBLIC`.
const OF_A_LISTENER: [&str; 6] = [
    "KIMG_ADVERTISE_TEMPLATE",
    "KIMG_HOST_IP",
    "KIMG_HOST_PORT",
    "KIMG_LOADBALANCERS",
    "KIMG_NODEPORT_BASE",
    "KIMG_NODEPORT_HOST",
];

/// Those of the program `kimg`, which a pipeline may have beside: `KIMG_MIRROR_MAVEN`.
const OF_KIMG: [&str; 3] = ["KIMG_CONFIG", "KIMG_HOME", "KIMG_MIRROR_"];

/// Warns of those that there are not.
pub fn check(container: &Container, properties: &Properties, findings: &mut Findings) {
    for (name, _) in container.environment.with_prefix(PREFIX) {
        let name = format!("{PREFIX}{name}");
        if ALL.contains(&name.as_str()) || OF_KIMG.iter().any(|own| name.starts_with(own)) {
            continue;
        }
        let of_listener = OF_A_LISTENER.iter().filter_map(|own| name.strip_prefix(own)?.strip_prefix('_'));
        match of_listener.min_by_key(|listener| listener.len()) {
            // What keeps the broker from starting may be why there is none.
            Some(listener) if has_listener(properties, listener) || !findings.problems.is_empty() => {}
            Some(listener) => {
                let hint = "write a listener's name as KAFKA_LISTENERS or KIMG_ADVERTISE has it";
                findings.warn(Problem::new(&name, format!("no listener is called {listener}"), hint));
            }
            None => {
                let hint = match nearest(&name, ALL) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "leave it out".to_owned(),
                };
                findings.warn(Problem::new(&name, "there is no such variable", hint));
            }
        }
    }
}

fn has_listener(properties: &Properties, name: &str) -> bool {
    let named = ["listeners", "advertised.listeners"].map(|list| properties.get(list).unwrap_or_default());
    named.iter().any(|text| listeners::parse(text).unwrap_or_default().iter().any(|listener| listener.name == name))
}
