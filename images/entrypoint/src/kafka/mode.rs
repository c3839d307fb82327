//! What keeps the cluster together: ZooKeeper, or Kafka's own quorum (KRaft).

use super::Layout;
use super::dialect::{DefaultMode, Rules};
use super::quorum::{self, Roles};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// What keeps the cluster together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// ZooKeeper, because `zookeeper.connect` is set.
    ZooKeeper,
    /// KRaft, one node that is broker and controller, because nothing is set.
    KraftSingle,
    /// KRaft, as `process.roles` and `controller.quorum.voters` say.
    Kraft,
}

impl Mode {
    /// The property that holds the node's id in this mode.
    pub fn id_property(self) -> &'static str {
        match self {
            Mode::ZooKeeper => "broker.id",
            Mode::KraftSingle | Mode::Kraft => "node.id",
        }
    }

    /// What it is, and why it was chosen.
    pub fn describe(self) -> &'static str {
        match self {
            Mode::ZooKeeper => "ZooKeeper, for zookeeper.connect is set",
            Mode::KraftSingle => "KRaft on a single node, for neither zookeeper.connect nor process.roles is set",
            Mode::Kraft => "KRaft, for process.roles or controller.quorum.voters is set",
        }
    }
}

/// Properties that only KRaft has, and that ask for it.
const OF_KRAFT: [&str; 3] = ["process.roles", "controller.quorum.voters", "controller.quorum.bootstrap.servers"];

/// Decides on the mode by the properties that are set. Files that only work with ZooKeeper are often used with the newest
/// image, whose default is KRaft: so the properties decide, and the default only without any.
pub fn decide(properties: &mut Properties, layout: &Layout, rules: &Rules, findings: &mut Findings) -> Mode {
    for name in ["zookeeper.connect", "controller.listener.names"].iter().chain(&OF_KRAFT) {
        if properties.get(name).is_some_and(|text| text.trim().is_empty()) {
            properties.remove(name);
        }
    }
    leave_out_base(properties, rules, findings);
    let of_kraft = OF_KRAFT.into_iter().find(|name| properties.get(name).is_some());
    let mode = match (properties.origin("zookeeper.connect"), of_kraft) {
        (Some(name), _) if layout.kraft => {
            let hint = "leave it out; a cluster with ZooKeeper first moves to KRaft, with Kafka 3.9";
            findings.refuse(Problem::new(name, "this Kafka has no ZooKeeper mode", hint));
            Mode::ZooKeeper
        }
        (Some(_), Some(_)) if migrates(properties) => migration(properties, findings),
        (Some(with_zookeeper), Some(name)) => {
            let subject = properties.origin(name).unwrap_or(name);
            findings.refuse(Problem::new(
                subject,
                format!("it belongs to KRaft, and {with_zookeeper} to ZooKeeper"),
                "leave one of them out",
            ));
            Mode::ZooKeeper
        }
        (Some(_), None) => Mode::ZooKeeper,
        (None, Some(_)) => Mode::Kraft,
        (None, None) => otherwise(rules, findings),
    };
    if mode == Mode::Kraft {
        // Kafka would look for ZooKeeper.
        properties.set_default("process.roles", "broker,controller", "default, for there is a quorum");
        quorum::check(properties, findings);
    }
    mode
}

/// Of a mode's property in the file that the dialect lays underneath, and one of the other mode in a variable, that of the
/// variable counts.
fn leave_out_base(properties: &mut Properties, rules: &Rules, findings: &mut Findings) {
    let Some(base) = rules.base else { return };
    let is_base = |name: &str| properties.origin(name).is_some_and(|origin| origin.contains(base));
    let is_set = |name: &str| properties.get(name).is_some() && !is_base(name);
    let asks_kraft = OF_KRAFT.into_iter().any(is_set);
    let mut others = match (asks_kraft, is_set("zookeeper.connect")) {
        (true, false) => vec!["zookeeper.connect"],
        (false, true) => [&OF_KRAFT[..], &["controller.listener.names"]].concat(),
        _ => Vec::new(),
    };
    others.retain(|name| is_base(name) && !migrates(properties));
    for name in others {
        let why = format!("{name} is left out: the variables ask for the other mode");
        findings.warn(Problem::new(base, why, "remove it from the file"));
        properties.remove(name);
    }
}

/// Whether the cluster is on its way from ZooKeeper to KRaft.
pub fn migrates(properties: &Properties) -> bool {
    let text = properties.get("zookeeper.metadata.migration.enable");
    text.is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

/// On the way from ZooKeeper to KRaft both belong together: brokers with ZooKeeper know the new controllers, and these
/// know ZooKeeper.
fn migration(properties: &Properties, findings: &mut Findings) -> Mode {
    let subject = properties.origin("zookeeper.metadata.migration.enable").unwrap_or_default();
    let why = "the cluster moves from ZooKeeper to KRaft while this is on";
    let hint = "finish or undo the migration soon: upstream's documentation has its steps";
    findings.warn(Problem::new(subject, why, hint).with_value("true"));
    if properties.get("process.roles").is_some() { Mode::Kraft } else { Mode::ZooKeeper }
}

fn otherwise(rules: &Rules, findings: &mut Findings) -> Mode {
    match rules.mode {
        DefaultMode::Kraft => Mode::KraftSingle,
        DefaultMode::ZooKeeper => {
            let why = format!("it is not set, and {} starts with ZooKeeper", rules.follows);
            findings.refuse(Problem::new("KAFKA_ZOOKEEPER_CONNECT", why, "set it to the host and port of ZooKeeper"));
            Mode::ZooKeeper
        }
        DefaultMode::Refused => {
            let why = format!("neither it nor KAFKA_PROCESS_ROLES is set, and {} needs one of them", rules.follows);
            let hint = "set one of them; KIMG_DIALECT=kimg starts a single node without both";
            findings.refuse(Problem::new("KAFKA_ZOOKEEPER_CONNECT", why, hint));
            Mode::KraftSingle
        }
    }
}

/// The mode in a line: which, in which roles, and why.
pub fn explain(mode: Mode, properties: &Properties) -> String {
    let why = |name: &str| properties.origin(name).unwrap_or(name).to_owned();
    match mode {
        Mode::KraftSingle => mode.describe().to_owned(),
        Mode::ZooKeeper if migrates(properties) => {
            format!("ZooKeeper, on its way to KRaft, for {} is set", why("zookeeper.metadata.migration.enable"))
        }
        Mode::ZooKeeper => format!("ZooKeeper, for {} is set", why("zookeeper.connect")),
        Mode::Kraft => {
            let role = match properties.get("process.roles").map(Roles::parse) {
                Some(Ok(Roles { broker: true, controller: true })) => "broker and controller",
                Some(Ok(Roles { broker: false, .. })) => "a controller only",
                _ => "a broker only",
            };
            let asks =
                OF_KRAFT.into_iter().find(|name| !why(name).starts_with("default") && properties.get(name).is_some());
            format!("KRaft, {role}, for {} is set", why(asks.unwrap_or("process.roles")))
        }
    }
}

/// Adds what a single node needs beside its listeners, which are complete by now.
pub fn complete_single_node(properties: &mut Properties, id: &str) {
    properties.set_default("process.roles", "broker,controller", "default");
    properties.set_default("controller.quorum.voters", format!("{id}@localhost:9093"), "default");
    for name in ["offsets.topic.replication.factor", "transaction.state.log.replication.factor"] {
        properties.set_default(name, "1", "default of a single node");
    }
    properties.set_default("transaction.state.log.min.isr", "1", "default of a single node");
    properties.set_default("group.initial.rebalance.delay.ms", "0", "default of a single node");
}
