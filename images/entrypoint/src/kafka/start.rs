//! From a configuration to the process: what is written, and what is become.

use std::path::PathBuf;

use super::{Configuration, Layout, storage};
use crate::container::Container;
use crate::java::Java;
use crate::places;
use crate::problem::Problem;

/// Writes the configuration, formats the storage of KRaft, and returns the broker to become.
pub fn prepare(configuration: &Configuration, container: &Container, layout: &Layout) -> Result<Java, Problem> {
    let folders: Vec<PathBuf> = configuration.data.folders.iter().map(|folder| container.path(folder)).collect();
    for folder in &folders {
        places::make_writable(folder)?;
    }
    if let Some(cluster_id) = &configuration.cluster_id {
        let bootstrap = container.path(layout.home.join("config").join(storage::BOOTSTRAP));
        storage::format(&folders, cluster_id, &configuration.id, &bootstrap)?;
    }
    let folder = places::first_writable(&layout.configuration)?;
    let file = folder.join("server.properties");
    places::write_whole(&file, configuration.properties.to_text().as_bytes())?;
    configuration.jvm.broker(layout, &[folder], &file, &[])
}
