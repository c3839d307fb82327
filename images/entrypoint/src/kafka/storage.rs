//! The storage of KRaft: `meta.properties` in each data folder. Kafka's own tool takes a JVM of 1.3 s for these lines.
//! Kafka itself adds `directory.id` to them at its start, from 3.7. `bootstrap.checkpoint` beside it is optional
//! (BootstrapDirectory: without it, the newest metadata version, and every other feature off), so from 4.0, which has
//! such features on, the image holds what Kafka's tool writes there: it is the same for every cluster of a version.

use std::fs;
use std::path::{Path, PathBuf};

use super::identity::Id;
use crate::places;
use crate::problem::Problem;
use crate::properties::Properties;

const FILE: &str = "meta.properties";

/// The features that a new cluster begins with.
pub const BOOTSTRAP: &str = "bootstrap.checkpoint";

/// What a data folder says of itself; `None` where it is not formatted.
pub fn read(folder: &Path) -> Option<Properties> {
    let path = folder.join(FILE);
    let text = fs::read_to_string(&path).ok()?;
    Some(Properties::parse(&text, &path.display().to_string()))
}

/// Formats the folders that are not, with the file `bootstrap` where the image has it; each file is written whole or not
/// at all, and the one that tells that a folder is formatted comes last.
pub fn format(folders: &[PathBuf], cluster_id: &str, id: &Id, bootstrap: &Path) -> Result<(), Problem> {
    for folder in folders.iter().filter(|folder| read(folder).is_none()) {
        if let Some(name) = messages(folder) {
            return Err(Problem::new(
                folder.display().to_string(),
                format!("it has no {FILE} but holds {name}, so it is not formatted"),
                "mount the volume that belongs to this broker, or an empty folder",
            ));
        }
        let text = format!("version=1\ncluster.id={cluster_id}\nnode.id={}\n", id.value);
        if let Ok(features) = fs::read(bootstrap) {
            places::write_whole(&folder.join(BOOTSTRAP), &features)?;
        }
        places::write_whole(&folder.join(FILE), text.as_bytes())?;
    }
    Ok(())
}

/// A folder of a partition, `NAME-N`, in what should be empty.
#[allow(clippy::disallowed_methods, reason = "the first by name is taken")]
fn messages(folder: &Path) -> Option<String> {
    let entries = fs::read_dir(folder).ok()?;
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.rsplit_once('-').is_some_and(|(_, number)| number.parse::<u32>().is_ok())).min()
}
