//! Where to ask: roots of URLs, and the places below them.

use std::fmt;

use reqwest::Url;

use super::error::NetError;

/// A root URL below which files are asked for, and how to show oneself there.
#[derive(Clone, PartialEq, Eq)]
pub struct Base {
    /// `https://HOST/PATH/`, with a final `/`, without credentials.
    pub url: String,
    /// User and password, where configured for this base; netrc is asked where absent.
    pub credentials: Option<(String, String)>,
    /// Where it was found, for messages: `apt's sources`, `--mirror`, `built in`.
    pub origin: String,
}

impl Base {
    /// Whether files can be asked for below it: an error of whoever wrote it otherwise.
    pub fn is_usable(&self) -> bool {
        Place::new(self, "file").is_ok()
    }
}

impl fmt::Debug for Base {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = Url::parse(&self.url).map_or_else(|_| "(no URL)".to_owned(), |url| shown(&url));
        f.debug_struct("Base").field("url", &url).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// One URL to ask for a file.
#[derive(Clone)]
pub(super) struct Place {
    /// The whole URL, without credentials.
    pub(super) url: Url,
    /// Those configured for its base.
    pub(super) credentials: Option<(String, String)>,
}

impl Place {
    /// The place of `path` below `base`.
    pub(super) fn new(base: &Base, path: &str) -> Result<Place, NetError> {
        let malformed = |why: &str| NetError::Base { origin: base.origin.clone(), why: why.to_owned() };
        let mut root = Url::parse(&base.url).map_err(|error| malformed(&error.to_string()))?;
        if !matches!(root.scheme(), "http" | "https") || root.host_str().is_none_or(str::is_empty) {
            return Err(malformed("it must begin with https://HOST or http://HOST"));
        }
        if !root.path().ends_with('/') || root.query().is_some() || root.fragment().is_some() {
            return Err(malformed("it must end with `/`"));
        }
        if !root.username().is_empty() || root.password().is_some() {
            return Err(malformed("credentials belong into netrc or the configuration, not into the URL"));
        }
        let above = root.path().to_owned();
        // A path is a path: what would begin a query or a fragment is part of a file's name.
        let path = path.replace('?', "%3F").replace('#', "%23").replace('\\', "%5C");
        root.set_path(&format!("{above}{path}"));
        if !root.path().starts_with(&above) || root.path().len() == above.len() {
            return Err(malformed("the path of a file leads out of it"));
        }
        Ok(Place { url: root, credentials: base.credentials.clone() })
    }
}

/// `HOST:PORT`, by which limits, part files and what is known of a host are kept.
pub(super) fn host_of(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// A URL as messages show it: without credentials, and without a query, which signed URLs keep their secrets in.
pub(super) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Whether what is shown at `base` may be shown at `url` too: the same origin, or the same host after the step from
/// http to https on their default ports.
pub(super) fn same_owner(base: &Url, url: &Url) -> bool {
    base.host_str() == url.host_str()
        && (base.scheme() == url.scheme() && base.port_or_known_default() == url.port_or_known_default()
            || base.scheme() == "http" && base.port().is_none() && url.scheme() == "https" && url.port().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: &str) -> Base {
        Base { url: url.into(), credentials: None, origin: "a test".into() }
    }

    #[test]
    fn a_place_is_below_its_base() {
        let place = |path| Place::new(&base("https://mirror.example/debian/"), path).map(|place| place.url.to_string());
        assert_eq!(
            place("pool/main/g/gcc/libstdc++6_12%3a2-1~x.deb").unwrap(),
            "https://mirror.example/debian/pool/main/g/gcc/libstdc++6_12%3a2-1~x.deb"
        );
        assert_eq!(place("a?b#c d").unwrap(), "https://mirror.example/debian/a%3Fb%23c%20d");
        for outside in ["../x", "a/../../x", "%2e%2e/x", "a/%2E./../x", ".", ""] {
            assert!(place(outside).is_err(), "{outside}");
        }
    }

    #[test]
    fn what_is_no_base_is_refused_without_repeating_it() {
        for wrong in ["", "mirror.example/", "ftp://mirror.example/", "https://mirror.example/x", "https://u:pw@h/"] {
            let error = Place::new(&base(wrong), "f").map(|place| place.url).unwrap_err().to_string();
            assert!(error.contains("a test") && !error.contains("pw"), "{error}");
        }
        assert!(!format!("{:?}", base("https://u:pw@h/")).contains("pw"));
    }

    #[test]
    fn credentials_stay_with_their_owner() {
        let own = |a: &str, b: &str| same_owner(&Url::parse(a).unwrap(), &Url::parse(b).unwrap());
        assert!(own("https://a.example/", "https://a.example:443/x"));
        assert!(own("http://a.example/", "https://a.example/x"));
        assert!(!own("https://a.example/", "http://a.example/x"));
        assert!(!own("http://a.example:8080/", "https://a.example/x"));
        assert!(!own("https://a.example/", "https://a.example:8443/x"));
        assert!(!own("https://a.example/", "https://b.a.example/x"));
    }
}
