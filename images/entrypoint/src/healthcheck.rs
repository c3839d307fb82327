//! Whether the server of this container answers, asked without a JVM.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks ZooKeeper `ruok`.
pub fn zookeeper(address: SocketAddr) -> io::Result<()> {
    let mut stream = connect(address)?;
    stream.write_all(b"ruok")?;
    let mut answer = Vec::new();
    stream.take(64).read_to_end(&mut answer)?;
    match answer.as_slice() {
        b"imok" => Ok(()),
        other => Err(io::Error::other(format!("it answered `{}` to ruok", other.escape_ascii()))),
    }
}

/// Asks Kafka for its API versions (api key 18, version 0), which every version answers.
pub fn kafka(address: SocketAddr) -> io::Result<()> {
    const REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255];
    let mut stream = connect(address)?;
    stream.write_all(&REQUEST)?;
    // Size, the request's number, and an error code, 0 where all is well.
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    match answer[4..] {
        [0, 0, 0, 7, 0, 0] => Ok(()),
        _ => Err(io::Error::other("it answered a request for its API versions with an error")),
    }
}

/// Connects only: to a listener with TLS or SASL nothing more can be said without credentials.
pub fn listens(address: SocketAddr) -> io::Result<()> {
    connect(address).map(|_| ())
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
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
        assert!(kafka(answer(14, &[0, 0, 0, 6, 0, 0, 0, 7, 0, 0])).is_ok());
        assert!(kafka(answer(14, &[0, 0, 0, 6, 0, 0, 0, 7, 0, 35])).is_err());
        assert!(kafka(answer(14, b"HTTP")).is_err());
    }
}
