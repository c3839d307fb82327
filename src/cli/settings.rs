//! Flags, environment and configuration file, resolved into plain values: what comes first wins.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::configuration::{Configuration, Registries};
use super::values::check_url;
use super::{CliError, Environment};
use crate::definition::nearest;
use crate::event::Events;
use crate::lock::Upstream;
use crate::net;
use crate::upstream::hosts::Machine;

/// All kinds of upstream, for which there may be mirrors.
pub(super) const UPSTREAMS: [Upstream; 4] =
    [Upstream::Debian, Upstream::DebianSecurity, Upstream::Maven, Upstream::Apache];

/// What commands that fetch and build depend on.
#[derive(Debug)]
pub(super) struct Settings {
    /// The store's folder.
    pub(super) store: PathBuf,
    /// How to behave on the network.
    pub(super) network: net::Settings,
    /// What the choice of hosts depends on. The files that it names are read when they are needed.
    pub(super) machine: Machine,
    /// What the configuration says of registries.
    pub(super) registries: Registries,
    /// What the user should change.
    pub(super) warnings: Vec<String>,
}

impl Settings {
    /// Resolves them; `mirrors` are those of the flags.
    pub(super) fn resolve(
        environment: &Environment,
        configuration: &Configuration,
        mirrors: Vec<(Upstream, String)>,
        events: Events,
    ) -> Result<Settings, CliError> {
        let mut warnings = unknown_mirrors(environment);
        let netrc = netrc(environment, &mut warnings)?;
        let machine = Machine {
            flags: mirrors,
            environment: mirrors_of(environment)?,
            config: configuration.mirrors(),
            root: PathBuf::from("/"),
            home: environment.absolute("HOME"),
            maven_home: environment.path("M2_HOME").or_else(|| environment.path("MAVEN_HOME")),
            variables: environment.texts(),
            events,
        };
        let network = net::Settings { netrc, proxies: proxies(environment)?, ..net::Settings::default() };
        let registries = configuration.registries().clone();
        Ok(Settings { store: store_path(environment, configuration)?, network, machine, registries, warnings })
    }
}

/// The store's folder: `KIMG_HOME`, the configuration's `store`, `$XDG_DATA_HOME/kimg`, `~/.local/share/kimg`.
pub(super) fn store_path(environment: &Environment, configuration: &Configuration) -> Result<PathBuf, CliError> {
    let data = || {
        let home = || environment.absolute("HOME").map(|home| home.join(".local/share"));
        environment.absolute("XDG_DATA_HOME").or_else(home).map(|folder| folder.join("kimg"))
    };
    let configured = || configuration.store().map(ToOwned::to_owned);
    environment.path("KIMG_HOME").or_else(configured).or_else(data).ok_or(CliError::NoHome)
}

/// `KIMG_MIRROR_DEBIAN_SECURITY` and its like.
fn variable(upstream: Upstream) -> String {
    format!("KIMG_MIRROR_{}", upstream.name().to_uppercase().replace('-', "_"))
}

/// The mirrors of the environment: URLs parted by white space.
fn mirrors_of(environment: &Environment) -> Result<BTreeMap<Upstream, Vec<String>>, CliError> {
    let mut mirrors = BTreeMap::new();
    for upstream in UPSTREAMS {
        let name = variable(upstream);
        let Some(text) = environment.text(&name)? else { continue };
        let urls: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        for url in &urls {
            check_url(url).map_err(|error| CliError::Variable {
                name: name.clone(),
                why: error.why,
                hint: error.hint,
            })?;
        }
        mirrors.insert(upstream, urls);
    }
    Ok(mirrors)
}

/// A mistyped variable would be ignored without a word.
fn unknown_mirrors(environment: &Environment) -> Vec<String> {
    let known: Vec<String> = UPSTREAMS.into_iter().map(variable).collect();
    let wrong =
        environment.names().filter(|name| name.starts_with("KIMG_MIRROR_") && !known.iter().any(|known| known == name));
    let warn = |name: &str| match nearest(name, known.iter().map(String::as_str)).first() {
        Some(near) => format!("{name}: kimg knows no such variable; did you mean {near}?"),
        None => format!("{name}: kimg knows no such variable"),
    };
    wrong.map(warn).collect()
}

/// The netrc file that `NETRC` names and must be there, or else the user's, where there is one.
fn netrc(environment: &Environment, warnings: &mut Vec<String>) -> Result<Option<String>, CliError> {
    let named = environment.path("NETRC");
    let own = || environment.absolute("HOME").map(|home| home.join(".netrc"));
    let Some(path) = named.clone().or_else(own) else { return Ok(None) };
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(source) if named.is_some() => Err(CliError::Read { path, source }),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                warnings.push(format!("{}: cannot read: {error}; its passwords are not used", path.display()));
            }
            Ok(None)
        }
    }
}

/// The proxies by their names in lower case; of two that differ in case only, the one in lower case counts, as for curl.
fn proxies(environment: &Environment) -> Result<Vec<(String, String)>, CliError> {
    let mut proxies = Vec::new();
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        let value = match environment.text(name)? {
            Some(value) => Some(value),
            None => environment.text(&name.to_uppercase())?,
        };
        proxies.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }
    Ok(proxies)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::error::Diagnose;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())))
    }

    #[test]
    fn the_store_has_one_place() {
        let place = |variables: &[(&str, &str)]| store_path(&environment(variables), &Configuration::default());
        let all = [("KIMG_HOME", "/k"), ("XDG_DATA_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(place(&all).unwrap(), Path::new("/k"));
        assert_eq!(place(&all[1..]).unwrap(), Path::new("/x/kimg"));
        assert_eq!(place(&[("XDG_DATA_HOME", "x"), ("HOME", "/h")]).unwrap(), Path::new("/h/.local/share/kimg"));
        assert_eq!(place(&[("HOME", "")]).unwrap_err().category().exit_code(), 2);
    }

    #[test]
    fn proxies_are_taken_in_either_case() {
        let environment =
            environment(&[("HTTP_PROXY", "a"), ("http_proxy", "b"), ("NO_PROXY", "c"), ("all_proxy", "")]);
        let expected = [("http_proxy", "b"), ("no_proxy", "c")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(proxies(&environment).unwrap(), expected);
    }

    #[test]
    fn mirrors_of_the_environment() {
        let right = environment(&[("KIMG_MIRROR_DEBIAN_SECURITY", "http://a.example http://b.example/x")]);
        assert_eq!(mirrors_of(&right).unwrap()[&Upstream::DebianSecurity], ["http://a.example", "http://b.example/x"]);
        let wrong = mirrors_of(&environment(&[("KIMG_MIRROR_MAVEN", "a.example")])).unwrap_err();
        assert!(wrong.to_string().starts_with("KIMG_MIRROR_MAVEN: "), "{wrong}");
        let warnings = unknown_mirrors(&environment(&[("KIMG_MIRROR_DEBAIN", "x"), ("KIMG_HOME", "/k")]));
        assert_eq!(warnings, ["KIMG_MIRROR_DEBAIN: kimg knows no such variable; did you mean KIMG_MIRROR_DEBIAN?"]);
    }

    #[test]
    fn a_netrc_that_is_named_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        let mut warnings = Vec::new();
        assert_eq!(netrc(&environment(&[("HOME", home)]), &mut warnings).unwrap(), None);
        let named = format!("{home}/netrc");
        assert!(netrc(&environment(&[("NETRC", &named)]), &mut warnings).is_err());
        std::fs::write(&named, "machine mirror.example").unwrap();
        let text = netrc(&environment(&[("NETRC", &named)]), &mut warnings).unwrap();
        assert_eq!(text.as_deref(), Some("machine mirror.example"));
        assert!(warnings.is_empty());
    }
}
