//! The broker's properties, out of the variables `KAFKA_*`.

use std::path::PathBuf;

use super::identity::{self, Id};
use super::listeners::{self, Pod};
use super::{Layout, cluster_id, storage};
use crate::environment::Environment;
use crate::problem::Problem;
use crate::properties::Properties;

/// What keeps the cluster together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// ZooKeeper, because `KAFKA_ZOOKEEPER_CONNECT` is set.
    ZooKeeper,
    /// KRaft, one node that is broker and controller, because nothing is set.
    KraftSingle,
    /// KRaft, as `KAFKA_PROCESS_ROLES` and `KAFKA_CONTROLLER_QUORUM_VOTERS` say.
    Kraft,
}

/// A broker's configuration.
#[derive(Debug, Clone)]
pub struct Server {
    /// The mode.
    pub mode: Mode,
    /// All properties.
    pub properties: Properties,
    /// The broker's id.
    pub id: Id,
    /// KRaft's cluster id, with which storage is formatted.
    pub cluster_id: Option<String>,
    /// What the user should know, though nothing is wrong.
    pub notes: Vec<String>,
}

/// Variables that begin with `KAFKA_` and are no properties: this program and the start of the JVM read them.
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

impl Server {
    /// The configuration of the environment, or all that is wrong with it.
    pub fn of(environment: &Environment, pod: &Pod, layout: &Layout) -> Result<Server, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut properties = Properties::default();
        for (name, value) in environment.with_prefix("KAFKA_") {
            if !NOT_PROPERTIES.contains(&name) {
                properties.set(property_name(name), value, format!("KAFKA_{name}"));
            }
        }
        let mode = mode(&properties, layout, &mut problems);
        properties.set_default("log.dirs", layout.data.display().to_string(), "default");
        let folders = data_folders(&properties);
        let otherwise = if mode == Mode::ZooKeeper { "-1" } else { "1" };
        let id = identity::decide(environment, &pod.host, otherwise, &mut problems);
        let key = if mode == Mode::ZooKeeper { "broker.id" } else { "node.id" };
        let id = identity::reconcile(id, &folders, key, &mut problems);
        properties.set(key, &id.value, &id.origin);
        listeners::complete(&mut properties, environment, pod, &mut problems);
        if mode == Mode::KraftSingle {
            single_node(&mut properties, &id.value);
        }
        check_broker_id(&properties, &id, &mut problems);
        if mode == Mode::KraftSingle {
            check_data(&folders, layout, &mut problems);
        }
        let mut notes = vec![format!("mode: {}", describe(mode)), format!("{key}: {} ({})", id.value, id.origin)];
        let cluster_id = match mode {
            Mode::ZooKeeper => None,
            _ => decide_cluster_id(environment, mode, &folders, &mut problems, &mut notes),
        };
        match problems.is_empty() {
            true => Ok(Server { mode, properties, id, cluster_id, notes }),
            false => Err(problems),
        }
    }

    /// The folders of `log.dirs`.
    pub fn data_folders(&self) -> Vec<PathBuf> {
        data_folders(&self.properties)
    }
}

/// `_` is `.`, `__` is `_`, `___` is `-`, as in the images of Apache and Confluent.
pub fn property_name(variable: &str) -> String {
    let marked = variable.replace("___", "\u{1}").replace("__", "\u{2}");
    marked.replace('_', ".").replace('\u{1}', "-").replace('\u{2}', "_").to_lowercase()
}

fn data_folders(properties: &Properties) -> Vec<PathBuf> {
    let folders = properties.get("log.dirs").unwrap_or_default().split(',').map(str::trim);
    folders.filter(|folder| !folder.is_empty()).map(PathBuf::from).collect()
}

fn mode(properties: &Properties, layout: &Layout, problems: &mut Vec<Problem>) -> Mode {
    if let (true, Some(name)) = (layout.kraft, properties.origin("zookeeper.connect")) {
        let hint = "leave it out; a cluster with ZooKeeper first moves to KRaft, with Kafka 3.9";
        problems.push(Problem::new(name, "this Kafka has no ZooKeeper mode", hint));
        return Mode::ZooKeeper;
    }
    let of_kraft = ["process.roles", "controller.quorum.voters"].iter().find(|name| properties.get(name).is_some());
    let with_zookeeper = properties.get("zookeeper.connect").is_some();
    match (with_zookeeper, of_kraft) {
        (true, Some(name)) => {
            let subject = properties.origin(name).unwrap_or(name);
            problems.push(Problem::new(
                subject,
                "it belongs to KRaft, and KAFKA_ZOOKEEPER_CONNECT to ZooKeeper",
                "leave one of them out",
            ));
            Mode::ZooKeeper
        }
        (true, None) => Mode::ZooKeeper,
        (false, Some(_)) => Mode::Kraft,
        (false, None) => Mode::KraftSingle,
    }
}

fn describe(mode: Mode) -> &'static str {
    match mode {
        Mode::ZooKeeper => "ZooKeeper, for KAFKA_ZOOKEEPER_CONNECT is set",
        Mode::KraftSingle => {
            "KRaft on a single node, for neither KAFKA_ZOOKEEPER_CONNECT nor KAFKA_PROCESS_ROLES is set"
        }
        Mode::Kraft => "KRaft, for KAFKA_PROCESS_ROLES or KAFKA_CONTROLLER_QUORUM_VOTERS is set",
    }
}

/// One node that a client on the host reaches at `localhost:9092` when the port is published.
fn single_node(properties: &mut Properties, id: &str) {
    const CONTROLLER: &str = "CONTROLLER://:9093";
    properties.set_default("process.roles", "broker,controller", "default");
    properties.set_default("controller.quorum.voters", format!("{id}@localhost:9093"), "default");
    properties.set_default("controller.listener.names", "CONTROLLER", "default");
    let map = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL";
    properties.set_default("listener.security.protocol.map", map, "default");
    let clients = properties.get("listeners").unwrap_or("PLAINTEXT://:9092").to_owned();
    let has_controller = clients.split(',').any(|listener| listener.trim().starts_with("CONTROLLER://"));
    let all = if has_controller { clients.clone() } else { format!("{clients},{CONTROLLER}") };
    let origin = properties.origin("listeners").unwrap_or("default").to_owned();
    properties.set("listeners", all, origin);
    if clients == "PLAINTEXT://:9092" {
        properties.set_default("advertised.listeners", "PLAINTEXT://localhost:9092", "default");
    }
    for name in ["offsets.topic.replication.factor", "transaction.state.log.replication.factor"] {
        properties.set_default(name, "1", "default of a single node");
    }
    properties.set_default("transaction.state.log.min.isr", "1", "default of a single node");
    properties.set_default("group.initial.rebalance.delay.ms", "0", "default of a single node");
}

/// Kafka itself says so late and by an exception: with ids that are generated, explicit ones are bounded.
fn check_broker_id(properties: &Properties, id: &Id, problems: &mut Vec<Problem>) {
    let generated = properties.get("broker.id.generation.enable") != Some("false");
    let bound: u32 = properties.get("reserved.broker.max.id").and_then(|text| text.parse().ok()).unwrap_or(1000);
    let number: Option<u32> = id.value.parse().ok();
    if properties.get("broker.id").is_some() && generated && id.explicit && number.is_some_and(|number| number > bound)
    {
        problems.push(Problem::new(
            id.origin.clone(),
            format!("{} is above reserved.broker.max.id, {bound}", id.value),
            "set KAFKA_RESERVED_BROKER_MAX_ID higher, or KAFKA_BROKER_ID_GENERATION_ENABLE to false",
        ));
    }
}

/// A new KRaft cluster on the data of a broker with ZooKeeper would know none of its topics, and remove them.
fn check_data(folders: &[PathBuf], layout: &Layout, problems: &mut Vec<Problem>) {
    let of_zookeeper = |folder: &&PathBuf| storage::read(folder).is_some_and(|meta| meta.get("version") == Some("0"));
    if let Some(folder) = folders.iter().find(of_zookeeper) {
        let hint = match layout.kraft {
            true => "go back to the version that wrote it; a cluster with ZooKeeper moves to KRaft with Kafka 3.9",
            false => "set KAFKA_ZOOKEEPER_CONNECT, or mount another volume",
        };
        let why = "its data is of a broker with ZooKeeper, and this would be a new cluster without it";
        problems.push(Problem::new(folder.display().to_string(), why, hint));
    }
}

fn decide_cluster_id(
    environment: &Environment,
    mode: Mode,
    folders: &[PathBuf],
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) -> Option<String> {
    let found = folders
        .iter()
        .filter_map(|folder| storage::read(folder))
        .find_map(|meta| Some((meta.get("cluster.id")?.to_owned(), meta.origin("cluster.id")?.to_owned())));
    let asked = environment.first(&["CLUSTER_ID", "KAFKA_CLUSTER_ID"]);
    match (asked, found) {
        (Some((name, asked)), Some((found, file))) if asked != found => {
            let why = format!("it is {asked}, and {file} has {found}");
            problems.push(Problem::new(name, why, format!("set it to {found}, or mount the volume of that cluster")));
            None
        }
        (_, Some((found, _))) => Some(found),
        (Some((name, asked)), None) => {
            if let Err(why) = cluster_id::check(asked) {
                problems.push(Problem::new(
                    name,
                    format!("`{asked}`: {why}"),
                    "`kafka-storage.sh random-uuid` makes one",
                ));
            }
            Some(asked.to_owned())
        }
        (None, None) if mode == Mode::Kraft => {
            let hint = "`kafka-storage.sh random-uuid` makes one; all nodes of a cluster need the same";
            problems.push(Problem::new("CLUSTER_ID", "it is not set, and the data folder is not formatted", hint));
            None
        }
        (None, None) => match cluster_id::make() {
            Ok(made) => {
                notes.push(format!("cluster.id: {made} (made up for a single node, kept with its data)"));
                Some(made)
            }
            Err(error) => {
                let why = format!("it is not set, and none can be made up: {error}");
                problems.push(Problem::new("CLUSTER_ID", why, "`kafka-storage.sh random-uuid` makes one"));
                None
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(variables: &[(&str, &str)], host: &str) -> Result<Server, Vec<Problem>> {
        server_of("", variables, host)
    }

    fn server_of(table: &str, variables: &[(&str, &str)], host: &str) -> Result<Server, Vec<Problem>> {
        let layout = Layout { data: PathBuf::from("/nonexistent/data"), ..Layout::of_image(table) };
        let pod = Pod { host: host.to_owned(), full_name: None };
        Server::of(&Environment::of(variables.iter().copied()), &pod, &layout)
    }

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

    #[test]
    fn nothing_set_is_a_single_node_for_clients_on_the_host() {
        let server = server(&[], "3f9a1b2c7712").unwrap();
        let get = |name: &str| server.properties.get(name).unwrap_or_default().to_owned();
        assert_eq!(server.mode, Mode::KraftSingle);
        assert_eq!(get("listeners"), "PLAINTEXT://:9092,CONTROLLER://:9093");
        assert_eq!(get("advertised.listeners"), "PLAINTEXT://localhost:9092");
        assert_eq!((get("node.id"), get("controller.quorum.voters")), ("1".to_owned(), "1@localhost:9093".to_owned()));
        assert_eq!(cluster_id::check(&server.cluster_id.unwrap()), Ok(()));
    }

    #[test]
    fn zookeeper_takes_the_ordinal() {
        let server = server(&[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), ("KAFKA_JMX_PORT", "9999")], "kafka-2").unwrap();
        assert_eq!((server.mode, server.cluster_id), (Mode::ZooKeeper, None));
        assert_eq!(server.properties.get("broker.id"), Some("2"));
        assert_eq!((server.properties.get("jmx.port"), server.properties.get("process.roles")), (None, None));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems = server(
            &[
                ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"),
                ("KAFKA_PROCESS_ROLES", "broker"),
                ("KAFKA_BROKER_ID", "two"),
                ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://0.0.0.0:9092"),
            ],
            "kafka-0",
        );
        let subjects: Vec<String> = problems.unwrap_err().into_iter().map(|problem| problem.subject).collect();
        assert_eq!(subjects, ["KAFKA_PROCESS_ROLES", "KAFKA_BROKER_ID", "KAFKA_ADVERTISED_LISTENERS"]);
    }

    #[test]
    fn cluster_ids_are_checked() {
        assert_eq!(server(&[("CLUSTER_ID", "kraft-docker")], "x").unwrap_err()[0].subject, "CLUSTER_ID");
        assert_eq!(server(&[("KAFKA_PROCESS_ROLES", "broker")], "x").unwrap_err()[0].subject, "CLUSTER_ID");
    }

    #[test]
    fn without_a_zookeeper_mode_it_is_refused_and_kraft_is_not() {
        let table = "kafka-server-start.sh server kafka kraft log4j2\n";
        let problems = server_of(table, &[("KAFKA_ZOOKEEPER_CONNECT", "zk:2181")], "kafka-0").unwrap_err();
        assert_eq!((problems.len(), problems[0].subject.as_str()), (1, "KAFKA_ZOOKEEPER_CONNECT"));
        assert_eq!(server_of(table, &[], "kafka-0").unwrap().mode, Mode::KraftSingle);
    }

    #[test]
    fn explicit_ids_are_bounded() {
        let variables = [("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), ("KAFKA_BROKER_ID", "1001")];
        assert!(server(&variables, "x").unwrap_err()[0].why.contains("reserved.broker.max.id"));
    }
}
