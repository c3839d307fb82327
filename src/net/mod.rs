//! The network: the one user of reqwest. Client, retries, resume, limits, TLS.

use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Digest;
use crate::error::{Category, Diagnose};
use crate::event::Events;
use crate::store::Downloads;

/// A failure of the network, or of bytes that came over it. (To be replaced by one variant a failure.)
#[derive(Debug, thiserror::Error)]
#[error("net")]
pub struct NetError;

impl Diagnose for NetError {
    fn category(&self) -> Category {
        Category::Refused
    }
}

/// How to behave on the network. Read by `cli` from flags, environment and configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Downloads at once to one host.
    pub per_host: usize,
    /// Tries of one download at one host, the first included.
    pub tries: u32,
    /// The first wait between two tries; each further one doubles, up to `longest_wait`.
    pub first_wait: Duration,
    /// The longest wait between two tries, also where Retry-After asks for more.
    pub longest_wait: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a transfer may stand still.
    pub stall_timeout: Duration,
    /// The text of a netrc file, where there is one.
    pub netrc: Option<String>,
    /// PEM files of certificate authorities trusted besides the platform's.
    pub authorities: Vec<PathBuf>,
    /// The proxies of the environment: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, in either case.
    pub proxies: Vec<(String, String)>,
}

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

/// One file that must be had.
#[derive(Debug, Clone)]
pub struct Download {
    /// What people call it, for events and errors.
    pub name: String,
    /// The URLs' roots and the path below each, tried in turn.
    pub places: Vec<(Base, String)>,
    /// What must come.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// The client. Built lazily at the first request, so that a build with nothing to fetch needs no CA and no network.
#[derive(Debug)]
pub struct Client;

impl Client {
    /// A client that behaves so.
    pub fn new(settings: Settings, events: Events) -> Client {
        todo!("{settings:?} {events:?}")
    }

    /// Fetches what the cache lacks, side by side, biggest first; the first error that no place could mend ends it, and
    /// what was fetched stays. Each download is one task event.
    pub async fn fetch(&self, downloads: &[Download], cache: &Downloads) -> Result<(), NetError> {
        todo!("{downloads:?} {cache:?}")
    }

    /// Gets a small document whose digest is not known yet (InRelease, a signature), from the first base that answers;
    /// `None` where all answer that there is none (404, 410). The second value says which URL it came from.
    pub async fn get(&self, places: &[(Base, String)], limit: u64) -> Result<Option<(Vec<u8>, String)>, NetError> {
        todo!("{places:?} {limit}")
    }
}

impl std::fmt::Debug for Base {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Base").field("url", &self.url).field("origin", &self.origin).finish_non_exhaustive()
    }
}
