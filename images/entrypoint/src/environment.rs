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

    /// Removes a variable.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The names of the variables with a prefix that were made for a Service.
    pub fn service_links<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.0.iter().filter(move |(name, _)| name.starts_with(prefix));
        all.filter(|(name, value)| is_service_link(name, value)).map(|(name, _)| name.as_str())
    }
}

/// `PORT`, `SERVICE_HOST`, `SERVICE_PORT[_NAME]`, `PORT_9092_TCP[_ADDR|_PORT|_PROTO]` at the end of a name, of Docker's
/// and Kubernetes' links: a Service `kafka-hs` gives `KAFKA_HS_PORT`.
fn is_service_link(name: &str, value: &str) -> bool {
    let parts: Vec<&str> = name.split('_').collect();
    let is_protocol = |text: &str| ["TCP", "UDP", "SCTP"].contains(&text);
    let numbered = parts.windows(3).any(|three| match three {
        ["PORT", number, protocol] => number.parse::<u16>().is_ok() && is_protocol(protocol),
        _ => false,
    });
    let of_service = parts.ends_with(&["SERVICE", "HOST"]) || parts.windows(2).any(|two| two == ["SERVICE", "PORT"]);
    (parts.ends_with(&["PORT"]) && value.contains("://")) || of_service || numbered
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
            ("KAFKA_HS_PORT", "tcp://10.0.0.1:9092"),
            ("KAFKA_HS_SERVICE_HOST", "10.0.0.1"),
            ("KAFKA_HS_SERVICE_PORT", "9092"),
            ("KAFKA_HS_PORT_9092_TCP_PROTO", "tcp"),
            ("KAFKA_NUM_PARTITIONS", "3"),
            ("KAFKA_EMPTY", ""),
            ("OTHER", "x"),
        ]);
        let found: Vec<_> = environment.with_prefix("KAFKA_").collect();
        assert_eq!(found, [("EMPTY", ""), ("NUM_PARTITIONS", "3")]);
        assert_eq!(environment.service_links("KAFKA_").count(), 9);
        assert_eq!(environment.get("KAFKA_EMPTY"), None);
        assert_eq!(environment.first(&["NONE", "OTHER"]), Some(("OTHER", "x")));
    }
}
