//! Where the messages are, and whose they are.

use std::path::PathBuf;

use super::dialect::Rules;
use super::{Layout, Mode, storage};
use crate::container::Container;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// The log folders, as inside the container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// The folders of `log.dirs`, and of `metadata.log.dir` where it is another.
    pub folders: Vec<PathBuf>,
    /// What the first of them that is formatted says of its node.
    pub found: Option<Found>,
}

/// What `meta.properties` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The folder that has it.
    pub folder: PathBuf,
    /// `node.id`, or `broker.id`.
    pub id: Option<String>,
    /// `cluster.id`.
    pub cluster_id: Option<String>,
    /// Whether it was written in ZooKeeper mode (version 0).
    pub of_zookeeper: bool,
}

/// Decides where the data is, and sets `log.dirs` where it is not set: data that is there beats the default. What the
/// folders hold is looked at, and never changed.
pub fn decide(
    container: &Container,
    properties: &mut Properties,
    layout: &Layout,
    _rules: &Rules,
    _findings: &mut Findings,
) -> Data {
    properties.set_default("log.dirs", layout.data.display().to_string(), "default");
    let text = properties.get("log.dirs").unwrap_or_default().split(',').map(str::trim);
    let folders: Vec<PathBuf> = text.filter(|folder| !folder.is_empty()).map(PathBuf::from).collect();
    let found = folders.iter().find_map(|folder| {
        let meta = storage::read(&container.path(folder))?;
        let own = |name: &str| meta.get(name).map(str::to_owned);
        Some(Found {
            folder: folder.clone(),
            id: own("node.id").or_else(|| own("broker.id")),
            cluster_id: own("cluster.id"),
            of_zookeeper: meta.get("version") == Some("0"),
        })
    });
    Data { folders, found }
}

/// Refuses data that belongs to the other mode: a new KRaft cluster on the data of a broker with ZooKeeper would know
/// none of its topics, and remove them.
pub fn check(data: &Data, mode: Mode, layout: &Layout, findings: &mut Findings) {
    let Some(found) = data.found.as_ref().filter(|found| found.of_zookeeper) else { return };
    if mode == Mode::KraftSingle {
        let hint = match layout.kraft {
            true => "go back to the version that wrote it; a cluster with ZooKeeper moves to KRaft with Kafka 3.9",
            false => "set KAFKA_ZOOKEEPER_CONNECT, or mount another volume",
        };
        let why = "its data is of a broker with ZooKeeper, and this would be a new cluster without it";
        findings.refuse(Problem::new(found.folder.display().to_string(), why, hint));
    }
}
