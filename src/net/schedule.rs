//! Many downloads: biggest first, so that the last one to come is a small one; as many at once as each host may serve.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::Download;
use super::base::{Place, host_of};
use super::client::{Shared, blocking};
use super::error::NetError;
use super::fetch::fetch;
use crate::store::Downloads;

/// Fetches what the cache lacks.
pub(super) async fn fetch_all(shared: &Arc<Shared>, downloads: &[Download], cache: &Downloads) -> Result<(), NetError> {
    let mut queues = JoinSet::new();
    for (host, queue) in by_host(missing(downloads, cache).await)? {
        queues.spawn(run(Arc::clone(shared), host, queue, cache.clone()));
    }
    while let Some(done) = queues.join_next().await {
        // Returning drops, and so ends, the tasks that still run.
        passed_on(done)?;
    }
    Ok(())
}

/// What the cache lacks, each file once, biggest first.
async fn missing(downloads: &[Download], cache: &Downloads) -> Vec<Download> {
    let mut seen = BTreeSet::new();
    let mut wanted: Vec<Download> = downloads.iter().filter(|download| seen.insert(download.digest)).cloned().collect();
    let cache = cache.clone();
    blocking(move || {
        wanted.retain(|download| !cache.has(&download.digest, download.size));
        wanted.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
        wanted
    })
    .await
}

/// The downloads by the host that each asks first. URLs that make no sense are told of before anything is fetched.
fn by_host(downloads: Vec<Download>) -> Result<BTreeMap<String, Vec<Download>>, NetError> {
    let mut queues: BTreeMap<String, Vec<Download>> = BTreeMap::new();
    for download in downloads {
        let mut hosts = Vec::new();
        for (base, path) in &download.places {
            hosts.push(host_of(&Place::new(base, path)?.url));
        }
        let first = hosts.into_iter().next().ok_or_else(|| NetError::Nowhere { name: download.name.clone() })?;
        queues.entry(first).or_default().push(download);
    }
    Ok(queues)
}

/// Starts one host's downloads in order, each when the host has a turn for it.
async fn run(shared: Arc<Shared>, host: String, queue: Vec<Download>, cache: Downloads) -> Result<(), NetError> {
    let host = shared.hosts.get(&host);
    let mut running = JoinSet::new();
    for download in queue {
        let permit = host.turn().await;
        while let Some(done) = running.try_join_next() {
            passed_on(done)?;
        }
        running.spawn(fetch(Arc::clone(&shared), download, cache.clone(), permit));
    }
    while let Some(done) = running.join_next().await {
        passed_on(done)?;
    }
    Ok(())
}

/// The result of a task; its panic is passed on.
fn passed_on(done: Result<Result<(), NetError>, JoinError>) -> Result<(), NetError> {
    match done {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only who drops the set cancels its tasks, and then nobody asks.
            Err(_) => Ok(()),
        },
    }
}
