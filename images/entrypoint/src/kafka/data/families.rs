//! Where the images that people come from keep their data.

use std::path::{Path, PathBuf};

use crate::container::Container;
use crate::kafka::storage;

/// A folder in which an image keeps its data, or the folders of its data.
struct Place {
    folder: &'static str,
    /// Whether the data may be one level below, in a folder whose name begins with this.
    below: Option<&'static str>,
}

const fn itself(folder: &'static str) -> Place {
    Place { folder, below: None }
}

const fn with_folders_below(folder: &'static str) -> Place {
    Place { folder, below: Some("") }
}

/// All of them; nothing else is looked at.
///
/// - apache/kafka: docker/jvm/Dockerfile (volume), config/kraft/server.properties, and Kafka's own default of `log.dir`
/// - confluentinc/cp-kafka: kafka/include/etc/confluent/docker/configure; operators mount several below it
/// - bitnami/kafka: kafka-env.sh (`KAFKA_VOLUME_DIR`, `KAFKA_DATA_DIR`); its chart mounts the first
/// - wurstmeister/kafka: start-kafka.sh (`/kafka/kafka-logs-$HOSTNAME`)
/// - debezium/kafka: docker-entrypoint.sh (`/kafka/data/$BROKER_ID`)
/// - `/opt/kafka/logs`: where many mount a volume for data, though Kafka writes its own log there
const PLACES: [Place; 9] = [
    with_folders_below("/var/lib/kafka/data"),
    with_folders_below("/var/lib/kafka"),
    with_folders_below("/bitnami/kafka/data"),
    with_folders_below("/bitnami/kafka"),
    Place { folder: "/kafka", below: Some("kafka-logs-") },
    with_folders_below("/kafka/data"),
    itself("/tmp/kraft-combined-logs"),
    itself("/tmp/kafka-logs"),
    itself("/opt/kafka/logs"),
];

/// Where volumes for data are mounted, in those images.
pub const VOLUMES: [&str; 9] = [
    "/var/lib/kafka/data",
    "/var/lib/kafka",
    "/bitnami",
    "/bitnami/kafka",
    "/bitnami/kafka/data",
    "/kafka",
    "/kafka/data",
    "/tmp/kafka-logs",
    "/tmp/kraft-combined-logs",
];

/// The folders of all images that are formatted, sorted, each once whatever number of names it has.
pub fn formatted(container: &Container, default: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for place in std::iter::once(Place { folder: "", below: None }).chain(PLACES) {
        let folder = if place.folder.is_empty() { default } else { Path::new(place.folder) };
        match (is_formatted(container, folder), place.below) {
            (true, _) => all.push(folder.to_owned()),
            (false, Some(prefix)) => all.extend(formatted_below(container, folder, prefix)),
            (false, None) => {}
        }
    }
    once_each(container, all)
}

/// Whether a folder has `meta.properties`.
pub fn is_formatted(container: &Container, folder: &Path) -> bool {
    container.path(folder).join(storage::FILE).is_file()
}

/// The folders in this one that are formatted.
#[allow(clippy::disallowed_methods, reason = "they are sorted")]
pub fn formatted_below(container: &Container, folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(container.path(folder)) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut all: Vec<PathBuf> = names.filter(|name| name.starts_with(prefix)).map(|name| folder.join(name)).collect();
    all.retain(|folder| is_formatted(container, folder));
    all.sort();
    all
}

/// The first name of each folder.
fn once_each(container: &Container, all: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = Vec::new();
    all.into_iter().filter(|folder| is_new(&mut seen, &container.path(folder))).collect()
}

/// Whether a folder is none of those seen, under whatever name; then it is seen.
pub fn is_new(seen: &mut Vec<PathBuf>, folder: &Path) -> bool {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let new = !seen.contains(&real);
    if new {
        seen.push(real);
    }
    new
}
