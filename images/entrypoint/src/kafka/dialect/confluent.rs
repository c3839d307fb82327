//! The variables of confluentinc/cp-kafka: kafka/include/etc/confluent/docker (configure, ensure, launch,
//! kafka.properties.template) of confluentinc/kafka-images 7.5, and `env_to_props` of confluent-docker-utils.
//!
//! Not followed: `KAFKA_HEAP_OPTS` and `KAFKA_LOG4J_OPTS` become properties there, for a comma is missing between them
//! in the template, and `KAFKA_SSL_*_FILENAME` too; keys are read only where a listener's name has `SSL` in it.

use super::{AutomaticId, DefaultMode, Empty, Mounted, Names, Rules};

/// What this dialect decides.
pub(super) const RULES: Rules = Rules {
    follows: "confluentinc/cp-kafka 7.5.0",
    prefixes: &["KAFKA_"],
    names: Names::Doubled,
    own_variables: &["KAFKA_CUB_ZK_TIMEOUT", "KAFKA_DATA_DIRS"],
    aliases: &[],
    without_effect: &[
        ("KAFKA_CONFLUENT_*", "leave it out: it belongs to Confluent Server, and this is Apache Kafka"),
        ("CONFLUENT_*", "leave it out: it belongs to Confluent's metrics and support, which are not in this image"),
        ("KAFKA_REST_*", "run a REST proxy of its own: it is no part of Apache Kafka"),
        ("KAFKA_CUB_ZK_TIMEOUT", "set KIMG_WAIT_SECONDS"),
        ("KAFKA_DATA_DIRS", "set KAFKA_LOG_DIRS: it names only what the image checks for being writable"),
    ],
    from_files: &[],
    // configure
    secrets: Some("/etc/kafka/secrets"),
    shipped: &[],
    base: None,
    mounted: Mounted { files: &[], alone: false },
    unread: &["/etc/kafka/kafka.properties", "/etc/kafka/server.properties"],
    // configure
    data: "/var/lib/kafka/data",
    listeners: None,
    // configure: `dub ensure KAFKA_ZOOKEEPER_CONNECT` unless KAFKA_PROCESS_ROLES is set.
    mode: DefaultMode::Refused,
    id: AutomaticId::Made,
    empty: Empty::Set,
    // bin/kafka-server-start
    heap: "1G",
    configuration: &["/etc/kafka"],
};
