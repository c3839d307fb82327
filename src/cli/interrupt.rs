//! Ctrl-C and SIGTERM end the work in an orderly way; a second one ends it at once.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;

use super::{CliError, Failure};
use crate::error::Category;

/// How long threads that still work when the program ends may take to put their things away. A layer under way is not
/// waited for: what it has written has no final name, and the store sweeps it away.
const PATIENCE: Duration = Duration::from_millis(100);

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Does asynchronous work until it ends or the user ends it, which drops it.
pub(super) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    // Two: the work's own tasks, and one that hears the second signal while the work is dropped.
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(CliError::Start)?;
    let result = runtime.block_on(async {
        let mut signals = Signals::new().map_err(CliError::Start)?;
        tokio::select! {
            biased;
            () = signals.next() => {
                tokio::spawn(async move {
                    signals.next().await;
                    #[allow(clippy::disallowed_methods, reason = "who asks twice does not want to wait for anything")]
                    std::process::exit(Category::Interrupted.exit_code().into());
                });
                Err(Failure::Interrupted)
            }
            result = work => result,
        }
    });
    match &result {
        // Threads that still copy may wait for the network: what they wait by must not vanish below them.
        Err(Failure::Interrupted) => {
            runtime.block_on(async { tokio::time::sleep(PATIENCE).await });
            std::mem::forget(runtime);
        }
        _ => runtime.shutdown_timeout(PATIENCE),
    }
    result
}

/// Does work that blocks until it ends or the user ends it.
pub(super) fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let stopped = |error: tokio::task::JoinError| Failure::from(CliError::Worker(error.to_string()));
    run(async { spawn_blocking(work).await.map_err(stopped)? })
}
