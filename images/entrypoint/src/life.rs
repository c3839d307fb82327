//! Life as PID 1, where something is left to do after Java has started: Java is a child then, gets the signals that
//! come, and its exit code is this program's. Where nothing is left to do this program becomes Java, and none of this is
//! used.
//!
//! SIGTERM ends a broker by a controlled shutdown, after which Java's exit code is 143: that is a clean end.

use std::io;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::java::Java;
use crate::json_log::JsonLog;
use crate::problem::Problem;
use crate::signals::{self, Held, Signal};

/// How long a signal is waited for before the children are looked at all the same.
const LOOK: Duration = Duration::from_secs(1);

/// The same before Java starts, where every moment counts.
const LOOK_BEFORE: Duration = Duration::from_millis(50);

/// Starts Java as a child and does `after_start` beside it, in a process of its own; ends with Java's exit code. As PID 1
/// it takes the end of every process of the container.
pub fn supervise(java: &Java, after_start: impl FnOnce()) -> Result<ExitCode, Problem> {
    let held = hold();
    // A copy of a process has one thread: it is made before anything that starts another. The server serves all the same
    // where it cannot be made.
    let helper = signals::in_child(&held, after_start).ok();
    let ended = run(java, &held);
    if let Some(helper) = helper {
        let _ = signals::send(helper, Signal::KILL);
    }
    ended.map(ExitCode::from).map_err(|error| java.problem(&error))
}

fn run(java: &Java, held: &Held) -> io::Result<u8> {
    let mut command = java.command();
    let log = JsonLog::of(java, &mut command)?;
    let process = start(&mut command, held)?;
    // It holds the end of the pipe that Java writes to.
    drop(command);
    let code = until_end_of(process, held);
    if let Some(log) = log {
        log.finish();
    }
    Ok(code)
}

/// Passes signals on to a child, and takes the end of every process, until that child ends.
fn until_end_of(process: u32, held: &Held) -> u8 {
    loop {
        match signals::reap(None) {
            Some((ended, code)) if ended == process => return code,
            Some(_) => {}
            None => pass_on(held, LOOK, process),
        }
    }
}

/// Runs a program to its end before Java starts, with the signals that come passed on to it; the answer is its exit code.
/// The end of no other process is taken.
pub fn run_before(command: &mut Command) -> io::Result<u8> {
    let held = hold();
    let process = start(command, &held)?;
    loop {
        match signals::reap(Some(process)) {
            Some((_, code)) => return Ok(code),
            None => pass_on(&held, LOOK_BEFORE, process),
        }
    }
}

fn hold() -> Held {
    let mut signals = Signal::PASSED_ON.to_vec();
    signals.push(Signal::CHILD);
    Held::new(&signals)
}

#[allow(clippy::zombie_processes, reason = "its end is taken by number")]
fn start(command: &mut Command, held: &Held) -> io::Result<u32> {
    held.release_in(command);
    Ok(command.spawn()?.id())
}

/// Waits for a signal and passes it on. A child that has just ended cannot be reached any more, which is no trouble.
fn pass_on(held: &Held, patience: Duration, process: u32) {
    if let Some(signal) = held.next(patience).filter(|signal| *signal != Signal::CHILD) {
        let _ = signals::send(process, signal);
    }
}
