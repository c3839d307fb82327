//! A user's own definition (`-f image.toml`): layers on top of an image that kimg has.
//!
//! [`parse`] reads the text; [`super::Catalog::with_user`] looks up what it stands on and makes a [`Definition`] of it, as
//! kimg's own are, so that all that follows knows one kind of them.

mod archive_url;
mod artifact;
mod document;
mod overlay;

use std::path::PathBuf;

use serde::Serialize;

use super::{Definition, DefinitionError};
use crate::digest::Digest;

pub use archive_url::{ArchiveUrl, InvalidArchiveUrl, Packing};
pub use artifact::{Artifact, InvalidArtifact};
pub use document::{Document, parse};

/// Where something stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl Place {
    /// The error of what stands there in `file`.
    pub(crate) fn wrong(self, file: &str, message: &str, hint: Option<String>) -> DefinitionError {
        let Place { line, column } = self;
        DefinitionError::At { file: file.to_owned(), line, column, message: message.to_owned(), hint, absent: false }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its place in the definition.
    pub place: Place,
}

/// An archive that is unpacked into a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// The text of an [`ArchiveUrl`].
    pub url: String,
    /// Its digest, which alone vouches for it.
    pub sha256: Digest,
    /// How many leading components of its paths are left out.
    pub strip: u32,
    /// The folder in the image.
    pub into: String,
}

/// A file or folder beside the definition, which goes into a layer that stands in no lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Its path from the definition's folder.
    pub from: String,
    /// Its path in the image.
    pub to: String,
    /// Permissions of files; those of the source, where absent.
    pub mode: Option<u32>,
}

/// One layer, with the place of each thing that it names.
#[derive(Debug, Clone)]
pub struct OwnLayer {
    /// Its name.
    pub name: Placed<String>,
    /// Files of Maven repositories, which go into `into`.
    pub maven: Vec<Placed<Artifact>>,
    /// Archives; the place is that of the URL.
    pub archives: Vec<Placed<Archive>>,
    /// Debian packages.
    pub packages: Vec<Placed<String>>,
    /// Files of the user's.
    pub files: Vec<Placed<LocalFile>>,
    /// PEM files of authorities, by their paths from the definition's folder.
    pub authorities: Vec<Placed<String>>,
    history: Option<String>,
    into: Option<String>,
}

/// A user's definition in a catalog.
#[derive(Debug, Clone)]
pub struct User {
    /// The file, as the user named it.
    pub file: String,
    /// The folder that it lies in.
    pub folder: PathBuf,
    /// The file of its lock.
    pub lock_file: String,
    /// The text of its lock, where there is one.
    pub lock: Option<String>,
    /// `FAMILY:VERSION` of the image below, and where that stands.
    pub from: Placed<String>,
    /// Its one version.
    pub version: String,
    /// What it says, layer by layer.
    pub layers: Vec<OwnLayer>,
    /// What is built of it.
    pub definition: Definition,
}

impl User {
    /// `NAME:VERSION`.
    pub fn image(&self) -> String {
        format!("{}:{}", self.definition.name, self.version)
    }
}
