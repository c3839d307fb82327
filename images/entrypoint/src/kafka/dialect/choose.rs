//! Which dialect an environment speaks.

use std::path::Path;

use super::{Dialect, matches};
use crate::container::Container;
use crate::problem::{Findings, Problem};

/// What told the dialect; the first level that has evidence decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `KIMG_DIALECT`.
    Asked,
    /// The path under which this program was called.
    Entry,
    /// A variable that only one family has.
    Variable,
    /// A mount at a folder that only one family has.
    Mount,
    /// Nothing.
    Nothing,
}

/// A dialect, and why it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The dialect.
    pub dialect: Dialect,
    /// What told it.
    pub level: Level,
    /// The variable, the path or the mount.
    pub evidence: String,
}

/// The paths of the families' entries: what their images call, and what people's own commands call in the end.
const ENTRIES: &[(&str, Dialect)] = &[
    ("/__cacert_entrypoint.sh", Dialect::Apache),
    ("/etc/kafka/docker/run", Dialect::Apache),
    ("/etc/kafka/docker/launch", Dialect::Apache),
    ("/etc/confluent/docker/configure", Dialect::Confluent),
    ("/etc/confluent/docker/ensure", Dialect::Confluent),
    ("/etc/confluent/docker/launch", Dialect::Confluent),
    ("/etc/confluent/docker/run", Dialect::Confluent),
    // The entries of the older bitnami images, which its chart calls to this day.
    ("/entrypoint.sh", Dialect::Bitnami),
    ("/run.sh", Dialect::Bitnami),
    ("/opt/bitnami/scripts/kafka/entrypoint.sh", Dialect::Bitnami),
    ("/opt/bitnami/scripts/kafka/run.sh", Dialect::Bitnami),
    ("/opt/bitnami/scripts/kafka/setup.sh", Dialect::Bitnami),
    // Found on PATH, wherever it is.
    ("start-kafka.sh", Dialect::Wurstmeister),
];

/// Variables that only one family has; a `*` stands for any text.
const VARIABLES: &[(&str, Dialect)] = &[
    ("CONFLUENT_*", Dialect::Confluent),
    ("KAFKA_CONFLUENT_*", Dialect::Confluent),
    ("KAFKA_CUB_ZK_TIMEOUT", Dialect::Confluent),
    ("KAFKA_CFG_*", Dialect::Bitnami),
    ("KAFKA_CERTIFICATE_PASSWORD", Dialect::Bitnami),
    ("KAFKA_CLIENT_LISTENER_NAME", Dialect::Bitnami),
    ("KAFKA_CLIENT_PASSWORDS", Dialect::Bitnami),
    ("KAFKA_CLIENT_USERS", Dialect::Bitnami),
    ("KAFKA_CONTROLLER_PASSWORD", Dialect::Bitnami),
    ("KAFKA_CONTROLLER_USER", Dialect::Bitnami),
    ("KAFKA_ENABLE_KRAFT", Dialect::Bitnami),
    ("KAFKA_INTER_BROKER_PASSWORD", Dialect::Bitnami),
    ("KAFKA_INTER_BROKER_USER", Dialect::Bitnami),
    ("KAFKA_KRAFT_CLUSTER_ID", Dialect::Bitnami),
    ("KAFKA_MOUNTED_CONF_DIR", Dialect::Bitnami),
    ("KAFKA_SKIP_KRAFT_STORAGE_INIT", Dialect::Bitnami),
    ("KAFKA_TLS_*", Dialect::Bitnami),
    ("KAFKA_ZOOKEEPER_PASSWORD", Dialect::Bitnami),
    ("KAFKA_ZOOKEEPER_PROTOCOL", Dialect::Bitnami),
    ("KAFKA_ZOOKEEPER_TLS_*", Dialect::Bitnami),
    ("KAFKA_ZOOKEEPER_USER", Dialect::Bitnami),
    ("CUSTOM_INIT_SCRIPT", Dialect::Wurstmeister),
    ("HOSTNAME_COMMAND", Dialect::Wurstmeister),
    ("KAFKA_ADVERTISED_HOST_NAME", Dialect::Wurstmeister),
    ("KAFKA_ADVERTISED_PORT", Dialect::Wurstmeister),
    ("KAFKA_CREATE_TOPICS", Dialect::Wurstmeister),
    ("KAFKA_CREATE_TOPICS_SEPARATOR", Dialect::Wurstmeister),
    ("PORT_COMMAND", Dialect::Wurstmeister),
    ("RACK_COMMAND", Dialect::Wurstmeister),
];

/// A variable that bitnami's setup.sh has too: beside other variables of bitnami's it proves nothing.
const SHARED: (&str, Dialect) = ("BROKER_ID_COMMAND", Dialect::Wurstmeister);

/// Variables of wurstmeister's that stray into files for other images, where they never had an effect.
const STRAYS: [&str; 4] =
    ["KAFKA_ADVERTISED_HOST_NAME", "KAFKA_ADVERTISED_PORT", "KAFKA_CREATE_TOPICS", "KAFKA_CREATE_TOPICS_SEPARATOR"];

/// Folders that only one family has.
const FOLDERS: &[(&str, Dialect)] = &[
    ("/etc/kafka/docker", Dialect::Apache),
    ("/mnt/shared/config", Dialect::Apache),
    ("/tmp/kraft-combined-logs", Dialect::Apache),
    ("/etc/confluent", Dialect::Confluent),
    ("/usr/share/confluent-hub-components", Dialect::Confluent),
    ("/usr/share/java/kafka", Dialect::Confluent),
    ("/bitnami", Dialect::Bitnami),
    ("/docker-entrypoint-initdb.d", Dialect::Bitnami),
    ("/opt/bitnami", Dialect::Bitnami),
    ("/kafka", Dialect::Wurstmeister),
    ("/opt/overrides", Dialect::Wurstmeister),
];

/// Chooses the dialect. Evidence for two families on one level is a problem that names both and `KIMG_DIALECT`.
pub fn choose(container: &Container, findings: &mut Findings) -> Choice {
    let nothing = Choice { dialect: Dialect::Kimg, level: Level::Nothing, evidence: "nothing".to_owned() };
    if let Some(name) = container.environment.get("KIMG_DIALECT") {
        let evidence = "KIMG_DIALECT".to_owned();
        return match Dialect::of_name(name) {
            Some(dialect) => Choice { dialect, level: Level::Asked, evidence },
            None => {
                let names = Dialect::ALL.map(Dialect::name).join(", ");
                let problem = Problem::new("KIMG_DIALECT", "there is no such dialect", format!("set one of: {names}"));
                findings.refuse(problem.with_value(name));
                nothing
            }
        };
    }
    let levels = [
        (Level::Entry, of_entry(&container.called)),
        (Level::Variable, of_variables(container)),
        (Level::Mount, of_mounts(container)),
    ];
    let Some((level, all)) = levels.into_iter().find(|(_, all)| !all.is_empty()) else { return nothing };
    let (evidence, dialect) = all[0].clone();
    if let Some((other, second)) = all.iter().find(|(_, second)| *second != dialect) {
        let (one, two) = (dialect.name(), second.name());
        let why = format!("{evidence} belongs to {one}, and {other} to {two}");
        let hint = format!("set KIMG_DIALECT to {one} or {two}: whose variables these are");
        findings.refuse(Problem::new(format!("{evidence}, {other}"), why, hint));
    }
    Choice { dialect, level, evidence }
}

/// What speaks for a family.
type Evidence = Vec<(String, Dialect)>;

fn of_entry(called: &Path) -> Evidence {
    let is_it = |path: &str| called == Path::new(path) || called.file_name().is_some_and(|name| name == path);
    let entries = ENTRIES.iter().filter(|(path, _)| is_it(path));
    entries.map(|(_, dialect)| (called.display().to_string(), *dialect)).collect()
}

/// In the order of the table above, so that the same variables always give the same answer.
fn of_variables(container: &Container) -> Evidence {
    let names: Vec<&str> = container.environment.with_prefix("").map(|(name, _)| name).collect();
    let find = |(pattern, dialect): &(&str, Dialect)| {
        let name = names.iter().find(|name| matches(pattern, name))?;
        Some(((*name).to_owned(), *dialect))
    };
    let is_stray = |name: &str| STRAYS.contains(&name) && !could_be_wurstmeisters(container);
    let mut all: Evidence = VARIABLES.iter().filter_map(find).filter(|(name, _)| !is_stray(name)).collect();
    if all.is_empty() {
        all.extend(find(&SHARED));
    }
    all
}

/// Whether start-kafka.sh could have started with these: it knows no KRaft, and ends where listeners are advertised and
/// nothing tells those to listen on.
fn could_be_wurstmeisters(container: &Container) -> bool {
    let is_set = |names: &[&str]| container.environment.first(names).is_some();
    let is_kraft = is_set(&["KAFKA_PROCESS_ROLES", "KAFKA_CFG_PROCESS_ROLES"]);
    let is_mute =
        is_set(&["KAFKA_ADVERTISED_LISTENERS"]) && !is_set(&["KAFKA_LISTENERS", "KAFKA_ADVERTISED_HOST_NAME"]);
    !is_kraft && !is_mute
}

fn of_mounts(container: &Container) -> Evidence {
    let found = |folder: &str| container.mounts.iter().find(|mount| mount.starts_with(folder));
    let folders = FOLDERS.iter().filter_map(|(folder, dialect)| Some((found(folder)?, *dialect)));
    folders.map(|(mount, dialect)| (mount.display().to_string(), dialect)).collect()
}
