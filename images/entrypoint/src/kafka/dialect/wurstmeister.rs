//! The variables of wurstmeister/kafka: start-kafka.sh, create-topics.sh and the Dockerfile of
//! wurstmeister/kafka-docker.
//!
//! Not followed: `@` and newlines in values break its sed; `KAFKA_LOG4J_OPTS`, `KAFKA_JMX_PORT` and
//! `KAFKA_CREATE_TOPICS_SEPARATOR` become properties.

use super::{AutomaticId, DefaultMode, Empty, Mounted, Names, Rules};

/// What this dialect decides.
pub(super) const RULES: Rules = Rules {
    follows: "wurstmeister/kafka 2.13-2.8.1",
    prefixes: &["KAFKA_"],
    names: Names::Dots,
    own_variables: &["KAFKA_LOG"],
    aliases: &[],
    without_effect: &[
        ("KAFKA_LOG", "set KAFKA_LOG_DIRS for the messages; logs go to stdout"),
        ("DOCKER_API_VERSION", "leave it out: there is no Docker client in this image"),
    ],
    from_files: &[],
    secrets: None,
    // config/server.properties of Kafka 2.8.1, which the environment is written into; what names its ZooKeeper, its id
    // and its folder of data is always set by start-kafka.sh.
    shipped: &[
        ("num.network.threads", "3"),
        ("num.io.threads", "8"),
        ("socket.send.buffer.bytes", "102400"),
        ("socket.receive.buffer.bytes", "102400"),
        ("socket.request.max.bytes", "104857600"),
        ("num.partitions", "1"),
        ("num.recovery.threads.per.data.dir", "1"),
        ("offsets.topic.replication.factor", "1"),
        ("transaction.state.log.replication.factor", "1"),
        ("transaction.state.log.min.isr", "1"),
        ("log.retention.hours", "168"),
        ("log.segment.bytes", "1073741824"),
        ("log.retention.check.interval.ms", "300000"),
        ("zookeeper.connection.timeout.ms", "18000"),
        ("group.initial.rebalance.delay.ms", "0"),
    ],
    base: Some("/opt/kafka/config/server.properties"),
    mounted: Mounted { files: &[], alone: false },
    unread: &[],
    data: "/kafka/kafka-logs-$HOSTNAME",
    listeners: None,
    mode: DefaultMode::ZooKeeper,
    id: AutomaticId::Made,
    empty: Empty::Set,
    // bin/kafka-server-start.sh
    heap: "1G",
    configuration: &["/opt/kafka/config"],
};
