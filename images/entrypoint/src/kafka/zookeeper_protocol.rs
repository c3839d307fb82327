//! The few messages of ZooKeeper's protocol that are asked before Java starts: a session, a node's data, the end of the
//! session. Source: apache/zookeeper zookeeper-jute/src/main/resources/zookeeper.jute (ConnectRequest, RequestHeader,
//! GetDataRequest and their answers), KeeperException.Code, ZooDefs.OpCode.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::deadline::{Deadline, TimedStream};

/// How long the server keeps the session when this program goes away without a word.
const SESSION: i32 = 6000;

const GET_DATA: i32 = 4;
const CLOSE_SESSION: i32 = -11;

const NO_NODE: i32 = -101;

/// `jute.maxbuffer` is 1 MiB, and some raise it.
const LARGEST: usize = 4 << 20;

/// A session with a server that has a quorum: without one it accepts, and closes the connection.
#[derive(Debug)]
pub struct Session {
    stream: TimedStream,
    patience: Duration,
    requests: i32,
}

/// A node of ZooKeeper's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// There is none.
    Absent,
    /// Its data.
    Present(Vec<u8>),
    /// An error, such as -102 where it may not be read and -124 where the server wants clients to authenticate.
    Closed(i32),
}

impl Session {
    /// Connects to the first address that accepts and makes a session; each answer takes this long at most.
    pub fn open(addresses: &[SocketAddr], patience: Duration) -> io::Result<Session> {
        let stream = TimedStream::connect(addresses, Deadline::after(patience))?;
        let mut session = Session { stream, patience, requests: 0 };
        let mut request = Vec::new();
        request.extend(0i32.to_be_bytes()); // the protocol's version
        request.extend(0i64.to_be_bytes()); // the last transaction seen
        request.extend(SESSION.to_be_bytes());
        request.extend(0i64.to_be_bytes()); // a new session
        request.extend(16i32.to_be_bytes());
        request.extend([0; 16]); // no password yet
        request.push(0); // no server that can only be read
        session.send(&request)?;
        let answer = session.receive().map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                io::Error::other("it accepts and closes: its ensemble has no quorum yet, or it wants TLS")
            }
            _ => error,
        })?;
        match number(&answer, 4) {
            Some(timeout) if timeout > 0 => Ok(session),
            _ => Err(strange()),
        }
    }

    /// A node's data.
    pub fn data(&mut self, path: &str) -> io::Result<Node> {
        let mut body = i32::try_from(path.len()).map_err(io::Error::other)?.to_be_bytes().to_vec();
        body.extend(path.as_bytes());
        body.push(0); // no watch
        let answer = self.ask(GET_DATA, &body)?;
        match number(&answer, 12).ok_or_else(strange)? {
            0 => {
                let size = number(&answer, 16).map_or(0, |size| usize::try_from(size).unwrap_or(0));
                let end = size.checked_add(20).ok_or_else(strange)?;
                Ok(Node::Present(answer.get(20..end).ok_or_else(strange)?.to_vec()))
            }
            NO_NODE => Ok(Node::Absent),
            code => Ok(Node::Closed(code)),
        }
    }

    /// Ends the session. One that cannot be told ends by itself.
    pub fn close(mut self) {
        let _ = self.ask(CLOSE_SESSION, &[]);
    }

    /// Sends a request; its answer begins with the request's number, a transaction (8 bytes) and an error.
    fn ask(&mut self, kind: i32, body: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.set_deadline(Deadline::after(self.patience));
        self.requests += 1;
        let request = [&self.requests.to_be_bytes()[..], &kind.to_be_bytes(), body].concat();
        self.send(&request)?;
        let answer = self.receive()?;
        match number(&answer, 0) == Some(self.requests) {
            true => Ok(answer),
            false => Err(strange()),
        }
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let size = i32::try_from(message.len()).map_err(io::Error::other)?;
        self.stream.write_all(&[&size.to_be_bytes(), message].concat())
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size)?;
        let size = usize::try_from(i32::from_be_bytes(size)).ok().filter(|size| *size <= LARGEST);
        let mut message = vec![0; size.ok_or_else(strange)?];
        self.stream.read_exact(&mut message)?;
        Ok(message)
    }
}

fn number(message: &[u8], at: usize) -> Option<i32> {
    let bytes = message.get(at..)?.first_chunk()?;
    Some(i32::from_be_bytes(*bytes))
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what answers there is no ZooKeeper")
}
