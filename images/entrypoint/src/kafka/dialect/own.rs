//! kimg's own dialect, where nothing tells another.

use super::{AutomaticId, DefaultMode, Empty, Mounted, Names, Rules};

/// What this dialect decides.
pub(super) const RULES: Rules = Rules {
    follows: "kimg",
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
