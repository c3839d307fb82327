use std::io;

use super::PlaceError;
use crate::definition::{DefinitionError, embedded, nearest};
use crate::error::{Category, Diagnose};
use crate::layer::LayerError;
use crate::lock::LockError;
use crate::net::NetError;
use crate::oci::Platform;
use crate::store::StoreError;
use crate::upstream::debian::DebianError;
use crate::upstream::openpgp::OpenPgpError;
use crate::upstream::release_archive::ReleaseArchiveError;

/// A failure to build.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No definition of that name.
    #[error("image `{}`: kimg has no definition of that name", name.escape_debug())]
    UnknownImage {
        /// What was asked for.
        name: String,
        /// Names that may be meant.
        near: Vec<String>,
    },
    /// No lock of that version.
    #[error("image `{name}:{}`: kimg has no lock of that version", version.escape_debug())]
    UnknownVersion {
        /// The family.
        name: String,
        /// What was asked for.
        version: String,
        /// Versions that may be meant.
        near: Vec<String>,
    },
    /// A version that is to be locked, and that its definition does not know.
    #[error("image `{name}:{}`: its definition has no such version", version.escape_debug())]
    UndefinedVersion {
        /// The family.
        name: String,
        /// What was asked for.
        version: String,
        /// The versions that it has.
        known: Vec<String>,
    },
    /// Definitions that are each other's base.
    #[error("image `{image}`: its bases never end")]
    BaseLoop {
        /// The image.
        image: String,
    },
    /// A definition cannot be read.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A lock cannot be read or does not fit.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A definition names a file that does not ship with it.
    #[error("{of}: the definition names `{file}`, which is not there")]
    MissingFile {
        /// What it is for: a layer, or the keys of a family.
        of: String,
        /// The file.
        file: String,
    },
    /// A rule of a definition found nothing to work on.
    #[error("layer `{layer}`: rule `{rule}` found nothing that matches `{pattern}`")]
    NothingMatches {
        /// The layer.
        layer: String,
        /// The rule.
        rule: &'static str,
        /// The pattern or name.
        pattern: String,
    },
    /// A generated file could not be made.
    #[error("layer `{layer}`: rule `{rule}` for `{to}`: {why}")]
    Generate {
        /// The layer.
        layer: String,
        /// The rule.
        rule: &'static str,
        /// The file that it makes.
        to: String,
        /// Why.
        why: String,
    },
    /// A layer cannot be written into the store.
    #[error("layer `{layer}`: cannot write: {source}")]
    Write {
        /// The layer.
        layer: String,
        /// Why not.
        source: io::Error,
    },
    /// A layer's inputs or writing failed.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A package cannot be read.
    #[error(transparent)]
    Debian(#[from] DebianError),
    /// A signature is not accepted.
    #[error(transparent)]
    OpenPgp(#[from] OpenPgpError),
    /// An input cannot be had.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The release archive cannot be used, and nothing else may serve.
    #[error(transparent)]
    ReleaseArchive(#[from] ReleaseArchiveError),
    /// Inputs that the release archive does not have as they are pinned, where nothing else may serve.
    #[error("{}: {}", names.join(", "), not_in_archive(archive.as_deref(), *differ))]
    NotInArchive {
        /// The inputs.
        names: Vec<String>,
        /// The archive, where the lock names one.
        archive: Option<String>,
        /// Whether it has them with other bytes.
        differ: bool,
    },
    /// Inputs that only the release archive has, where it may not be asked.
    #[error("{}: only the release archive has it, and --source maven does not allow to ask that", names.join(", "))]
    ArchiveOnly {
        /// The inputs.
        names: Vec<String>,
    },
    /// A list of jars that cannot be read.
    #[error("{file}:{line}: {why}")]
    JarList {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A release whose jars are not known: no archive could be asked, and no list of them is there.
    #[error("image {image}: its jars are not known: {}there is no {file}", archive_failure(archive.as_deref()))]
    NoRelease {
        /// The image.
        image: String,
        /// The list.
        file: String,
        /// Why the archive cannot be used, where it was asked.
        archive: Option<Box<BuildError>>,
    },
    /// A jar of a release archive that no rule of the definition assigns.
    #[error("{}: no rule of the definition's archive says what becomes of {member}", name.escape_debug())]
    NoRule {
        /// The jar.
        name: String,
        /// Its path in the archive.
        member: String,
    },
    /// A jar without a signature beside it, which its layer asks for.
    #[error("{}: upstream publishes no signature beside it, and it must have one", name.escape_debug())]
    NotSigned {
        /// The jar.
        name: String,
    },
    /// Inputs that are not here, where no host may be asked.
    #[error("image {image}: --offline, and neither the store nor --inputs has {}", names.join(", "))]
    Offline {
        /// The image.
        image: String,
        /// The same for `kimg fetch`: an image or `-f FILE`.
        what: String,
        /// The inputs and signatures.
        names: Vec<String>,
    },
    /// An archive of a user's definition cannot be had from its URL.
    #[error(transparent)]
    Url(NetError),
    /// A file of Maven's that is not what Maven's checksum says.
    #[error("{name}: its {algorithm} is {found}, and {name}.{algorithm} beside it says {expected}")]
    Checksum {
        /// The file.
        name: String,
        /// `sha256`.
        algorithm: &'static str,
        /// What the repository says.
        expected: String,
        /// What came.
        found: String,
    },
    /// A user's definition without a lock, where none may be made.
    #[error("{file}: {lock} is not there, and {flag} does not allow to make it")]
    NoUserLock {
        /// The definition.
        file: String,
        /// The lock.
        lock: String,
        /// `--locked`.
        flag: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A layer did not come out as its lock says.
    #[error("layer `{layer}` of {image}: not reproduced: {}", difference(first, expected, found))]
    NotReproduced {
        /// The image.
        image: String,
        /// The layer.
        layer: String,
        /// The first entries that differ.
        first: Vec<String>,
        /// What the lock says.
        expected: String,
        /// What came out.
        found: String,
    },
    /// A file of the user's cannot be read.
    #[error("{}: {source}", path.escape_debug())]
    UserFile {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file of the user's is not what it should be.
    #[error("{}: {why}", path.escape_debug())]
    BadUserFile {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// A platform that the image is not made for.
    #[error("image {image}: it is not made for {platform}")]
    Platform {
        /// The image.
        image: String,
        /// What was asked for.
        platform: String,
        /// What there is.
        known: Vec<String>,
    },
    /// No program inside images for a platform.
    #[error("{of}: this kimg has no entrypoint program for {platform}")]
    NoEntrypoint {
        /// The image or layer.
        of: String,
        /// The platform.
        platform: Platform,
    },
    /// A variant that the image does not have.
    #[error("image {image}: it has no variant `{}`", variant.escape_debug())]
    UnknownVariant {
        /// The image.
        image: String,
        /// What was asked for.
        variant: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A dialect that the image does not have.
    #[error("image {image}: it has no dialect `{}`", dialect.escape_debug())]
    UnknownDialect {
        /// The image.
        image: String,
        /// What was asked for.
        dialect: String,
        /// What there is.
        known: Vec<String>,
    },
    /// What lies at another place cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A thread of the build ended in a way that is kimg's own fault.
    #[error("a worker of the build stopped: {0}")]
    Worker(String),
}

fn archive_failure(error: Option<&BuildError>) -> String {
    error.map(|error| format!("the Apache archive cannot be used ({error}), and ")).unwrap_or_default()
}

fn not_in_archive(archive: Option<&str>, differ: bool) -> String {
    match (archive, differ) {
        (None, _) => "its lock names no release archive, and --source apache allows nothing else".to_owned(),
        (Some(archive), true) => format!("{archive} has other bytes than the lock pins"),
        (Some(archive), false) => format!("{archive} does not have it, and --source apache allows nothing else"),
    }
}

impl BuildError {
    /// No program for `platform`, which `of` needs.
    pub(super) fn no_entrypoint(of: &str, platform: &Platform) -> BuildError {
        BuildError::NoEntrypoint { of: of.to_owned(), platform: platform.clone() }
    }
}

/// Nobody but the host in the URL has the archive, so that mirrors are no way out.
fn url_hint(error: &NetError) -> String {
    match error {
        NetError::Wrong { .. } => {
            "the host serves another file than the definition's sha256 says: find out which of the two is right"
        }
        NetError::NotFound { .. } => "check the URL in the definition",
        _ => {
            "check the URL in the definition, the network and the proxy variables; a login is taken from netrc; what was \
             fetched is kept"
        }
    }
    .to_owned()
}

fn difference(first: &[String], expected: &str, found: &str) -> String {
    match first {
        [] => format!("its lock says {expected}, and {found} came out"),
        [file] => format!("{file} differs (the lock says {expected}, {found} came out)"),
        files => format!("{} differ (the lock says {expected}, {found} came out)", files.join(", ")),
    }
}

impl BuildError {
    /// The error of a layer's writing, with the layer's name.
    pub(super) fn of_layer(self, layer: &str) -> BuildError {
        match self {
            BuildError::Layer(LayerError::Output(source)) => BuildError::Write { layer: layer.to_owned(), source },
            error => error,
        }
    }
}

impl Diagnose for BuildError {
    fn category(&self) -> Category {
        match self {
            BuildError::UnknownImage { .. }
            | BuildError::UnknownVersion { .. }
            | BuildError::UnknownVariant { .. }
            | BuildError::UnknownDialect { .. }
            | BuildError::UndefinedVersion { .. }
            | BuildError::ArchiveOnly { .. }
            | BuildError::NoRelease { archive: None, .. }
            | BuildError::Offline { .. }
            | BuildError::NotInArchive { differ: false, .. } => Category::NotFound,
            BuildError::NoRelease { archive: Some(error), .. } => error.category(),
            BuildError::NotInArchive { differ: true, .. } | BuildError::NotSigned { .. } => Category::Verification,
            BuildError::ReleaseArchive(error) => error.category(),
            BuildError::BaseLoop { .. }
            | BuildError::MissingFile { .. }
            | BuildError::NothingMatches { .. }
            | BuildError::Platform { .. }
            | BuildError::JarList { .. }
            | BuildError::NoRule { .. }
            | BuildError::NoEntrypoint { .. }
            | BuildError::NoUserLock { .. }
            | BuildError::BadUserFile { .. } => Category::Usage,
            BuildError::Definition(error) => error.category(),
            BuildError::Lock(error) => error.category(),
            BuildError::Write { .. }
            | BuildError::Generate { .. }
            | BuildError::UserFile { .. }
            | BuildError::Worker(_) => Category::Failed,
            BuildError::Layer(error) => error.category(),
            BuildError::Debian(error) => error.category(),
            BuildError::OpenPgp(error) => error.category(),
            BuildError::Net(error) | BuildError::Url(error) => error.category(),
            BuildError::Checksum { .. } => Category::Verification,
            BuildError::Store(error) => error.category(),
            BuildError::Place(error) => error.category(),
            BuildError::NotReproduced { .. } => Category::Verification,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            BuildError::UnknownImage { near, .. } if near.is_empty() => None,
            BuildError::UnknownImage { near, .. } => {
                Some(format!("did you mean {}? `kimg images` lists all", near.join(" or ")))
            }
            BuildError::UnknownVersion { name, near, .. } => {
                let full: Vec<String> = near.iter().map(|version| format!("{name}:{version}")).collect();
                Some(format!("there is {}; `kimg images` lists all", full.join(", ")))
            }
            BuildError::UndefinedVersion { name, known, .. } => {
                Some(format!("it has {}; another is added in {name}/image.toml", known.join(", ")))
            }
            BuildError::Platform { known, .. } => Some(format!("it is made for {}", known.join(", "))),
            BuildError::NoEntrypoint { platform, .. } if platform.architecture == "arm64" => Some(
                "run scripts/entrypoint-arm64 and compile kimg again, or take the kimg of a release, which has it"
                    .to_owned(),
            ),
            BuildError::NoEntrypoint { .. } => {
                let known: Vec<&str> = embedded::ENTRYPOINTS.iter().map(|known| known.architecture).collect();
                Some(format!("it has one for {}", known.join(" and ")))
            }
            BuildError::UnknownVariant { known, .. } if known.is_empty() => Some("it has no variants".to_owned()),
            BuildError::UnknownDialect { known, .. } if known.is_empty() => Some("it has no dialects".to_owned()),
            BuildError::UnknownVariant { variant: name, known, .. }
            | BuildError::UnknownDialect { dialect: name, known, .. } => {
                let near = nearest(name, known.iter().map(String::as_str));
                let meant = near.first().map(|near| format!("did you mean {near}? ")).unwrap_or_default();
                Some(format!("{meant}it has {}", known.join(" and ")))
            }
            BuildError::NotReproduced { .. } => Some(
                "the inputs fit their pins, so this kimg makes other bytes of them: report it with the output of `kimg --version`"
                    .to_owned(),
            ),
            BuildError::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => Some(
                "free space where the store is, run `kimg store prune`, or set KIMG_HOME to another place".to_owned(),
            ),
            BuildError::NotInArchive { .. } => {
                Some("leave out --source apache: Maven serves what the archive lacks, and the digest is the same".to_owned())
            }
            BuildError::NoRelease { file, .. } => Some(format!(
                "name a mirror with --mirror apache=URL, or write {file}: a line LAYER GROUP:ARTIFACT:VERSION for each jar"
            )),
            BuildError::NoRule { .. } => {
                Some("add `[[archive.rule]]` with its `name` and a `layer`, or why it is `absent`, to image.toml".to_owned())
            }
            BuildError::NotSigned { .. } => {
                Some("lock the version from its release archive, or say in image.toml that it is `unsigned`".to_owned())
            }
            BuildError::ArchiveOnly { .. } => Some("leave out --source maven".to_owned()),
            BuildError::Offline { what, .. } => {
                let fetch = format!("`kimg fetch {what} -o DIR` where there is a network");
                Some(format!("{fetch}, then build with --inputs DIR"))
            }
            BuildError::ReleaseArchive(ReleaseArchiveError::Net(error)) if error.category() == Category::Refused => {
                let other = "leave out --source apache, and Maven serves the same files";
                Some(format!("{other}, or name a mirror that can be reached with --mirror apache=URL"))
            }
            BuildError::ReleaseArchive(error) => error.hint(),
            BuildError::Definition(error) => error.hint(),
            BuildError::Lock(error) => error.hint(),
            BuildError::Layer(error) => error.hint(),
            BuildError::Debian(error) => error.hint(),
            BuildError::OpenPgp(error) => error.hint(),
            BuildError::Net(error) => error.hint(),
            BuildError::Url(error) => Some(url_hint(error)),
            BuildError::Checksum { .. } => {
                Some("ask another host with --mirror maven=URL: this one serves a file that was changed or cut".to_owned())
            }
            BuildError::NoUserLock { file, .. } => {
                Some(format!("make it with `kimg lock -f {file}`, look at it, and keep it beside the definition"))
            }
            BuildError::Store(error) => error.hint(),
            BuildError::Place(error) => error.hint(),
            _ => None,
        }
    }
}
