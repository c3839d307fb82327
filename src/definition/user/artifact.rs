use std::fmt;
use std::str::FromStr;

/// A file of a Maven repository, `GROUP:ARTIFACT[:EXTENSION[:CLASSIFIER]]:VERSION` as Maven's own tools write it; the
/// extension is `jar`, where it is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Artifact {
    group: String,
    artifact: String,
    extension: String,
    classifier: Option<String>,
    version: String,
}

impl Artifact {
    /// Its path below a repository's root (maven.apache.org/repository/layout.html).
    pub fn path(&self) -> String {
        let Artifact { group, artifact, version, .. } = self;
        format!("{}/{artifact}/{version}/{}", group.replace('.', "/"), self.file_name())
    }

    /// Its name there.
    pub fn file_name(&self) -> String {
        let Artifact { artifact, version, extension, .. } = self;
        let classifier = self.classifier.as_ref().map(|classifier| format!("-{classifier}")).unwrap_or_default();
        format!("{artifact}-{version}{classifier}.{extension}")
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.group, self.artifact)?;
        match &self.classifier {
            Some(classifier) => write!(f, ":{}:{classifier}", self.extension)?,
            None if self.extension != "jar" => write!(f, ":{}", self.extension)?,
            None => {}
        }
        write!(f, ":{}", self.version)
    }
}

/// Text that is no coordinates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` are no Maven coordinates of one version, which are written GROUP:ARTIFACT[:EXTENSION[:CLASSIFIER]]:VERSION"
)]
pub struct InvalidArtifact(pub String);

impl FromStr for Artifact {
    type Err = InvalidArtifact;

    fn from_str(text: &str) -> Result<Artifact, InvalidArtifact> {
        let invalid = || InvalidArtifact(text.escape_debug().to_string());
        let parts: Vec<&str> = text.split(':').collect();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
        let clean = |part: &&str| part.bytes().all(word) && !part.split('.').any(str::is_empty);
        let [group, artifact, middle @ .., version] = parts.as_slice() else { return Err(invalid()) };
        // What Maven resolves anew each time can be pinned to nothing that people would recognise.
        let moves = version.ends_with("-SNAPSHOT") || matches!(*version, "LATEST" | "RELEASE");
        if middle.len() > 2 || moves || !parts.iter().all(clean) {
            return Err(invalid());
        }
        Ok(Artifact {
            group: (*group).to_owned(),
            artifact: (*artifact).to_owned(),
            extension: middle.first().copied().unwrap_or("jar").to_owned(),
            classifier: middle.get(1).map(|classifier| (*classifier).to_owned()),
            version: (*version).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn coordinates_and_paths() {
        for (text, path) in [
            ("a.b:core_2.13:1.2", "a/b/core_2.13/1.2/core_2.13-1.2.jar"),
            ("a.b:core:zip:1.2", "a/b/core/1.2/core-1.2.zip"),
            ("a.b:core:jar:linux-x86_64:1.2", "a/b/core/1.2/core-1.2-linux-x86_64.jar"),
        ] {
            let artifact: Artifact = text.parse().unwrap();
            assert_eq!((artifact.path().as_str(), artifact.to_string().as_str()), (path, text));
        }
        for wrong in
            ["", "a:b", "a:b:..", "a/b:c:1", "a::1", "a:b:c:d:e:f", "a:b:1-SNAPSHOT", "a:b:LATEST", "a:b:[1,2)"]
        {
            assert!(wrong.parse::<Artifact>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_as_it_was(text in "[a-c.]{1,4}(:[a-z0-9.-]{1,4}){0,5}") {
            if let Ok(artifact) = text.parse::<Artifact>() {
                prop_assert_eq!(artifact.to_string().parse::<Artifact>().unwrap(), artifact.clone());
                prop_assert!(crate::lock::is_upstream_path(&artifact.path()), "{}", artifact.path());
            }
        }
    }
}
