//! The configuration file (docs/configuration.md).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::registry::registry_name;
use super::values::check_url;
use super::{CliError, Environment, Failure};
use crate::definition::{DefinitionError, read_toml};
use crate::lock::Upstream;

/// What the configuration file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Configuration {
    /// The store's folder; `~/` is the home folder.
    store: Option<PathBuf>,
    /// Mirrors, by kind of upstream.
    mirrors: Mirrors,
    /// What is said of registries, by `HOST[:PORT]`.
    registry: Registries,
}

/// What is said of registries, by the name that people write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Registries(BTreeMap<String, RegistryRules>);

/// What is said of one registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct RegistryRules {
    /// Whether it has no TLS.
    pub(super) plain_http: bool,
    /// Token servers on other hosts that may see the credentials for it.
    token_server: Urls,
}

impl Registries {
    /// What is said of one.
    pub(super) fn of(&self, registry: &str) -> RegistryRules {
        self.0.get(registry).cloned().unwrap_or_default()
    }
}

impl RegistryRules {
    /// The origins of its token servers.
    pub(super) fn token_servers(&self) -> Vec<String> {
        self.token_server.0.clone()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Mirrors {
    debian: Urls,
    debian_security: Urls,
    maven: Urls,
    apache: Urls,
}

/// One URL or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Urls(Vec<String>);

impl Configuration {
    /// Reads the file that is named by flag or variable and must be there, or else the user's, where there is one.
    pub(super) fn find(flag: Option<&Path>, environment: &Environment) -> Result<Configuration, Failure> {
        let named = flag.map(Path::to_owned).or_else(|| environment.path("KIMG_CONFIG"));
        let home = || environment.absolute("HOME").map(|home| home.join(".config"));
        let own =
            || environment.absolute("XDG_CONFIG_HOME").or_else(home).map(|folder| folder.join("kimg/config.toml"));
        let Some(path) = named.clone().or_else(own) else { return Ok(Configuration::default()) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Configuration::parse(&text, &path, environment)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(Configuration::default()),
            Err(source) => Err(CliError::Read { path, source }.into()),
        }
    }

    fn parse(text: &str, path: &Path, environment: &Environment) -> Result<Configuration, DefinitionError> {
        let file = path.display().to_string();
        let mut configuration: Configuration = read_toml(text, &file)?;
        let rule =
            |key: String, message: &str| DefinitionError::Rule { file: file.clone(), key, message: message.to_owned() };
        for (upstream, urls) in configuration.mirrors() {
            for url in urls {
                check_url(&url).map_err(|error| rule(format!("mirrors.{}", upstream.name()), &error.why))?;
            }
        }
        for (registry, rules) in &configuration.registry.0 {
            let key = format!("registry.\"{registry}\"");
            if registry_name(registry).ok().is_none_or(|name| name.to_string() != *registry || !name.path.is_empty()) {
                return Err(rule(key, "the name must be HOST or HOST:PORT, as in `docker://HOST:PORT/…`"));
            }
            if !rules.token_server.0.iter().all(|server| is_origin(server)) {
                return Err(rule(format!("{key}.token-server"), "must be https://HOST or https://HOST:PORT"));
            }
        }
        if let Some(store) = &configuration.store {
            let below_home = store.strip_prefix("~").ok().zip(environment.absolute("HOME"));
            let store = below_home.map_or_else(|| store.clone(), |(rest, home)| home.join(rest));
            if !store.is_absolute() {
                return Err(rule("store".to_owned(), "must be an absolute path or begin with `~/`"));
            }
            configuration.store = Some(store);
        }
        Ok(configuration)
    }

    /// The store's folder.
    pub(super) fn store(&self) -> Option<&Path> {
        self.store.as_deref()
    }

    /// What is said of registries.
    pub(super) fn registries(&self) -> &Registries {
        &self.registry
    }

    /// The mirrors of each kind of upstream that has some.
    pub(super) fn mirrors(&self) -> BTreeMap<Upstream, Vec<String>> {
        let Mirrors { debian, debian_security, maven, apache } = self.mirrors.clone();
        let all = [
            (Upstream::Debian, debian),
            (Upstream::DebianSecurity, debian_security),
            (Upstream::Maven, maven),
            (Upstream::Apache, apache),
        ];
        let some = all.into_iter().filter(|(_, urls)| !urls.0.is_empty());
        some.map(|(upstream, urls)| (upstream, urls.0)).collect()
    }
}

/// Whether it is a scheme, a host and perhaps a port.
fn is_origin(text: &str) -> bool {
    let is_http = |url: &url::Url| matches!(url.scheme(), "http" | "https");
    let origin = url::Url::parse(text).ok().filter(is_http).map(|url| url.origin().ascii_serialization());
    origin.is_some_and(|origin| origin == text.trim_end_matches('/'))
}

impl<'de> Deserialize<'de> for Urls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Urls, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Urls;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL or a list of URLs")
            }

            fn visit_str<E>(self, url: &str) -> Result<Urls, E> {
                Ok(Urls(vec![url.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut urls: A) -> Result<Urls, A::Error> {
                let mut all = Vec::new();
                while let Some(url) = urls.next_element()? {
                    all.push(url);
                }
                Ok(Urls(all))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnose;

    fn parse(text: &str) -> Result<Configuration, DefinitionError> {
        let environment = Environment::of([("HOME".to_owned(), "/home/me".into())]);
        Configuration::parse(text, Path::new("config.toml"), &environment)
    }

    #[test]
    fn one_url_or_many() {
        let text = "store = \"~/kimg\"\n[mirrors]\ndebian = \"http://mirror.example/debian\"\n\
                    maven = [\"https://a.example\", \"https://b.example\"]\n";
        let configuration = parse(text).unwrap();
        assert_eq!(configuration.store(), Some(Path::new("/home/me/kimg")));
        let mirrors = configuration.mirrors();
        assert_eq!(mirrors[&Upstream::Debian], ["http://mirror.example/debian"]);
        assert_eq!(mirrors[&Upstream::Maven], ["https://a.example", "https://b.example"]);
        assert!(!mirrors.contains_key(&Upstream::DebianSecurity));
    }

    #[test]
    fn what_is_said_of_registries() {
        let text = "[registry.\"registry.example:5000\"]\nplain-http = true\ntoken-server = \"https://auth.example\"\n";
        let configuration = parse(text).unwrap();
        let rules = configuration.registries().of("registry.example:5000");
        assert_eq!((rules.plain_http, rules.token_servers()), (true, vec!["https://auth.example".to_owned()]));
        assert_eq!(configuration.registries().of("registry.example"), RegistryRules::default());
        for wrong in ["auth.example", "https://auth.example/token", "https://me:secret@auth.example", "ftp://a.example"]
        {
            let error = parse(&format!("[registry.\"a.example\"]\ntoken-server = \"{wrong}\"\n")).unwrap_err();
            assert!(error.to_string().contains("registry.\"a.example\".token-server: "), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for wrong in ["https://a.example", "a.example/team", "index.docker.io"] {
            assert!(parse(&format!("[registry.\"{wrong}\"]\nplain-http = true\n")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn wrong_keys_and_values_are_named() {
        let error = parse("[mirrors]\ndebain = \"http://mirror.example\"\n").unwrap_err();
        assert!(error.to_string().starts_with("config.toml:2:1: unknown field `debain`"), "{error}");
        assert_eq!(error.hint().as_deref(), Some("did you mean `debian`?"));
        let error = parse("[mirrors]\nmaven = 7\n").unwrap_err();
        assert!(error.to_string().contains("a URL or a list of URLs"), "{error}");
        let error = parse("[mirrors]\nmaven = \"ftp://user:secret@mirror.example\"\n").unwrap_err();
        assert!(error.to_string().starts_with("config.toml: mirrors.maven: "), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(parse("store = \"here\"\n").is_err());
    }
}
