//! Users and passwords (kafka_configure_server_jaas of libkafka.sh): one JAAS text a listener and mechanism. Users have
//! the names of kafka-env.sh where none are set; unlike there, no password has a default that everybody knows.

use super::{Protocol, find_file, idle, set_ones};
use crate::container::Container;
use crate::environment::Environment;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required";
const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required";

/// The variables that tell users and passwords.
const CREDENTIALS: [&str; 8] = [
    "KAFKA_BROKER_PASSWORD",
    "KAFKA_BROKER_USER",
    "KAFKA_CLIENT_PASSWORDS",
    "KAFKA_CLIENT_USERS",
    "KAFKA_CONTROLLER_PASSWORD",
    "KAFKA_CONTROLLER_USER",
    "KAFKA_INTER_BROKER_PASSWORD",
    "KAFKA_INTER_BROKER_USER",
];

/// What a listener is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Brokers,
    Controllers,
    Clients,
}

/// A user and the password.
type Credentials = (String, String);

pub(super) fn complete(
    container: &Container,
    environment: &Environment,
    listeners: &[Protocol],
    properties: &mut Properties,
    findings: &mut Findings,
) {
    let names = set_ones(environment, &["KAFKA_ZOOKEEPER_USER", "KAFKA_ZOOKEEPER_PASSWORD"]);
    let hint =
        "mount a JAAS file with a section Client, and name it in KAFKA_OPTS by -Djava.security.auth.login.config";
    idle(&names, "users of ZooKeeper are not set up from variables here", hint, findings);
    let names = set_ones(environment, &CREDENTIALS);
    let with_sasl: Vec<&Protocol> = listeners.iter().filter(|listener| listener.is_sasl()).collect();
    if with_sasl.is_empty() {
        let hint = "map a listener to SASL_PLAINTEXT or SASL_SSL, or leave it out";
        idle(&names, "no listener uses SASL, so it has no effect", hint, findings);
        return;
    }
    if let Some(file) = find_file(container, environment, "kafka_jaas.conf") {
        let why = format!("not used: {file} is there");
        let hint = format!("write them into it; name it in KAFKA_OPTS by -Djava.security.auth.login.config={file}");
        idle(&names, &why, &hint, findings);
        return;
    }
    let mechanisms = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512";
    properties.set_default("sasl.enabled.mechanisms", mechanisms, "default of bitnami/kafka");
    for listener in with_sasl {
        configure(environment, &listener.listener, properties, findings);
    }
    let text = properties.get("sasl.enabled.mechanisms").unwrap_or_default();
    if text.contains("SCRAM") && !names.is_empty() {
        let why = "SCRAM users are not added to the cluster here; PLAIN knows them at once";
        let hint = "add them by kafka-configs.sh --alter --add-config, or by kafka-storage.sh format --add-scram";
        findings.warn(Problem::new(names.join(", "), why, hint));
    }
}

fn role(listener: &str, properties: &Properties) -> Role {
    let between = properties.get("inter.broker.listener.name").unwrap_or("INTERNAL");
    let controllers = properties.get("controller.listener.names").unwrap_or("CONTROLLER");
    let has_controllers = properties.get("zookeeper.connect").is_none();
    match listener {
        name if name == between => Role::Brokers,
        name if has_controllers && controllers.split(',').any(|own| own.trim() == name) => Role::Controllers,
        _ => Role::Clients,
    }
}

fn configure(environment: &Environment, listener: &str, properties: &mut Properties, findings: &mut Findings) {
    let role = role(listener, properties);
    let prefix = format!("listener.name.{}", listener.to_lowercase());
    let (property, variables) = match role {
        Role::Controllers => {
            ("sasl.mechanism.controller.protocol", ["KAFKA_CONTROLLER_USER", "KAFKA_CONTROLLER_PASSWORD"])
        }
        _ => ("sasl.mechanism.inter.broker.protocol", ["KAFKA_INTER_BROKER_USER", "KAFKA_INTER_BROKER_PASSWORD"]),
    };
    let own = match role {
        Role::Clients => None,
        Role::Brokers | Role::Controllers => {
            if properties.get(property).is_none() {
                let variable = format!("KAFKA_CFG_{}", property.to_uppercase().replace('.', "_"));
                let why = format!("it is not set, and the listener {listener} uses SASL");
                findings.refuse(Problem::new(variable, why, "set it to PLAIN or SCRAM-SHA-512"));
            }
            let user = environment.get(variables[0]).unwrap_or(match role {
                Role::Controllers => "controller_user",
                _ => "user",
            });
            Some([user, environment.get(variables[1]).unwrap_or_default()].map(str::to_owned))
        }
    };
    let mechanisms = match role {
        Role::Controllers => {
            let mechanism = properties.get(property).unwrap_or_default().to_owned();
            properties.set_default(&format!("{prefix}.sasl.enabled.mechanisms"), mechanism.as_str(), variables[0]);
            mechanism
        }
        _ => properties.get("sasl.enabled.mechanisms").unwrap_or_default().to_owned(),
    };
    for mechanism in mechanisms.split(',').map(str::trim).filter(|mechanism| !mechanism.is_empty()) {
        let name = format!("{prefix}.{}.sasl.jaas.config", mechanism.to_lowercase());
        if properties.get(&name).is_some() || !(mechanism == "PLAIN" || mechanism.starts_with("SCRAM")) {
            continue;
        }
        let clients = if role == Role::Controllers { Vec::new() } else { clients(environment, findings) };
        let missing = match &own {
            Some([_, password]) if password.is_empty() => Some(variables[1]),
            None if clients.is_empty() => Some("KAFKA_CLIENT_PASSWORDS"),
            _ => None,
        };
        if let Some(subject) = missing {
            let why = format!("it is not set, and the listener {listener} uses SASL");
            if !findings.problems.iter().any(|problem| problem.subject == subject) {
                findings.refuse(Problem::new(subject, why, "set it: passwords have no default here"));
            }
            continue;
        }
        let origin = if own.is_some() { variables[0] } else { "KAFKA_CLIENT_USERS" };
        properties.set(name, jaas(mechanism, own.as_ref(), &clients), origin);
    }
}

/// The users of clients, as two lists of the same length.
fn clients(environment: &Environment, findings: &mut Findings) -> Vec<Credentials> {
    let list = |names: &[&str], default: &str| -> Vec<String> {
        let text = environment.first(names).map_or(default, |(_, text)| text);
        text.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let passwords = list(&["KAFKA_BROKER_PASSWORD", "KAFKA_CLIENT_PASSWORDS"], "");
    let users = list(&["KAFKA_BROKER_USER", "KAFKA_CLIENT_USERS"], "user");
    let subject = "KAFKA_CLIENT_PASSWORDS";
    if !passwords.is_empty()
        && users.len() != passwords.len()
        && !findings.problems.iter().any(|problem| problem.subject == subject)
    {
        let why = format!("there are {} passwords and {} users", passwords.len(), users.len());
        findings.refuse(Problem::new(subject, why, "give one password a user, in the same order"));
    }
    users.into_iter().zip(passwords).collect()
}

fn jaas(mechanism: &str, own: Option<&[String; 2]>, clients: &[Credentials]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut words = vec![if mechanism == "PLAIN" { PLAIN } else { SCRAM }.to_owned()];
    if let Some([user, password]) = own {
        words.extend([format!("username={}", quoted(user)), format!("password={}", quoted(password))]);
    }
    if mechanism == "PLAIN" {
        let own = own.map(|[user, password]| (user.clone(), password.clone()));
        let all = clients.iter().cloned().chain(own);
        words.extend(all.map(|(user, password)| format!("user_{user}={}", quoted(&password))));
    }
    format!("{};", words.join(" "))
}
