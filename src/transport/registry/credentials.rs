//! Who to be at a registry: containers' `auth.json` and Docker's `config.json`, which have one format.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Repository;

/// What is shown to a registry, or to the server of its tokens.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A user and a password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token for which the registry's token server gives others (OAuth 2, `refresh_token`).
    IdentityToken(String),
    /// A token that the registry itself takes.
    RegistryToken(String),
}

impl fmt::Debug for Credentials {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password { user, .. } => {
                f.debug_struct("Password").field("user", user).finish_non_exhaustive()
            }
            Credentials::IdentityToken(_) => f.write_str("IdentityToken"),
            Credentials::RegistryToken(_) => f.write_str("RegistryToken"),
        }
    }
}

/// A file of credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuthFile {
    auths: BTreeMap<String, Entry>,
    /// Programs that know credentials, by registry.
    cred_helpers: BTreeMap<String, String>,
    /// The program that knows those of all other registries.
    creds_store: Option<String>,
}

#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A file of credentials that cannot be read. Nothing of it is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAuthFile(String);

impl InvalidAuthFile {
    pub(super) fn new(why: &str) -> InvalidAuthFile {
        InvalidAuthFile(why.to_owned())
    }

    pub(super) fn at(error: &serde_json::Error) -> InvalidAuthFile {
        InvalidAuthFile(format!("it is no auth.json: line {}, column {}", error.line(), error.column()))
    }
}

impl AuthFile {
    /// Reads one.
    pub fn parse(text: &str) -> Result<AuthFile, InvalidAuthFile> {
        if text.trim().is_empty() {
            return Ok(AuthFile::default());
        }
        serde_json::from_str(text).map_err(|error| InvalidAuthFile::at(&error))
    }

    /// The credentials for a repository: those of the longest name that it is below (containers-auth.json(5)), else
    /// those of its registry.
    pub fn find(&self, repository: &Repository) -> Result<Option<Credentials>, InvalidAuthFile> {
        let full = repository.full_name();
        let mut name = full.as_str();
        loop {
            let exact = self.auths.get_key_value(name).into_iter();
            for (name, entry) in exact.chain(self.auths.iter().filter(|(key, _)| stands_for(key, name))) {
                if let Some(credentials) = entry.read(name)? {
                    return Ok(Some(credentials));
                }
            }
            match name.rsplit_once('/') {
                Some((above, _)) => name = above,
                None => return Ok(None),
            }
        }
    }

    /// The program that knows the credentials for this registry, before those of the file: `docker-credential-NAME`.
    pub fn own_helper(&self, registry: &str) -> Option<&str> {
        let mut own = self.cred_helpers.iter().filter(|(key, _)| stands_for(key, registry));
        own.next().map(|(_, name)| name.as_str()).filter(|name| !name.is_empty())
    }

    /// The program that knows them, where neither the file nor a program of the registry's own does.
    pub fn helper_of_all(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|name| !name.is_empty())
    }

    /// The registries that have programs of their own.
    pub fn helped(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cred_helpers.iter().map(|(registry, name)| (registry.as_str(), name.as_str()))
    }
}

impl Entry {
    fn read(&self, name: &str) -> Result<Option<Credentials>, InvalidAuthFile> {
        if let Some(token) = self.identitytoken.as_ref().filter(|token| !token.is_empty()) {
            return Ok(Some(Credentials::IdentityToken(token.clone())));
        }
        if let Some(token) = self.registrytoken.as_ref().filter(|token| !token.is_empty()) {
            if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                let name = name.escape_debug();
                return Err(InvalidAuthFile(format!(
                    "auths, `{name}`: registrytoken has letters that no header holds"
                )));
            }
            return Ok(Some(Credentials::RegistryToken(token.clone())));
        }
        let Some(auth) = self.auth.as_ref().filter(|auth| !auth.is_empty()) else { return Ok(None) };
        let wrong =
            || InvalidAuthFile(format!("auths, `{}`: auth is not USER:PASSWORD in base64", name.escape_debug()));
        let decoded = STANDARD.decode(auth.trim()).map_err(|_| wrong())?;
        let text = String::from_utf8(decoded).map_err(|_| wrong())?;
        let (user, password) = text.split_once(':').ok_or_else(wrong)?;
        // Docker once wrote a NUL behind passwords.
        let password = password.trim_end_matches('\0');
        Ok(Some(Credentials::Password { user: user.to_owned(), password: password.to_owned() }))
    }
}

/// Whether a key of a file stands for a registry, or for a path below one. Docker writes registries as URLs, too.
pub fn stands_for(key: &str, name: &str) -> bool {
    let plain = match key.split_once("://") {
        Some(("http" | "https", rest)) => rest.split('/').next().unwrap_or_default(),
        Some(_) => return false,
        None => key,
    };
    let is_hub = matches!(plain, "docker.io" | "index.docker.io" | "registry-1.docker.io");
    plain == name || is_hub && name == "docker.io"
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "auths": {
            "registry.example": {"auth": "dXNlcjpwYTpzcw=="},
            "registry.example/team": {"auth": "dGVhbTp4"},
            "https://index.docker.io/v1/": {"auth": "aHViOng="},
            "token.example": {"auth": "dTo=", "identitytoken": "secret"},
            "ready.example": {"registrytoken": "secret"},
            "https://url.example:5000/v1/": {"auth": "dXJsOng="},
            "empty.example": {}
        },
        "credHelpers": {"helped.example": "pass"},
        "credsStore": "desktop", "HttpHeaders": {"User-Agent": "x"}
    }"#;

    fn found(name: &str) -> String {
        let repository = Repository::of(&name.parse().unwrap());
        match AuthFile::parse(FILE).unwrap().find(&repository).unwrap() {
            Some(Credentials::Password { user, password }) => format!("{user} {password}"),
            Some(Credentials::IdentityToken(token)) => format!("token {token}"),
            Some(Credentials::RegistryToken(token)) => format!("ready {token}"),
            None => String::new(),
        }
    }

    #[test]
    fn the_longest_name_counts() {
        assert_eq!(found("registry.example/app"), "user pa:ss");
        assert_eq!(found("registry.example/team/app"), "team x");
        assert_eq!(found("registry.example/teams/app"), "user pa:ss");
        assert_eq!(found("alpine"), "hub x");
        assert_eq!(found("token.example/a"), "token secret");
        assert_eq!((found("ready.example/a"), found("url.example:5000/a")), ("ready secret".into(), "url x".into()));
        assert_eq!((found("url.example/a"), found("url.example:5001/a")), (String::new(), String::new()));
        assert_eq!((found("empty.example/a"), found("other.example/a")), (String::new(), String::new()));
    }

    #[test]
    fn helpers_of_a_registry_before_that_of_all() {
        let file = AuthFile::parse(FILE).unwrap();
        assert_eq!((file.own_helper("helped.example"), file.own_helper("other.example")), (Some("pass"), None));
        assert_eq!(file.helper_of_all(), Some("desktop"));
        assert_eq!(AuthFile::parse("{}").unwrap().helper_of_all(), None);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let file = AuthFile::parse(FILE).unwrap();
        let credentials = file.find(&Repository::of(&"registry.example/team/a".parse().unwrap())).unwrap();
        let text = format!("{file:?} {credentials:?}");
        assert!(!text.contains("dGVh") && !text.contains("secret\"") && !text.contains("\"x\""), "{text}");
        for wrong in
            [r#"{"auths": {"a.example": {"auth": "!secret"}}}"#, r#"{"auths": {"a.example": {"auth": "c2VjcmV0"}}}"#]
        {
            let file = AuthFile::parse(wrong).unwrap();
            let error = file.find(&Repository::of(&"a.example/b".parse().unwrap())).unwrap_err().to_string();
            assert!(error.contains("a.example") && !error.contains("ecret"), "{error}");
        }
        assert!(AuthFile::parse("secret").unwrap_err().to_string().contains("line 1"));
    }
}
