//! The environment, and what of it is no setting of the user's.

use std::collections::BTreeMap;

/// The variables of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables whose names and values are UTF-8.
    pub fn of_process() -> Environment {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        Environment(std::env::vars_os().filter_map(text).collect())
    }

    /// These variables.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Environment {
        Environment(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The first of these that is set and not empty, with its name.
    pub fn first<'a>(&self, names: &[&'a str]) -> Option<(&'a str, &str)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The variables with a prefix, without it, in the order of their names. Kubernetes injects variables for each
    /// Service of a namespace, so that one called `kafka` gives `KAFKA_PORT=tcp://…`: those are left out.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())));
        all.filter(|(name, value)| !is_service_link(name, value))
    }
}

/// `PORT`, `SERVICE_HOST`, `SERVICE_PORT[_NAME]`, `PORT_9092_TCP[_ADDR|_PORT|_PROTO]`, of Docker's and Kubernetes' links.
fn is_service_link(name: &str, value: &str) -> bool {
    let protocol = |text: &str| ["TCP", "UDP", "SCTP"].contains(&text);
    let numbered = name.split_once("PORT_").map(|(_, rest)| rest.split('_').collect::<Vec<_>>());
    let is_port = numbered.is_some_and(|parts| match parts.as_slice() {
        [number, kind, ..] => number.parse::<u16>().is_ok() && protocol(kind),
        _ => false,
    });
    let host_or_port = name == "SERVICE_HOST" || name == "SERVICE_PORT" || name.starts_with("SERVICE_PORT_");
    (name == "PORT" && value.contains("://")) || host_or_port || is_port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_services_are_no_settings() {
        let environment = Environment::of([
            ("KAFKA_PORT", "tcp://10.0.0.1:9092"),
            ("KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092"),
            ("KAFKA_PORT_9092_TCP_ADDR", "10.0.0.1"),
            ("KAFKA_SERVICE_HOST", "10.0.0.1"),
            ("KAFKA_SERVICE_PORT_CLIENT", "9092"),
            ("KAFKA_NUM_PARTITIONS", "3"),
            ("KAFKA_EMPTY", ""),
            ("OTHER", "x"),
        ]);
        let found: Vec<_> = environment.with_prefix("KAFKA_").collect();
        assert_eq!(found, [("EMPTY", ""), ("NUM_PARTITIONS", "3")]);
        assert_eq!(environment.get("KAFKA_EMPTY"), None);
        assert_eq!(environment.first(&["NONE", "OTHER"]), Some(("OTHER", "x")));
    }
}
