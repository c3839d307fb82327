//! The variables of bitnami/kafka.

use super::{AutomaticId, DefaultMode, Empty, Mounted, Names, Rules};

/// What this dialect decides.
pub(super) const RULES: Rules = Rules {
    follows: "bitnami/kafka 3.5.1",
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
