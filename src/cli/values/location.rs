use std::fmt;
use std::path::PathBuf;

use super::{InvalidValue, tag};
use crate::definition::nearest;

/// Where a built image goes besides the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Location {
    /// `oci:DIR[:REF]`: an OCI layout, and the image's name there where it is not to be its own names.
    Layout {
        /// The folder, which may be a layout already.
        folder: PathBuf,
        /// The name.
        name: Option<String>,
    },
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location::Layout { folder, name } = self;
        write!(f, "oci:{}", folder.display())?;
        name.iter().try_for_each(|name| write!(f, ":{name}"))
    }
}

/// The other locations of skopeo's kind, which kimg will write one day.
const NOT_YET: [&str; 6] = ["docker", "docker-archive", "docker-daemon", "oci-archive", "store", "bundle"];

/// Parses a location as skopeo writes it: the folder ends at the first `:`.
pub(in crate::cli) fn location(text: &str) -> Result<Location, InvalidValue> {
    let Some((kind, rest)) = text.split_once(':') else {
        let hint = if text.is_empty() { "write oci:DIR".to_owned() } else { format!("did you mean oci:{text}?") };
        return Err(InvalidValue::new("it does not say what to write", hint));
    };
    if NOT_YET.contains(&kind) {
        return Err(InvalidValue::new(
            format!("kimg cannot write {kind}: yet"),
            "write oci:DIR, from which skopeo copies to anywhere",
        ));
    }
    if kind != "oci" {
        let near = nearest(kind, NOT_YET.into_iter().chain(["oci"]));
        let hint = near.first().map_or_else(|| "write oci:DIR".to_owned(), |near| format!("did you mean {near}:?"));
        return Err(InvalidValue::new("there is no such kind of location", hint));
    }
    let (folder, name) = match rest.split_once(':') {
        Some((folder, name)) => (folder, Some(tag(name)?)),
        None => (rest, None),
    };
    if folder.is_empty() {
        return Err(InvalidValue::new("the folder is missing", "write oci:DIR"));
    }
    Ok(Location::Layout { folder: PathBuf::from(folder), name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_with_and_without_name() {
        let layout = |name: Option<&str>| Location::Layout { folder: "a/b".into(), name: name.map(str::to_owned) };
        assert_eq!(location("oci:a/b"), Ok(layout(None)));
        assert_eq!(location("oci:a/b:kafka:3.5.2"), Ok(layout(Some("kafka:3.5.2"))));
        assert_eq!(location("oci:a/b:kafka").unwrap().to_string(), "oci:a/b:kafka");
        for wrong in ["", "out", "oci:", "oci::x", "oci:a:", "docker://registry.example/a", "oic:a"] {
            assert!(location(wrong).is_err(), "{wrong}");
        }
    }
}
