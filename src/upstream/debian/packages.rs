use super::{DebianError, stanza};
use crate::lock::{Sha256, is_upstream_path};

/// A package of a Packages file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `amd64`, `all`.
    pub architecture: String,
    /// Its path below the archive's root.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// `Pre-Depends` and `Depends`.
    pub depends: String,
    /// `Provides`.
    pub provides: String,
}

/// Reads the stanzas of the packages that `wanted` names; `file` names the document in errors.
pub fn parse_packages(text: &str, file: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Package>, DebianError> {
    let mut found = Vec::new();
    for text in stanza::split(text) {
        let name = text.lines().find_map(|line| line.strip_prefix("Package:")).unwrap_or_default().trim();
        if wanted(name) {
            let why = || format!("the stanza of package `{}` lacks a field or has a wrong one", name.escape_debug());
            let package =
                parse(text, name).ok_or_else(|| DebianError::Malformed { file: file.to_owned(), why: why() })?;
            found.push(package);
        }
    }
    Ok(found)
}

fn parse(text: &str, name: &str) -> Option<Package> {
    let fields = stanza::fields(text);
    let field = |name: &str| stanza::get(&fields, name);
    let path = field("Filename")?;
    let digest = format!("sha256:{}", field("SHA256")?).parse().ok()?;
    let crate::digest::Digest::Sha256(sha256) = digest else { return None };
    is_upstream_path(path).then_some(Package {
        name: name.to_owned(),
        version: field("Version")?.to_owned(),
        architecture: field("Architecture")?.to_owned(),
        path: path.to_owned(),
        size: field("Size")?.parse().ok()?,
        sha256: Sha256(sha256),
        depends: [field("Pre-Depends"), field("Depends")].into_iter().flatten().collect::<Vec<_>>().join(", "),
        provides: field("Provides").unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "Package: bash\nVersion: 5.2.15-2+b8\nArchitecture: amd64\nDescription: a shell\n with a line more\n\
        Filename: pool/main/b/bash/bash_5.2.15-2+b8_amd64.deb\nSize: 1491\n\
        SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\nPackage: other\n\n";

    #[test]
    fn only_the_wanted_are_read() {
        let found = parse_packages(TEXT, "Packages", |name| name == "bash").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].version.as_str(), found[0].size), ("5.2.15-2+b8", 1491));
    }

    #[test]
    fn a_path_that_climbs_is_refused() {
        let text = TEXT.replace("pool/main", "pool/../..");
        assert!(parse_packages(&text, "Packages", |name| name == "bash").is_err());
        assert!(parse_packages(TEXT, "Packages", |name| name == "other").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), at in 0..TEXT.len()) {
            let _ = parse_packages(&text, "Packages", |_| true);
            if let Ok(found) = parse_packages(&format!("{}{text}{}", &TEXT[..at], &TEXT[at..]), "Packages", |_| true) {
                prop_assert!(found.iter().all(|package| is_upstream_path(&package.path)));
            }
        }
    }
}
