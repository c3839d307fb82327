//! The configuration file (docs/configuration.md).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

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
