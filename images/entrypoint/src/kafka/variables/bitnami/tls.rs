//! Keys and certificates (kafka_configure_ssl, kafka_zookeeper_configure_tls of libkafka.sh). Files named as there are
//! looked for in `certs` of the folders of configuration; what a property of the user's says comes first.

use super::{Protocol, find_file, idle, is_yes, set_ones};
use crate::container::Container;
use crate::environment::Environment;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

const WHERE: &str = "mount it at /bitnami/kafka/config/certs, or set the properties ssl.… yourself";

pub(super) fn complete(
    container: &Container,
    environment: &Environment,
    listeners: &[Protocol],
    properties: &mut Properties,
    findings: &mut Findings,
) {
    let of_zookeeper = environment.get("KAFKA_ZOOKEEPER_PROTOCOL").is_some_and(|protocol| protocol.contains("SSL"));
    if of_zookeeper && properties.get("zookeeper.connect").is_some() {
        zookeeper(container, environment, properties, findings);
    } else {
        let hint = "set KAFKA_ZOOKEEPER_PROTOCOL to SSL, or leave it out";
        let names = set_ones(environment, &["KAFKA_ZOOKEEPER_TLS_*"]);
        idle(&names, "there is no connection to ZooKeeper by TLS, so it has no effect", hint, findings);
    }
    if listeners.iter().any(Protocol::is_tls) {
        for listener in listeners {
            let variable = format!("KAFKA_TLS_{}_CLIENT_AUTH", listener.listener.to_uppercase());
            if let Some(value) = environment.get(&variable) {
                let name = format!("listener.name.{}.ssl.client.auth", listener.listener.to_lowercase());
                properties.set_default(&name, value, &variable);
            }
        }
        brokers(container, environment, properties, findings);
    } else {
        let names = set_ones(environment, &["KAFKA_CERTIFICATE_PASSWORD", "KAFKA_TLS_*"]);
        let hint = "map a listener to SSL or SASL_SSL, or leave it out";
        idle(&names, "no listener uses TLS, so it has no effect", hint, findings);
    }
}

fn brokers(container: &Container, environment: &Environment, properties: &mut Properties, findings: &mut Findings) {
    let kind = environment.get("KAFKA_TLS_TYPE").unwrap_or("JKS");
    let asked = environment.get("KAFKA_TLS_CLIENT_AUTH").unwrap_or("required");
    if !["none", "requested", "required"].contains(&asked) {
        let why = "it is none of none, requested and required";
        findings.refuse(Problem::new("KAFKA_TLS_CLIENT_AUTH", why, "set one of them").with_value(asked));
    }
    properties.set_default("ssl.client.auth", asked, "KAFKA_TLS_CLIENT_AUTH");
    properties.set_default("ssl.keystore.type", kind, "KAFKA_TLS_TYPE");
    properties.set_default("ssl.truststore.type", kind, "KAFKA_TLS_TYPE");
    let password = environment.get("KAFKA_CERTIFICATE_PASSWORD");
    let set_password = |properties: &mut Properties, names: &[&str]| {
        for (name, password) in names.iter().zip(std::iter::repeat(password)) {
            if let Some(password) = password {
                properties.set_default(name, password, "KAFKA_CERTIFICATE_PASSWORD");
            }
        }
    };
    let mut need = |property: &str, file: &str, is_text: bool, properties: &mut Properties| {
        if properties.get(property).is_some() {
            return;
        }
        let own = environment.get("KAFKA_TLS_TRUSTSTORE_FILE").filter(|_| property.starts_with("ssl.truststore."));
        let path = match own {
            Some(path) => Some(path.to_owned()).filter(|path| container.path(path).is_file()),
            None => find_file(container, environment, &format!("certs/{file}")),
        };
        match path.map(|path| (if is_text { container.read(&path) } else { Some(path.clone()) }, path)) {
            Some((Some(value), path)) => properties.set(property, value, path),
            _ => {
                let why = format!("a listener uses TLS, and {} is not there", own.unwrap_or(file));
                findings.refuse(Problem::new(property, why, WHERE));
            }
        }
    };
    match kind {
        "JKS" => {
            need("ssl.keystore.location", "kafka.keystore.jks", false, properties);
            need("ssl.truststore.location", "kafka.truststore.jks", false, properties);
            set_password(properties, &["ssl.key.password", "ssl.keystore.password", "ssl.truststore.password"]);
        }
        "PEM" => {
            need("ssl.keystore.key", "kafka.keystore.key", true, properties);
            need("ssl.keystore.certificate.chain", "kafka.keystore.pem", true, properties);
            need("ssl.truststore.certificates", "kafka.truststore.pem", true, properties);
            set_password(properties, &["ssl.key.password"]);
        }
        _ => findings
            .refuse(Problem::new("KAFKA_TLS_TYPE", "it is neither JKS nor PEM", "set one of them").with_value(kind)),
    }
}

fn zookeeper(container: &Container, environment: &Environment, properties: &mut Properties, findings: &mut Findings) {
    const ORIGIN: &str = "KAFKA_ZOOKEEPER_PROTOCOL";
    properties.set_default("zookeeper.clientCnxnSocket", "org.apache.zookeeper.ClientCnxnSocketNetty", ORIGIN);
    properties.set_default("zookeeper.ssl.client.enable", "true", ORIGIN);
    let verified = environment.get("KAFKA_ZOOKEEPER_TLS_VERIFY_HOSTNAME").is_none_or(is_yes);
    // Without it there it is Kafka's default, which is HTTPS too; an empty one is what `false` means.
    let algorithm = if verified { "HTTPS" } else { "" };
    properties.set_default(
        "zookeeper.ssl.endpoint.identification.algorithm",
        algorithm,
        "KAFKA_ZOOKEEPER_TLS_VERIFY_HOSTNAME",
    );
    let ending = match environment.get("KAFKA_ZOOKEEPER_TLS_TYPE").unwrap_or("JKS") {
        "PEM" => "pem",
        _ => "jks",
    };
    if ending == "jks"
        && let Some(path) = find_file(container, environment, "certs/zookeeper.keystore.jks")
    {
        properties.set_default("zookeeper.ssl.keystore.location", path.as_str(), &path);
    }
    if ending == "pem" && find_file(container, environment, "certs/zookeeper.keystore.pem").is_some() {
        let why = "key and certificate are two files there, and ZooKeeper's client wants one";
        let hint = "write both into one file, and set KAFKA_CFG_ZOOKEEPER_SSL_KEYSTORE_LOCATION to it";
        findings.warn(Problem::new("KAFKA_ZOOKEEPER_TLS_TYPE", why, hint));
    }
    let file = format!("certs/zookeeper.truststore.{ending}");
    let own = environment.get("KAFKA_ZOOKEEPER_TLS_TRUSTSTORE_FILE").map(str::to_owned);
    match own.or_else(|| find_file(container, environment, &file)) {
        Some(path) => properties.set_default("zookeeper.ssl.truststore.location", path.as_str(), &path),
        None if properties.get("zookeeper.ssl.truststore.location").is_none() => {
            let why = format!("ZooKeeper is asked by TLS, and {file} is not there");
            findings.refuse(Problem::new(ORIGIN, why, "mount it at /bitnami/kafka/config/certs"));
        }
        None => {}
    }
    for (variable, name) in [
        ("KAFKA_ZOOKEEPER_TLS_KEYSTORE_PASSWORD", "zookeeper.ssl.keystore.password"),
        ("KAFKA_ZOOKEEPER_TLS_TRUSTSTORE_PASSWORD", "zookeeper.ssl.truststore.password"),
    ] {
        if let Some(value) = environment.get(variable) {
            properties.set_default(name, value, variable);
        }
    }
}
