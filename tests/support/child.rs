//! A test that runs itself again as another process, to play a part there.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a child of a test is told by these, and tells"
)]

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const FOLDER: &str = "KIMG_TEST_FOLDER";
const PART: &str = "KIMG_TEST_PART";

/// The folder and the part that this process plays, if it is such a child.
pub fn part() -> Option<(PathBuf, String)> {
    Some((env::var_os(FOLDER)?.into(), env::var(PART).ok()?))
}

/// Starts the test of that name again, as a child with this part.
pub fn start(test: &str, folder: &Path, part: &str) -> Running {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(FOLDER, folder).env(PART, part);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    Running(command.spawn().unwrap())
}

/// In a child: tells the parent that it has come so far, and waits until it is told to go on.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn reached() {
    eprintln!("reached");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

/// In a child: ends it, before it is taken for the test itself.
pub fn end() -> ! {
    std::process::exit(0)
}

/// A child that runs.
pub struct Running(Child);

#[allow(dead_code, reason = "each test program uses a part of this")]
impl Running {
    /// Waits until it has reached its point.
    pub fn wait_until_reached(&mut self) {
        let mut line = String::new();
        BufReader::with_capacity(1, self.0.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "reached\n", "{}", self.rest());
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Lets it go on.
    pub fn go_on(&mut self) {
        self.0.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    }

    /// Waits for its end, which must be a good one.
    pub fn finish(mut self) {
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{}", self.rest());
    }

    /// Kills it with SIGKILL.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn rest(&mut self) -> String {
        let mut text = String::new();
        let _ = self.0.stderr.as_mut().map(|stderr| stderr.read_to_string(&mut text));
        text
    }
}

impl Drop for Running {
    /// No test leaves a process behind, failed or not.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
