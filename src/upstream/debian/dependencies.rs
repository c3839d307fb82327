//! What packages depend on, as far as an image lacks it. Only `Depends` and `Pre-Depends` count (Debian Policy 7.2): what is
//! recommended is not installed, and conflicts are not looked at, for nothing here is configured.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{DebianError, Package, compare};

/// A package that an image has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Its name.
    pub name: String,
    /// Its version, which may lack its epoch.
    pub version: String,
    /// The platform that has it; all, where absent.
    pub platform: Option<String>,
}

/// One of the packages that a dependency allows: `libc6 (>= 2.36)`.
#[derive(Debug, PartialEq, Eq)]
struct Alternative<'a> {
    name: &'a str,
    /// `>=` and the version.
    version: Option<(&'a str, &'a str)>,
}

impl<'a> Alternative<'a> {
    fn parse(text: &'a str) -> Option<Alternative<'a>> {
        let text = text.trim();
        let end = text.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(text.len());
        // `python3:any` is python3 of any architecture.
        let name = text[..end].split(':').next().filter(|name| !name.is_empty())?;
        let rest = text[end..].trim();
        let version = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((inside, _)) => {
                let at = inside.trim().find(|c: char| !matches!(c, '<' | '=' | '>'))?;
                let (relation, version) = inside.trim().split_at(at);
                Some((relation, version.trim()))
            }
            None => None,
        };
        Some(Alternative { name, version })
    }

    /// Whether a version will do.
    fn allows(&self, version: &str) -> bool {
        let Some((relation, wanted)) = self.version else { return true };
        // The version of a package that is present is known by its file's name, which has no epoch.
        let order = match version.contains(':') {
            true => compare(version, wanted),
            false => compare(version, wanted.split_once(':').map_or(wanted, |(_, wanted)| wanted)),
        };
        match relation {
            "<<" => order.is_lt(),
            "<=" | "<" => order.is_le(),
            "=" => order.is_eq(),
            ">=" | ">" => order.is_ge(),
            ">>" => order.is_gt(),
            _ => false,
        }
    }
}

/// The dependencies of a package: each is met by one of its alternatives.
fn dependencies(text: &str) -> impl Iterator<Item = (&str, Vec<Alternative<'_>>)> {
    let all = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    all.map(|text| (text, text.split('|').filter_map(Alternative::parse).collect()))
}

/// What is installed of all packages of one architecture, by name.
pub(super) struct Universe<'a> {
    packages: BTreeMap<&'a str, &'a Package>,
    /// Which packages are called so too, with the version that they are then.
    providers: BTreeMap<&'a str, Vec<(&'a str, Option<&'a str>)>>,
}

impl<'a> Universe<'a> {
    pub(super) fn new(packages: impl Iterator<Item = &'a Package>) -> Universe<'a> {
        let packages: BTreeMap<&str, &Package> = packages.map(|package| (package.name.as_str(), package)).collect();
        let mut providers: BTreeMap<&str, Vec<(&str, Option<&str>)>> = BTreeMap::new();
        for (name, package) in &packages {
            for (_, provided) in dependencies(&package.provides) {
                for Alternative { name: called, version } in provided {
                    providers.entry(called).or_default().push((name, version.map(|(_, version)| version)));
                }
            }
        }
        Universe { packages, providers }
    }

    /// The wanted packages and all that they need besides those that are present, each with the layer of the one that
    /// needed it first. A wanted one that is present is left out.
    pub(super) fn closure(
        &self,
        wanted: &[(String, String)],
        present: &BTreeMap<&str, &str>,
    ) -> Result<Vec<(&'a str, String)>, DebianError> {
        let mut chosen: BTreeMap<&str, String> = BTreeMap::new();
        let mut queue: VecDeque<(&'a str, String)> = VecDeque::new();
        for (name, layer) in wanted.iter().filter(|(name, _)| !present.contains_key(name.as_str())) {
            // One that no suite has is told by whoever asks for it.
            if let Some((name, _)) = self.packages.get_key_value(name.as_str()) {
                chosen.insert(name, layer.clone());
                queue.push_back((name, layer.clone()));
            }
        }
        while let Some((name, layer)) = queue.pop_front() {
            let Some(package) = self.packages.get(name) else { continue };
            for (text, alternatives) in dependencies(&package.depends) {
                if alternatives.iter().any(|one| self.is_met(one, present, &chosen)) {
                    continue;
                }
                let found = alternatives.iter().find_map(|one| self.find(one, present));
                let found = found.ok_or_else(|| self.unmet(name, text, &alternatives, present))?;
                chosen.insert(found, layer.clone());
                queue.push_back((found, layer.clone()));
            }
        }
        Ok(chosen.into_iter().collect())
    }

    fn is_met(&self, one: &Alternative<'_>, present: &BTreeMap<&str, &str>, chosen: &BTreeMap<&str, String>) -> bool {
        let is_there = |name: &str| present.contains_key(name) || chosen.contains_key(name);
        let version = present.get(one.name).copied().or_else(|| {
            chosen
                .contains_key(one.name)
                .then(|| self.packages.get(one.name).map(|package| package.version.as_str()))?
        });
        let providers = self.providers.get(one.name).into_iter().flatten();
        version.is_some_and(|version| one.allows(version))
            || providers.into_iter().any(|(name, version)| is_there(name) && provides(one, *version))
    }

    /// A package that meets it: the one of that name, else the first that is called so too.
    fn find(&self, one: &Alternative<'_>, present: &BTreeMap<&str, &str>) -> Option<&'a str> {
        // What is present in another version cannot be added beside it.
        if let Some((name, package)) = self.packages.get_key_value(one.name)
            && one.allows(&package.version)
            && !present.contains_key(name)
        {
            return Some(name);
        }
        let providers: BTreeSet<&(&str, Option<&str>)> = self.providers.get(one.name).into_iter().flatten().collect();
        providers.into_iter().find(|(_, version)| provides(one, *version)).map(|(name, _)| *name)
    }

    fn unmet(
        &self,
        name: &str,
        text: &str,
        alternatives: &[Alternative<'_>],
        present: &BTreeMap<&str, &str>,
    ) -> DebianError {
        let there = alternatives.iter().find_map(|one| present.get_key_value(one.name));
        DebianError::Unmet {
            package: name.to_owned(),
            needs: text.to_owned(),
            present: there.map(|(name, version)| format!("{name} {version}")),
        }
    }
}

/// A package that is called so without a version meets no dependency on a version (Debian Policy 7.5).
fn provides(one: &Alternative<'_>, version: Option<&str>) -> bool {
    one.version.is_none() || version.is_some_and(|version| one.allows(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Sha256;
    use proptest::prelude::*;

    fn package(name: &str, version: &str, depends: &str, provides: &str) -> Package {
        let (name, version) = (name.to_owned(), version.to_owned());
        let (depends, provides) = (depends.to_owned(), provides.to_owned());
        let (architecture, path, sha256) = ("all".to_owned(), "pool/x".to_owned(), Sha256([0; 32]));
        Package { name, version, architecture, path, size: 1, sha256, depends, provides }
    }

    fn closure(wanted: &str, present: &[(&str, &str)]) -> Result<String, String> {
        let all = [
            package("tool", "1:2", "lib (>= 1.5), libc (>= 1:2.0) | other, mail-agent, tool-data (= 1:2)", ""),
            package("lib", "1.6", "tool, libc", ""),
            package("tool-data", "1:2", "", ""),
            package("libc", "1:2.5", "", ""),
            package("postfix", "3", "", "mail-agent"),
            package("exim", "4", "virtual (>= 2)", "mail-agent"),
            package("real", "1", "", "virtual (= 3), unversioned"),
            package("odd", "1", "unversioned (>= 1)", ""),
            package("late", "1", "libc (>= 1:3)", ""),
        ];
        let universe = Universe::new(all.iter());
        let wanted = [(wanted.to_owned(), "layer".to_owned())];
        let found = universe.closure(&wanted, &present.iter().copied().collect());
        let names = found.map(|found| found.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" "));
        names.map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_lacking_is_added_with_what_that_needs() {
        assert_eq!(closure("tool", &[]).unwrap(), "exim lib libc real tool tool-data");
        assert_eq!(closure("tool", &[("libc", "2.5"), ("postfix", "3")]).unwrap(), "lib tool tool-data");
        assert_eq!(closure("tool", &[("other", "0"), ("lib", "1.5"), ("postfix", "3")]).unwrap(), "tool tool-data");
        assert_eq!(closure("tool", &[("tool", "1")]).unwrap(), "");
        assert_eq!(closure("none", &[]).unwrap(), "");
    }

    #[test]
    fn what_cannot_be_met_is_told() {
        assert_eq!(
            closure("odd", &[]).unwrap_err(),
            "package odd: nothing meets its dependency on `unversioned (>= 1)`"
        );
        let old = "package late: nothing meets its dependency on `libc (>= 1:3)`, for the image has libc 2.5";
        assert_eq!(closure("late", &[("libc", "2.5")]).unwrap_err(), old);
        assert!(closure("tool", &[("lib", "1.4")]).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([a-c:]{1,3}|[(),|<>=. ]|\\PC){0,30}", other in "([a-c,|(>= )1]){0,20}") {
            let all = [package("a", "1", &text, &other), package("b", "2", &other, &text)];
            let _ = Universe::new(all.iter()).closure(&[("a".to_owned(), "x".to_owned())], &BTreeMap::new());
        }
    }
}
