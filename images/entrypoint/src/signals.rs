//! Signals, by the few calls of the C library that the standard library lacks. All unsafe code that life as PID 1 needs is
//! in this file.
//!
//! The kernel drops a signal for PID 1 that has no handler, so a wait there could not be ended. Signals are held back
//! (blocked) instead and asked for: no code runs at an arbitrary moment, and a wait ends as soon as one comes.

#![allow(unsafe_code, reason = "signals and the children of PID 1 are reached by system calls only")]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// A signal's number; the same on all of Linux' platforms that kimg builds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(pub i32);

impl Signal {
    /// A terminal went away; Java ends on it.
    pub const HANG_UP: Signal = Signal(1);
    /// Control-C.
    pub const INTERRUPT: Signal = Signal(2);
    /// Java prints its threads.
    pub const QUIT: Signal = Signal(3);
    /// No program can ask for another end.
    pub const KILL: Signal = Signal(9);
    /// For the program's own use.
    pub const USER_1: Signal = Signal(10);
    /// For the program's own use.
    pub const USER_2: Signal = Signal(12);
    /// The way to stop a container.
    pub const TERMINATE: Signal = Signal(15);
    /// A child ended.
    pub const CHILD: Signal = Signal(17);

    /// The signals that ask a program to end.
    pub const ENDING: [Signal; 3] = [Signal::TERMINATE, Signal::INTERRUPT, Signal::HANG_UP];

    /// The signals that PID 1 passes on to the program that it stands for.
    pub const PASSED_ON: [Signal; 6] =
        [Signal::TERMINATE, Signal::INTERRUPT, Signal::HANG_UP, Signal::QUIT, Signal::USER_1, Signal::USER_2];

    /// The exit code of a program that ended by it, as shells tell it.
    pub fn exit_code(self) -> u8 {
        128u8.saturating_add(u8::try_from(self.0).unwrap_or(0))
    }
}

/// `sigset_t` of glibc: 1024 bits.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Set([u64; 16]);

#[repr(C)]
struct Time {
    seconds: i64,
    nanoseconds: i64,
}

const BLOCK: i32 = 0;
const SET_MASK: i32 = 2;
const WITHOUT_HANGING: i32 = 1;

unsafe extern "C" {
    fn sigaddset(set: *mut Set, signal: i32) -> i32;
    fn pthread_sigmask(how: i32, set: *const Set, before: *mut Set) -> i32;
    fn sigtimedwait(set: *const Set, info: *mut u8, patience: *const Time) -> i32;
    fn kill(process: i32, signal: i32) -> i32;
    fn fork() -> i32;
    fn _exit(code: i32) -> !;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
}

/// Signals that are held back for this thread, and the threads that it starts, until this is dropped.
#[derive(Debug)]
pub struct Held {
    these: Set,
    before: Set,
}

impl Held {
    /// Holds these back.
    pub fn new(signals: &[Signal]) -> Held {
        let (mut these, mut before) = (Set([0; 16]), Set([0; 16]));
        // SAFETY: both sets live here, are as large as the C library's, and all zero is an empty set.
        unsafe {
            for signal in signals {
                sigaddset(&raw mut these, signal.0);
            }
            pthread_sigmask(BLOCK, &raw const these, &raw mut before);
        }
        Held { these, before }
    }

    /// The next of them; `None` when none came in this time.
    pub fn next(&self, patience: Duration) -> Option<Signal> {
        let seconds = i64::try_from(patience.as_secs()).unwrap_or(i64::MAX);
        let time = Time { seconds, nanoseconds: i64::from(patience.subsec_nanos()) };
        // SAFETY: the set and the time live here; no details of the signal are asked for.
        let number = unsafe { sigtimedwait(&raw const self.these, std::ptr::null_mut(), &raw const time) };
        (number > 0).then_some(Signal(number))
    }

    /// Lets a child begin with the signals that this program began with: it would inherit those that are held back.
    pub fn release_in(&self, command: &mut Command) {
        let before = self.before;
        // SAFETY: between fork and exec only a function is called that may be called there (signal-safety(7)).
        unsafe {
            command.pre_exec(move || {
                pthread_sigmask(SET_MASK, &raw const before, std::ptr::null_mut());
                Ok(())
            });
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: the set lives here.
        unsafe {
            pthread_sigmask(SET_MASK, &raw const self.before, std::ptr::null_mut());
        }
    }
}

/// Sends a signal to a process.
pub fn send(process: u32, signal: Signal) -> io::Result<()> {
    let process = i32::try_from(process).map_err(io::Error::other)?;
    // SAFETY: it takes two numbers.
    match unsafe { kill(process, signal.0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Does something in a process of its own, a copy of this one, which ends after it. This program has one thread, without
/// which the copy would lack the others.
pub fn in_child(held: &Held, task: impl FnOnce()) -> io::Result<u32> {
    // SAFETY: there is no other thread that could hold a lock.
    match unsafe { fork() } {
        0 => {
            // SAFETY: the set lives in both processes.
            unsafe { pthread_sigmask(SET_MASK, &raw const held.before, std::ptr::null_mut()) };
            task();
            // SAFETY: it takes a number; nothing of the parent's is flushed or dropped twice.
            unsafe { _exit(0) }
        }
        process => u32::try_from(process).map_err(|_| io::Error::last_os_error()),
    }
}

/// A child that ended, and its exit code: 128 and the signal's number where a signal ended it. `None` where none has. With
/// a process only that one; else any of those that were started here, or came to PID 1 because their own parent ended.
pub fn reap(process: Option<u32>) -> Option<(u32, u8)> {
    let which = process.map_or(Ok(-1), i32::try_from).ok()?;
    let mut status = 0;
    // SAFETY: the status lives here.
    let process = unsafe { waitpid(which, &raw mut status, WITHOUT_HANGING) };
    let process = u32::try_from(process).ok().filter(|process| *process > 0)?;
    let by_signal = status & 0x7f;
    let code = match by_signal {
        0 => u8::try_from((status >> 8) & 0xff).unwrap_or(u8::MAX),
        signal => Signal(signal).exit_code(),
    };
    Some((process, code))
}
