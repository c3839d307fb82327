//! The variables of confluentinc/cp-kafka.

use super::{AutomaticId, DefaultMode, Empty, Mounted, Names, Rules};

/// What this dialect decides.
pub(super) const RULES: Rules = Rules {
    follows: "confluentinc/cp-kafka 7.5.0",
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
