//! What is not in a variable itself, but in a file that it names.

use super::protocols::{self, Protocol};
use crate::container::Container;
use crate::environment::Environment;
use crate::kafka::dialect::Rules;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// The environment, with the variables whose values are in files (`NAME_FILE`).
pub(super) fn with_files(container: &Container, rules: &Rules, findings: &mut Findings) -> Environment {
    let mut environment = container.environment.clone();
    for name in rules.from_files {
        let variable = format!("{name}_FILE");
        // KAFKA_TLS_TRUSTSTORE_FILE is a setting of its own.
        if rules.from_files.contains(&variable.as_str()) {
            continue;
        }
        environment.remove(&variable);
        let Some(path) = container.environment.get(&variable) else { continue };
        match container.read(path) {
            Some(text) => environment.set(name, text.trim_end_matches('\n')),
            None => findings.refuse(unreadable(&variable, path)),
        }
    }
    environment
}

/// The file of a variable, the property of its place or of what is in it, and whether it is what is in it.
const OF_SSL: [(&str, &str, bool); 5] = [
    ("KAFKA_SSL_KEYSTORE_FILENAME", "ssl.keystore.location", false),
    ("KAFKA_SSL_KEYSTORE_CREDENTIALS", "ssl.keystore.password", true),
    ("KAFKA_SSL_KEY_CREDENTIALS", "ssl.key.password", true),
    ("KAFKA_SSL_TRUSTSTORE_FILENAME", "ssl.truststore.location", false),
    ("KAFKA_SSL_TRUSTSTORE_CREDENTIALS", "ssl.truststore.password", true),
];

/// Keys and their passwords as files of one folder (`configure` of apache/kafka and of confluentinc/kafka-images).
/// There it depends on a listener's name; here on the variable alone.
pub(super) fn of_ssl(container: &Container, rules: &Rules, properties: &mut Properties, findings: &mut Findings) {
    let with_tls = protocols::of_listeners(properties).iter().any(Protocol::is_tls);
    let asks_clients = properties.get("ssl.client.auth").is_some_and(|value| value.trim() != "none");
    for (variable, property, is_read) in OF_SSL {
        let Some(name) = container.environment.get(variable) else { continue };
        let Some(folder) = rules.secrets else {
            let why = format!("{} does not read it, and here it has no effect", rules.follows);
            let hint = format!("set {property} by a variable of its own");
            findings.warn(Problem::new(variable, why, hint));
            continue;
        };
        let path = format!("{folder}/{name}");
        let value = match is_read {
            true => container.read(&path).map(|text| text.trim_end_matches('\n').to_owned()),
            false => container.path(&path).is_file().then(|| path.clone()),
        };
        // Where no listener needs it, the images do not look for it.
        let is_needed = with_tls && (asks_clients || !property.starts_with("ssl.truststore."));
        match value {
            Some(value) => properties.set(property, value, variable),
            None if is_needed => findings.refuse(unreadable(variable, &path)),
            None => findings.warn(unreadable(variable, &path)),
        }
    }
}

fn unreadable(variable: &str, path: &str) -> Problem {
    let why = format!("the file {path} that it names is not there, or cannot be read");
    Problem::new(variable, why, "mount it there, readable for the user of the container")
}
