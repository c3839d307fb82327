use std::fmt;
use std::path::PathBuf;

use super::{InvalidValue, misplaced, tag};
use crate::digest::Digest;
use crate::oci::{InvalidReference, Reference};
use crate::transport::registry::Repository;

/// A place that images come from or go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Location {
    /// `oci:DIR[:REF]`: an OCI layout, and the image's name there where it is not to be its own names.
    Layout {
        /// The folder, which may be a layout already.
        folder: PathBuf,
        /// The name.
        name: Option<String>,
    },
    /// `oci-archive:FILE[:REF]` and `docker-archive:FILE[:REF]`: the same as a tar.
    Archive {
        /// Of which kind.
        kind: ArchiveKind,
        /// The file.
        file: ArchiveFile,
        /// The name.
        name: Option<String>,
    },
    /// `docker-daemon:REF`, and `--load`, which has no name of its own.
    Daemon {
        /// The name.
        name: Option<String>,
    },
    /// `docker://REF`: a repository of a registry.
    Registry {
        /// Repository, and tag or digest.
        reference: Reference,
        /// The tag or digest.
        name: Option<String>,
    },
    /// `store:REF`: kimg's own store.
    Store {
        /// The name.
        name: Option<String>,
    },
}

/// The formats of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum ArchiveKind {
    /// An OCI layout.
    Oci,
    /// What `docker save` writes.
    Docker,
}

/// Where an archive is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum ArchiveFile {
    /// A file.
    Path(PathBuf),
    /// `-`, and the names that the system has for it.
    Stdout,
}

impl Location {
    /// The name that an image gets there, where it is given.
    pub(in crate::cli) fn name(&self) -> Option<&String> {
        match self {
            Location::Layout { name, .. }
            | Location::Archive { name, .. }
            | Location::Daemon { name }
            | Location::Registry { name, .. }
            | Location::Store { name } => name.as_ref(),
        }
    }

    /// Whether it is standard output.
    pub(in crate::cli) fn is_stdout(&self) -> bool {
        matches!(self, Location::Archive { file: ArchiveFile::Stdout, .. })
    }

    /// The registry that it is in, as people write it.
    pub(in crate::cli) fn registry(&self) -> Option<String> {
        match self {
            Location::Registry { reference, .. } => Some(Repository::of(reference).registry),
            _ => None,
        }
    }

    /// Whether it is a Docker daemon.
    pub(in crate::cli) fn is_daemon(&self) -> bool {
        matches!(self, Location::Daemon { .. })
    }

    /// Whether it knows no images of several platforms.
    pub(in crate::cli) fn holds_one_platform(&self) -> bool {
        self.is_daemon() || matches!(self, Location::Archive { kind: ArchiveKind::Docker, .. })
    }

    /// What messages call it: without a name, for one image or several.
    pub(in crate::cli) fn place(&self) -> String {
        match self {
            Location::Layout { folder, .. } => format!("oci:{}", folder.display()),
            Location::Archive { kind, file, .. } => format!("{kind}:{file}"),
            Location::Daemon { .. } => "docker-daemon".to_owned(),
            Location::Registry { reference, .. } => format!("docker://{}", reference.repository),
            Location::Store { .. } => "store".to_owned(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Registry { reference, .. } => write!(f, "docker://{reference}"),
            other => {
                f.write_str(&other.place())?;
                other.name().iter().try_for_each(|name| match name.parse::<Digest>() {
                    Ok(digest) => write!(f, "{}@{digest}", if other.place() == "store" { ":" } else { "" }),
                    Err(_) => write!(f, ":{name}"),
                })
            }
        }
    }
}

impl fmt::Display for ArchiveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArchiveKind::Oci => "oci-archive",
            ArchiveKind::Docker => "docker-archive",
        })
    }
}

impl fmt::Display for ArchiveFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchiveFile::Path(path) => write!(f, "{}", path.display()),
            ArchiveFile::Stdout => f.write_str("-"),
        }
    }
}

/// Parses a location as skopeo writes it: the folder or file ends at the first `:`.
pub(in crate::cli) fn location(text: &str) -> Result<Location, InvalidValue> {
    let Some((kind, rest)) = text.split_once(':') else { return Err(misplaced::without_transport(text)) };
    match kind {
        "oci" => {
            let (folder, name) = path_and_name(rest, "the folder is missing", "write oci:DIR")?;
            Ok(Location::Layout { folder: PathBuf::from(folder), name })
        }
        "oci-archive" => archive(ArchiveKind::Oci, rest),
        "docker-archive" => archive(ArchiveKind::Docker, rest),
        "docker-daemon" if rest.is_empty() => {
            Err(InvalidValue::new("the name is missing", "write docker-daemon:NAME:TAG"))
        }
        "docker-daemon" => Ok(Location::Daemon { name: Some(tag(rest)?) }),
        "docker" => registry(rest),
        "store" if rest.is_empty() => Err(InvalidValue::new("the name is missing", "`kimg store ls` lists names")),
        "store" => Ok(Location::Store { name: Some(tag(rest)?) }),
        _ => Err(misplaced::unknown_transport(kind, text)),
    }
}

/// A place that lists images, without the name of one: a repository with or without `docker://`, or another location.
pub(in crate::cli) fn list(text: &str) -> Result<Location, InvalidValue> {
    let transport = text.split_once(':').map(|(transport, _)| transport).unwrap_or_default();
    let found = match transport {
        _ if matches!(text, "store" | "store:") => Location::Store { name: None },
        "oci" | "oci-archive" | "docker-archive" | "docker-daemon" | "store" => location(text)?,
        _ => reference(text)?,
    };
    match found.name() {
        Some(name) => {
            let why = format!("all names of a place are listed, and one is given: `{name}`");
            Err(InvalidValue::new(why, format!("leave it out: {}", found.place())))
        }
        None => Ok(found),
    }
}

/// The name of an image of the store, with or without `store:` before it.
pub(in crate::cli) fn stored(text: &str) -> Result<Location, InvalidValue> {
    match text.starts_with("store:") {
        true => source(text),
        false => source(&format!("store:{text}")),
    }
}

/// Parses a location that is read. Layouts and archives have more than names there: `oci:DIR@DIGEST`, and `oci:DIR:@0` for
/// the first image that is listed, as skopeo writes both.
pub(in crate::cli) fn source(text: &str) -> Result<Location, InvalidValue> {
    let kinds = ["oci", "oci-archive", "docker-archive", "store"];
    let of_files = text.split_once(':').filter(|(kind, _)| kinds.contains(kind));
    let Some((place, selector)) = of_files.and_then(|_| text.rsplit_once('@')) else { return location(text) };
    let is_position = !selector.is_empty() && selector.len() < 6 && selector.bytes().all(|byte| byte.is_ascii_digit());
    let (place, selector) = match selector.parse::<Digest>() {
        Ok(digest) => (place.strip_suffix(':').unwrap_or(place), digest.to_string()),
        Err(_) if is_position && place.ends_with(':') => (place.trim_end_matches(':'), format!("@{selector}")),
        Err(error) if selector.starts_with("sha") => {
            return Err(InvalidValue::new(error.to_string(), "write oci:DIR@DIGEST or oci:DIR:NAME"));
        }
        Err(_) => return location(text),
    };
    if matches!(place, "store" | "store:") {
        return Ok(Location::Store { name: Some(selector) });
    }
    let mut location = location(place)?;
    if let Location::Layout { name, .. } | Location::Archive { name, .. } | Location::Store { name } = &mut location {
        *name = Some(selector);
    }
    Ok(location)
}

/// A reference of a registry, without `docker://` before it; with it, it is the same.
pub(in crate::cli) fn reference(text: &str) -> Result<Location, InvalidValue> {
    match misplaced::location_for_reference(text) {
        Some(wrong) => Err(wrong),
        None => registry(&format!("//{}", text.strip_prefix("docker://").unwrap_or(text))),
    }
}

/// `//NAME[:TAG][@DIGEST]`; with both, the digest is what counts, and the tag is for people.
fn registry(rest: &str) -> Result<Location, InvalidValue> {
    let text = rest.strip_prefix("//").ok_or_else(|| {
        let hint = match rest.trim_start_matches('/') {
            "" => "write docker://NAME:TAG".to_owned(),
            rest => format!("write docker://{rest}"),
        };
        InvalidValue::new("a registry is written with two slashes", hint)
    })?;
    if text.is_empty() {
        return Err(InvalidValue::new("the name is missing", "write docker://NAME:TAG"));
    }
    let reference: Reference =
        text.parse().map_err(|error: InvalidReference| misplaced::invalid_reference(text, &error))?;
    let name = reference.digest.map(|digest| digest.to_string()).or_else(|| reference.tag.clone());
    Ok(Location::Registry { reference, name })
}

fn archive(kind: ArchiveKind, rest: &str) -> Result<Location, InvalidValue> {
    let (file, name) = path_and_name(rest, "the file is missing", &format!("write {kind}:FILE"))?;
    let file = match file {
        // These would be opened beside the program's own standard output, which holds the answer.
        "-" | "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => ArchiveFile::Stdout,
        file => ArchiveFile::Path(PathBuf::from(file)),
    };
    Ok(Location::Archive { kind, file, name })
}

fn path_and_name<'a>(rest: &'a str, why: &str, hint: &str) -> Result<(&'a str, Option<String>), InvalidValue> {
    let (path, name) = match rest.split_once(':') {
        Some((path, "")) if !path.is_empty() => {
            return Err(InvalidValue::new("the name after the `:` is missing", "leave out the `:`, or write a name"));
        }
        Some((path, name)) => (path, Some(tag(name)?)),
        None => (rest, None),
    };
    match path {
        "" => Err(InvalidValue::new(why, hint)),
        path => Ok((path, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_layout_with_and_without_name() {
        let layout = |name: Option<&str>| Location::Layout { folder: "a/b".into(), name: name.map(str::to_owned) };
        assert_eq!(location("oci:a/b"), Ok(layout(None)));
        assert_eq!(location("oci:a/b:kafka:3.5.2"), Ok(layout(Some("kafka:3.5.2"))));
        for wrong in [
            "",
            "out",
            "oci:",
            "oci::x",
            "oci:a:",
            "docker:registry.example/a",
            "docker://",
            "docker://a:b:c",
            "store:",
            "oic:a",
        ] {
            assert!(location(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn digests_and_positions_are_read() {
        let digest = Digest::of(b"x").to_string();
        let name = |text: &str| source(text).unwrap().name().cloned().unwrap_or_default();
        assert_eq!(name(&format!("oci:a@{digest}")), digest);
        assert_eq!(name(&format!("oci:a:@{digest}")), digest);
        assert_eq!(name(&format!("oci-archive:a.tar:x:1@{digest}")), digest);
        assert_eq!(source(&format!("oci:a@b@{digest}")).unwrap().place(), "oci:a@b");
        assert_eq!(name(&format!("store:@{digest}")), digest);
        assert_eq!(name(&format!("store:x:1@{digest}")), digest);
        for text in [format!("store:@{digest}"), format!("oci:a@{digest}"), "oci:a:x:1".to_owned()] {
            assert_eq!(source(&text).unwrap().to_string(), text);
        }
        assert_eq!(name("docker-archive:a.tar:@12"), "@12");
        assert_eq!(source("oci:a@12").unwrap().place(), "oci:a@12");
        for wrong in ["oci:a@sha256:12", "oci:a:@x", "oci::@0", "oci:@0"] {
            let is_folder = source(wrong).is_ok_and(|location| location.name().is_none());
            assert!(source(wrong).is_err() || is_folder, "{wrong}");
        }
        assert!(location(&format!("oci:a:x@{digest}")).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_place_or_refused(kind in prop::sample::select(misplaced::TRANSPORTS.to_vec()), rest in "[-a-z0-9/.:@_ A-Z]{0,20}") {
            if let Ok(location) = location(&format!("{kind}:{rest}")) {
                prop_assert!(location.place().starts_with(kind));
                let name = location.name().cloned().unwrap_or_default();
                prop_assert!(rest.ends_with(&name));
                let is_tag = matches!(location, Location::Registry { .. }) || tag(&name).is_ok();
                prop_assert!(is_tag || location.name().is_none());
            }
        }
    }

    #[test]
    fn archives_and_daemons() {
        let archive = |kind, file, name: Option<&str>| Location::Archive { kind, file, name: name.map(str::to_owned) };
        let path = || ArchiveFile::Path("a/b.tar".into());
        assert_eq!(location("oci-archive:a/b.tar"), Ok(archive(ArchiveKind::Oci, path(), None)));
        let named = location("docker-archive:a/b.tar:localhost:5000/x:1");
        assert_eq!(named, Ok(archive(ArchiveKind::Docker, path(), Some("localhost:5000/x:1"))));
        assert_eq!(location("oci-archive:/dev/stdout"), Ok(archive(ArchiveKind::Oci, ArchiveFile::Stdout, None)));
        assert_eq!(location("docker-daemon:a/x:1").unwrap(), Location::Daemon { name: Some("a/x:1".to_owned()) });
        assert_eq!(location("oci-archive:-:x").unwrap().place(), "oci-archive:-");
        for wrong in ["oci-archive:", "docker-archive::x", "oci-archive:a:X", "docker-daemon:", "docker-daemon:Kafka"] {
            assert!(location(wrong).is_err(), "{wrong}");
        }
    }
}
