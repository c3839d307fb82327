use std::fmt;
use std::path::PathBuf;

use super::{InvalidValue, tag};
use crate::definition::nearest;
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

const KINDS: [&str; 6] = ["docker", "oci", "oci-archive", "docker-archive", "docker-daemon", "store"];

/// The other location of kimg's, which it will write one day.
const NOT_YET: [&str; 1] = ["bundle"];

const FORMS: &str =
    "write docker://NAME:TAG, oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME:TAG or store:NAME";

/// Parses a location as skopeo writes it: the folder or file ends at the first `:`.
pub(in crate::cli) fn location(text: &str) -> Result<Location, InvalidValue> {
    let Some((kind, rest)) = text.split_once(':') else {
        let hint = match text {
            "" | "-" => FORMS.to_owned(),
            kind if KINDS.contains(&kind) => FORMS.to_owned(),
            text if text.ends_with(".tar") => format!("did you mean oci-archive:{text} or docker-archive:{text}?"),
            text => format!("did you mean oci:{text}?"),
        };
        return Err(InvalidValue::new("it does not say what to write", hint));
    };
    match kind {
        "oci" => {
            let (folder, name) = path_and_name(rest, "the folder is missing", "write oci:DIR")?;
            Ok(Location::Layout { folder: PathBuf::from(folder), name })
        }
        "oci-archive" => archive(ArchiveKind::Oci, rest),
        "docker-archive" => archive(ArchiveKind::Docker, rest),
        "docker-daemon" if rest.is_empty() => Err(InvalidValue::new(
            "the name is missing",
            "write docker-daemon:NAME:TAG, or --load for the image's own names",
        )),
        "docker-daemon" => Ok(Location::Daemon { name: Some(tag(rest)?) }),
        "docker" => registry(rest),
        "store" if rest.is_empty() => Err(InvalidValue::new("the name is missing", "`kimg store ls` lists names")),
        "store" => Ok(Location::Store { name: Some(tag(rest)?) }),
        kind if NOT_YET.contains(&kind) => {
            let why = format!("kimg cannot write {kind}: yet");
            Err(InvalidValue::new(why, "write oci:DIR, from which skopeo copies to anywhere"))
        }
        kind => {
            let near = nearest(kind, KINDS.into_iter().chain(NOT_YET));
            let hint = near.first().map_or_else(|| FORMS.to_owned(), |near| format!("did you mean {near}:?"));
            Err(InvalidValue::new("there is no such kind of location", hint))
        }
    }
}

/// A reference of a registry, without `docker://` before it; with it, it is the same.
pub(in crate::cli) fn reference(text: &str) -> Result<Location, InvalidValue> {
    registry(&format!("//{}", text.strip_prefix("docker://").unwrap_or(text)))
}

/// `//NAME[:TAG][@DIGEST]`; with both, the digest is what counts, and the tag is for people.
fn registry(rest: &str) -> Result<Location, InvalidValue> {
    let text = rest
        .strip_prefix("//")
        .ok_or_else(|| InvalidValue::new("a registry is written with two slashes", format!("write docker://{rest}")))?;
    let reference: Reference = text
        .parse()
        .map_err(|error: InvalidReference| InvalidValue::new(error.to_string(), "write docker://HOST/PATH:TAG"))?;
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

    proptest! {
        #[test]
        fn any_text_is_a_place_or_refused(kind in prop::sample::select(KINDS.to_vec()), rest in "[-a-z0-9/.:@_ A-Z]{0,20}") {
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
