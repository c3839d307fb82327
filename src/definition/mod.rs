//! Definitions: how a family of images is put together, as data (`images/NAME/image.toml`).

mod catalog;
pub mod embedded;
mod parse;
mod suggest;
pub mod user;
mod version;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::oci::Platform;

pub(crate) use catalog::MAX_BASES;
pub use catalog::{Catalog, Family};
pub use parse::{DefinitionError, parse};
pub(crate) use parse::{parse_mode, read_toml};
pub use suggest::nearest;

/// A family of images. Field docs say what the key of the same name in `image.toml` means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The name on the command line and in the store: `kafka`.
    pub name: String,
    /// The name for people: `Apache Kafka`.
    pub title: String,
    /// One line for `kimg images` and the annotation `org.opencontainers.image.description`.
    pub description: String,
    /// SPDX expression of the licences of all layers of its own.
    pub licenses: String,
    /// Where its sources are, for `org.opencontainers.image.source`.
    #[serde(default)]
    pub source: Option<String>,
    /// The definition and lock whose layers come first, `FAMILY:VERSION`. A definition without one is a base: it can
    /// be locked, but `kimg images` does not offer it.
    #[serde(default)]
    pub base: Option<String>,
    /// The suites of the Debian archive in which `kimg lock` looks for packages; of several versions the newest is taken.
    #[serde(default)]
    pub suites: Vec<String>,
    /// The platforms that a lock is made for, in the order that they have in an index; the first is the default.
    #[serde(default = "default_platforms")]
    pub platforms: Vec<String>,
    /// The files below `images/` with the OpenPGP keys that may have signed inputs.
    #[serde(default)]
    pub keys: Vec<String>,
    /// The version that the bare name means.
    pub default: String,
    /// Upstream's release archive, whose members are inputs too; its path and root may name `{version}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<ReleaseArchive>,
    /// What else can be built of the same locks, by name (`--variant`), each with one line for people. An image has
    /// those of its bases too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<String, String>,
    /// Whose environment the image can be told to understand (`--dialect`). An image has those of its bases too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialects: Option<Dialects>,
    /// What is known of each version that has a lock.
    pub versions: BTreeMap<String, Version>,
    /// The layers, lowest first.
    #[serde(rename = "layer")]
    pub layers: Vec<Layer>,
    /// How the image runs.
    #[serde(default)]
    pub run: Run,
}

/// Environments of other images that this one understands, one at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialects {
    /// The variable of the image's environment that names one.
    pub variable: String,
    /// Their names.
    pub names: Vec<String>,
}

/// What is known of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Its state of support, one line.
    pub support: String,
    /// The revision of its sources, for `org.opencontainers.image.revision`.
    #[serde(default)]
    pub revision: Option<String>,
    /// What whoever builds it should know, told as a warning each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// Whether its layers that are [`Layer::signed`] have no signature that can be accepted, so that only digests vouch
    /// for them; its warning says so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsigned: bool,
}

/// Upstream's release archive: a tar.gz, signed, at a path below the root of the archive's hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseArchive {
    /// `kafka/{version}/kafka_2.13-{version}.tgz`; its signature is beside it, with `.asc` at the end.
    pub path: String,
    /// The folder in it that holds the jars: `kafka_2.13-{version}/libs`.
    pub jars: String,
    /// What becomes of a jar when `kimg lock` finds it there: the first rule that matches its name says it.
    #[serde(default, rename = "rule", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ArchiveRule>,
}

/// What becomes of the jars of a release archive whose names match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveRule {
    /// Pattern of file names; `{version}` is replaced.
    pub name: String,
    /// The layer that they go into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The group under which Maven has them, for jars that do not say it themselves; artifact and version are those of the
    /// file name, `ARTIFACT-VERSION.jar`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Why they are left out, instead of a layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
}

impl ReleaseArchive {
    /// Path and folder of one version.
    pub fn of(&self, version: &str) -> ReleaseArchive {
        let expand = |text: &str| text.replace("{version}", version);
        ReleaseArchive { path: expand(&self.path), jars: expand(&self.jars), rules: self.rules.clone() }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One layer: first the packages and files that the lock assigns to it, then what the rules add.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Names it in locks, events and errors.
    pub name: String,
    /// What it is, for the image's history; `{version}` is replaced.
    pub history: String,
    /// Debian packages whose files it holds; resolved by `kimg lock`.
    #[serde(default)]
    pub packages: Vec<String>,
    /// The folder that gets the lock's inputs for this layer which are single files, such as jars.
    #[serde(default)]
    pub into: Option<String>,
    /// Whether each of those must have a signature by one of the definition's keys; `kimg lock` refuses one without.
    #[serde(default, skip_serializing_if = "is_false")]
    pub signed: bool,
    /// The variants that have this layer; all of them and the image without a variant, where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<String>,
    /// By variant: packages whose files, and links that, are left out of this layer there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub without: BTreeMap<String, Vec<String>>,
    /// Patterns of paths in packages that are left out. `*` stays within a component, `**` crosses them.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Patterns that are kept although `drop` matches.
    #[serde(default)]
    pub keep: Vec<String>,
    /// Top folders that are links into `usr` and whose files are moved there: `bin`, `lib`.
    #[serde(default)]
    pub usrmerge: Vec<String>,
    /// Symbolic links: path and target; both may name `{version}` and `{arch}`.
    #[serde(default)]
    pub links: BTreeMap<String, Link>,
    /// Folders of the layer's own.
    #[serde(default)]
    pub folders: BTreeMap<String, Folder>,
    /// Files made from the contents of packages, where a package script would have made them.
    #[serde(default)]
    pub generate: Vec<Generate>,
    /// Files taken out of archives (jars) that are inputs of this layer.
    #[serde(default)]
    pub extract: Vec<Extract>,
    /// Files that ship with the definition. A layer that has them, launchers or the entrypoint depends on kimg itself
    /// and stands in no lock.
    #[serde(default)]
    pub files: Vec<ShippedFile>,
    /// The path of kimg's entrypoint program, where this layer holds it.
    #[serde(default)]
    pub entrypoint: Option<String>,
    /// Names that the entrypoint answers to.
    #[serde(default)]
    pub launchers: Option<Launchers>,
    /// Coordinates of Maven's files beside those of the release, which go into `into`: `GROUP:ARTIFACT:VERSION`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maven: Vec<String>,
    /// Of a user's definition ([`user`]) only, as the two below: archives that are unpacked into it.
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<user::Archive>,
    /// Files of the user's. A layer that has them or authorities stands in no lock.
    #[serde(skip)]
    pub local: Vec<user::LocalFile>,
    /// PEM files of authorities for the bundle and the truststore of the layers below.
    #[serde(skip)]
    pub authorities: Vec<String>,
}

impl Layer {
    /// Whether it is made of its locked inputs only, so that a lock records what must come out.
    pub fn is_locked(&self) -> bool {
        self.files.is_empty() && self.entrypoint.is_none() && self.launchers.is_none() && !self.is_local()
    }

    /// Whether it is made of files of the user's.
    pub fn is_local(&self) -> bool {
        !self.local.is_empty() || !self.authorities.is_empty()
    }

    /// Whether what it adds to its inputs differs between platforms.
    pub fn depends_on_platform(&self) -> bool {
        let links = self.links.iter().any(|(path, link)| {
            matches!(link, Link::On { .. }) || [path.as_str(), link.to()].iter().any(|text| text.contains(ARCH))
        });
        let extracts = self.extract.iter().flat_map(|extract| [&extract.from, &extract.to]);
        links || self.entrypoint.is_some() || extracts.into_iter().any(|text| text.contains(ARCH))
    }
}

/// What stands for the architecture in texts of definitions.
pub(crate) const ARCH: &str = "{arch}";

/// The target of a symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, expecting = "must be a link's target, or `{ to = …, platforms = […] }`")]
pub enum Link {
    /// On every platform.
    Everywhere(String),
    /// On some platforms only.
    On {
        /// The target.
        to: String,
        /// The platforms that have the link.
        platforms: Vec<String>,
    },
}

impl Link {
    /// The target.
    pub fn to(&self) -> &str {
        match self {
            Link::Everywhere(to) | Link::On { to, .. } => to,
        }
    }

    /// Whether `platform` has the link.
    pub fn is_for(&self, platform: &Platform) -> bool {
        match self {
            Link::Everywhere(_) => true,
            Link::On { platforms, .. } => platforms.contains(&platform.to_string()),
        }
    }
}

/// A folder of the layer's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Octal permissions, `1777`.
    pub mode: String,
    /// The owner's number.
    #[serde(default)]
    pub uid: u32,
    /// The group's number.
    #[serde(default)]
    pub gid: u32,
}

/// What a package script would have made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "rule", deny_unknown_fields)]
pub enum Generate {
    /// The sorted concatenation of the PEM certificates that match `from`.
    CaBundle {
        /// Pattern of the certificates' paths.
        from: String,
        /// The bundle's path.
        to: String,
    },
    /// A JKS truststore of the PEM certificates that match `from`, password `changeit`.
    JavaTruststore {
        /// Pattern of the certificates' paths.
        from: String,
        /// The truststore's path.
        to: String,
    },
    /// A file of accounts (`passwd`, `group`): the lines of a master file, then those of the image.
    Accounts {
        /// The master file's path in a package.
        from: String,
        /// The path of the result.
        to: String,
        /// Lines added at the end.
        add: Vec<String>,
    },
    /// A copy of a packaged file elsewhere.
    Copy {
        /// The path in a package.
        from: String,
        /// The path of the copy.
        to: String,
    },
    /// A text file.
    Text {
        /// Its path.
        to: String,
        /// Its contents.
        text: String,
    },
    /// `PACKAGE` (its control stanza) and `PACKAGE.md5sums` for each package, which scanners read.
    PackageStatus {
        /// The folder, `var/lib/dpkg/status.d`.
        to: String,
    },
}

/// A file taken out of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// The input's file name; `{version}` is replaced.
    pub from: String,
    /// The member.
    pub member: String,
    /// Its path in the image.
    pub to: String,
}

/// A file that ships with the definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippedFile {
    /// Its path in the definition's folder, or in one there that is named for a version ([`Family::file`]).
    pub from: String,
    /// Its path in the image.
    pub to: String,
    /// Octal permissions.
    #[serde(default = "default_mode")]
    pub mode: String,
    /// The versions that have it, by all or the first of their numbers: `4` is 4.3.0 too. All of them, where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

impl ShippedFile {
    /// Whether `version` has it.
    pub fn is_for(&self, version: &str) -> bool {
        self.versions.is_empty() || version::lines(version).any(|line| self.versions.iter().any(|own| own == line))
    }
}

fn default_platforms() -> Vec<String> {
    vec!["linux/amd64".to_owned()]
}

fn default_mode() -> String {
    "0644".to_owned()
}

/// The names under which the entrypoint program starts something, and what it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launchers {
    /// The folder of the names, which are links to the entrypoint.
    pub into: String,
    /// The file in the definition's folder, or in that of a version, that lists them; its format is the entrypoint's, except that the first
    /// word of each line that is neither empty nor begins with `#` is a launcher's name.
    pub table: String,
    /// Where the table lies in the image.
    pub to: String,
    /// Links without an ending of the names, in a folder of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<ShortNames>,
}

/// Launchers under shorter names, as some images have them: `usr/bin/kafka-topics` for `kafka-topics.sh`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortNames {
    /// What the names end with, and these do not.
    pub without: String,
    /// Their folder.
    pub into: String,
}

/// How the image runs: the execution parameters of image-spec 1.1, config.md.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// User and group, by number.
    pub user: Option<String>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Arguments that a user's replace.
    pub command: Vec<String>,
    /// Where it starts.
    pub folder: Option<String>,
    /// Folders of data.
    pub volumes: Vec<String>,
    /// `9092/tcp`.
    pub ports: Vec<String>,
    /// `SIGTERM`.
    pub stop_signal: Option<String>,
    /// How Docker asks whether it works.
    pub healthcheck: Option<Healthcheck>,
}

/// Docker's healthcheck; durations in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Healthcheck {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Between two checks, in seconds.
    pub interval: u32,
    /// How long one may take, in seconds.
    pub timeout: u32,
    /// How long failures do not count after the start, in seconds.
    pub start_period: u32,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
}
