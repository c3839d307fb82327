//! From variables and files to properties, by the rules of a dialect.

use std::path::PathBuf;

use super::dialect::Rules;
use crate::container::Container;
use crate::problem::Findings;
use crate::properties::Properties;

/// What the user set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The properties, each with the variable or file that it came from.
    pub properties: Properties,
    /// The user's own file, where it is used alone: nothing is written then, and the properties are those of the file.
    pub file: Option<PathBuf>,
}

/// Variables that begin with `KAFKA_` in every dialect and are no properties: this program and the start of the JVM read
/// them.
const NOT_PROPERTIES: [&str; 14] = [
    "HEAP_OPTS",
    "OPTS",
    "JVM_PERFORMANCE_OPTS",
    "LOG4J_OPTS",
    "LOG4J_LOGGERS",
    "LOG4J_ROOT_LOGLEVEL",
    "GC_LOG_OPTS",
    "JMX_OPTS",
    "JMX_PORT",
    "JMX_HOSTNAME",
    "DEBUG",
    "CLUSTER_ID",
    "VERSION",
    "HOME",
];

/// Reads what the user set.
pub fn read(container: &Container, _rules: &Rules, _findings: &mut Findings) -> Given {
    let mut properties = Properties::default();
    for (name, value) in container.environment.with_prefix("KAFKA_") {
        if !NOT_PROPERTIES.contains(&name) {
            properties.set(property_name(name), value, format!("KAFKA_{name}"));
        }
    }
    Given { properties, file: None }
}

/// `_` is `.`, `__` is `_`, `___` is `-`, as in the images of Apache and Confluent.
pub fn property_name(variable: &str) -> String {
    let marked = variable.replace("___", "\u{1}").replace("__", "\u{2}");
    marked.replace('_', ".").replace('\u{1}', "-").replace('\u{2}', "_").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_as_in_other_images() {
        for (variable, property) in [
            ("NUM_PARTITIONS", "num.partitions"),
            ("LISTENER_NAME_MY__LISTENER_SSL", "listener.name.my_listener.ssl"),
            ("A___B", "a-b"),
        ] {
            assert_eq!(property_name(variable), property);
        }
    }
}
