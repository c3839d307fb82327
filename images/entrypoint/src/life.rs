//! Life as PID 1, where something is left to do after Java has started: Java is a child then, gets the signals that
//! come, and its exit code is this program's. Where nothing is left to do this program becomes Java, and none of this is
//! used.
//!
//! SIGTERM ends a broker by a controlled shutdown, after which Java's exit code is 143: that is a clean end.

use std::collections::BTreeMap;
use std::io;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::java::Java;
use crate::problem::Problem;
use crate::signals::{self, Held, Signal};

/// How long a signal is waited for before the children are looked at all the same.
const LOOK: Duration = Duration::from_secs(1);

/// The same before Java starts, where every moment counts.
const LOOK_BEFORE: Duration = Duration::from_millis(50);

/// The programs that were started here. PID 1 takes the end of every process of the container, so nobody else may wait
/// for a child: who starts one here is told its exit code.
#[derive(Debug)]
pub struct Children {
    held: Held,
    ended: Mutex<BTreeMap<u32, Option<u8>>>,
    one_ended: Condvar,
}

impl Children {
    fn new() -> Children {
        let mut signals = Signal::PASSED_ON.to_vec();
        signals.push(Signal::CHILD);
        Children { held: Held::new(&signals), ended: Mutex::default(), one_ended: Condvar::new() }
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<u32, Option<u8>>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a program. The table is locked meanwhile, so that its end is not taken before it is known.
    fn start(&self, command: &mut Command) -> io::Result<u32> {
        self.held.release_in(command);
        let mut table = self.table();
        #[allow(clippy::zombie_processes, reason = "the loop of PID 1 takes its end")]
        let process = command.spawn()?.id();
        table.insert(process, None);
        Ok(process)
    }

    /// Runs a program to its end; the answer is its exit code. For what is done beside Java, in another thread than the
    /// one that takes the ends.
    pub fn run(&self, command: &mut Command) -> io::Result<u8> {
        let process = self.start(command)?;
        let mut table = self.table();
        loop {
            if let Some(code) = table.get(&process).copied().flatten() {
                table.remove(&process);
                return Ok(code);
            }
            table = self.one_ended.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Passes signals on to a child and takes the end of every process, until that child ends.
    fn until_end_of(&self, process: u32) -> u8 {
        loop {
            while let Some((ended, code)) = signals::reap(None) {
                if ended == process {
                    self.table().remove(&process);
                    return code;
                }
                if let Some(entry) = self.table().get_mut(&ended) {
                    *entry = Some(code);
                    self.one_ended.notify_all();
                }
            }
            match self.held.next(LOOK) {
                // A child that has just ended cannot be reached any more, which is no trouble.
                Some(signal) if signal != Signal::CHILD => drop(signals::send(process, signal)),
                _ => {}
            }
        }
    }
}

/// Starts Java as a child, does `after_start` beside it, and ends with its exit code.
pub fn supervise(java: &Java, after_start: impl FnOnce(&Children) + Send + 'static) -> Result<ExitCode, Problem> {
    let children = Arc::new(Children::new());
    let process = children.start(&mut java.command()).map_err(|error| java.problem(&error))?;
    let beside = Arc::clone(&children);
    // Without a thread the server serves all the same; `after_start` tells its own failures.
    let _ = thread::Builder::new().spawn(move || after_start(&beside));
    Ok(ExitCode::from(children.until_end_of(process)))
}

/// Runs a program to its end before Java starts, with the signals that come passed on to it; the answer is its exit code.
/// The end of no other process is taken.
pub fn run_before(command: &mut Command) -> io::Result<u8> {
    let children = Children::new();
    let process = children.start(command)?;
    loop {
        if let Some((_, code)) = signals::reap(Some(process)) {
            return Ok(code);
        }
        if let Some(signal) = children.held.next(LOOK_BEFORE).filter(|signal| *signal != Signal::CHILD) {
            let _ = signals::send(process, signal);
        }
    }
}
