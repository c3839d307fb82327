//! The variables of apache/kafka: docker/resources/common-scripts (configure, configureDefaults, run),
//! docker/jvm/launch and core/src/main/scala/kafka/docker/KafkaDockerWrapper.scala of apache/kafka, 3.7 to 3.9.
//!
//! Not followed: `KAFKA_` is taken away wherever it stands in a name; `KAFKA_JMX_PORT` and `KAFKA_SSL_*_FILENAME`
//! become properties; deriving `listeners` cuts IPv6 addresses; keys are read only where a listener's name has `SSL` in
//! it.

use super::{AutomaticId, DefaultMode, Empty, Mounted, Names, Rules};

/// What this dialect decides.
pub(super) const RULES: Rules = Rules {
    follows: "apache/kafka 3.7.0",
    prefixes: &["KAFKA_"],
    names: Names::Doubled,
    own_variables: &[],
    aliases: &[],
    // bash-config
    without_effect: &[("TRACE", "`kafka --explain` shows what was decided")],
    from_files: &[],
    // configure
    secrets: Some("/etc/kafka/secrets"),
    // The shipped file is used only where nothing at all is set: then it is a single node with KRaft, as here.
    shipped: &[],
    base: None,
    // KafkaDockerWrapper: the mounted file first, then the environment's properties, of which the last counts.
    mounted: Mounted { files: &["/mnt/shared/config/server.properties"], alone: false },
    unread: &["/opt/kafka/config/server.properties", "/opt/kafka/config/kraft/server.properties"],
    // config/kraft/server.properties
    data: "/tmp/kraft-combined-logs",
    listeners: None,
    mode: DefaultMode::Kraft,
    id: AutomaticId::Made,
    empty: Empty::Set,
    // bin/kafka-server-start.sh
    heap: "1G",
    configuration: &["/opt/kafka/config"],
};
