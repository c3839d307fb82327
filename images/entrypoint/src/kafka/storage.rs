//! The storage of KRaft: `meta.properties` in each data folder. Kafka's own tool takes a JVM of 1.3 s for these lines.
//! Kafka itself adds `directory.id` to them at its start, from 3.7. `bootstrap.checkpoint` beside it is optional
//! (BootstrapDirectory: without it, the newest metadata version, and every other feature off), so from 4.0, which has
//! such features on, the image holds what Kafka's tool writes there: it is the same for every cluster of a version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::data::contents;
use super::identity::Id;
use crate::places;
use crate::problem::Problem;
use crate::properties::Properties;

/// The file that says whose data a folder has; a folder that has it is formatted.
pub const FILE: &str = "meta.properties";

/// The features that a new cluster begins with.
pub const BOOTSTRAP: &str = "bootstrap.checkpoint";

/// What a data folder says of itself; `None` where it is not formatted.
pub fn read(folder: &Path) -> Option<Properties> {
    meta(folder).ok().flatten()
}

/// The same, where a file that cannot be read is an error: it may say anything.
pub fn meta(folder: &Path) -> io::Result<Option<Properties>> {
    let path = folder.join(FILE);
    match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(bytes) => Ok(Some(Properties::parse(&String::from_utf8_lossy(&bytes), &path.display().to_string()))),
    }
}

/// Whether a folder says of which cluster it is. After a loss of power the file may be there, and empty.
fn is_formatted(folder: &Path) -> bool {
    read(folder).is_some_and(|meta| meta.get("cluster.id").is_some_and(|id| !id.is_empty()))
}

/// Formats the folders that are not, with the file `bootstrap` where the image has it; each file is written whole or not
/// at all, and the one that tells that a folder is formatted comes last. So a folder of which that was interrupted is
/// finished the next time, and of several folders those that are left.
pub fn format(folders: &[PathBuf], cluster_id: &str, id: &Id, bootstrap: &Path) -> Result<(), Problem> {
    let new: Vec<&PathBuf> = folders.iter().filter(|folder| !is_formatted(folder)).collect();
    for folder in &new {
        let contents = contents::read(folder).map_err(|error| places::unwritable(folder, &error))?;
        if contents.has_partitions {
            return Err(Problem::new(
                folder.display().to_string(),
                format!("it has partitions and no {FILE} with a cluster's id, so it is not formatted"),
                "mount the volume that belongs to this broker, or an empty folder",
            ));
        }
    }
    for folder in new {
        // From 3.9 a cluster id may be any text, which has to be escaped.
        let mut cluster = Properties::default();
        cluster.set("cluster.id", cluster_id, "");
        let text = format!("version=1\n{}node.id={}\n", cluster.to_text(), id.value);
        if let Ok(features) = fs::read(bootstrap) {
            places::write_whole(&folder.join(BOOTSTRAP), &features)?;
        }
        places::write_whole(&folder.join(FILE), text.as_bytes())?;
    }
    Ok(())
}
