//! definition + lock -> fetch -> layers -> config and manifest -> copy.

mod additions;
mod archive;
mod assemble;
mod base;
mod error;
mod fetch;
mod folders;
mod generate;
mod halt;
mod image;
mod image_source;
mod inputs;
mod inputs_artifact;
mod jar_list;
mod key;
mod local;
mod lockfile;
mod make;
mod maven_files;
mod outline;
mod packages;
mod pattern;
mod place_error;
mod recipe;
mod release;
mod release_archive;
mod release_maven;
mod reproduce;
mod reuse;
mod rules;
mod shape;
mod shipped;
mod sources;
mod unpack;
mod update;
mod user_files;
mod user_lock;
mod vouch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub use base::Base;
pub use error::BuildError;
pub use fetch::{Fetched, fetch, fetch_artifact};
pub use image_source::ImageSource;
pub use inputs_artifact::{InputsArtifact, InputsSource};
pub use local::check_files;
pub use lockfile::{Locked, lock, update};
pub use make::build;
pub use outline::{Outline, outline};
pub use place_error::PlaceError;
pub use reuse::Reuse;
pub use sources::{JarSource, Sources};
pub use update::{Change, changes, with_packages};
pub use user_lock::lock_user;

use crate::definition::Catalog;
use crate::digest::Digest;
use crate::event::Events;
use crate::layer::Compression;
use crate::net::Client;
use crate::oci::{Descriptor, Platform};
use crate::store::Store;
use crate::upstream::hosts::Machine;

/// One image to build, all flags resolved.
#[derive(Debug, Clone)]
pub struct Request {
    /// `NAME[:VERSION]` of a definition in the catalog.
    pub image: String,
    /// The platforms; the first of the definition, where none is named.
    pub platforms: Vec<Platform>,
    /// The variant of the definition.
    pub variant: Option<String>,
    /// The dialect of the definition that is written into the environment.
    pub dialect: Option<String>,
    /// The user and group to run as, instead of the definition's, by number.
    pub user: Option<String>,
    /// Whether each layer of locked inputs must have its output in a lock.
    pub locked: bool,
    /// Further names for the result (`-t`), besides `NAME:VERSION`.
    pub tags: Vec<String>,
    /// Labels added to the image's configuration.
    pub labels: BTreeMap<String, String>,
    /// Annotations added to the manifests, and to the index of several platforms.
    pub annotations: BTreeMap<String, String>,
    /// Variables added to or replacing the image's.
    pub env: BTreeMap<String, String>,
    /// How layers are compressed.
    pub compression: Compression,
    /// The user's own files, in the last layer.
    pub add: Vec<Addition>,
    /// PEM files of certificate authorities for the image's bundle and truststore.
    pub authorities: Vec<PathBuf>,
    /// The image that it stands on, instead of the layers of the definition's lowest base.
    pub base: Option<Base>,
}

/// `--add SRC:DST[:MODE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// A file or folder of the user's.
    pub from: PathBuf,
    /// Its absolute path in the image.
    pub to: String,
    /// Permissions of files; those of the source where absent (0644, or 0755 where it is executable).
    pub mode: Option<u32>,
}

/// What builds are made with; cheap to clone.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// The definitions and locks.
    pub catalog: Catalog,
    /// Where images and inputs are kept.
    pub store: Store,
    /// The network.
    pub client: Arc<Client>,
    /// What the choice of hosts depends on.
    pub machine: Arc<Machine>,
    /// Which upstreams and folders may be asked.
    pub sources: Sources,
    /// Who hears what happens.
    pub events: Events,
    /// Threads that compress.
    pub threads: usize,
}

/// An image that lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// `kafka:3.5.2`, of a variant `kafka:3.5.2-full`.
    pub name: String,
    /// What its names point at: the manifest of the one platform, or the index of several.
    pub manifest: Descriptor,
    /// What was built for each platform, in the order of the definition.
    pub images: Vec<BuiltImage>,
}

/// The image of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// The platform.
    pub platform: Platform,
    /// The manifest.
    pub manifest: Descriptor,
    /// The digest of the configuration (Docker's image id), for `--iidfile`.
    pub config: Digest,
    /// The layers, with what each was: `built`, `reused`.
    pub layers: Vec<(String, Descriptor, &'static str)>,
}
