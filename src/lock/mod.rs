//! Locks: every input of one version, and the layers that must come out (`images/NAME/VERSION.lock.toml`).

mod below;
mod fit;
mod parse;
mod time;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::oci::Platform;

pub use below::{below_of, check_user_fit};
pub use fit::{check_fit, definition_digest, variants};
pub use parse::{LockError, is_upstream_path, parse};
pub use time::{rfc3339, seconds};
pub use write::to_text;

/// The version of the lock's own format.
pub const FORMAT: u32 = 1;

/// A lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// [`FORMAT`].
    pub format: u32,
    /// `FAMILY:VERSION`.
    pub image: String,
    /// The time of the image and of every file in the layers of this lock, RFC 3339 in UTC, whole seconds.
    pub created: String,
    /// The digest of what the definition says of the locked layers ([`check_fit`]).
    pub definition: Digest,
    /// The Debian archives as they were when this was locked; only where packages are among the inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debian: Option<DebianState>,
    /// What a definition of a user's stands on; the locks of kimg's own have none.
    #[serde(default, rename = "from", skip_serializing_if = "Option::is_none")]
    pub below: Option<Below>,
    /// Upstream's release archive, where some inputs are members of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
    /// Every input, sorted by layer in the definition's order, then by name.
    #[serde(rename = "input", default)]
    pub inputs: Vec<Input>,
    /// What upstream's release has and this image has not.
    #[serde(rename = "absent", default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Absent>,
    /// What must come out.
    #[serde(rename = "output", default)]
    pub outputs: Vec<Output>,
}

/// What a definition of a user's was locked on, and what it said then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Below {
    /// `FAMILY:VERSION` of the image below.
    pub image: String,
    /// The digest of its locks.
    pub digest: Digest,
    /// The digest of what the definition said of each locked layer.
    #[serde(default)]
    pub layers: BTreeMap<String, Digest>,
}

/// The Debian archives as they were when a lock was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebianState {
    /// The time to ask the snapshot service for, `20261120T123456Z`: all inputs were there then.
    pub snapshot: String,
    /// The `Date` of each suite's Release file; an older one is refused when locking again.
    pub releases: Vec<DebianRelease>,
}

/// One suite's Release file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebianRelease {
    /// `bookworm-security`.
    pub suite: String,
    /// Its `Date`, RFC 3339 in UTC.
    pub date: String,
}

/// Upstream's release archive. It is asked before the other upstreams of its members, and never trusted more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its path below the root of [`Upstream::Apache`].
    pub path: String,
    /// Its size in bytes, where the lock was made from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its digest, `sha512:…`, as upstream publishes it.
    pub digest: Digest,
    /// The fingerprint of the primary key that must have made the signature at `PATH.asc`, 40 upper-case hexadecimal
    /// digits; without one, only the digest vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

/// The kind of upstream that serves an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upstream {
    /// The Debian archive.
    Debian,
    /// Debian's security archive, which is a tree of its own.
    DebianSecurity,
    /// A Maven repository laid out as Maven Central.
    Maven,
    /// The archive of Apache's releases, which has [`Archive`].
    Apache,
    /// The host that a definition of a user's names.
    Url,
}

impl Upstream {
    /// Whether it serves packages.
    pub fn is_debian(self) -> bool {
        matches!(self, Upstream::Debian | Upstream::DebianSecurity)
    }

    /// Its name in locks, flags and the configuration: `debian-security`.
    pub fn name(self) -> &'static str {
        match self {
            Upstream::Debian => "debian",
            Upstream::DebianSecurity => "debian-security",
            Upstream::Maven => "maven",
            Upstream::Apache => "apache",
            Upstream::Url => "url",
        }
    }
}

/// One file that a layer is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The layer it goes into.
    pub layer: String,
    /// Package or file name, for people and for the order.
    pub name: String,
    /// Who serves it.
    pub upstream: Upstream,
    /// The platform that needs it; all, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Its path below the upstream's root: never a host, never `..`. Of [`Upstream::Apache`] the same as `member`, for it
    /// cannot be had by itself.
    pub path: String,
    /// The URL of [`Upstream::Url`], which a user wrote; then `path` is its place in a folder of inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// Its path within [`Lock::archive`], where that has it too: the same bytes by another route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The signature that upstream publishes beside it, where it must be there and good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

impl Input {
    /// The last component of its path.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether `platform` needs it.
    pub fn is_for(&self, platform: &Platform) -> bool {
        self.platform.as_ref().is_none_or(|own| *own == platform.to_string())
    }
}

/// A detached OpenPGP signature, an input of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Its path below the upstream's root.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// The fingerprint of the primary key that made it, 40 upper-case hexadecimal digits.
    pub signer: String,
}

/// What upstream's release has and this image has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    /// The file.
    pub name: String,
    /// Why.
    pub why: String,
}

/// A layer that must come out of the inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The layer.
    pub layer: String,
    /// The platform; all, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The variant whose layer differs from that of the image without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The digest of the tar.
    pub diff_id: Digest,
    /// The epoch of the gzip digest below; of another epoch only the diff id is checked.
    pub epoch: u32,
    /// The digest of the gzip layer.
    pub gzip: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A SHA-256 digest written without its algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl From<Sha256> for Digest {
    fn from(digest: Sha256) -> Digest {
        Digest::Sha256(digest.0)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
        let text = String::deserialize(deserializer)?;
        match format!("sha256:{text}").parse() {
            Ok(Digest::Sha256(bytes)) => Ok(Sha256(bytes)),
            _ => Err(serde::de::Error::custom("a sha256 is 64 lower-case hexadecimal digits")),
        }
    }
}
