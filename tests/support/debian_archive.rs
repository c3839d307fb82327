//! A Debian archive of a test's own: Packages.xz, Release and InRelease, served by the server of the test.
//!
//! ```ignore
//! #[path = "support/debian_archive.rs"]
//! mod debian_archive;
//! #[path = "support/openpgp.rs"]
//! mod openpgp;
//! #[path = "support/server.rs"]
//! mod server;
//!
//! let bash = Package::new("bash", "5.2-1", "amd64", deb);
//! Suite::new("bookworm").with(&bash).publish(&server, "/debian", &key);
//! ```
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;

use kimg::digest::Digest;

use super::openpgp::Key;
use super::server::Server;

/// When suites are made, unless told otherwise.
pub const DATE: &str = "Sat, 21 Nov 2026 08:12:34 UTC";

/// The same time, as locks write it.
pub const DATE_IN_LOCKS: &str = "2026-11-21T08:12:34Z";

/// The architectures of an archive.
pub const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// One package file.
#[derive(Debug, Clone)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// One of [`ARCHITECTURES`], or `all`.
    pub architecture: String,
    /// The bytes of the .deb, whatever they are.
    pub deb: Vec<u8>,
}

impl Package {
    pub fn new(name: &str, version: &str, architecture: &str, deb: impl Into<Vec<u8>>) -> Package {
        Package { name: name.into(), version: version.into(), architecture: architecture.into(), deb: deb.into() }
    }

    /// Its path below the archive's root.
    pub fn path(&self) -> String {
        let Package { name, version, architecture, .. } = self;
        let version = version.split_once(':').map_or(version.as_str(), |(_, version)| version);
        format!("pool/main/{}/{name}/{name}_{version}_{architecture}.deb", &name[..1])
    }

    /// What Packages says of it.
    pub fn stanza(&self) -> String {
        format!(
            "Package: {}\nVersion: {}\nInstalled-Size: 7\nMaintainer: Nobody <nobody@mirror.example>\n\
             Architecture: {}\nDescription: something\n with a line more\nFilename: {}\nSize: {}\nSHA256: {}\n",
            self.name,
            self.version,
            self.architecture,
            self.path(),
            self.deb.len(),
            Digest::of(&self.deb).hex()
        )
    }
}

/// One suite of an archive.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The folder below `dists/`.
    pub name: String,
    /// What its Release calls itself.
    pub codename: String,
    /// When it was made.
    pub date: String,
    /// Until when it holds.
    pub valid_until: Option<String>,
    /// Whether files lie below `by-hash` too.
    pub by_hash: bool,
    /// The text of Packages by architecture.
    pub texts: BTreeMap<&'static str, String>,
    /// The package files by path.
    pub pool: BTreeMap<String, Vec<u8>>,
}

impl Suite {
    /// An empty suite, made at [`DATE`], without an end, with `by-hash`.
    pub fn new(name: &str) -> Suite {
        Suite {
            name: name.to_owned(),
            codename: name.to_owned(),
            date: DATE.to_owned(),
            valid_until: None,
            by_hash: true,
            texts: ARCHITECTURES.map(|architecture| (architecture, String::new())).into(),
            pool: BTreeMap::new(),
        }
    }

    /// With a package, for its architecture or for all.
    pub fn with(mut self, package: &Package) -> Suite {
        self.pool.insert(package.path(), package.deb.clone());
        let own = ARCHITECTURES.into_iter().filter(|own| [*own, "all"].contains(&package.architecture.as_str()));
        own.fold(self, |suite, architecture| suite.with_text(architecture, &package.stanza()))
    }

    /// With this text as a stanza of one architecture's Packages.
    pub fn with_text(mut self, architecture: &'static str, stanza: &str) -> Suite {
        let text = self.texts.entry(architecture).or_default();
        text.push_str(stanza);
        text.push('\n');
        self
    }

    /// The packed Packages of an architecture, and where it lies below the suite's folder.
    pub fn packages(&self, architecture: &str) -> (String, Vec<u8>) {
        let text = &self.texts[architecture];
        (format!("main/binary-{architecture}/Packages.xz"), liblzma::encode_all(text.as_bytes(), 0).unwrap())
    }

    /// The URL path of Packages below the archive's root, as it is asked for.
    pub fn packages_path(&self, architecture: &str) -> String {
        let (path, bytes) = self.packages(architecture);
        match self.by_hash {
            true => format!("dists/{}/{}", self.name, by_hash(&path, &bytes)),
            false => format!("dists/{}/{path}", self.name),
        }
    }

    /// The text of its Release.
    pub fn release(&self) -> String {
        let mut text = format!("Origin: Tests\nCodename: {}\nDate: {}\n", self.codename, self.date);
        text.extend(self.valid_until.iter().map(|until| format!("Valid-Until: {until}\n")));
        text.push_str(if self.by_hash { "Acquire-By-Hash: yes\n" } else { "" });
        text.push_str("Components: main\nSHA256:\n");
        for architecture in self.texts.keys() {
            let (path, bytes) = self.packages(architecture);
            text.push_str(&format!(" {} {:8} {path}\n", Digest::of(&bytes).hex(), bytes.len()));
        }
        text
    }

    /// Serves it below `root` (`/debian`), signed by `key`.
    pub fn publish(&self, server: &Server, root: &str, key: &Key) {
        let folder = format!("{root}/dists/{}", self.name);
        server.put(&format!("{folder}/Release"), self.release());
        server.put(&format!("{folder}/InRelease"), key.sign_cleartext(&self.release()));
        for architecture in self.texts.keys() {
            let (path, bytes) = self.packages(architecture);
            if self.by_hash {
                server.put(&format!("{folder}/{}", by_hash(&path, &bytes)), bytes.clone());
            }
            server.put(&format!("{folder}/{path}"), bytes);
        }
        self.pool.iter().for_each(|(path, deb)| server.put(&format!("{root}/{path}"), deb.clone()));
    }
}

fn by_hash(path: &str, bytes: &[u8]) -> String {
    let (folder, _) = path.rsplit_once('/').unwrap();
    format!("{folder}/by-hash/SHA256/{}", Digest::of(bytes).hex())
}
