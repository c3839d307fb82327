//! An HTTP/1.1 server of faults, in the process of the test, on a free port of 127.0.0.1.
//!
//! ```ignore
//! #[path = "support/server.rs"]
//! mod server;
//!
//! let server = Server::start();
//! server.put("/pool/a.deb", bytes);                            // what it serves, whole or by Range
//! server.faults("/pool/a.deb", [Fault::CutAfter(1000)]);       // for its first request; the second is served well
//! server.always("/gone", Fault::Status(503, None));
//! // … ask server.url() …
//! assert_eq!(server.requests_for("/pool/a.deb")[1].header("range"), Some("bytes=1000-"));
//! ```
//!
//! Every connection has a thread; all end with the [`Server`]. Nothing here sleeps: a stalled answer waits until the
//! client goes away, and [`Server::hold`] stops answers until the test lets them go.
#![allow(dead_code, unreachable_pub)]

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// What an answer does instead of serving the file.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing: the file is served well. To begin a list of faults with good answers.
    None,
    /// The connection is closed after so many bytes of the body.
    CutAfter(usize),
    /// Nothing comes any more after so many bytes of the body, until the client goes away.
    StallAfter(usize),
    /// The connection is closed without an answer.
    Hangup,
    /// This status, with this Retry-After (`30`, or a date; the answer's Date is [`DATE`]).
    Status(u16, Option<&'static str>),
    /// These bytes with 200, whatever was asked for.
    Bytes(Vec<u8>),
    /// A login page with 200.
    Html,
    /// The whole file with 200, though a Range was asked for.
    IgnoreRange,
    /// 206 with this Content-Range and the rest of the file from the offset asked for.
    ContentRange(String),
    /// 206 with no more than so many bytes from the offset asked for.
    Part(usize),
    /// The answer says that the body has this length, and ends there.
    ContentLength(usize),
    /// Chunked, without a length, and these bytes more than the file has.
    Longer(usize),
    /// Chunked, without a length, and ending properly after so many bytes.
    Shorter(usize),
    /// One byte a segment.
    Drip,
    /// 302 to this URL.
    Redirect(String),
    /// The file for who shows these credentials, 401 for others.
    Login(&'static str, &'static str),
}

/// The Date of every answer.
pub const DATE: &str = "Fri, 20 Nov 2026 12:00:00 GMT";

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// The target as it stands in the request line: a path, or a whole URL where a proxy is asked.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether it shows these credentials.
    pub fn shows(&self, user: &str, password: &str) -> bool {
        self.header("authorization") == Some(&basic(user, password))
    }
}

/// The server. It ends when it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// A server that serves nothing yet: 404 for all.
    pub fn start() -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let listening = Some(thread::spawn(move || listen(&listener, &theirs)));
        Server { shared, address, listening }
    }

    /// Serves `bytes` at `path`, which begins with `/`.
    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.lock().files.insert(path.to_owned(), Arc::new(bytes.into()));
    }

    /// What it serves at `path`.
    pub fn file(&self, path: &str) -> Vec<u8> {
        self.lock().files[path].to_vec()
    }

    /// Serves it no longer.
    pub fn remove(&self, path: &str) {
        self.lock().files.remove(path);
    }

    /// The faults of the next requests for `path`, one a request; what comes after them is served well.
    pub fn faults(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.entry(path.to_owned()).or_default().extend(faults);
    }

    /// The fault of every request for `path` once those of [`Server::faults`] are used up.
    pub fn always(&self, path: &str, fault: Fault) {
        self.lock().always.insert(path.to_owned(), fault);
    }

    /// The root URL, with a final `/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// The requests for one path.
    pub fn requests_for(&self, path: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.path == path).collect()
    }

    /// The bytes of all bodies that were handed to the system, of files and faults.
    pub fn bytes_sent(&self) -> u64 {
        self.lock().sent
    }

    /// Answers wait from now on, until [`Server::release`].
    pub fn hold(&self) {
        self.lock().held = true;
    }

    /// Lets `count` answers that wait go.
    pub fn release(&self, count: usize) {
        self.lock().let_go += count;
        self.shared.changed.notify_all();
    }

    /// Lets all answers go, and those to come.
    pub fn release_all(&self) {
        self.lock().held = false;
        self.shared.changed.notify_all();
    }

    /// Waits until so many requests have come since the start.
    pub fn wait_for_requests(&self, count: usize) {
        let state = self.lock();
        drop(self.shared.changed.wait_while(state, |state| state.requests.len() < count).unwrap());
    }

    /// The most requests that waited for an answer at one time; a meaningful number only after [`Server::hold`].
    pub fn most_at_once(&self) -> usize {
        self.lock().most_at_once
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        state.ended = true;
        for connection in &state.connections {
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        self.listening.take().map(thread::JoinHandle::join);
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Arc<Vec<u8>>>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    always: BTreeMap<String, Fault>,
    requests: Vec<Request>,
    connections: Vec<TcpStream>,
    sent: u64,
    at_once: usize,
    most_at_once: usize,
    held: bool,
    let_go: usize,
    ended: bool,
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        let mut state = shared.state.lock().unwrap();
        if state.ended {
            break;
        }
        let _ = stream.set_nodelay(true);
        state.connections.extend(stream.try_clone());
        let shared = Arc::clone(shared);
        threads.push(thread::spawn(move || {
            // A client that goes away is what tests do.
            let _ = converse(&shared, &stream);
            let _ = stream.shutdown(Shutdown::Both);
        }));
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

/// Answers the requests of one connection until either side closes it.
fn converse(shared: &Shared, stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let mut state = shared.state.lock().unwrap();
        state.requests.push(request.clone());
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        shared.changed.notify_all();
        let waits = |state: &mut State| state.held && state.let_go == 0 && !state.ended;
        let mut state = shared.changed.wait_while(state, waits).unwrap();
        state.let_go = state.let_go.saturating_sub(1);
        // Before the answer: its reader may ask for the next file before this thread runs again.
        state.at_once -= 1;
        let fault = match state.faults.get_mut(&request.path).and_then(VecDeque::pop_front) {
            Some(fault) => fault,
            None => state.always.get(&request.path).cloned().unwrap_or(Fault::None),
        };
        let path = request.path.split('?').next().unwrap_or_default();
        let file = state.files.get(path).cloned();
        drop(state);
        if !(Answer { stream, shared, head_only: request.method == "HEAD" }).serve(
            &request,
            file.as_deref().map(Vec::as_slice),
            fault,
        )? {
            break;
        }
    }
    Ok(())
}

/// Reads one request; `None` where the client closed the connection.
pub fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Ok(Some(Request { method, path, headers })),
        }
    }
}

struct Answer<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
    /// HEAD is answered as GET, without the body.
    head_only: bool,
}

impl Answer<'_> {
    /// Serves the file, or the fault; whether the connection goes on.
    fn serve(&mut self, request: &Request, file: Option<&[u8]>, fault: Fault) -> io::Result<bool> {
        let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let asked: usize = range.and_then(|text| text.parse().ok()).unwrap_or(0);
        match fault {
            Fault::Hangup => return Ok(false),
            Fault::Status(code, after) => {
                let header = after.map(|after| format!("Retry-After: {after}\r\n")).unwrap_or_default();
                return self.whole(code, &header, b"not now");
            }
            Fault::Bytes(bytes) => return self.whole(200, "", &bytes),
            Fault::Html => return self.whole(200, "Content-Type: text/html\r\n", b"<html>please log in</html>"),
            Fault::Redirect(url) => return self.whole(302, &format!("Location: {url}\r\n"), b""),
            Fault::Login(user, password) if !request.shows(user, password) => {
                return self.whole(401, "WWW-Authenticate: Basic realm=\"mirror\"\r\n", b"who are you?");
            }
            _ => {}
        }
        let Some(file) = file else { return self.whole(404, "", b"no such file") };
        let size = file.len();
        let from = if matches!(fault, Fault::IgnoreRange) { 0 } else { asked };
        let Some(rest) = file.get(from..).filter(|rest| from == 0 || !rest.is_empty()) else {
            return self.whole(416, &format!("Content-Range: bytes */{size}\r\n"), b"");
        };
        let rest = if let Fault::Part(length) = fault { &rest[..length.min(rest.len())] } else { rest };
        let ranged = from > 0 || matches!(fault, Fault::Part(_) | Fault::ContentRange(_));
        let range = match &fault {
            Fault::ContentRange(range) => range.clone(),
            _ => format!("bytes {from}-{}/{size}", (from + rest.len()).saturating_sub(1)),
        };
        let (code, header) = if ranged { (206, format!("Content-Range: {range}\r\n")) } else { (200, String::new()) };
        match fault {
            Fault::CutAfter(count) => {
                self.head(code, &header, Some(rest.len()))?;
                self.body(&rest[..count.min(rest.len())])?;
                Ok(false)
            }
            Fault::StallAfter(count) => {
                self.head(code, &header, Some(rest.len()))?;
                self.body(&rest[..count.min(rest.len())])?;
                // Comes back when the client, or the server's end, closes the connection.
                let _ = self.stream.read(&mut [0]);
                Ok(false)
            }
            Fault::ContentLength(length) => {
                self.head(code, &header, Some(length))?;
                self.body(&rest[..length.min(rest.len())])?;
                Ok(false)
            }
            Fault::Longer(more) => self.chunked(code, &header, &[rest, &vec![b'x'; more]]),
            Fault::Shorter(count) => self.chunked(code, &header, &[&rest[..count.min(rest.len())]]),
            Fault::Drip => {
                self.head(code, &header, Some(rest.len()))?;
                rest.iter().try_for_each(|byte| self.body(&[*byte]))?;
                Ok(true)
            }
            _ => self.whole(code, &header, rest),
        }
    }

    fn whole(&mut self, code: u16, headers: &str, body: &[u8]) -> io::Result<bool> {
        self.head(code, headers, Some(body.len()))?;
        self.body(body)?;
        Ok(true)
    }

    fn chunked(&mut self, code: u16, headers: &str, chunks: &[&[u8]]) -> io::Result<bool> {
        self.head(code, headers, None)?;
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            write!(self.stream, "{:x}\r\n", chunk.len())?;
            self.body(chunk)?;
            self.stream.write_all(b"\r\n")?;
        }
        self.stream.write_all(b"0\r\n\r\n")?;
        Ok(true)
    }

    fn head(&mut self, code: u16, headers: &str, length: Option<usize>) -> io::Result<()> {
        let length = match length {
            Some(length) => format!("Content-Length: {length}"),
            None => "Transfer-Encoding: chunked".to_owned(),
        };
        let head = format!("HTTP/1.1 {code} so\r\nDate: {DATE}\r\n{length}\r\n{headers}\r\n");
        self.stream.write_all(head.as_bytes())
    }

    fn body(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.head_only {
            return Ok(());
        }
        self.stream.write_all(bytes)?;
        self.shared.state.lock().unwrap().sent += bytes.len() as u64;
        Ok(())
    }
}

/// The value of an Authorization header (RFC 7617).
pub fn basic(user: &str, password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = "Basic ".to_owned();
    for three in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= three.len() { DIGITS[value as usize] as char } else { '=' });
        }
    }
    text
}
