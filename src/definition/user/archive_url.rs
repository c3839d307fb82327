use std::fmt;
use std::str::FromStr;

/// The URL of an archive: http or https, a file below a host, without a user and without a query, for it is written into
/// locks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchiveUrl {
    /// `https://downloads.example/`.
    root: String,
    /// `connect/plugin-1.2.tar.gz`, as the URL has it.
    path: String,
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// `.tar`.
    Tar,
    /// `.tar.gz` or `.tgz`.
    TarGzip,
    /// `.zip`.
    Zip,
}

impl ArchiveUrl {
    /// The host's root, with a final `/`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The path below that, which may hold `%` escapes.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Its place in a folder of inputs: `downloads.example/connect/plugin-1.2.tar.gz`.
    pub fn place(&self) -> String {
        let host = self.root.split_once("://").map_or("", |(_, host)| host);
        format!("{host}{}", self.path).replace('%', "_")
    }

    /// How it is packed, by the end of its name.
    pub fn packing(&self) -> Option<Packing> {
        let name = self.path.to_ascii_lowercase();
        let ends =
            [(".tar", Packing::Tar), (".tar.gz", Packing::TarGzip), (".tgz", Packing::TarGzip), (".zip", Packing::Zip)];
        ends.into_iter().find(|(end, _)| name.ends_with(end)).map(|(_, packing)| packing)
    }
}

impl fmt::Display for ArchiveUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.root, self.path)
    }
}

/// Why a text is no such URL. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArchiveUrl {
    /// Another scheme, or none.
    #[error("it must begin with https:// or http://")]
    Scheme,
    /// It says who asks.
    #[error("a user or password in it would stand in the lock")]
    Credentials,
    /// It has `?` or `#`.
    #[error("it has a query or a fragment, which may hold a secret and would stand in the lock")]
    Query,
    /// No host or no file, `..`, or characters that no URL has.
    #[error("it is not the URL of a file: https://HOST/PATH")]
    Form,
}

impl FromStr for ArchiveUrl {
    type Err = InvalidArchiveUrl;

    fn from_str(text: &str) -> Result<ArchiveUrl, InvalidArchiveUrl> {
        let schemes = ["https://", "http://"];
        let scheme = schemes.into_iter().find(|scheme| text.starts_with(scheme)).ok_or(InvalidArchiveUrl::Scheme)?;
        let rest = &text[scheme.len()..];
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if host.contains('@') {
            return Err(InvalidArchiveUrl::Credentials);
        }
        if path.contains(['?', '#']) {
            return Err(InvalidArchiveUrl::Query);
        }
        let path = path.strip_prefix('/').ok_or(InvalidArchiveUrl::Form)?;
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-.[:]".contains(&byte);
        let good_host = !name.is_empty() && name.bytes().all(in_host) && !name.bytes().all(|byte| byte == b'.');
        let good_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
        let in_path = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        // Escaped dots mean what dots do.
        let plain = path.to_ascii_lowercase().replace("%2e", ".");
        let good_path = path.bytes().all(in_path) && plain.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !good_host || !good_port || !good_path {
            return Err(InvalidArchiveUrl::Form);
        }
        Ok(ArchiveUrl { root: format!("{scheme}{host}/"), path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_and_their_parts() {
        let url: ArchiveUrl = "https://downloads.example:8443/a/b%20c-1.2.tar.gz".parse().unwrap();
        assert_eq!((url.root(), url.path()), ("https://downloads.example:8443/", "a/b%20c-1.2.tar.gz"));
        assert_eq!((url.file_name(), url.packing()), ("b%20c-1.2.tar.gz", Some(Packing::TarGzip)));
        assert_eq!(url.place(), "downloads.example:8443/a/b_20c-1.2.tar.gz");
        for (wrong, why) in [
            ("ftp://a.example/b", InvalidArchiveUrl::Scheme),
            ("a.example/b", InvalidArchiveUrl::Scheme),
            ("https://me:secret@a.example/b", InvalidArchiveUrl::Credentials),
            ("https://a.example/b?token=secret", InvalidArchiveUrl::Query),
            ("https://a.example?b", InvalidArchiveUrl::Query),
            ("https://a.example/b#c", InvalidArchiveUrl::Query),
            ("https://a.example/", InvalidArchiveUrl::Form),
            ("https://a.example", InvalidArchiveUrl::Form),
            ("https:///b", InvalidArchiveUrl::Form),
            ("https://a.example/../b", InvalidArchiveUrl::Form),
            ("https://a.example/%2E%2e/b", InvalidArchiveUrl::Form),
            ("https://a.example:x/b", InvalidArchiveUrl::Form),
            ("https://a b/c", InvalidArchiveUrl::Form),
        ] {
            assert_eq!(wrong.parse::<ArchiveUrl>(), Err(why), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_as_it_was(text in "https?://([a-z0-9.:@\\[\\]]{0,6}[/%?#. a-z~+]{0,12}|\\PC{0,9})") {
            if let Ok(url) = text.parse::<ArchiveUrl>() {
                prop_assert_eq!(url.to_string(), text);
                prop_assert!(crate::lock::is_upstream_path(&url.place()), "{}", url.place());
            }
        }
    }
}
