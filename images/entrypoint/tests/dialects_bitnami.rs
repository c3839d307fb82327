//! bitnami's variables for keys, certificates, users and passwords (kafka_configure_ssl, kafka_configure_server_jaas).

#[path = "support/dialects.rs"]
mod support;

use kimg_entrypoint::kafka::Dialect::Bitnami;

use support::{container, read, read_and_check, subjects, with_files};

const MAP: (&str, &str) =
    ("KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP", "CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:PLAINTEXT");
const LISTENERS: (&str, &str) = ("KAFKA_CFG_LISTENERS", "CLIENT://:9092,INTERNAL://:9093");

#[test]
fn keystores_of_jks_are_found_where_they_are_mounted() {
    let variables = [
        ("KAFKA_CFG_LISTENERS", "SSL://:9092"),
        ("KAFKA_CERTIFICATE_PASSWORD", "secret"),
        ("KAFKA_TLS_SSL_CLIENT_AUTH", "none"),
    ];
    for folder in ["/bitnami/kafka/config/certs", "/opt/bitnami/kafka/config/certs", "/opt/bitnami/kafka/conf/certs"] {
        let [key, trust] = ["keystore", "truststore"].map(|name| format!("{folder}/kafka.{name}.jks"));
        let (given, findings) = read(&with_files("jks", &[(&key, "-"), (&trust, "-")], &variables), Bitnami);
        assert_eq!((&findings.problems, &findings.warnings), (&vec![], &vec![]));
        for (name, value) in [
            ("ssl.keystore.location", key.as_str()),
            ("ssl.truststore.location", trust.as_str()),
            ("ssl.keystore.type", "JKS"),
            ("ssl.key.password", "secret"),
            ("ssl.keystore.password", "secret"),
            ("ssl.truststore.password", "secret"),
            ("ssl.client.auth", "required"),
            ("listener.name.ssl.ssl.client.auth", "none"),
        ] {
            assert_eq!(given.properties.get(name), Some(value), "{name}");
        }
    }
}

#[test]
fn certificates_of_pem_are_read() {
    let files = [
        ("/bitnami/kafka/config/certs/kafka.keystore.key", "KEY\n"),
        ("/bitnami/kafka/config/certs/kafka.keystore.pem", "ONE\nTWO\n"),
        ("/own/ca.pem", "CA\n"),
    ];
    let variables = [
        ("KAFKA_CFG_LISTENERS", "SSL://:9092"),
        ("KAFKA_TLS_TYPE", "PEM"),
        ("KAFKA_TLS_TRUSTSTORE_FILE", "/own/ca.pem"),
        ("KAFKA_TLS_CLIENT_AUTH", "requested"),
    ];
    let (given, findings) = read(&with_files("pem", &files, &variables), Bitnami);
    assert_eq!(findings.problems, []);
    for (name, value) in [
        ("ssl.keystore.key", "KEY\n"),
        ("ssl.keystore.certificate.chain", "ONE\nTWO\n"),
        ("ssl.truststore.certificates", "CA\n"),
        ("ssl.client.auth", "requested"),
    ] {
        assert_eq!(given.properties.get(name), Some(value), "{name}");
    }
}

#[test]
fn what_is_missing_is_told_at_once_and_the_user_s_own_properties_come_first() {
    let (_, findings) = read(&container(&[("KAFKA_CFG_LISTENERS", "SSL://:9092")]), Bitnami);
    assert_eq!(subjects(&findings.problems), ["ssl.keystore.location", "ssl.truststore.location"]);
    let own = [
        ("KAFKA_CFG_LISTENERS", "SSL://:9092"),
        ("KAFKA_CFG_SSL_KEYSTORE_LOCATION", "/own/key"),
        ("KAFKA_CFG_SSL_TRUSTSTORE_LOCATION", "/own/trust"),
        ("KAFKA_CFG_SSL_CLIENT_AUTH", "none"),
    ];
    let (given, findings) = read(&container(&own), Bitnami);
    assert_eq!((given.properties.get("ssl.client.auth"), findings.problems), (Some("none"), vec![]));
    let (_, findings) = read(&container(&[("KAFKA_CFG_LISTENERS", "SSL://:1"), ("KAFKA_TLS_TYPE", "P12")]), Bitnami);
    assert_eq!(subjects(&findings.problems), ["KAFKA_TLS_TYPE"]);
}

#[test]
fn variables_with_nothing_to_act_upon_are_named() {
    let variables = [
        ("KAFKA_CFG_LISTENERS", "PLAINTEXT://:9092"),
        ("KAFKA_CERTIFICATE_PASSWORD", "secret"),
        ("KAFKA_TLS_TYPE", "JKS"),
        ("KAFKA_CLIENT_USERS", "a"),
        ("KAFKA_ZOOKEEPER_TLS_TYPE", "JKS"),
        ("KAFKA_ZOOKEEPER_USER", "a"),
    ];
    let (_, findings) = read(&container(&variables), Bitnami);
    let told = subjects(&findings.warnings);
    let expected = [
        "KAFKA_ZOOKEEPER_TLS_TYPE",
        "KAFKA_CERTIFICATE_PASSWORD, KAFKA_TLS_TYPE",
        "KAFKA_ZOOKEEPER_USER",
        "KAFKA_CLIENT_USERS",
    ];
    assert_eq!(told, expected);
}

#[test]
fn each_listener_with_sasl_gets_its_own_users() {
    let variables = [
        ("KAFKA_CFG_LISTENERS", "CLIENT://:9092,INTERNAL://:9093,CONTROLLER://:9094"),
        (MAP.0, "CLIENT:SASL_PLAINTEXT,INTERNAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"),
        ("KAFKA_CFG_INTER_BROKER_LISTENER_NAME", "INTERNAL"),
        ("KAFKA_CFG_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        ("KAFKA_CFG_SASL_ENABLED_MECHANISMS", "PLAIN"),
        ("KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL", "PLAIN"),
        ("KAFKA_CFG_SASL_MECHANISM_CONTROLLER_PROTOCOL", "PLAIN"),
        ("KAFKA_CLIENT_USERS", "a,b"),
        ("KAFKA_CLIENT_PASSWORDS", "1,\"2"),
        ("KAFKA_INTER_BROKER_USER", "i"),
        ("KAFKA_INTER_BROKER_PASSWORD", "3"),
        ("KAFKA_CONTROLLER_USER", "c"),
        ("KAFKA_CONTROLLER_PASSWORD", "4"),
    ];
    let (given, findings) = read_and_check(&container(&variables), Bitnami);
    assert_eq!((&findings.problems, &findings.warnings), (&vec![], &vec![]));
    let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    for (listener, words) in [
        ("client", "user_a=\"1\" user_b=\"\\\"2\";"),
        ("internal", "username=\"i\" password=\"3\" user_a=\"1\" user_b=\"\\\"2\" user_i=\"3\";"),
        ("controller", "username=\"c\" password=\"4\" user_c=\"4\";"),
    ] {
        let name = format!("listener.name.{listener}.plain.sasl.jaas.config");
        assert_eq!(given.properties.get(&name), Some(format!("{plain} {words}").as_str()), "{listener}");
    }
    assert_eq!(given.properties.get("listener.name.controller.sasl.enabled.mechanisms"), Some("PLAIN"));
}

#[test]
fn passwords_have_no_default_that_everybody_knows() {
    let variables = [
        LISTENERS,
        (MAP.0, "CLIENT:SASL_PLAINTEXT,INTERNAL:SASL_PLAINTEXT"),
        ("KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL", "PLAIN"),
    ];
    let (given, findings) = read(&container(&variables), Bitnami);
    assert_eq!(subjects(&findings.problems), ["KAFKA_CLIENT_PASSWORDS", "KAFKA_INTER_BROKER_PASSWORD"]);
    assert!(!given.properties.to_text().contains("bitnami\""));
    let (_, findings) = read(
        &container(&[
            ("KAFKA_CFG_LISTENERS", "SASL_PLAINTEXT://:9092"),
            ("KAFKA_CLIENT_USERS", "a,b"),
            ("KAFKA_CLIENT_PASSWORDS", "1"),
        ]),
        Bitnami,
    );
    assert_eq!(subjects(&findings.problems), ["KAFKA_CLIENT_PASSWORDS"]);
}

#[test]
fn users_without_a_name_have_that_of_the_image() {
    let variables = [
        ("KAFKA_CFG_LISTENERS", "BROKER://:9092,CONTROLLER://:9093"),
        (MAP.0, "CONTROLLER:SASL_PLAINTEXT,BROKER:SASL_PLAINTEXT"),
        ("KAFKA_CFG_SASL_ENABLED_MECHANISMS", "PLAIN"),
        ("KAFKA_CFG_INTER_BROKER_LISTENER_NAME", "BROKER"),
        ("KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL", "PLAIN"),
        ("KAFKA_CFG_SASL_MECHANISM_CONTROLLER_PROTOCOL", "PLAIN"),
        ("KAFKA_INTER_BROKER_PASSWORD", "1"),
        ("KAFKA_CONTROLLER_PASSWORD", "2"),
    ];
    let (given, findings) = read(&container(&variables), Bitnami);
    assert_eq!(findings.problems, []);
    let text = given.properties.to_text();
    assert!(text.contains("username=\"user\" password=\"1\" user_user=\"1\";"), "{text}");
    assert!(text.contains("username=\"controller_user\" password=\"2\" user_controller_user=\"2\";"), "{text}");
}

#[test]
fn users_of_scram_are_said_not_to_be_added() {
    let variables = [
        ("KAFKA_CFG_LISTENERS", "SASL_PLAINTEXT://:9092"),
        ("KAFKA_CLIENT_USERS", "a"),
        ("KAFKA_CLIENT_PASSWORDS", "1"),
    ];
    let (given, findings) = read(&container(&variables), Bitnami);
    assert_eq!(given.properties.get("sasl.enabled.mechanisms"), Some("PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"));
    let scram = given.properties.get("listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config");
    assert_eq!(scram, Some("org.apache.kafka.common.security.scram.ScramLoginModule required;"));
    assert_eq!(subjects(&findings.warnings), ["KAFKA_CLIENT_PASSWORDS, KAFKA_CLIENT_USERS"]);
}

#[test]
fn a_jaas_file_of_the_user_s_wins() {
    let variables = [
        ("KAFKA_CFG_LISTENERS", "SASL_PLAINTEXT://:9092"),
        ("KAFKA_CLIENT_USERS", "a"),
        ("KAFKA_CLIENT_PASSWORDS", "1"),
    ];
    let files = [("/bitnami/kafka/config/kafka_jaas.conf", "KafkaServer {};")];
    let (given, findings) = read(&with_files("jaas", &files, &variables), Bitnami);
    assert!(!given.properties.to_text().contains("jaas"));
    assert_eq!(findings.warnings.len(), 1);
    assert!(
        findings.warnings[0].hint.contains("-Djava.security.auth.login.config=/bitnami/kafka/config/kafka_jaas.conf")
    );
}

#[test]
fn zookeeper_is_asked_by_tls_where_its_protocol_says_so() {
    let files = [
        ("/bitnami/kafka/config/certs/zookeeper.keystore.jks", "-"),
        ("/bitnami/kafka/config/certs/zookeeper.truststore.jks", "-"),
    ];
    let variables = [
        ("KAFKA_CFG_ZOOKEEPER_CONNECT", "zk:3181"),
        ("KAFKA_ZOOKEEPER_PROTOCOL", "SSL"),
        ("KAFKA_ZOOKEEPER_TLS_KEYSTORE_PASSWORD", "k"),
        ("KAFKA_ZOOKEEPER_TLS_TRUSTSTORE_PASSWORD", "t"),
        ("KAFKA_ZOOKEEPER_TLS_VERIFY_HOSTNAME", "false"),
    ];
    let (given, findings) = read_and_check(&with_files("zookeeper", &files, &variables), Bitnami);
    assert_eq!((&findings.problems, &findings.warnings), (&vec![], &vec![]));
    for (name, value) in [
        ("zookeeper.clientCnxnSocket", "org.apache.zookeeper.ClientCnxnSocketNetty"),
        ("zookeeper.ssl.client.enable", "true"),
        ("zookeeper.ssl.endpoint.identification.algorithm", ""),
        ("zookeeper.ssl.keystore.location", files[0].0),
        ("zookeeper.ssl.keystore.password", "k"),
        ("zookeeper.ssl.truststore.location", files[1].0),
        ("zookeeper.ssl.truststore.password", "t"),
    ] {
        assert_eq!(given.properties.get(name), Some(value), "{name}");
    }
    let (_, findings) = read(&container(&variables[..2]), Bitnami);
    assert_eq!(subjects(&findings.problems), ["KAFKA_ZOOKEEPER_PROTOCOL"]);
}
