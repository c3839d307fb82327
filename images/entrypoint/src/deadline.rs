//! Bounded time: for waits, and for whatever comes over a network.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A moment by which something must have happened.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    start: Instant,
    patience: Duration,
}

impl Deadline {
    /// The moment that comes after this time.
    pub fn after(patience: Duration) -> Deadline {
        Deadline { start: now(), patience }
    }

    /// The time that is left; `None` when it is over.
    pub fn left(&self) -> Option<Duration> {
        self.patience.checked_sub(self.passed()).filter(|left| !left.is_zero())
    }

    /// The time since it was set.
    pub fn passed(&self) -> Duration {
        now().duration_since(self.start)
    }

    /// The time that is left, but no more than `most`.
    pub fn left_of(&self, most: Duration) -> Option<Duration> {
        self.left().map(|left| left.min(most))
    }
}

#[allow(clippy::disallowed_methods, reason = "only how long something is waited for depends on it")]
fn now() -> Instant {
    Instant::now()
}

/// A connection on which all reads and writes together end by a deadline.
#[derive(Debug)]
pub struct TimedStream {
    stream: TcpStream,
    deadline: Deadline,
}

impl TimedStream {
    /// Connects to the first address that accepts.
    pub fn connect(addresses: &[SocketAddr], deadline: Deadline) -> io::Result<TimedStream> {
        let mut first = None;
        for address in addresses {
            let Some(left) = deadline.left() else { return Err(too_late()) };
            match TcpStream::connect_timeout(address, left) {
                Ok(stream) => return Ok(TimedStream { stream, deadline }),
                // Of loopback's two addresses the second is often not there at all.
                Err(error) => drop(first.get_or_insert_with(|| plainly(error))),
            }
        }
        Err(first.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it has no address")))
    }

    /// Gives what comes next another deadline.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }
}

impl Read for TimedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.deadline.left().ok_or_else(too_late)?))?;
        self.stream.read(buffer).map_err(plainly)
    }
}

impl Write for TimedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.deadline.left().ok_or_else(too_late)?))?;
        self.stream.write(bytes).map_err(plainly)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn too_late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}

/// A timeout of a socket is told as `Resource temporarily unavailable`, which says nothing to a reader; numbers of errors
/// neither.
fn plainly(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => too_late(),
        io::ErrorKind::ConnectionRefused => io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused"),
        _ => error,
    }
}
