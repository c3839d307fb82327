//! What tests of downloads share: a cache in a folder of its own, settings with short waits, a listener.
#![allow(dead_code, unreachable_pub)]

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use kimg::digest::Digest;
use kimg::event::{Event, Events, Listener, Outcome};
use kimg::net::{Base, Client, Download, Settings};
use kimg::store::{Downloads, Store};

/// A cache in a folder that is removed in the end.
pub struct Cache {
    folder: tempfile::TempDir,
    pub downloads: Downloads,
}

impl Cache {
    pub fn new() -> Cache {
        let folder = tempfile::tempdir().unwrap();
        let downloads = Store::open(&folder.path().join("store")).unwrap().downloads();
        Cache { folder, downloads }
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The verified bytes of an input.
    pub fn read(&self, download: &Download) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut file = self.downloads.open(&download.digest, download.size).unwrap();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        bytes
    }

    pub fn has(&self, download: &Download) -> bool {
        self.downloads.has(&download.digest, download.size)
    }
}

/// Waits of milliseconds; two tries.
pub fn settings() -> Settings {
    Settings {
        per_host: 4,
        tries: 2,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        connect_timeout: Duration::from_secs(20),
        stall_timeout: Duration::from_secs(20),
        ..Settings::default()
    }
}

/// A client with [`settings`] whose events nobody hears.
pub fn client() -> Client {
    Client::new(settings(), Events::silent())
}

/// A base at `url`, without credentials.
pub fn base(url: impl Into<String>) -> Base {
    Base { url: url.into(), credentials: None, origin: "a test".into() }
}

/// `bytes` under `path` (without a leading `/`), to be had from each of `urls` in turn.
pub fn download(urls: &[String], path: &str, bytes: &[u8]) -> Download {
    Download {
        name: path.to_owned(),
        places: urls.iter().map(|url| (base(url), path.to_owned())).collect(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
    }
}

/// Bytes that differ from those of another seed, and at every offset.
pub fn bytes(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}

/// A URL at which nothing listens.
pub fn nobody() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// Keeps all events.
#[derive(Clone, Default)]
pub struct Recorder(Arc<(Mutex<Vec<Event>>, Condvar)>);

impl Listener for Recorder {
    fn on(&self, event: Event) {
        self.0.0.lock().unwrap().push(event);
        self.0.1.notify_all();
    }
}

impl Recorder {
    pub fn events(&self) -> Events {
        Events::new(self.clone())
    }

    pub fn all(&self) -> Vec<Event> {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits, without a runtime's thread, until a task has got so far.
    pub async fn progress(&self, bytes: u64) {
        let (events, changed) = (self.clone(), bytes);
        tokio::task::spawn_blocking(move || {
            let far = |event: &Event| matches!(event, Event::Progress { done, .. } if *done >= changed);
            let seen = events.0.0.lock().unwrap();
            drop(events.0.1.wait_while(seen, |seen| !seen.iter().any(far)).unwrap());
        })
        .await
        .unwrap();
    }

    /// What was said with `-v` and above.
    pub fn texts(&self) -> Vec<String> {
        let text = |event| match event {
            Event::Detail(text) | Event::Note(text) | Event::Warning(text) => Some(text),
            _ => None,
        };
        self.all().into_iter().filter_map(text).collect()
    }

    /// The names of the tasks in the order in which they began.
    pub fn started(&self) -> Vec<String> {
        let name = |event| if let Event::Started { name, .. } = event { Some(name) } else { None };
        self.all().into_iter().filter_map(name).collect()
    }

    /// How the tasks ended.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |event| if let Event::Finished { outcome, .. } = event { Some(outcome) } else { None };
        self.all().into_iter().filter_map(outcome).collect()
    }
}
