//! kimg's own dialect, where nothing tells another: what the images of Apache and Confluent agree on, for most files
//! written for them have nothing that tells them apart.

use super::{AutomaticId, DefaultMode, Empty, Mounted, Names, Rules};

/// What this dialect decides.
pub(super) const RULES: Rules = Rules {
    follows: "kimg",
    prefixes: &["KAFKA_"],
    names: Names::Doubled,
    own_variables: &[],
    aliases: &[],
    without_effect: &[],
    from_files: &[],
    secrets: Some("/etc/kafka/secrets"),
    shipped: &[],
    base: Some("/opt/kafka/config/server.properties"),
    mounted: Mounted { files: &[], alone: false },
    unread: &["/etc/kafka/kafka.properties", "/etc/kafka/server.properties"],
    data: "/var/lib/kafka/data",
    listeners: None,
    mode: DefaultMode::Kraft,
    id: AutomaticId::Made,
    empty: Empty::Set,
    heap: "1G",
    configuration: &[],
};
