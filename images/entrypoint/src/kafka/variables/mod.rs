//! From variables and files to properties, by the rules of a dialect.

mod bitnami;
mod protocols;
mod secrets;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::dialect::{Dialect, Rules, matches};
use super::known;
use crate::container::Container;
use crate::environment::Environment;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// What the user set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The properties, each with the variable or file that it came from.
    pub properties: Properties,
    /// The user's own file, where it is used alone: nothing is written then, and the properties are those of the file.
    pub file: Option<PathBuf>,
}

/// Variables that begin with `KAFKA_` in every dialect and are no properties: this program, the start of the JVM or
/// upstream's scripts read them, or an image sets them to tell what is in it.
const NOT_PROPERTIES: [&str; 30] = [
    "KAFKA_BROKER_ID_COMMAND",
    "KAFKA_CLUSTER_ID",
    "KAFKA_CONTROLLER_QUORUM_VOTERS_COMMAND",
    "KAFKA_CREATE_TOPICS",
    "KAFKA_CREATE_TOPICS_SEPARATOR",
    "KAFKA_DEBUG",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_HOME",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_KRAFT_CLUSTER_ID",
    "KAFKA_LOG4J_CMD_OPTS",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_NODE_ID_COMMAND",
    "KAFKA_OPTS",
    "KAFKA_SSL_KEYSTORE_CREDENTIALS",
    "KAFKA_SSL_KEYSTORE_FILENAME",
    "KAFKA_SSL_KEY_CREDENTIALS",
    "KAFKA_SSL_TRUSTSTORE_CREDENTIALS",
    "KAFKA_SSL_TRUSTSTORE_FILENAME",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_URL",
    "KAFKA_VERSION",
    "KAFKA_DIST_URL",
    "KAFKA_GPG_KEY",
];

/// Variables that only images other than this one read, and none of Kafka's; in the dialect of their own family they
/// mean what happens here anyway.
const OF_OTHERS: [&str; 6] = [
    "ALLOW_ANONYMOUS_LOGIN",
    "ALLOW_PLAINTEXT_LISTENER",
    "BITNAMI_DEBUG",
    "CONFLUENT_*",
    "ZOO_*",
    "ZOOKEEPER_CLIENT_PORT",
];

/// A property that a variable sets.
struct Setting {
    variable: String,
    value: String,
    /// Of two that set the same property, the one with the higher rank wins.
    rank: usize,
}

/// Reads what the user set.
pub fn read(container: &Container, rules: &Rules, findings: &mut Findings) -> Given {
    let environment = secrets::with_files(container, rules, findings);
    if let Some(given) = alone(container, &environment, rules, findings) {
        return given;
    }
    let mut properties = Properties::default();
    let (shipped, of) = shipped(container, &environment, rules);
    for (name, value) in shipped {
        properties.set(*name, *value, format!("default of {of}"));
    }
    let base = rules.base.filter(|file| is_mounted(container, file));
    for file in base.iter().chain(rules.mounted.files) {
        add_file(container, file, &mut properties);
    }
    for file in rules.unread.iter().filter(|file| is_mounted(container, file) && container.path(file).is_file()) {
        let why = format!("it is mounted and not read: {} writes over it", rules.follows);
        findings.warn(Problem::new(*file, why, "set variables, or start by `kafka-server-start.sh FILE`"));
    }
    for (property, setting) in settings(&environment, rules, findings) {
        match value::read(&property, &setting.value, &setting.variable, rules, findings) {
            Some(value) => properties.set(property, value, setting.variable),
            None => properties.remove(&property),
        }
    }
    secrets::of_ssl(container, rules, &mut properties, findings);
    if rules == Dialect::Bitnami.rules() {
        bitnami::complete(container, &environment, rules, &mut properties, findings);
    }
    known::forget(&mut properties, findings);
    tell_what_is_ignored(&environment, rules, findings);
    let is_cluster = ["zookeeper.connect", "process.roles"].iter().any(|name| properties.get(name).is_some());
    if is_cluster && properties.get("offsets.topic.replication.factor").is_none() {
        let why = "Kafka's default; with fewer brokers the consumers of groups wait for more";
        findings.note(format!("offsets.topic.replication.factor: 3 ({why})"));
    }
    Given { properties, file: None }
}

/// What lies underneath everything, and whose it is. Where nothing tells the dialect, a variable or a mount that
/// bitnami's and wurstmeister's people have may still say that theirs is expected: on one broker, topics of three
/// replicas would keep every consumer waiting.
fn shipped(
    container: &Container,
    environment: &Environment,
    rules: &Rules,
) -> (&'static [(&'static str, &'static str)], &'static str) {
    let is_own = rules == Dialect::Kimg.rules();
    let has_socket = container.has_mount("/var/run/docker.sock") || container.has_mount("/run/docker.sock");
    let has_sign = has_socket || environment.get("ALLOW_PLAINTEXT_LISTENER").is_some();
    match is_own && has_sign {
        true => (Dialect::Bitnami.rules().shipped, "bitnami/kafka and wurstmeister/kafka"),
        false => (rules.shipped, rules.follows),
    }
}

/// The user's own file, where the family then ignores the environment.
fn alone(container: &Container, environment: &Environment, rules: &Rules, findings: &mut Findings) -> Option<Given> {
    if !rules.mounted.alone {
        return None;
    }
    let asked = environment.get("KAFKA_MOUNTED_CONF_DIR").map(|folder| format!("{folder}/server.properties"));
    let files = asked.into_iter().chain(rules.mounted.files.iter().map(|file| (*file).to_owned()));
    let (file, text) = files.into_iter().find_map(|file| Some((file.clone(), container.read(&file)?)))?;
    let properties = Properties::parse(&text, &file);
    let ignored: Vec<String> =
        settings(environment, rules, &mut Findings::default()).into_values().map(|setting| setting.variable).collect();
    findings.note(format!("{file} is used as it is, as {} does", rules.follows));
    if !ignored.is_empty() {
        let why = format!("not used: {file} is there, and it is used alone");
        let hint = "write them into the file, or mount none";
        findings.warn(Problem::new(ignored.join(", "), why, hint));
    }
    Some(Given { properties, file: Some(PathBuf::from(file)) })
}

/// Whether a file is the user's: mounted itself, or a folder above it. The image has one of its own at some of the
/// places.
fn is_mounted(container: &Container, file: &str) -> bool {
    let file = std::path::Path::new(file);
    container.mounts.iter().any(|mount| mount.parent().is_some() && file.starts_with(mount))
}

fn add_file(container: &Container, file: &str, properties: &mut Properties) {
    let Some(text) = container.read(file) else { return };
    for (name, value, origin) in Properties::parse(&text, file).iter() {
        properties.set(name, value, origin);
    }
}

/// The properties that variables set, by their names; of those that are set twice the one that wins, with a warning.
fn settings(environment: &Environment, rules: &Rules, findings: &mut Findings) -> BTreeMap<String, Setting> {
    let mut all: BTreeMap<String, Setting> = BTreeMap::new();
    for (variable, value) in environment.with_prefix("") {
        let Some((property, rank)) = property(variable, rules) else { continue };
        let setting = Setting { variable: variable.to_owned(), value: value.to_owned(), rank };
        let Some(other) = all.remove(&property) else {
            all.insert(property, setting);
            continue;
        };
        let (loser, winner) = if setting.rank < other.rank { (setting, other) } else { (other, setting) };
        if loser.value != winner.value {
            let why = format!("{} sets {property} too, and wins", winner.variable);
            let warning = Problem::new(loser.variable, why, "set one of them");
            let is_secret = known::find(&property).is_some_and(|(kind, _)| kind == known::Kind::Password);
            findings.warn(if is_secret { warning } else { warning.with_value(loser.value) });
        }
        all.insert(property, winner);
    }
    all
}

/// The property that a variable sets, and its rank; `None` where it sets none.
fn property(variable: &str, rules: &Rules) -> Option<(String, usize)> {
    if let Some((_, property)) = rules.aliases.iter().find(|(alias, _)| *alias == variable) {
        return Some(((*property).to_owned(), rules.prefixes.len()));
    }
    if NOT_PROPERTIES.contains(&variable) || rules.is_own(variable) {
        return None;
    }
    if rules.without_effect.iter().any(|(pattern, _)| matches(pattern, variable)) {
        return None;
    }
    // The longest prefix is the right one: KAFKA_CFG_X is not cfg.x.
    let with_ranks = rules.prefixes.iter().enumerate();
    let (rank, prefix) =
        with_ranks.filter(|(_, prefix)| variable.starts_with(**prefix)).max_by_key(|(_, p)| p.len())?;
    let name = variable.strip_prefix(prefix).filter(|name| !name.is_empty())?;
    Some((rules.names.property(name), rank))
}

/// A variable that is not honoured is named, never swallowed.
fn tell_what_is_ignored(environment: &Environment, rules: &Rules, findings: &mut Findings) {
    let all: Vec<&str> = environment.with_prefix("").map(|(name, _)| name).collect();
    let named = |pattern: &str| -> Vec<&str> { all.iter().copied().filter(|name| matches(pattern, name)).collect() };
    // Variables with the same remedy are told in one line.
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    for (pattern, instead) in rules.without_effect {
        let names = named(pattern);
        match told.iter_mut().find(|(hint, _)| hint == instead) {
            _ if names.is_empty() => {}
            Some((_, others)) => others.extend(names),
            None => told.push((instead, names)),
        }
    }
    for (instead, names) in &told {
        let why = format!("{} has a use for it, and here it has no effect", rules.follows);
        findings.warn(Problem::new(names.join(", "), why, *instead));
    }
    // In bitnami's own dialect ALLOW_PLAINTEXT_LISTENER says what is so here anyway.
    let is_bitnami = rules == Dialect::Bitnami.rules();
    let is_told = |name: &str| told.iter().any(|(_, names)| names.contains(&name));
    let is_fine = |name: &str| is_told(name) || (is_bitnami && name == "ALLOW_PLAINTEXT_LISTENER");
    let others: Vec<&str> = OF_OTHERS.iter().flat_map(|pattern| named(pattern)).filter(|name| !is_fine(name)).collect();
    if !others.is_empty() {
        let why = "it belongs to another image, and is ignored";
        findings.warn(Problem::new(others.join(", "), why, "leave it out"));
    }
    let without_cfg: Vec<&str> = all.iter().copied().filter(|name| is_bitnami && is_without_cfg(name, rules)).collect();
    if !without_cfg.is_empty() {
        let why = format!("{} ignores it; here it is used as it is meant", rules.follows);
        findings.warn(Problem::new(without_cfg.join(", "), why, "begin its name with KAFKA_CFG_"));
    }
    let links: Vec<&str> = environment.service_links("KAFKA_").collect();
    if !links.is_empty() {
        findings.note(format!("left out, for Kubernetes or Docker made them for a Service: {}", links.join(", ")));
    }
}

/// A name that bitnami ignores, and that is no alias.
fn is_without_cfg(variable: &str, rules: &Rules) -> bool {
    let is_alias = rules.aliases.iter().any(|(alias, _)| *alias == variable);
    !is_alias && !variable.starts_with("KAFKA_CFG_") && property(variable, rules).is_some()
}
