//! Where tokens are to be had, and whether that place may see credentials.

use url::Url;

use super::{Challenge, profile};

/// The token server that a challenge names.
#[derive(Debug, Clone)]
pub(super) struct Realm {
    pub(super) url: Url,
    /// Whether it belongs to the registry, so that it may see credentials for it.
    pub(super) is_trusted: bool,
}

/// Reads the realm of a challenge of the registry at `root`. `servers` are the origins that the user named for it. The
/// error says what is wrong with it.
pub(super) fn realm(
    challenge: &Challenge,
    registry: &str,
    root: &str,
    servers: &[String],
) -> Result<Realm, &'static str> {
    let text = challenge.parameters.get("realm").map(String::as_str).unwrap_or_default();
    let (Ok(mut url), Ok(root)) = (Url::parse(text), Url::parse(root)) else { return Err("it is no URL") };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("it is no URL");
    }
    if root.scheme() == "https" && url.scheme() == "http" {
        return Err("it has no TLS, and the registry has");
    }
    url.set_fragment(None);
    // A registry does not tell us who to be. Both calls only fail for URLs without a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let is_trusted = is_own(&root, &url) || is_known(registry, &url) || is_named(servers, &url);
    Ok(Realm { url, is_trusted })
}

/// The same origin; or the same host at its port for TLS: GitLab's registry has a port of its own beside it.
fn is_own(root: &Url, realm: &Url) -> bool {
    let same_host = root.host_str() == realm.host_str();
    let is_tls = root.scheme() == "https" && realm.scheme() == "https";
    root.origin() == realm.origin() || same_host && is_tls && realm.port().is_none()
}

/// A pair of hosts of the table.
fn is_known(registry: &str, realm: &Url) -> bool {
    let is_usual = realm.scheme() == "https" && realm.port().is_none();
    is_usual && realm.host_str().is_some_and(|host| profile::has_realm(registry, host))
}

fn is_named(servers: &[String], realm: &Url) -> bool {
    servers.iter().any(|server| Url::parse(server).is_ok_and(|server| server.origin() == realm.origin()))
}

/// What is told where credentials were not shown.
pub(super) fn withheld(registry: &str, realm: &Url) -> String {
    let origin = realm.origin().ascii_serialization();
    format!("the credentials for {registry} were not shown to {origin}, which is not known to belong to it")
}

/// How the user says that a token server belongs to a registry.
pub(super) fn hint(registry: &str, realm: &Url) -> String {
    let origin = realm.origin().ascii_serialization();
    format!(
        "if it does, write `token-server = \"{origin}\"` below `[registry.\"{registry}\"]` into the configuration file"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(registry: &str, root: &str, realm_url: &str, servers: &[&str]) -> Result<bool, &'static str> {
        let parameters = [("realm".to_owned(), realm_url.to_owned())].into();
        let challenge = Challenge { scheme: "bearer".to_owned(), parameters };
        let servers: Vec<String> = servers.iter().map(|server| (*server).to_owned()).collect();
        realm(&challenge, registry, root, &servers).map(|realm| realm.is_trusted)
    }

    #[test]
    fn who_belongs_to_a_registry() {
        let root = "https://registry.example:5050/v2/";
        let own = |realm: &str| trusted("registry.example:5050", root, realm, &[]).unwrap();
        assert!(own("https://registry.example:5050/token"));
        assert!(own("https://registry.example/jwt/auth"));
        assert!(!own("https://registry.example:8443/token"));
        assert!(!own("https://auth.registry.example/token"));
        assert!(!own("https://registry.example.evil.example/token"));
        assert!(!own("https://registry.example@evil.example/token"));
        let named = |server: &str| trusted("registry.example:5050", root, "https://auth.example/t", &[server]).unwrap();
        assert!(named("https://auth.example"));
        assert!(!named("http://auth.example") && !named("https://auth.example:8443") && !named("https://example"));
    }

    #[test]
    fn the_table_is_of_pairs() {
        let hub = |realm: &str| trusted("docker.io", "https://registry-1.docker.io/v2/", realm, &[]).unwrap();
        assert!(hub("https://auth.docker.io/token"));
        assert!(!hub("https://auth.docker.io:444/token") && !hub("https://auth.docker.io.example/token"));
        assert!(
            !trusted("registry.example", "https://registry.example/v2/", "https://auth.docker.io/token", &[]).unwrap()
        );
    }

    #[test]
    fn what_is_no_realm() {
        let root = "https://registry.example/v2/";
        for wrong in
            ["", "token", "/token", "ftp://registry.example/", "file:///etc/passwd", "http://registry.example/t"]
        {
            assert!(trusted("registry.example", root, wrong, &["http://registry.example"]).is_err(), "{wrong}");
        }
        assert_eq!(trusted("a.example", "http://a.example/v2/", "http://a.example/t", &[]), Ok(true));
        assert_eq!(trusted("a.example", "http://a.example/v2/", "https://a.example/t", &[]), Ok(false));
        let challenge = |realm: &str| Challenge {
            scheme: "bearer".to_owned(),
            parameters: [("realm".to_owned(), realm.to_owned())].into(),
        };
        let read = realm(&challenge("https://eve:evil@registry.example/t?a=b#c"), "registry.example", root, &[]);
        assert_eq!(read.unwrap().url.as_str(), "https://registry.example/t?a=b");
    }
}
