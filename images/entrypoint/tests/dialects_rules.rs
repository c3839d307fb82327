//! From variables to properties, one table a dialect, drawn from the images' own scripts.

#[path = "support/dialects.rs"]
mod support;

use std::path::PathBuf;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::kafka::Dialect::{self, Apache, Bitnami, Confluent, Kimg, Wurstmeister};

use support::{container, read, set, subjects, with_files};

/// A variable with a value, and the property and value that it becomes.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// Each row by itself, and without a word about it.
fn quietly(dialect: Dialect, rows: &[Row]) {
    for (variable, value, property, expected) in rows {
        let (given, findings) = read(&container(&[(variable, value)]), dialect);
        assert_eq!(given.properties.get(property), Some(*expected), "{variable}={value}");
        assert_eq!(given.properties.origin(property), Some(*variable));
        assert_eq!((&findings.warnings, &findings.problems), (&vec![], &vec![]), "{variable}={value}");
    }
}

/// Each of these sets no property.
fn none(dialect: Dialect, variables: &[&str]) {
    for variable in variables {
        let (given, _) = read(&container(&[(variable, "x")]), dialect);
        assert_eq!(set(&given), [], "{variable}");
    }
}

/// env_to_props, KafkaDockerWrapper.getServerConfigsFromEnv.
const DOUBLED: &[Row] = &[
    ("KAFKA_NUM_PARTITIONS", "3", "num.partitions", "3"),
    ("KAFKA_NODE_ID", "1", "node.id", "1"),
    ("KAFKA_LISTENER_NAME_MY__LISTENER_SSL_CLIENT_AUTH", "none", "listener.name.my_listener.ssl.client.auth", "none"),
    (
        "KAFKA_LISTENER_NAME_A_SCRAM___SHA___256_SASL_JAAS_CONFIG",
        "x;",
        "listener.name.a.scram-sha-256.sasl.jaas.config",
        "x;",
    ),
    ("KAFKA_SASL_JAAS_CONFIG", "a b=\"c@d\" $1;", "sasl.jaas.config", "a b=\"c@d\" $1;"),
    ("KAFKA_SUPER_USERS", "User:CN=a,O=b;User:c", "super.users", "User:CN=a,O=b;User:c"),
    ("KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM", "", "ssl.endpoint.identification.algorithm", ""),
    // What a plug-in may read stays.
    ("KAFKA_STRIMZI_TOKEN_X", "1", "strimzi.token.x", "1"),
    ("KAFKA_CREATE_TOPIC_POLICY_CLASS_NAME", "a.B", "create.topic.policy.class.name", "a.B"),
    ("KAFKA_CONFIG_PROVIDERS_FILE_CLASS", "a.B", "config.providers.file.class", "a.B"),
    ("KAFKA_ZOOKEEPER_CLIENTCNXNSOCKET", "a.B", "zookeeper.clientCnxnSocket", "a.B"),
];

#[test]
fn apache_confluent_and_our_own_read_names_alike() {
    for dialect in [Kimg, Apache, Confluent] {
        quietly(dialect, DOUBLED);
    }
}

#[test]
fn bitnami_reads_names_with_cfg_and_its_aliases() {
    let rows: &[Row] = &[
        ("KAFKA_CFG_NUM_PARTITIONS", "3", "num.partitions", "3"),
        ("KAFKA_CFG_LISTENER_NAME_SASL_SSL_X", "1", "listener.name.sasl_ssl.x", "1"),
        ("KAFKA_CFG_LISTENER_NAME_SASL_PLAINTEXT_X", "1", "listener.name.sasl_plaintext.x", "1"),
        ("KAFKA_CFG_ZOOKEEPER_CLIENTCNXNSOCKET", "a.B", "zookeeper.clientCnxnSocket", "a.B"),
        ("KAFKA_CFG_BROKER_RACK", "", "broker.rack", ""),
        ("KAFKA_CFG_ADVERTISED_HOST_NAME", "h", "advertised.host.name", "h"),
        ("KAFKA_CFG_PORT", "9092", "port", "9092"),
        ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181", "zookeeper.connect", "zk:2181"),
        ("KAFKA_LISTENERS", "A://:1", "listeners", "A://:1"),
        ("KAFKA_ADVERTISED_LISTENERS", "A://h:1", "advertised.listeners", "A://h:1"),
        ("KAFKA_LOGS_DIRS", "/x", "log.dirs", "/x"),
        ("KAFKA_SEGMENT_BYTES", "1", "log.segment.bytes", "1"),
        ("KAFKA_MAX_MESSAGE_BYTES", "1", "message.max.bytes", "1"),
        ("KAFKA_ZOOKEEPER_CONNECT_TIMEOUT_MS", "1", "zookeeper.connection.timeout.ms", "1"),
        ("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "true", "auto.create.topics.enable", "true"),
        ("KAFKA_LOG_RETENTION_CHECK_INTERVALS_MS", "1", "log.retention.check.interval.ms", "1"),
        ("KAFKA_PORT_NUMBER", "9092", "port", "9092"),
    ];
    quietly(Bitnami, rows);
}

#[test]
fn wurstmeister_reads_every_underscore_as_a_dot() {
    let rows: &[Row] = &[
        ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181/kafka", "zookeeper.connect", "zk:2181/kafka"),
        ("KAFKA_ADVERTISED_HOST_NAME", "h", "advertised.host.name", "h"),
        ("KAFKA_ADVERTISED_PORT", "9094", "advertised.port", "9094"),
        ("KAFKA_PORT", "9094", "port", "9094"),
        ("KAFKA_HOST_NAME", "h", "host.name", "h"),
        ("KAFKA_A__B", "1", "a..b", "1"),
        (
            "KAFKA_ADVERTISED_LISTENERS",
            "A://_{HOSTNAME_COMMAND}:1",
            "advertised.listeners",
            "A://_{HOSTNAME_COMMAND}:1",
        ),
        // `@` broke its sed.
        ("KAFKA_SASL_JAAS_CONFIG", "p=\"a@b\";", "sasl.jaas.config", "p=\"a@b\";"),
    ];
    quietly(Wurstmeister, rows);
}

#[test]
fn what_java_and_the_scripts_read_is_no_property() {
    for dialect in Dialect::ALL {
        none(
            dialect,
            &[
                "KAFKA_HEAP_OPTS",
                "KAFKA_OPTS",
                "KAFKA_JVM_PERFORMANCE_OPTS",
                "KAFKA_LOG4J_OPTS",
                "KAFKA_LOG4J_LOGGERS",
                "KAFKA_LOG4J_ROOT_LOGLEVEL",
                "KAFKA_TOOLS_LOG4J_LOGLEVEL",
                "KAFKA_GC_LOG_OPTS",
                "KAFKA_JMX_OPTS",
                "KAFKA_JMX_PORT",
                "KAFKA_JMX_HOSTNAME",
                "KAFKA_DEBUG",
                "KAFKA_CLUSTER_ID",
                "KAFKA_KRAFT_CLUSTER_ID",
                "KAFKA_CREATE_TOPICS",
                "KAFKA_CREATE_TOPICS_SEPARATOR",
                "KAFKA_VERSION",
                "KAFKA_HOME",
                "SCALA_VERSION",
                "CLUSTER_ID",
                "HOSTNAME_COMMAND",
                "JMX_PORT",
                "KIMG_ADVERTISE",
            ],
        );
    }
    none(Wurstmeister, &["KAFKA_LOG", "LOG4J_ROOTLOGGER"]);
    none(Bitnami, &["KAFKA_ENABLE_KRAFT", "KAFKA_TLS_TYPE", "KAFKA_CLIENT_USERS", "KAFKA_CFG_MAX_REQUEST_SIZE"]);
    none(Confluent, &["KAFKA_CONFLUENT_BALANCER_ENABLE", "CONFLUENT_SUPPORT_CUSTOMER_ID", "KAFKA_CUB_ZK_TIMEOUT"]);
}

#[test]
fn what_has_no_effect_is_named_once_with_its_remedy() {
    for (dialect, variables, subject, hint) in [
        (
            Confluent,
            vec!["KAFKA_CONFLUENT_BALANCER_ENABLE", "KAFKA_CONFLUENT_LICENSE_TOPIC_REPLICATION_FACTOR"],
            "KAFKA_CONFLUENT_BALANCER_ENABLE, KAFKA_CONFLUENT_LICENSE_TOPIC_REPLICATION_FACTOR",
            "leave it out",
        ),
        (Confluent, vec!["CONFLUENT_METRICS_ENABLE"], "CONFLUENT_METRICS_ENABLE", "leave it out"),
        (Confluent, vec!["KAFKA_CUB_ZK_TIMEOUT"], "KAFKA_CUB_ZK_TIMEOUT", "KIMG_WAIT_SECONDS"),
        (Wurstmeister, vec!["DOCKER_API_VERSION"], "DOCKER_API_VERSION", "Docker"),
        (Wurstmeister, vec!["ALLOW_PLAINTEXT_LISTENER"], "ALLOW_PLAINTEXT_LISTENER", "leave it out"),
        (Kimg, vec!["ALLOW_PLAINTEXT_LISTENER", "ZOO_MY_ID"], "ALLOW_PLAINTEXT_LISTENER, ZOO_MY_ID", "leave it out"),
        (Bitnami, vec!["KAFKA_CFG_MAX_REQUEST_SIZE"], "KAFKA_CFG_MAX_REQUEST_SIZE", "producers"),
        (Bitnami, vec!["KAFKA_OPTS_FILE", "KAFKA_HEAP_OPTS_FILE"], "KAFKA_OPTS_FILE, KAFKA_HEAP_OPTS_FILE", "itself"),
        (Bitnami, vec!["KAFKA_DAEMON_USER"], "KAFKA_DAEMON_USER", "user"),
        (Bitnami, vec!["KAFKA_BACKGROUND_THREADS"], "KAFKA_BACKGROUND_THREADS", "KAFKA_CFG_"),
    ] {
        let pairs: Vec<(&str, &str)> = variables.iter().map(|name| (*name, "1")).collect();
        let (_, findings) = read(&container(&pairs), dialect);
        assert_eq!(subjects(&findings.warnings), [subject]);
        assert!(findings.warnings[0].hint.contains(hint), "{}", findings.warnings[0]);
    }
    // It says what is so anyway.
    assert_eq!(read(&container(&[("ALLOW_PLAINTEXT_LISTENER", "yes")]), Bitnami).1.warnings, []);
}

#[test]
fn a_property_set_twice_has_one_winner_and_a_warning() {
    for (variables, property, winner, losers) in [
        // An alias is written over the name with CFG (kafka_create_alias_environment_variables).
        (
            vec![("KAFKA_LISTENERS", "A://:1"), ("KAFKA_CFG_LISTENERS", "B://:1")],
            "listeners",
            "A://:1",
            vec!["KAFKA_CFG_LISTENERS"],
        ),
        // Names without CFG are ignored there; here they give way.
        (
            vec![("KAFKA_BACKGROUND_THREADS", "1"), ("KAFKA_CFG_BACKGROUND_THREADS", "2")],
            "background.threads",
            "2",
            vec!["KAFKA_BACKGROUND_THREADS", "KAFKA_BACKGROUND_THREADS"],
        ),
        (vec![("KAFKA_LOG_DIRS", "/a"), ("KAFKA_CFG_LOG_DIRS", "/a")], "log.dirs", "/a", vec![]),
    ] {
        let (given, findings) = read(&container(&variables), Bitnami);
        assert_eq!(given.properties.get(property), Some(winner));
        assert_eq!(subjects(&findings.warnings), losers);
    }
}

#[test]
fn variables_of_services_are_left_out_with_a_note() {
    let variables =
        [("KAFKA_PORT", "tcp://10.0.0.1:9092"), ("KAFKA_HS_SERVICE_HOST", "10.0.0.1"), ("KAFKA_SERVICE_PORT", "9092")];
    for dialect in Dialect::ALL {
        let (given, findings) = read(&container(&variables), dialect);
        assert_eq!((set(&given), findings.warnings.len()), (vec![], 0));
        let all = "KAFKA_HS_SERVICE_HOST, KAFKA_PORT, KAFKA_SERVICE_PORT";
        assert_eq!(findings.notes.len(), 1);
        assert!(findings.notes[0].ends_with(all), "{}", findings.notes[0]);
    }
}

#[test]
fn the_family_s_own_file_lies_underneath() {
    for (dialect, factor, threads) in [
        (Kimg, None, None),
        (Apache, None, None),
        (Confluent, None, None),
        (Bitnami, Some("1"), Some("8")),
        (Wurstmeister, Some("1"), Some("8")),
    ] {
        let (given, _) = read(&container(&[]), dialect);
        assert_eq!(given.properties.get("offsets.topic.replication.factor"), factor, "{dialect:?}");
        assert_eq!(given.properties.get("num.io.threads"), threads, "{dialect:?}");
    }
    let (given, _) = read(&container(&[("KAFKA_NUM_IO_THREADS", "2")]), Wurstmeister);
    assert_eq!(given.properties.get("num.io.threads"), Some("2"));
}

#[test]
fn a_sign_of_bitnami_or_wurstmeister_brings_what_both_have_underneath() {
    let factor = |container: &Container| {
        let (given, findings) = read(container, Kimg);
        (given.properties.get("offsets.topic.replication.factor").map(str::to_owned), findings.notes.len())
    };
    let zookeeper = ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181");
    let socket = vec![PathBuf::from("/var/run/docker.sock")];
    assert_eq!(factor(&container(&[zookeeper, ("ALLOW_PLAINTEXT_LISTENER", "yes")])), (Some("1".to_owned()), 0));
    assert_eq!(factor(&Container { mounts: socket, ..container(&[zookeeper]) }), (Some("1".to_owned()), 0));
    // Else it is Kafka's, and said.
    assert_eq!(factor(&container(&[zookeeper])), (None, 1));
    assert_eq!(factor(&container(&[])), (None, 0));
}

const FILE: &str = "num.partitions=5\nlog.retention.hours=1\n";

/// A container with this file, mounted or not.
fn with_mount(test: &str, file: &str, is_mounted: bool, variables: &[(&str, &str)]) -> Container {
    let mounts = if is_mounted { vec![PathBuf::from("/"), PathBuf::from(file)] } else { vec![PathBuf::from("/")] };
    Container { mounts, ..with_files(test, &[(file, FILE)], variables) }
}

#[test]
fn a_mounted_file_is_merged_alone_or_underneath_as_the_family_has_it() {
    let variables = [("KAFKA_NUM_PARTITIONS", "7")];
    // KafkaDockerWrapper: the file first, the environment after it.
    let file = "/mnt/shared/config/server.properties";
    let (given, _) = read(&with_mount("apache", file, true, &variables), Apache);
    assert_eq!(set(&given), [("log.retention.hours", "1"), ("num.partitions", "7")]);
    assert_eq!((given.properties.origin("log.retention.hours"), &given.file), (Some(file), &None));
    // kafka_initialize: the environment is not written.
    for file in ["/bitnami/kafka/config/server.properties", "/opt/bitnami/kafka/conf/server.properties"] {
        let (given, findings) = read(&with_mount("bitnami", file, true, &variables), Bitnami);
        assert_eq!(set(&given), [("log.retention.hours", "1"), ("num.partitions", "5")]);
        assert_eq!(given.file, Some(PathBuf::from(file)));
        assert_eq!((findings.notes.len(), subjects(&findings.warnings)), (1, vec!["KAFKA_NUM_PARTITIONS"]));
    }
    // start-kafka.sh edits the file of the distribution; ours at the same place is another.
    let file = "/opt/kafka/config/server.properties";
    for (is_mounted, hours) in [(true, "1"), (false, "168")] {
        let (given, _) = read(&with_mount("wurstmeister", file, is_mounted, &variables), Wurstmeister);
        assert_eq!(given.properties.get("log.retention.hours"), Some(hours));
        assert_eq!(given.properties.get("num.partitions"), Some("7"));
    }
    // The template of Confluent's knows no file.
    let file = "/etc/kafka/server.properties";
    for (dialect, is_mounted) in [(Confluent, true), (Confluent, false), (Kimg, true), (Wurstmeister, true)] {
        let (given, findings) = read(&with_mount("confluent", file, is_mounted, &variables), dialect);
        assert_eq!(set(&given), [("num.partitions", "7")]);
        let told = if is_mounted && dialect != Wurstmeister { vec![file] } else { vec![] };
        assert_eq!(subjects(&findings.warnings), told);
    }
}

#[test]
fn bitnami_s_folder_of_configuration_may_be_another() {
    let variables = [("KAFKA_MOUNTED_CONF_DIR", "/own")];
    let (given, _) = read(&with_files("conf-dir", &[("/own/server.properties", FILE)], &variables), Bitnami);
    assert_eq!(given.file, Some(PathBuf::from("/own/server.properties")));
}

#[test]
fn keys_and_credentials_are_files_of_one_folder() {
    let files =
        [("/etc/kafka/secrets/k.jks", "-"), ("/etc/kafka/secrets/t.jks", "-"), ("/etc/kafka/secrets/creds", "p@ss\n")];
    let variables = [
        ("KAFKA_SSL_KEYSTORE_FILENAME", "k.jks"),
        ("KAFKA_SSL_KEYSTORE_CREDENTIALS", "creds"),
        ("KAFKA_SSL_KEY_CREDENTIALS", "creds"),
        ("KAFKA_SSL_TRUSTSTORE_FILENAME", "t.jks"),
        ("KAFKA_SSL_TRUSTSTORE_CREDENTIALS", "creds"),
    ];
    for dialect in [Kimg, Apache, Confluent] {
        let (given, findings) = read(&with_files("keys", &files, &variables), dialect);
        assert_eq!(
            set(&given),
            [
                ("ssl.key.password", "p@ss"),
                ("ssl.keystore.location", "/etc/kafka/secrets/k.jks"),
                ("ssl.keystore.password", "p@ss"),
                ("ssl.truststore.location", "/etc/kafka/secrets/t.jks"),
                ("ssl.truststore.password", "p@ss"),
            ]
        );
        assert_eq!(findings.problems, []);
        // What is missing is told at once, and is a problem where a listener needs it: by its protocol, not by its
        // name.
        let tls = ("KAFKA_LISTENERS", "EXTERNAL://:9092");
        let map = ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "EXTERNAL:SASL_SSL");
        let asks = ("KAFKA_SSL_CLIENT_AUTH", "required");
        for (more, problems) in [(vec![], 0), (vec![tls, map], 3), (vec![tls, map, asks], 5)] {
            let all: Vec<(&str, &str)> = variables.iter().copied().chain(more).collect();
            let (_, findings) = read(&container(&all), dialect);
            assert_eq!((findings.problems.len(), findings.warnings.len()), (problems, 5 - problems));
        }
    }
    let (given, findings) = read(&container(&variables), Wurstmeister);
    assert_eq!((set(&given), findings.warnings.len()), (vec![], variables.len()));
}

#[test]
fn bitnami_reads_secrets_from_files_and_says_when_it_cannot() {
    let variables = [("KAFKA_CFG_ZOOKEEPER_CONNECT_FILE", "/run/zk"), ("KAFKA_CFG_LISTENERS_FILE", "/run/none")];
    let (given, findings) = read(&with_files("secrets", &[("/run/zk", "zk:2181\n")], &variables), Bitnami);
    assert_eq!(given.properties.get("zookeeper.connect"), Some("zk:2181"));
    assert_eq!(subjects(&findings.problems), ["KAFKA_CFG_LISTENERS_FILE"]);
}

#[test]
fn bitnami_s_word_for_the_mode_is_translated() {
    let zookeeper = ("KAFKA_CFG_ZOOKEEPER_CONNECT", "zk:2181");
    let voters = ("KAFKA_CFG_CONTROLLER_QUORUM_VOTERS", "1@a:9093");
    for (variables, connect, roles, warnings, problems) in [
        (vec![zookeeper], Some("zk:2181"), None, 0, 0),
        (vec![zookeeper, ("KAFKA_ENABLE_KRAFT", "no")], Some("zk:2181"), None, 0, 0),
        (vec![zookeeper, ("KAFKA_ENABLE_KRAFT", "yes")], None, None, 1, 0),
        (vec![("KAFKA_ENABLE_KRAFT", "no")], None, None, 0, 1),
        (vec![("KAFKA_ENABLE_KRAFT", "yes"), voters], None, Some("broker,controller"), 0, 0),
        (
            vec![zookeeper, ("KAFKA_ENABLE_KRAFT", "yes"), ("KAFKA_CFG_ZOOKEEPER_METADATA_MIGRATION_ENABLE", "true")],
            Some("zk:2181"),
            None,
            0,
            0,
        ),
    ] {
        let (given, findings) = read(&container(&variables), Bitnami);
        assert_eq!(given.properties.get("zookeeper.connect"), connect, "{variables:?}");
        assert_eq!(given.properties.get("process.roles"), roles, "{variables:?}");
        assert_eq!((findings.warnings.len(), findings.problems.len()), (warnings, problems), "{variables:?}");
    }
}

#[test]
fn folders_of_data_are_those_of_the_family() {
    for (dialect, folder) in [
        (Kimg, "/var/lib/kafka/data"),
        (Apache, "/tmp/kraft-combined-logs"),
        (Confluent, "/var/lib/kafka/data"),
        (Bitnami, "/bitnami/kafka/data"),
        (Wurstmeister, "/kafka/kafka-logs-kafka-1"),
    ] {
        assert_eq!(dialect.rules().data_folder("kafka-1"), folder);
    }
}
