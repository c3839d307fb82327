//! How people really write their files: each habit with what becomes of it, by the dialect that such a file is read in.

#[path = "support/dialects.rs"]
mod support;

use kimg_entrypoint::kafka::Dialect::{self, Bitnami, Confluent, Kimg, Wurstmeister};
use kimg_entrypoint::kafka::dialect::choose;
use kimg_entrypoint::problem::Findings;

use support::{container, read_and_check, subjects};

struct Habit {
    what: &'static str,
    variables: &'static [(&'static str, &'static str)],
    dialect: Dialect,
    /// Properties that there are, and with `-` those that there are not.
    properties: &'static [(&'static str, &'static str)],
    warnings: &'static [&'static str],
    problems: &'static [&'static str],
}

const NOT_THERE: &str = "-";

const HABITS: &[Habit] = &[
    Habit {
        what: "advertised listeners without listeners, with names of any kind",
        variables: &[
            ("KAFKA_ZOOKEEPER_CONNECT", "zookeeper:2181"),
            ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092"),
            ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT"),
        ],
        dialect: Kimg,
        properties: &[("zookeeper.connect", "zookeeper:2181"), ("listeners", NOT_THERE)],
        warnings: &[],
        problems: &[],
    },
    Habit {
        what: "ports of JMX",
        variables: &[("KAFKA_JMX_PORT", "9101"), ("JMX_PORT", "9101"), ("KAFKA_JMX_OPTS", "-Da=b")],
        dialect: Kimg,
        properties: &[("jmx.port", NOT_THERE), ("jmx.opts", NOT_THERE)],
        warnings: &[],
        problems: &[],
    },
    Habit {
        what: "YAML's yes and no without quotes",
        variables: &[("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "yes"), ("KAFKA_DELETE_TOPIC_ENABLE", "false")],
        dialect: Kimg,
        properties: &[("auto.create.topics.enable", "true"), ("delete.topic.enable", "false")],
        warnings: &["KAFKA_AUTO_CREATE_TOPICS_ENABLE"],
        problems: &[],
    },
    Habit {
        what: "topics to create",
        variables: &[("KAFKA_CREATE_TOPICS", "a:1:1, b:3:1:compact"), ("KAFKA_ADVERTISED_HOST_NAME", "127.0.0.1")],
        dialect: Wurstmeister,
        properties: &[("create.topics", NOT_THERE), ("advertised.host.name", "127.0.0.1")],
        warnings: &["KAFKA_ADVERTISED_HOST_NAME"],
        problems: &[],
    },
    Habit {
        what: "bitnami's image with names without CFG",
        variables: &[
            ("KAFKA_CFG_ZOOKEEPER_CONNECT", "zookeeper:2181"),
            ("KAFKA_BROKER_ID", "1"),
            ("KAFKA_MESSAGE_MAX_BYTES", "10"),
            ("KAFKA_LOG_CLEANUP_POLICY", "compact"),
            ("ALLOW_PLAINTEXT_LISTENER", "yes"),
        ],
        dialect: Bitnami,
        properties: &[("broker.id", "1"), ("message.max.bytes", "10"), ("log.cleanup.policy", "compact")],
        warnings: &["KAFKA_LOG_CLEANUP_POLICY"],
        problems: &[],
    },
    Habit {
        what: "ids of the cluster under other names",
        variables: &[
            ("KAFKA_PROCESS_ROLES", "broker"),
            ("KAFKA_CLUSTER_ID", "x"),
            ("KAFKA_NODE_ID", "1"),
            ("KAFKA_BROKER_ID", "1"),
        ],
        dialect: Kimg,
        properties: &[("cluster.id", NOT_THERE), ("node.id", "1"), ("broker.id", "1")],
        warnings: &[],
        problems: &[],
    },
    Habit {
        what: "levels of logs",
        variables: &[("KAFKA_LOG4J_LOGGERS", "a=INFO"), ("KAFKA_LOG4J_ROOT_LOGLEVEL", "WARN")],
        dialect: Kimg,
        properties: &[("log4j.loggers", NOT_THERE), ("log4j.root.loglevel", NOT_THERE)],
        warnings: &[],
        problems: &[],
    },
    Habit {
        what: "an empty value that is meant",
        variables: &[("KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM", "")],
        dialect: Kimg,
        properties: &[("ssl.endpoint.identification.algorithm", "")],
        warnings: &[],
        problems: &[],
    },
    Habit {
        what: "variables of another image",
        variables: &[("KAFKA_ADVERTISED_HOST_NAME", "h"), ("ALLOW_PLAINTEXT_LISTENER", "yes"), ("ZOO_MY_ID", "1")],
        dialect: Wurstmeister,
        properties: &[("advertised.host.name", "h")],
        warnings: &["ALLOW_PLAINTEXT_LISTENER, ZOO_MY_ID", "KAFKA_ADVERTISED_HOST_NAME"],
        problems: &[],
    },
    Habit {
        what: "classes that are gone, reporters of Confluent's, a misspelt name",
        variables: &[
            ("KAFKA_ZOOKEEPER_CONNECT", "zookeeper:2181"),
            ("KAFKA_AUTHORIZER_CLASS_NAME", "kafka.security.auth.SimpleAclAuthorizer"),
            ("KAFKA_METRIC_REPORTERS", "io.confluent.metrics.reporter.ConfluentMetricsReporter"),
            ("KAFKA_CONFLUENT_LICENSE_TOPIC_REPLICATION_FACTOR", "1"),
            ("KAFKA_LOG_CLEANUP_PLOICY", "delete"),
        ],
        dialect: Confluent,
        properties: &[("metric.reporters", NOT_THERE), ("confluent.license.topic.replication.factor", NOT_THERE)],
        warnings: &[
            "KAFKA_METRIC_REPORTERS",
            "KAFKA_CONFLUENT_LICENSE_TOPIC_REPLICATION_FACTOR",
            "KAFKA_LOG_CLEANUP_PLOICY",
        ],
        problems: &["KAFKA_AUTHORIZER_CLASS_NAME"],
    },
    Habit {
        what: "JAAS over several lines, users parted by semicolons, rules with $1",
        variables: &[
            (
                "KAFKA_LISTENER_NAME_SASL_PLAIN_SASL_JAAS_CONFIG",
                "a.B required \\\n  username=\"u\" \\\n  password=\"p\";",
            ),
            ("KAFKA_SUPER_USERS", "User:a;User:CN=b,O=c"),
            ("KAFKA_SASL_KERBEROS_PRINCIPAL_TO_LOCAL_RULES", "RULE:[1:$1@$0](.*@REALM)s/@.*//,DEFAULT"),
        ],
        dialect: Kimg,
        properties: &[
            ("listener.name.sasl.plain.sasl.jaas.config", "a.B required username=\"u\" password=\"p\";"),
            ("super.users", "User:a;User:CN=b,O=c"),
            ("sasl.kerberos.principal.to.local.rules", "RULE:[1:$1@$0](.*@REALM)s/@.*//,DEFAULT"),
        ],
        warnings: &[],
        problems: &[],
    },
    Habit {
        what: "Kubernetes: a Service named kafka, a name used before it is defined, shell text",
        variables: &[
            ("KAFKA_PORT", "tcp://10.0.0.1:9092"),
            ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://$(POD_NAME):9092"),
            ("KAFKA_BROKER_RACK", "${HOSTNAME##*-}"),
        ],
        dialect: Kimg,
        properties: &[("port", NOT_THERE), ("broker.rack", "${HOSTNAME##*-}")],
        warnings: &["KAFKA_ADVERTISED_LISTENERS", "KAFKA_BROKER_RACK"],
        problems: &[],
    },
];

#[test]
fn each_habit_becomes_what_is_meant() {
    for habit in HABITS {
        let container = container(habit.variables);
        let choice = choose(&container, &mut Findings::default());
        assert_eq!(choice.dialect, habit.dialect, "{}", habit.what);
        let (given, findings) = read_and_check(&container, choice.dialect);
        for (name, value) in habit.properties {
            let expected = Some(*value).filter(|value| *value != NOT_THERE);
            assert_eq!(given.properties.get(name), expected, "{}: {name}", habit.what);
        }
        assert_eq!(subjects(&findings.warnings), habit.warnings, "{}", habit.what);
        assert_eq!(subjects(&findings.problems), habit.problems, "{}", habit.what);
    }
}
