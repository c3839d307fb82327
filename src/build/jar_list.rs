//! Lists of jars by their coordinates, of which `kimg lock` makes a lock where the release archive cannot be had:
//! `NAME/VERSION.jars`.
//!
//! ```text
//! # a comment
//! archive sha512:229c… 42EFF58EC9BDFD20FA7DF8B16CCECEFAC04AC304   its digest, and who signs it
//! third-party org.example:example-core:1.2.3:linux-x86_64        layer and coordinates
//! third-party org.example:other:1.0 signed                       its signature must be good too
//! absent rocksdbjni-7.9.2.jar 58 MB of native code               what is left out, and why
//! ```

use super::BuildError;
use crate::digest::Digest;
use crate::lock::Absent;
use crate::upstream::maven::Coordinates;

/// A list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct JarList {
    /// Digest and signer of the release archive, where they are known.
    pub archive: Option<(Digest, Option<String>)>,
    pub jars: Vec<ListedJar>,
    pub absent: Vec<Absent>,
}

/// One jar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedJar {
    pub layer: String,
    pub coordinates: Coordinates,
    /// Whether it must be signed though its layer does not ask for that.
    pub signed: bool,
}

/// Reads a list; `file` names it in errors, `layers` are those that a jar may go into.
pub(super) fn parse(text: &str, file: &str, layers: &[&str]) -> Result<JarList, BuildError> {
    let mut list = JarList::default();
    for (index, line) in text.lines().enumerate() {
        let wrong = |why: String| BuildError::JarList { file: file.to_owned(), line: index + 1, why };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim_start();
        match first {
            "archive" if list.archive.is_none() => {
                let mut words = rest.split_whitespace();
                let digest = words.next().unwrap_or_default().parse();
                let digest = digest.map_err(|error: crate::digest::InvalidDigest| wrong(error.to_string()))?;
                list.archive = Some((digest, words.next().map(str::to_owned)));
            }
            "archive" => return Err(wrong("a release has one archive".to_owned())),
            "absent" => {
                let (name, why) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if why.trim().is_empty() {
                    return Err(wrong("say why it is left out: absent FILE-NAME WHY".to_owned()));
                }
                list.absent.push(Absent { name: name.to_owned(), why: why.trim().to_owned() });
            }
            layer if layers.contains(&layer) => {
                let (coordinates, signed) = match rest.split_once(char::is_whitespace) {
                    Some((coordinates, word)) if word.trim() == "signed" => (coordinates, true),
                    _ => (rest, false),
                };
                let coordinates: Coordinates = coordinates
                    .parse()
                    .map_err(|error: crate::upstream::maven::InvalidCoordinates| wrong(error.to_string()))?;
                let twice = list.jars.iter().any(|jar| jar.coordinates.file_name() == coordinates.file_name());
                if twice {
                    return Err(wrong(format!("{} stands there twice", coordinates.file_name())));
                }
                list.jars.push(ListedJar { layer: layer.to_owned(), coordinates, signed });
            }
            other => {
                let known = layers.join(", ");
                return Err(wrong(format!(
                    "`{}` is no layer of single files; write archive, absent or one of {known}",
                    other.escape_debug()
                )));
            }
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnose;
    use proptest::prelude::*;

    #[test]
    fn a_list() {
        let digest = format!("sha512:{}", "0a".repeat(64));
        let text = format!(
            "# all\n\narchive {digest} {0}\nthird a.b:c:1\n  product a.b:d:2:x  signed\nabsent e.jar  too large \n",
            "A".repeat(40)
        );
        let list = parse(&text, "1.jars", &["third", "product"]).unwrap();
        assert_eq!(list.archive, Some((digest.parse().unwrap(), Some("A".repeat(40)))));
        assert_eq!(list.jars[1].coordinates.to_string(), "a.b:d:2:x");
        assert_eq!(list.jars.iter().map(|jar| jar.signed).collect::<Vec<_>>(), [false, true]);
        assert_eq!(list.absent, [Absent { name: "e.jar".to_owned(), why: "too large".to_owned() }]);
        for (line, says) in [
            ("archive sha512:00", "1.jars:2: `sha512:00` is not a digest"),
            ("absent e.jar", "say why"),
            ("first a:b:c", "`first` is no layer of single files; write archive, absent or one of third"),
            ("third a:b", "are no Maven coordinates"),
            ("third a:b:1 singed", "are no Maven coordinates"),
            ("third a:b:1\nthird c:b:1", "1.jars:3: b-1.jar stands there twice"),
        ] {
            let error = parse(&format!("\n{line}\n"), "1.jars", &["third"]).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(error.category().exit_code(), 2);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "((third|absent|archive|#| |:|a|1|\n){0,9}|\\PC{0,60}\n){0,9}") {
            let _ = parse(&text, "1.jars", &["third"]);
        }
    }
}
