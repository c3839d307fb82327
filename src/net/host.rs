//! What is known of each host while kimg runs: how many downloads it serves at once, that it can't be reached, that it
//! asked for a pause.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::error::Why;

/// All hosts, by `HOST:PORT`.
pub(super) struct Hosts {
    cap: usize,
    known: Mutex<BTreeMap<String, Arc<Host>>>,
}

/// One host.
pub(super) struct Host {
    permits: Arc<Semaphore>,
    lost: OnceLock<Why>,
    silent: OnceLock<Why>,
    answered: AtomicBool,
    quiet_until: Mutex<Option<Instant>>,
}

/// The right to one of the downloads that a host serves at once.
pub(super) struct Permit {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Hosts {
    /// None known; each will serve `cap` downloads at once, and at least one.
    pub(super) fn new(cap: usize) -> Hosts {
        Hosts { cap: cap.clamp(1, Semaphore::MAX_PERMITS), known: Mutex::default() }
    }

    /// The host of that name.
    pub(super) fn get(&self, name: &str) -> Arc<Host> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let host = known.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(Host {
                permits: Arc::new(Semaphore::new(self.cap)),
                lost: OnceLock::new(),
                silent: OnceLock::new(),
                answered: AtomicBool::new(false),
                quiet_until: Mutex::default(),
            })
        });
        Arc::clone(host)
    }
}

impl Host {
    /// Waits for a turn; turns are given in the order in which they were asked for.
    pub(super) async fn turn(&self) -> Permit {
        // The semaphore is never closed, so there always is a permit in the end.
        Permit { _permit: Arc::clone(&self.permits).acquire_owned().await.ok() }
    }

    /// Why it was given up in this run, so that a hundred files don't wait for the same timeout.
    pub(super) fn lost(&self) -> Option<&Why> {
        self.lost.get()
    }

    /// Gives it up for this run.
    pub(super) fn give_up(&self, why: &Why) {
        // Whoever comes second says the same.
        let _ = self.lost.set(why.clone());
    }

    /// Why it need not be asked in this run for files that may be had elsewhere too.
    pub(super) fn silent(&self) -> Option<&Why> {
        self.silent.get()
    }

    /// Notes that it did not answer at once. It may be slow only, so it is not given up for all else.
    pub(super) fn was_silent(&self, why: &Why) {
        // Whoever comes second says the same.
        let _ = self.silent.set(why.clone());
    }

    /// Notes that it answered.
    pub(super) fn answers(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Whether it answered in this run.
    pub(super) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Leaves it alone for so long: nobody asks it until then.
    pub(super) fn pause(&self, wait: Duration) {
        let mut quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + wait;
        *quiet = Some(quiet.map_or(until, |before| before.max(until)));
    }

    /// Waits until it may be asked.
    pub(super) async fn quiet(&self) {
        loop {
            let until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }
}
