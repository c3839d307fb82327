//! A forward proxy in the process of the test: it passes on requests for `http://` URLs, answers `CONNECT` with 502, and
//! records both. It needs `mod server` beside it.
#![allow(dead_code, unreachable_pub)]

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::server::{Request, basic, read_request};

/// The proxy. It ends when it is dropped; each request has a connection of its own.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Mutex<State>>,
    listening: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    ended: bool,
}

impl Proxy {
    /// A proxy, which with `login` serves only who shows these credentials.
    pub fn start(login: Option<(&'static str, &'static str)>) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(State::default()));
        let theirs = Arc::clone(&shared);
        let listening = Some(thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if theirs.lock().unwrap().ended {
                    break;
                }
                let _ = pass_on(&stream, login, &theirs);
                let _ = stream.shutdown(Shutdown::Both);
            }
        }));
        Proxy { address, shared, listening }
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().unwrap().requests.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().unwrap().ended = true;
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        self.listening.take().map(thread::JoinHandle::join);
    }
}

fn pass_on(mut stream: &TcpStream, login: Option<(&str, &str)>, shared: &Mutex<State>) -> io::Result<()> {
    let Some(request) = read_request(&mut BufReader::new(stream))? else { return Ok(()) };
    shared.lock().unwrap().requests.push(request.clone());
    let shown = request.header("proxy-authorization").map(str::to_owned);
    if login.is_some_and(|(user, password)| shown != Some(basic(user, password))) {
        return stream.write_all(b"HTTP/1.1 407 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let target = request.path.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
    let Some((host, path)) = target else {
        return stream.write_all(b"HTTP/1.1 502 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let mut upstream = TcpStream::connect(host)?;
    write!(upstream, "{} /{path} HTTP/1.1\r\n", request.method)?;
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.starts_with("proxy-")) {
        write!(upstream, "{name}: {value}\r\n")?;
    }
    upstream.write_all(b"\r\n")?;
    // Asking no more is how the server learns to close the connection, which ends the copy.
    upstream.shutdown(Shutdown::Write)?;
    io::copy(&mut upstream, &mut stream)?;
    Ok(())
}
