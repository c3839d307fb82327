//! A small registry in the process of the test, whose answers to uploads and manifests can be scripted, and a sink that
//! writes there. Every request is one line in its log: `PUT app/manifests/1 201`.
//!
//! It keeps what came of a request that was cut, as distribution 3 does.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use kimg::copy::{Choice, CopyError, Execution, Moved, Plan, Root, execute, plan};
use kimg::digest::Digest;
use kimg::event::Events;
use kimg::net::{Client, Settings};
use kimg::store::Store;
use kimg::transport::StoreSource;
use kimg::transport::registry::{Credentials, RegistrySink, Repository, Session, Transport, Trust};

/// What a request gets instead of a good answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The connection is closed when so many bytes of the body came; they stay.
    Cut(usize),
    /// The same, and the session is gone.
    Lose(usize),
    /// So many bytes of the body stay, the log says `held`, and there is no answer until the client goes away.
    Hold(usize),
    /// This status before the body was read, as proxies answer; then the connection ends.
    Early(u16),
    /// This status, with these header lines and this body; the request's body is read and dropped.
    Answer(u16, String, String),
}

impl Fault {
    /// What is to be held must be long enough for it.
    fn is_for(&self, request: &Request) -> bool {
        !matches!(self, Fault::Hold(count) if *count >= request.length)
    }
}

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub length: usize,
}

#[derive(Default)]
pub struct State {
    /// `REPOSITORY DIGEST`.
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// `REPOSITORY/manifests/NAME`.
    pub manifests: BTreeMap<String, Vec<u8>>,
    pub sessions: BTreeMap<String, Vec<u8>>,
    pub log: Vec<String>,
    pub requests: Vec<Request>,
    /// Bytes of bodies that came.
    pub came: usize,
    /// The faults of the next requests whose `METHOD PATH` has this text in it.
    faults: Vec<(String, VecDeque<Fault>)>,
    /// More header lines of an answer to POST, with `{id}` for the session's.
    pub begins: Option<String>,
    /// Whether it says that it lists referrers.
    pub lists: bool,
    next: usize,
}

/// The registry; its threads end with the process of the test.
#[derive(Clone)]
pub struct Registry {
    state: Arc<Mutex<State>>,
    changed: Arc<Condvar>,
    pub address: String,
}

impl Registry {
    pub fn start() -> Registry {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let registry = Registry {
            state: Arc::default(),
            changed: Arc::default(),
            address: listener.local_addr().unwrap().to_string(),
        };
        let theirs = registry.clone();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let registry = theirs.clone();
                thread::spawn(move || {
                    // A client that goes away is what tests do.
                    let _ = registry.converse(&stream);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        registry
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The faults of the next requests whose `METHOD PATH` has `text` in it.
    pub fn faults(&self, text: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.push((text.to_owned(), faults.into_iter().collect()));
    }

    /// Waits until a request is held.
    pub fn wait_until_held(&self) {
        let is_held = |state: &State| state.log.iter().any(|line| line.ends_with(" held"));
        drop(self.changed.wait_while(self.state(), |state| !is_held(state)));
    }

    /// The log since the last time it was asked for.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }

    fn converse(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(request) = read_head(&mut reader)? {
            let line = format!("{} {}", request.method, request.path);
            self.state().requests.push(request.clone());
            let fault = {
                let mut state = self.state();
                let is_for = |(text, faults): &&mut (String, VecDeque<Fault>)| {
                    line.contains(text.as_str()) && faults.front().is_some_and(|fault| fault.is_for(&request))
                };
                let found = state.faults.iter_mut().find(is_for);
                found.and_then(|(_, faults)| faults.pop_front())
            };
            if let Some(Fault::Early(status)) = fault {
                self.state().log.push(format!("{line} {status}"));
                answer(stream, &request, status, "Connection: close\r\n", b"<html>no</html>")?;
                stream.shutdown(Shutdown::Write)?;
                io::copy(&mut reader, &mut io::sink())?;
                return Ok(());
            }
            let cut = match fault {
                Some(Fault::Cut(count) | Fault::Lose(count) | Fault::Hold(count)) => Some(count),
                _ => None,
            };
            let mut body = vec![0; cut.unwrap_or(request.length).min(request.length)];
            reader.read_exact(&mut body)?;
            let mut state = self.state();
            state.came += body.len();
            match fault {
                Some(Fault::Cut(_)) => {
                    state.append(&request, &body);
                    state.log.push(format!("{line} cut"));
                    return Ok(());
                }
                Some(Fault::Hold(_)) => {
                    state.append(&request, &body);
                    state.log.push(format!("{line} held"));
                    drop(state);
                    self.changed.notify_all();
                    io::copy(&mut reader, &mut io::sink())?;
                    return Ok(());
                }
                Some(Fault::Lose(_)) => {
                    let id = session_of(&request.path);
                    state.sessions.remove(&id);
                    state.log.push(format!("{line} cut"));
                    return Ok(());
                }
                Some(Fault::Answer(status, headers, text)) => {
                    state.log.push(format!("{line} {status}"));
                    drop(state);
                    answer(stream, &request, status, &headers, text.as_bytes())?;
                }
                Some(Fault::Early(_)) | None => {
                    let (status, headers, body) = state.serve(&request, &body);
                    state.log.push(format!("{line} {status}"));
                    drop(state);
                    answer(stream, &request, status, &headers, &body)?;
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn append(&mut self, request: &Request, body: &[u8]) {
        if let Some(session) = self.sessions.get_mut(&session_of(&request.path)) {
            session.extend_from_slice(body);
        }
    }

    fn serve(&mut self, request: &Request, body: &[u8]) -> (u16, String, Vec<u8>) {
        let plain = |status: u16| (status, String::new(), Vec::new());
        let (repository, rest) = request.path.split_once('/').unwrap_or_default();
        match (request.method.as_str(), rest.split_once('/')) {
            ("HEAD", Some(("blobs", digest))) => {
                plain(if self.blobs.contains_key(&format!("{repository} {digest}")) { 200 } else { 404 })
            }
            ("POST", _) => {
                let asked = |name: &str| query(&request.query, name);
                if let (Some(digest), Some(from)) = (asked("mount"), asked("from"))
                    && let Some(bytes) = self.blobs.get(&format!("{from} {digest}")).cloned()
                {
                    self.blobs.insert(format!("{repository} {digest}"), bytes);
                    return plain(201);
                }
                self.next += 1;
                let id = format!("s{}", self.next);
                self.sessions.insert(id.clone(), Vec::new());
                let default = format!("Location: /v2/{repository}/blobs/uploads/{{id}}?_state=0\r\n");
                (202, self.begins.clone().unwrap_or(default).replace("{id}", &id), Vec::new())
            }
            (method @ ("GET" | "PATCH" | "PUT"), Some(("blobs", _))) => self.session(method, request, body),
            ("PUT", Some(("manifests", name))) => self.put_manifest(repository, name, body),
            (_, Some(("manifests", _))) => match self.manifests.get(&request.path) {
                Some(bytes) => {
                    let digest = Digest::of(bytes);
                    let headers = format!("Docker-Content-Digest: {digest}\r\nETag: \"{digest}\"\r\n");
                    (200, headers, bytes.clone())
                }
                None => plain(404),
            },
            _ => plain(405),
        }
    }

    fn session(&mut self, method: &str, request: &Request, body: &[u8]) -> (u16, String, Vec<u8>) {
        let repository = request.path.split('/').next().unwrap_or_default().to_owned();
        let id = session_of(&request.path);
        let Some(session) = self.sessions.get_mut(&id) else { return (404, String::new(), Vec::new()) };
        let start = request.headers.get("content-range").and_then(|range| range.split('-').next()?.parse().ok());
        if start.is_some_and(|start: usize| start != session.len()) {
            return (416, String::new(), Vec::new());
        }
        session.extend_from_slice(body);
        let there = session.len();
        if method == "PUT" {
            let digest = query(&request.query, "digest").unwrap_or_default();
            let bytes = self.sessions.remove(&id).unwrap_or_default();
            if Digest::of(&bytes).to_string() != digest {
                return (400, String::new(), br#"{"errors":[{"code":"DIGEST_INVALID"}]}"#.to_vec());
            }
            self.blobs.insert(format!("{repository} {digest}"), bytes);
            return (201, String::new(), Vec::new());
        }
        let headers = format!(
            "Location: /v2/{repository}/blobs/uploads/{id}?_state={there}\r\nRange: 0-{}\r\n",
            there.saturating_sub(1)
        );
        (if method == "GET" { 204 } else { 202 }, headers, Vec::new())
    }

    /// Refuses an image whose blobs are not there.
    fn put_manifest(&mut self, repository: &str, name: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let document: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let blobs = document["layers"].as_array().into_iter().flatten().chain([&document["config"]]);
        let lacks = |blob: &serde_json::Value| {
            blob["digest"].as_str().is_some_and(|digest| !self.blobs.contains_key(&format!("{repository} {digest}")))
        };
        let children = document["manifests"].as_array().into_iter().flatten();
        let lacks_child = |child: &serde_json::Value| {
            let digest = child["digest"].as_str().unwrap_or_default();
            !self.manifests.contains_key(&format!("{repository}/manifests/{digest}"))
        };
        if blobs.into_iter().any(lacks) || (!name.starts_with("sha256-") && children.into_iter().any(lacks_child)) {
            return (400, String::new(), br#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#.to_vec());
        }
        for name in [name.to_owned(), Digest::of(body).to_string()] {
            self.manifests.insert(format!("{repository}/manifests/{name}"), body.to_vec());
        }
        let subject = document["subject"]["digest"].as_str().filter(|_| self.lists);
        (201, subject.map(|subject| format!("OCI-Subject: {subject}\r\n")).unwrap_or_default(), Vec::new())
    }
}

fn session_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn query(text: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(text.as_bytes()).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().trim_start_matches("/v2/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request { method, path: path.to_owned(), query: query.to_owned(), ..Request::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    request.length = request.headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(Some(request))
}

fn answer(mut stream: &TcpStream, request: &Request, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    stream.write_all(format!("HTTP/1.1 {status} so\r\n{length}{headers}\r\n").as_bytes())?;
    if request.method != "HEAD" { stream.write_all(body) } else { Ok(()) }
}

/// A runtime, a store, and copies from there into a registry.
pub struct Copies {
    runtime: tokio::runtime::Runtime,
    pub store: Store,
    pub settings: Settings,
    pub credentials: Option<Credentials>,
    /// Seconds since 1970.
    pub now: u64,
}

impl Copies {
    pub fn new(store: &Store) -> Copies {
        let settings = Settings {
            tries: 3,
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(5),
            ..Settings::default()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Copies { runtime, store: store.clone(), settings, credentials: None, now: 1_000_000 }
    }

    /// The same at another time.
    pub fn at(&self, now: u64) -> Copies {
        Copies { now, settings: self.settings.clone(), ..Copies::new(&self.store) }
    }

    /// A sink for `REPOSITORY` of a registry.
    pub fn sink(&self, registry: &Registry, repository: &str) -> RegistrySink {
        let repository = Repository { registry: registry.address.clone(), name: repository.to_owned() };
        let trust = Trust { transport: Transport::Plain, credentials: self.credentials.clone() };
        let client = Client::new(self.settings.clone(), Events::silent());
        let session = Session::new(client, repository, trust);
        RegistrySink::new(session, self.runtime.handle().clone()).remembering(self.store.clone(), self.now)
    }

    /// Plans a copy of what the store names so, to these names.
    pub fn plan(&self, sink: &RegistrySink, root: &kimg::oci::Descriptor, names: &[&str]) -> Result<Plan, CopyError> {
        let source = StoreSource::open(self.store.clone()).unwrap();
        let root = Root { descriptor: root.clone(), names: names.iter().map(|name| (*name).to_owned()).collect() };
        plan(&source, sink, &[root], &Choice::default())
    }

    /// Copies it, one blob after the other.
    pub fn copy(
        &self,
        registry: &Registry,
        repository: &str,
        root: &kimg::oci::Descriptor,
        names: &[&str],
    ) -> Result<Moved, CopyError> {
        let sink = self.sink(registry, repository);
        let plan = self.plan(&sink, root, names)?;
        let source = StoreSource::open(self.store.clone()).unwrap();
        execute(&plan, &source, Box::new(sink), &Execution::new(Events::silent()))
    }
}
