//! What Kafka once had: properties that were removed or replaced, classes that are gone, and those that only another
//! product has.

use super::{Layout, Versions};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

const LISTENERS: &str = "set KAFKA_LISTENERS and KAFKA_ADVERTISED_LISTENERS";

/// Properties that were gone before 3.5, or are those of others: what to set instead.
const REPLACED: &[(&str, &str)] = &[
    ("advertised.host", LISTENERS),
    ("advertised.host.name", LISTENERS),
    ("advertised.port", LISTENERS),
    ("bootstrap.servers", "give it to the clients"),
    ("brokerid", "set KAFKA_BROKER_ID"),
    ("enable.zookeeper", "leave it out"),
    ("host", LISTENERS),
    ("host.name", LISTENERS),
    ("hostname", LISTENERS),
    ("max.partition.fetch.bytes", "give it to the consumers"),
    ("max.request.size", "give it to the producers; brokers have message.max.bytes"),
    ("port", LISTENERS),
    ("quota.consumer.default", "set default quotas by kafka-configs.sh --entity-type clients --entity-default"),
    ("quota.producer.default", "set default quotas by kafka-configs.sh --entity-type clients --entity-default"),
    ("replica.lag.max.messages", "set replica.lag.time.max.ms"),
    ("schema.registry.url", "give it to the clients"),
    ("security.protocol", "give it to the clients; listeners have listener.security.protocol.map"),
    ("zk.connect", "set KAFKA_ZOOKEEPER_CONNECT"),
    ("zk.connection.timeout.ms", "set KAFKA_ZOOKEEPER_CONNECTION_TIMEOUT_MS"),
];

/// Properties that 4.0 removed, and what there is instead.
const REPLACED_IN_4: &[(&str, &str)] = &[
    ("control.plane.listener.name", "leave it out: controllers have listeners of their own"),
    ("delegation.token.master.key", "set delegation.token.secret.key"),
    ("inter.broker.protocol.version", "leave it out; kafka-features.sh sets metadata.version"),
    ("leader.imbalance.per.broker.percentage", "leave it out: no broker asked it for its own"),
    ("log.message.format.version", "leave it out: messages have one format"),
    ("log.message.timestamp.difference.max.ms", "set log.message.timestamp.before.max.ms and …after.max.ms"),
    ("reserved.broker.max.id", "leave it out: ids are not generated"),
    ("broker.id.generation.enable", "leave it out: ids are not generated"),
];

/// What replaces a property that no version here knows: why, and the hint.
pub(super) fn replaced(name: &str) -> Option<(String, String)> {
    let (name, hint) = REPLACED.iter().find(|(own, _)| *own == name)?;
    Some((format!("no broker has a property {name}, or has it any more"), (*hint).to_owned()))
}

/// A property that versions know, but not this one.
pub(super) fn of_version(name: &str, versions: Versions, layout: &Layout, subject: &str) -> Option<Problem> {
    match (versions, layout.kraft) {
        (Versions::Three, true) if name == "zookeeper.connect" => None,
        (Versions::Three, true) => {
            let own = REPLACED_IN_4.iter().find(|(own, _)| *own == name).map(|(_, hint)| *hint);
            let of_zookeeper = name.starts_with("zookeeper.") || name.starts_with("password.encoder.");
            let hint = own.unwrap_or(if of_zookeeper { "leave it out: it is for ZooKeeper" } else { "leave it out" });
            Some(Problem::new(subject, format!("Kafka 4.0 removed {name}"), hint))
        }
        (Versions::Four, false) => {
            Some(Problem::new(subject, format!("{name} is new in Kafka 4"), "leave it out, or use an image of Kafka 4"))
        }
        _ => None,
    }
}

const ACLS_IN_ZOOKEEPER: &str = "kafka.security.authorizer.AclAuthorizer";

const ACLS_IN_KRAFT: &str = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";

/// Refuses classes that are gone, or that belong to the other mode: Kafka would end by ClassNotFoundException, or
/// later.
pub(super) fn check_classes(properties: &Properties, layout: &Layout, findings: &mut Findings) {
    let with_zookeeper = !layout.kraft && properties.get("process.roles").is_none();
    let right = if with_zookeeper { ACLS_IN_ZOOKEEPER } else { ACLS_IN_KRAFT };
    let mode = if with_zookeeper { "with ZooKeeper" } else { "in KRaft" };
    for (name, value, origin) in properties.iter() {
        let class = value.trim();
        let (why, instead) = match (name, class) {
            ("authorizer.class.name", "kafka.security.auth.SimpleAclAuthorizer") => {
                ("Kafka 3.0 removed this class".to_owned(), right)
            }
            ("authorizer.class.name", ACLS_IN_ZOOKEEPER | ACLS_IN_KRAFT) if class != right => {
                (format!("this class does not work {mode}"), right)
            }
            ("principal.builder.class", "org.apache.kafka.common.security.auth.DefaultPrincipalBuilder") => (
                "Kafka removed this class".to_owned(),
                "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
            ),
            _ if class.starts_with("io.confluent.") => {
                let why = "this class belongs to Confluent's products, and is not in this image";
                let hint = "leave it out, unless you mount its jar";
                findings.warn(Problem::new(super::subject(name, origin), why, hint).with_value(class));
                continue;
            }
            _ => continue,
        };
        let subject = super::subject(name, origin);
        findings.refuse(Problem::new(subject, why, format!("set it to {instead}")).with_value(class));
    }
}

/// The reporters of Confluent's own products.
const REPORTERS: [&str; 2] = ["io.confluent.metrics.reporter.", "io.confluent.telemetry."];

/// Leaves out what only Confluent's products have: their reporters of metrics. The broker does its work without them,
/// and with them it would not start.
pub fn forget(properties: &mut Properties, findings: &mut Findings) {
    let Some(value) = properties.get("metric.reporters").map(str::to_owned) else { return };
    let (gone, kept): (Vec<&str>, Vec<&str>) =
        value.split(',').map(str::trim).partition(|class| REPORTERS.iter().any(|prefix| class.starts_with(prefix)));
    if gone.is_empty() {
        return;
    }
    let origin = properties.origin("metric.reporters").unwrap_or_default().to_owned();
    let why = format!("{} is left out: it belongs to Confluent and is not in this image", gone.join(", "));
    findings.warn(Problem::new(super::subject("metric.reporters", &origin), why, "leave it out"));
    match kept.is_empty() {
        true => properties.remove("metric.reporters"),
        false => properties.set("metric.reporters", kept.join(","), origin),
    }
}
