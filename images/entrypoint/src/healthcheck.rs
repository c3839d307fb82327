//! Whether the server of this container answers, asked without a JVM.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::deadline::{Deadline, TimedStream};

const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks ZooKeeper `ruok`.
pub fn zookeeper(address: SocketAddr) -> io::Result<()> {
    let mut stream = TimedStream::connect(&[address], Deadline::after(TIMEOUT))?;
    stream.write_all(b"ruok")?;
    let mut answer = Vec::new();
    stream.take(64).read_to_end(&mut answer)?;
    match answer.as_slice() {
        b"imok" => Ok(()),
        other => Err(io::Error::other(format!("it answered `{}` to ruok", other.escape_ascii()))),
    }
}

/// Connects to the first of these addresses that accepts, and to nothing more: with TLS nothing else can be said without
/// credentials.
pub fn listens_at(addresses: &[SocketAddr], patience: Duration) -> io::Result<()> {
    TimedStream::connect(addresses, Deadline::after(patience)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    fn answer(request: usize, bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut vec![0; request]).unwrap();
            stream.write_all(bytes).unwrap();
        });
        address
    }

    #[test]
    fn answers_of_servers() {
        assert!(zookeeper(answer(4, b"imok")).is_ok());
        let refused = zookeeper(answer(4, b"ruok is not executed because it is not in the whitelist.\n"));
        assert!(refused.unwrap_err().to_string().contains("whitelist"));
    }
}
