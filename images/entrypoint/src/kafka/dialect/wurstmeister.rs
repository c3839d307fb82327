//! The variables of wurstmeister/kafka.

use super::{AutomaticId, DefaultMode, Empty, Mounted, Names, Rules};

/// What this dialect decides.
pub(super) const RULES: Rules = Rules {
    follows: "wurstmeister/kafka 2.13-2.8.1",
    prefixes: &["KAFKA_"],
    names: Names::Doubled,
    own_variables: &[],
    base: None,
    mounted: Mounted { files: &[], alone: false },
    data: "/var/lib/kafka/data",
    listeners: None,
    mode: DefaultMode::Kraft,
    id: AutomaticId::Made,
    empty: Empty::Set,
    heap: "1G",
    configuration: &[],
};
