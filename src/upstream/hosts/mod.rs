//! Where hosts come from. Definitions and locks hold paths only; none of the hosts is trusted.
//!
//! For each kind of upstream, in this order: `--mirror KIND=URL`, `KIMG_MIRROR_<KIND>`, the configuration file; what the
//! machine itself uses (apt's sources, Maven's settings, the super POM of an installed Maven); the public service that
//! is built in.

mod apt_sources;
mod maven_settings;
mod public;
mod super_pom;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::event::Events;
use crate::lock::Upstream;
use crate::net::Base;

/// Larger ones are no configuration.
const FILE_LIMIT: u64 = 4 << 20;

/// All that the choice of hosts depends on; read by `cli`, made up by tests.
#[derive(Clone)]
pub struct Machine {
    /// `--mirror KIND=URL`, in order.
    pub flags: Vec<(Upstream, String)>,
    /// `KIMG_MIRROR_<KIND>`.
    pub environment: BTreeMap<Upstream, Vec<String>>,
    /// `[mirrors]` of the configuration file.
    pub config: BTreeMap<Upstream, Vec<String>>,
    /// The root below which `etc/apt`, `etc/maven`, `usr/share/maven` are looked for: `/`.
    pub root: PathBuf,
    /// The user's home folder, for `.m2/settings.xml`.
    pub home: Option<PathBuf>,
    /// `M2_HOME` or `MAVEN_HOME`.
    pub maven_home: Option<PathBuf>,
    /// Variables that a `settings.xml` may name as `${env.NAME}`.
    pub variables: BTreeMap<String, String>,
    /// Who hears of files that were passed over.
    pub events: Events,
}

impl Default for Machine {
    fn default() -> Machine {
        Machine {
            flags: Vec::new(),
            environment: BTreeMap::new(),
            config: BTreeMap::new(),
            root: PathBuf::from("/"),
            home: None,
            maven_home: None,
            variables: BTreeMap::new(),
            events: Events::silent(),
        }
    }
}

impl fmt::Debug for Machine {
    /// Without what may hold passwords: the URLs and the variables' values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags: Vec<&Upstream> = self.flags.iter().map(|(kind, _)| kind).collect();
        f.debug_struct("Machine")
            .field("flags", &flags)
            .field("environment", &self.environment.keys())
            .field("config", &self.config.keys())
            .field("root", &self.root)
            .field("home", &self.home)
            .field("maven_home", &self.maven_home)
            .field("variables", &self.variables.keys())
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// The bases of one kind of upstream in the order in which they are asked. `snapshot` is the lock's time
    /// (`20261120T123456Z`), with which Debian's snapshot service is the last; without it there may be none for Debian.
    /// Files of the machine that cannot be read are passed over and told as details: they are not kimg's.
    pub fn bases(&self, upstream: Upstream, snapshot: Option<&str>) -> Vec<Base> {
        let mut found = Vec::new();
        let flags = self.flags.iter().filter(|(kind, _)| *kind == upstream);
        found.extend(flags.filter_map(|(_, url)| self.base(url, "--mirror")));
        for (urls, origin) in [(&self.environment, "KIMG_MIRROR"), (&self.config, "the configuration file")] {
            let urls = urls.get(&upstream).into_iter().flatten();
            found.extend(urls.filter_map(|url| self.base(url, origin)));
        }
        match upstream {
            Upstream::Debian | Upstream::DebianSecurity => found.extend(apt_sources::bases(self, upstream)),
            Upstream::Maven => {
                found.extend(maven_settings::bases(self));
                found.extend(super_pom::base(self));
            }
            // Nothing on a machine uses it.
            Upstream::Apache | Upstream::Url => {}
        }
        found.extend(public::base(upstream, snapshot));
        unique(found)
    }

    /// A base out of a URL; user and password in it become credentials.
    fn base(&self, url: &str, origin: &str) -> Option<Base> {
        let base = parse_base(url, origin);
        if base.is_none() {
            self.events.detail(format!("{origin}: a URL that is neither http nor https is passed over"));
        }
        base
    }

    /// The text of a file of the machine; `None` where it is absent or cannot be read.
    fn text(&self, path: &Path) -> Option<String> {
        let mut text = String::new();
        let result = fs::File::open(path).and_then(|file| file.take(FILE_LIMIT + 1).read_to_string(&mut text));
        match result {
            Ok(_) if text.len() as u64 <= FILE_LIMIT => return Some(text),
            Ok(_) => self.pass_over(path, &format!("it has more than {FILE_LIMIT} bytes")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.pass_over(path, &error.to_string()),
        }
        None
    }

    fn pass_over(&self, path: &Path, why: &str) {
        self.events.detail(format!("{} is passed over: {why}", path.display()));
    }

    /// The files of a folder with one of these endings, sorted as apt sorts them.
    fn files(&self, folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
        #[allow(clippy::disallowed_methods, reason = "sorted below")]
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.pass_over(folder, &error.to_string());
                }
                return Vec::new();
            }
        };
        let wanted = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            endings.iter().any(|ending| name.ends_with(ending))
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(wanted).collect();
        paths.sort();
        paths
    }
}

/// Each URL once, where it came first. Whoever names it again may be the one who knows its password.
fn unique(bases: Vec<Base>) -> Vec<Base> {
    let mut found: Vec<Base> = Vec::new();
    for base in bases {
        match found.iter_mut().find(|known| known.url == base.url) {
            Some(known) => known.credentials = known.credentials.take().or(base.credentials),
            None => found.push(base),
        }
    }
    found
}

/// `http` and `https` only, with one final `/`.
fn parse_base(url: &str, origin: &str) -> Option<Base> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let host_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(host_end);
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, authority),
    };
    let plain = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control() || b" \"<>\\^`{|}?#".contains(&byte));
    if !matches!(scheme.as_str(), "http" | "https") || host.is_empty() || !plain(host) || !plain(path) {
        return None;
    }
    let credentials = credentials.map(|text| {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        (decode_percent(user), decode_percent(password))
    });
    let url = format!("{scheme}://{}{}/", host.to_ascii_lowercase(), path.trim_end_matches('/'));
    Some(Base { url, credentials, origin: origin.to_owned() }).filter(Base::is_usable)
}

/// RFC 3986, 2.1; what is no escape stays.
fn decode_percent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%').then(|| after.get(..2)).flatten();
        match escaped.and_then(|digits| hex::decode(digits).ok()) {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_become_bases() {
        let base = parse_base("HTTPS://me:s%40cret@mirror.example:8443/a//", "test").unwrap();
        assert_eq!(base.url, "https://mirror.example:8443/a/");
        assert_eq!(base.credentials, Some(("me".to_owned(), "s@cret".to_owned())));
        for wrong in [
            "",
            "mirror.example",
            "file:///srv",
            "cdrom:[Debian]/",
            "https:///x",
            "http://a b/",
            "http://a/?x",
            "http://a:b/",
        ] {
            assert!(parse_base(wrong, "test").is_none(), "{wrong}");
        }
    }
}
