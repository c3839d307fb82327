//! The network: the one user of reqwest. Client, retries, resume, limits, TLS.
//!
//! - `settings`, `base`: plain values that say how to behave and where to ask.
//! - `client`, `proxy`, `netrc`: the reqwest client, built at the first request; who to be where.
//! - `host`, `retry`, `request`: what is known of a host, how long to wait, one request with its redirects.
//! - `fetch`, `range`, `transfer`: one download at its places, into part files that never mix hosts.
//! - `schedule`, `get`, `probe`: many downloads side by side; one small document; whether a file is there.
//! - `exchange`: one request of a protocol; `tls`: with a host that is not as all others.
//!
//! No clock is read: waits are counted by tokio's timer, and a date in Retry-After is taken relative to the Date of the
//! same answer.

mod base;
mod client;
mod error;
mod exchange;
mod fetch;
mod get;
mod host;
mod netrc;
mod probe;
mod proxy;
mod range;
mod request;
mod retry;
mod schedule;
mod settings;
mod tls;
mod transfer;

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::event::Events;
use crate::store::Downloads;

pub use base::Base;
pub use error::{Failure, NetError, Why};
pub use exchange::{Answer, Body, Exchange, Verb};
pub use retry::Tries;
pub use settings::Settings;
pub use tls::{Identity, Tls};

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

/// The place that answered first when all were asked whether they have a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its index among those that were asked.
    pub place: usize,
    /// The file's size in bytes, where the answer tells it.
    pub size: Option<u64>,
}

/// The client. Built lazily at the first request, so that a build with nothing to fetch needs no CA and no network.
/// Cheap to clone; clones share connections, limits, and what was learnt of hosts.
#[derive(Clone)]
pub struct Client(Arc<client::Shared>);

impl Client {
    /// A client that behaves so.
    pub fn new(settings: Settings, events: Events) -> Client {
        Client(Arc::new(client::Shared::new(settings, events)))
    }

    /// Fetches what the cache lacks, side by side, biggest first; the first error that no place could mend ends it, and
    /// what was fetched stays. Each download is one task event. Dropping the future leaves parts that the next call
    /// goes on from.
    pub async fn fetch(&self, downloads: &[Download], cache: &Downloads) -> Result<(), NetError> {
        schedule::fetch_all(&self.0, downloads, cache).await
    }

    /// Gets a small document whose digest is not known yet (InRelease, a signature), from the first base that answers;
    /// `None` where all answer that there is none (404, 410). The second value says which URL it came from. More than
    /// `limit` bytes are not read.
    pub async fn get(&self, places: &[(Base, String)], limit: u64) -> Result<Option<(Vec<u8>, String)>, NetError> {
        get::get(&self.0, places, limit).await
    }

    /// Makes one request of a protocol; any status is an answer. Neither redirects are followed nor credentials added.
    pub async fn exchange(&self, ask: Exchange) -> Result<Answer, Failure> {
        exchange::exchange(&self.0, ask).await
    }

    /// Counts tries of what only the caller can try again, such as a body that comes from elsewhere.
    pub fn tries(&self) -> Tries {
        Tries::new(self.0.settings())
    }

    /// How it behaves.
    pub fn settings(&self) -> &Settings {
        self.0.settings()
    }

    /// The same once only, without waiting for better times: to learn how a host is spoken to.
    pub async fn exchange_once(&self, ask: Exchange) -> Result<Answer, Failure> {
        exchange::exchange_once(&self.0, ask).await
    }

    /// A client with TLS as one host wants it, which shares nothing with this one but its settings.
    pub fn special(&self, tls: Tls) -> Result<Client, NetError> {
        Ok(Client(Arc::new(self.0.special(tls)?)))
    }

    /// Asks the places in turn whether they have a file, each once and for [`Settings::probe_timeout`] at most: for
    /// files that may be had elsewhere too, so that nobody waits for a host that is not there; it is not asked again so.
    pub async fn probe(&self, places: &[(Base, String)]) -> Result<Found, NetError> {
        probe::probe(&self.0, places).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", self.0.settings()).finish_non_exhaustive()
    }
}
