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
}

impl fmt::Debug for Credentials {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password { user, .. } => {
                f.debug_struct("Password").field("user", user).finish_non_exhaustive()
            }
            Credentials::IdentityToken(_) => f.write_str("IdentityToken"),
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

impl AuthFile {
    /// Reads one.
    pub fn parse(text: &str) -> Result<AuthFile, InvalidAuthFile> {
        if text.trim().is_empty() {
            return Ok(AuthFile::default());
        }
        serde_json::from_str(text).map_err(|error| {
            InvalidAuthFile(format!("it is no auth.json: line {}, column {}", error.line(), error.column()))
        })
    }

    /// The credentials for a repository: those of the longest name that it is below (containers-auth.json(5)), else
    /// those of its registry.
    pub fn find(&self, repository: &Repository) -> Result<Option<Credentials>, InvalidAuthFile> {
        let full = repository.full_name();
        let mut name = full.as_str();
        loop {
            let names = if name == repository.registry { aliases(name) } else { vec![name.to_owned()] };
            if let Some((name, entry)) = names.iter().find_map(|name| Some((name, self.auths.get(name)?)))
                && let Some(credentials) = entry.read(name)?
            {
                return Ok(Some(credentials));
            }
            match name.rsplit_once('/') {
                Some((above, _)) => name = above,
                None => return Ok(None),
            }
        }
    }

    /// The program that knows the credentials for a registry: `docker-credential-NAME`.
    pub fn helper(&self, registry: &str) -> Option<&str> {
        let own = aliases(registry).into_iter().find_map(|name| self.cred_helpers.get(&name));
        own.or(self.creds_store.as_ref()).map(String::as_str).filter(|name| !name.is_empty())
    }
}

impl Entry {
    fn read(&self, name: &str) -> Result<Option<Credentials>, InvalidAuthFile> {
        if let Some(token) = self.identitytoken.as_ref().filter(|token| !token.is_empty()) {
            return Ok(Some(Credentials::IdentityToken(token.clone())));
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

/// The names under which files have a registry.
fn aliases(registry: &str) -> Vec<String> {
    let plain = [registry.to_owned(), format!("https://{registry}"), format!("https://{registry}/")];
    let hub = ["https://index.docker.io/v1/", "index.docker.io"].map(str::to_owned);
    match registry {
        "docker.io" => plain.into_iter().chain(hub).collect(),
        _ => plain.to_vec(),
    }
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
        assert_eq!((found("empty.example/a"), found("other.example/a")), (String::new(), String::new()));
    }

    #[test]
    fn helpers_of_a_registry_before_that_of_all() {
        let file = AuthFile::parse(FILE).unwrap();
        assert_eq!((file.helper("helped.example"), file.helper("other.example")), (Some("pass"), Some("desktop")));
        assert_eq!(AuthFile::parse("{}").unwrap().helper("other.example"), None);
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
