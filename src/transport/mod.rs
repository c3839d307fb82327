//! The places an image lives in: each a [`Source`](crate::copy::Source), a [`Sink`](crate::copy::Sink), or both.

mod archive;
mod archive_kind;
mod docker_archive;
mod docker_daemon;
mod docker_error;
mod docker_host;
mod docker_images;
mod docker_manifest;
mod docker_name;
mod import;
mod layout;
mod layout_names;
mod layout_source;
mod oci_archive;
mod oci_archive_source;
pub mod registry;
mod store;

pub use archive::Archive;
pub use docker_archive::DockerArchiveSink;
pub use docker_daemon::Daemon;
pub use docker_host::{DockerHost, InvalidDockerHost};
pub use docker_name::docker_name;
pub use import::{Import, Imported};
pub use layout::LayoutSink;
pub use layout_names::name_of;
pub use layout_source::LayoutSource;
pub use oci_archive::OciArchiveSink;
pub use oci_archive_source::{OciArchiveSource, open_archive};
pub use store::StoreSource;
