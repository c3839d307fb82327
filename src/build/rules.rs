//! The rules of definitions that stand in for package scripts.

use std::collections::BTreeMap;

use super::BuildError;
use super::assemble::rule_name;
use super::generate;
use super::pattern;
use crate::definition::Generate;
use crate::layer::EntryPath;

/// What scanners are told of a package.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub name: String,
    pub stanza: String,
    /// Digest and path of each file that is in the image.
    pub md5sums: Vec<(String, Vec<u8>)>,
}

/// Contents of packaged files, by their path in the image.
pub(super) type Collected = BTreeMap<EntryPath, Vec<u8>>;

/// The files that a rule makes: path and contents.
pub(super) fn run(
    rule: &Generate,
    collected: &Collected,
    packages: &[Package],
    layer: &str,
) -> Result<Vec<(String, Vec<u8>)>, BuildError> {
    let found = matching(rule, collected);
    if let (true, Some(from)) = (found.is_empty(), rule.from()) {
        return Err(BuildError::NothingMatches {
            layer: layer.to_owned(),
            rule: rule_name(rule),
            pattern: from.to_owned(),
        });
    }
    match rule {
        Generate::PackageStatus { to } => Ok(packages.iter().flat_map(|package| status(to, package)).collect()),
        _ => run_on(rule, &found, layer),
    }
}

/// The files that a rule makes of these files, whose paths need not match it.
pub(super) fn run_on(
    rule: &Generate,
    found: &[(&EntryPath, &[u8])],
    layer: &str,
) -> Result<Vec<(String, Vec<u8>)>, BuildError> {
    let failed = |why: String| BuildError::Generate {
        layer: layer.to_owned(),
        rule: rule_name(rule),
        to: rule.to().to_owned(),
        why,
    };
    let to = rule.to().to_owned();
    Ok(match rule {
        Generate::CaBundle { .. } => {
            vec![(to, generate::ca_bundle(found).map_err(failed)?)]
        }
        Generate::JavaTruststore { .. } => {
            vec![(to, generate::java_truststore(found).map_err(failed)?)]
        }
        Generate::Accounts { add, .. } => {
            let master = found.first().map(|(_, bytes)| *bytes).unwrap_or_default();
            vec![(to, generate::accounts(master, add).map_err(failed)?)]
        }
        Generate::Copy { .. } => vec![(to, found.first().map(|(_, bytes)| bytes.to_vec()).unwrap_or_default())],
        Generate::Text { text, .. } => vec![(to, text.clone().into_bytes())],
        Generate::PackageStatus { .. } => Vec::new(),
    })
}

/// The collected files that a rule is made of, sorted by path.
fn matching<'a>(rule: &Generate, collected: &'a Collected) -> Vec<(&'a EntryPath, &'a [u8])> {
    let Some(from) = rule.from() else { return Vec::new() };
    let pairs = collected.iter().filter(|(path, _)| pattern::matches(from, path.as_bytes()));
    pairs.map(|(path, bytes)| (path, bytes.as_slice())).collect()
}

fn status(folder: &str, package: &Package) -> [(String, Vec<u8>); 2] {
    let md5sums = generate::md5sums(&package.md5sums);
    [
        (format!("{folder}/{}", package.name), generate::status(&package.stanza)),
        (format!("{folder}/{}.md5sums", package.name), md5sums),
    ]
}
