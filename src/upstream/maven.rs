//! Maven repositories: coordinates and paths.

use std::fmt;
use std::str::FromStr;

/// `GROUP:ARTIFACT:VERSION[:CLASSIFIER]` of a jar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coordinates {
    /// `org.example`.
    pub group: String,
    /// `example-core`.
    pub artifact: String,
    /// `1.2.3`.
    pub version: String,
    /// `linux-x86_64`.
    pub classifier: Option<String>,
}

impl Coordinates {
    /// The jar's path below a repository's root (maven.apache.org/repository/layout.html).
    pub fn path(&self) -> String {
        let Coordinates { group, artifact, version, .. } = self;
        format!("{}/{artifact}/{version}/{}", group.replace('.', "/"), self.file_name())
    }

    /// The jar's name there.
    pub fn file_name(&self) -> String {
        let Coordinates { artifact, version, classifier, .. } = self;
        let classifier = classifier.as_ref().map(|classifier| format!("-{classifier}")).unwrap_or_default();
        format!("{artifact}-{version}{classifier}.jar")
    }

    /// The coordinates of `ARTIFACT-VERSION.jar`, whose version begins with the first digit after a `-`.
    pub fn of_file(group: &str, name: &str) -> Option<Coordinates> {
        let stem = name.strip_suffix(".jar")?;
        let digit = |at: &usize| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        let at = stem.match_indices('-').map(|(at, _)| at).find(digit)?;
        format!("{group}:{}:{}", &stem[..at], &stem[at + 1..]).parse().ok()
    }

    /// The coordinates that a jar of that name has by its `pom.properties`; `None` where the two do not agree.
    pub fn of_properties(text: &str, name: &str) -> Option<Coordinates> {
        let value = |key: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.map(|(own, value)| (own.trim(), value.trim())).find(|(own, _)| *own == key).map(|(_, value)| value)
        };
        let (group, artifact, version) = (value("groupId")?, value("artifactId")?, value("version")?);
        let rest = name.strip_prefix(&format!("{artifact}-{version}"))?.strip_suffix(".jar")?;
        let text = match rest.strip_prefix('-') {
            Some(classifier) => format!("{group}:{artifact}:{version}:{classifier}"),
            None if rest.is_empty() => format!("{group}:{artifact}:{version}"),
            None => return None,
        };
        text.parse().ok()
    }
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.group, self.artifact, self.version)?;
        self.classifier.iter().try_for_each(|classifier| write!(f, ":{classifier}"))
    }
}

/// Text that is no coordinates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` are no Maven coordinates, which are written GROUP:ARTIFACT:VERSION[:CLASSIFIER]")]
pub struct InvalidCoordinates(pub String);

impl FromStr for Coordinates {
    type Err = InvalidCoordinates;

    fn from_str(text: &str) -> Result<Coordinates, InvalidCoordinates> {
        let parts: Vec<&str> = text.split(':').collect();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let clean = |part: &&str| part.bytes().all(word) && !part.split('.').any(str::is_empty);
        match parts.as_slice() {
            [group, artifact, version, classifier @ ..] if classifier.len() <= 1 && parts.iter().all(clean) => {
                Ok(Coordinates {
                    group: (*group).to_owned(),
                    artifact: (*artifact).to_owned(),
                    version: (*version).to_owned(),
                    classifier: classifier.first().map(|classifier| (*classifier).to_owned()),
                })
            }
            _ => Err(InvalidCoordinates(text.escape_debug().to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_of_a_file() {
        let of = |name: &str| Coordinates::of_file("a.b", name).map(|found| found.to_string());
        assert_eq!(of("core_2.13-3.5.2.jar").as_deref(), Some("a.b:core_2.13:3.5.2"));
        assert_eq!(of("zstd-jni-1.5.5-1.jar").as_deref(), Some("a.b:zstd-jni:1.5.5-1"));
        for other in ["core.jar", "core-x.jar", "core-1.zip", "-1.jar", "core-1/2.jar", "ä-1.jar"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn coordinates_of_properties() {
        let text = "#Generated\nversion=4.1.94\n groupId = io.example\nartifactId=native\n";
        let of = |name: &str| Coordinates::of_properties(text, name).map(|found| found.to_string());
        assert_eq!(of("native-4.1.94.jar").as_deref(), Some("io.example:native:4.1.94"));
        assert_eq!(of("native-4.1.94-linux-x86_64.jar").as_deref(), Some("io.example:native:4.1.94:linux-x86_64"));
        for other in ["native-4.1.9.jar", "native-4.1.945.jar", "native.jar", "other-4.1.94.jar"] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(Coordinates::of_properties("groupId=a", "a-1.jar"), None);
    }

    #[test]
    fn coordinates_and_paths() {
        let coordinates: Coordinates = "org.example:core_2.13:3.5.2:linux-x86_64".parse().unwrap();
        assert_eq!(coordinates.path(), "org/example/core_2.13/3.5.2/core_2.13-3.5.2-linux-x86_64.jar");
        assert_eq!(coordinates.to_string(), "org.example:core_2.13:3.5.2:linux-x86_64");
        for wrong in ["", "a:b", "a:b:..", "a/b:c:1", "a::1", "a:b:c:d:e"] {
            assert!(wrong.parse::<Coordinates>().is_err(), "{wrong}");
        }
    }
}
