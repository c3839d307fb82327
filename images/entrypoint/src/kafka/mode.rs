//! What keeps the cluster together: ZooKeeper, or Kafka's own quorum (KRaft).

use super::Layout;
use super::dialect::{DefaultMode, Rules};
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

/// Decides on the mode by the properties that are set.
pub fn decide(properties: &Properties, layout: &Layout, rules: &Rules, findings: &mut Findings) -> Mode {
    if let (true, Some(name)) = (layout.kraft, properties.origin("zookeeper.connect")) {
        let hint = "leave it out; a cluster with ZooKeeper first moves to KRaft, with Kafka 3.9";
        findings.refuse(Problem::new(name, "this Kafka has no ZooKeeper mode", hint));
        return Mode::ZooKeeper;
    }
    let of_kraft = ["process.roles", "controller.quorum.voters"].iter().find(|name| properties.get(name).is_some());
    match (properties.origin("zookeeper.connect"), of_kraft) {
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
    }
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
