//! What bitnami/kafka's scripts make of variables that are no properties (libkafka.sh, kafka-env.sh).

mod sasl;
mod tls;

use super::protocols::{self, Protocol};
use crate::container::Container;
use crate::environment::Environment;
use crate::kafka::dialect::{Rules, matches};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// is_boolean_yes of libvalidations.sh.
fn is_yes(value: &str) -> bool {
    ["1", "yes", "true"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Sets what follows from them.
pub(super) fn complete(
    container: &Container,
    environment: &Environment,
    rules: &Rules,
    properties: &mut Properties,
    findings: &mut Findings,
) {
    mode(environment, rules, properties, findings);
    let listeners = protocols::of_listeners(properties);
    tls::complete(container, environment, &listeners, properties, findings);
    sasl::complete(container, environment, &listeners, properties, findings);
}

/// Where configuration files of the user's are: the mounted folder is copied over the program's own there, so the first
/// that has the file counts.
fn find_file(container: &Container, environment: &Environment, name: &str) -> Option<String> {
    let asked = environment.get("KAFKA_MOUNTED_CONF_DIR").unwrap_or("/bitnami/kafka/config");
    let folders = [asked, "/opt/bitnami/kafka/conf", "/opt/bitnami/kafka/config"];
    folders.map(|folder| format!("{folder}/{name}")).into_iter().find(|path| container.path(path).is_file())
}

/// The variables of the environment with a pattern's name that are not empty.
fn set_ones<'a>(environment: &'a Environment, names: &[&str]) -> Vec<&'a str> {
    let all = environment.with_prefix("").filter(|(_, value)| !value.is_empty()).map(|(name, _)| name);
    all.filter(|name| names.iter().any(|pattern| matches(pattern, name))).collect()
}

/// What is said of variables that have nothing to act upon.
fn idle(names: &[&str], why: &str, hint: &str, findings: &mut Findings) {
    if !names.is_empty() {
        findings.warn(Problem::new(names.join(", "), why, hint));
    }
}

/// KAFKA_ENABLE_KRAFT chose one of two configuration files; the later scripts go by the properties alone.
fn mode(environment: &Environment, rules: &Rules, properties: &mut Properties, findings: &mut Findings) {
    let asked = environment.get("KAFKA_ENABLE_KRAFT");
    let migrates = properties.get("zookeeper.metadata.migration.enable").is_some_and(is_yes);
    if asked.is_some_and(is_yes) && properties.get("zookeeper.connect").is_some() && !migrates {
        let subject = properties.origin("zookeeper.connect").unwrap_or_default().to_owned();
        let hint = "leave it out, or KAFKA_ENABLE_KRAFT";
        findings.warn(Problem::new(subject, "it is left out, for KAFKA_ENABLE_KRAFT asks for KRaft", hint));
        properties.remove("zookeeper.connect");
    }
    let no_mode = ["zookeeper.connect", "process.roles"].iter().all(|name| properties.get(name).is_none());
    if asked.is_some_and(|value| !is_yes(value)) && no_mode {
        let why = "it is not set, and KAFKA_ENABLE_KRAFT asks for ZooKeeper";
        findings.refuse(Problem::new("KAFKA_CFG_ZOOKEEPER_CONNECT", why, "set it to the host and port of ZooKeeper"));
    }
    if no_mode && properties.get("controller.quorum.voters").is_some() {
        let origin = format!("default of {}", rules.follows);
        properties.set("process.roles", "broker,controller", &origin);
        properties.set_default("controller.listener.names", "CONTROLLER", &origin);
    }
}
