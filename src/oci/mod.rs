//! The documents of the OCI image specification 1.1 that kimg writes and reads. No I/O.
//!
//! Our own structs rather than `oci-spec`'s: theirs keep annotations and labels in hash maps, whose order would
//! reach the bytes that are digested.

mod config;
mod descriptor;
mod manifest;
mod platform;
mod reference;

pub use config::{Config, Empty, Healthcheck, History, ImageConfig, RootFs};
pub use descriptor::Descriptor;
pub use manifest::{Index, Manifest};
pub use platform::{InvalidPlatform, Platform};
pub use reference::{InvalidReference, Reference};

/// Media types of image-spec 1.1 ("OCI Image Media Types").
pub mod media_type {
    /// An image index.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// Docker's image manifest, schema 2, which has the shape of an OCI one.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker's manifest list, which has the shape of an OCI index.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// An image configuration.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// A layer: tar.
    pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    /// A layer: tar, gzip.
    pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// A layer: tar, zstd.
    pub const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    /// A layer of Docker's: tar.
    pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
    /// A layer of Docker's: tar, gzip.
    pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    /// A layer in a manifest of Docker's: tar, zstd, as BuildKit writes it.
    pub const DOCKER_LAYER_ZSTD: &str = "application/vnd.docker.image.rootfs.diff.tar.zstd";
    /// Docker's image configuration, which has the shape of an OCI one.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// Docker's image manifest, schema 1.
    pub const DOCKER_SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+json";
    /// The same, signed.
    pub const DOCKER_SCHEMA_1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /// Whether it is an index, OCI's or Docker's.
    pub fn is_index(media_type: &str) -> bool {
        matches!(media_type, INDEX | DOCKER_LIST)
    }

    /// Whether it is a manifest, OCI's or Docker's.
    pub fn is_manifest(media_type: &str) -> bool {
        matches!(media_type, MANIFEST | DOCKER_MANIFEST)
    }

    /// Whether it is a configuration of an image, OCI's or Docker's.
    pub fn is_image_config(media_type: &str) -> bool {
        matches!(media_type, CONFIG | DOCKER_CONFIG)
    }

    /// Whether a layer is one that its publisher alone gives out (image-spec 1.1, layer.md, "Non-Distributable Layers";
    /// Docker's "foreign" layers): it stays where it is, and registries take manifests without it.
    pub fn is_foreign(media_type: &str) -> bool {
        media_type.starts_with("application/vnd.oci.image.layer.nondistributable.v1.")
            || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
    }

    /// Whether it is a manifest of Docker's schema 1, which no registry takes any more.
    pub fn is_schema_1(media_type: &str) -> bool {
        matches!(media_type, DOCKER_SCHEMA_1 | DOCKER_SCHEMA_1_SIGNED)
    }
}

/// The bytes of a document that kimg itself made: compact JSON, keys in the order of the structs, maps sorted.
pub fn to_bytes<T: serde::Serialize>(document: &T) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents of this module have text keys and no failing serializers")
}
