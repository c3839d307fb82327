//! Which upstreams and folders a build may ask for its inputs.

use std::path::PathBuf;

use super::InputsArtifact;

/// Where inputs may come from, besides the cache. Which of them was asked never changes what comes out.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Which upstream serves jars.
    pub jars: JarSource,
    /// Folders laid out as `kimg fetch` makes them, which are asked before any host.
    pub folders: Vec<PathBuf>,
    /// Artifacts that it makes, which are asked after the folders.
    pub artifacts: Vec<InputsArtifact>,
    /// Whether no host is asked at all.
    pub offline: bool,
}

/// Which upstream serves the files of a release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JarSource {
    /// The release archive first, and Maven for what that lacks, or for all where it cannot be used.
    #[default]
    Any,
    /// The release archive only.
    Apache,
    /// Maven only.
    Maven,
}
