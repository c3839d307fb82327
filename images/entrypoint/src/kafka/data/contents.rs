//! What a log folder holds: Kafka takes each folder in it for a partition, and does not start where one is none.

use std::fs;
use std::io;
use std::path::Path;

/// Where KRaft keeps its log: the one partition of the topic `__cluster_metadata`.
pub const METADATA: &str = "__cluster_metadata-0";

/// What a log folder holds, without its files: they are nobody's business.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Whether there is a partition, or the log of KRaft.
    pub has_partitions: bool,
    /// Whether there is the log of KRaft.
    pub has_metadata: bool,
    /// The folders that keep Kafka from starting, sorted.
    pub foreign: Vec<String>,
    /// Partitions that a newer Kafka set aside (`TOPIC-N.ID-stray`), sorted.
    pub stray: Vec<String>,
    /// What NFS keeps of files that were deleted while a process had them open, sorted.
    pub kept_by_nfs: Vec<String>,
}

/// Looks into a log folder; one that is not there holds nothing.
#[allow(clippy::disallowed_methods, reason = "what is told is sorted")]
pub fn read(folder: &Path) -> io::Result<Contents> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::default()),
        other => other?,
    };
    let mut contents = Contents::default();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        let is_folder = kind.is_dir() || (kind.is_symlink() && entry.path().is_dir());
        if !is_folder {
            if name.starts_with(".nfs") {
                contents.kept_by_nfs.push(name);
            }
            continue;
        }
        match is_of_kafka(&name) {
            true => contents.has_partitions |= name != CACHE,
            false => contents.foreign.push(name.clone()),
        }
        contents.has_metadata |= name == METADATA;
        if name.ends_with("-stray") && is_of_kafka(&name) {
            contents.stray.push(name);
        }
    }
    contents.foreign.sort();
    contents.stray.sort();
    contents.kept_by_nfs.sort();
    Ok(contents)
}

/// The one folder that is no partition and that Kafka accepts: the index of tiered storage (RemoteIndexCache).
const CACHE: &str = "remote-log-index-cache";

/// Whether Kafka accepts a folder of that name: `TOPIC-N`, and `TOPIC-N.ID-delete`, `-future`, `-stray`.
/// (kafka.log.LocalLog.parseTopicPartitionName, which LogManager.loadLogs asks for every folder; it throws otherwise.)
/// The last of them is known from 3.6.
pub fn is_of_kafka(name: &str) -> bool {
    if name == CACHE {
        return true;
    }
    let marked = ["-delete", "-future", "-stray"].iter().find_map(|suffix| name.strip_suffix(suffix));
    let partition = match marked.map(|rest| (rest, rest.rsplit_once('.'))) {
        None => name,
        Some((rest, Some((partition, id)))) if !id.is_empty() && !rest.contains(char::is_whitespace) => partition,
        Some(_) => return false,
    };
    partition.rsplit_once('-').is_some_and(|(topic, number)| !topic.is_empty() && number.parse::<i32>().is_ok())
}
