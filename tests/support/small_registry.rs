//! A registry in memory, in the process of the test, on a free port of 127.0.0.1: as much of distribution-spec 1.1 as images
//! need. It needs `mod server` beside it.
#![allow(dead_code, unreachable_pub)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use kimg::digest::Digest;

use crate::server::{Request, read_request};

/// The registry. It ends when it is dropped.
pub struct Registry {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    listening: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    /// By repository and digest.
    blobs: BTreeMap<(String, String), Vec<u8>>,
    /// By repository and tag or digest, with their media types.
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    uploads: BTreeMap<String, Vec<u8>>,
    /// Blobs that it says to have, though it has not.
    claimed: BTreeSet<String>,
    claims_all: bool,
    requests: Vec<String>,
    received: u64,
    connections: Vec<TcpStream>,
    ended: bool,
}

impl Registry {
    /// An empty one.
    pub fn start() -> Registry {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let theirs = state.clone();
        let listening = Some(thread::spawn(move || listen(&listener, &theirs)));
        Registry { state, address, listening }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// What came so far and was not asked for before: `PUT /v2/app/manifests/1`.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().requests)
    }

    /// The bytes of bodies that came so far.
    pub fn received(&self) -> u64 {
        self.lock().received
    }

    /// It loses a blob, and does not know that.
    pub fn lose(&self, repository: &str, digest: &str) {
        let mut state = self.lock();
        state.blobs.remove(&(repository.to_owned(), digest.to_owned())).expect("it has the blob");
        state.claimed.insert(digest.to_owned());
    }

    /// It has a blob no longer, and knows that.
    pub fn forget(&self, repository: &str, digest: &str) {
        let mut state = self.lock();
        state.blobs.remove(&(repository.to_owned(), digest.to_owned())).expect("it has the blob");
        // The images that need it are gone with it.
        state.manifests.retain(|(own, _), _| own != repository);
    }

    /// It says that it has any blob that it is asked for, and takes any manifest.
    pub fn claim_all(&self) {
        self.lock().claims_all = true;
    }

    /// A manifest, by repository and tag or digest.
    pub fn manifest(&self, repository: &str, name: &str) -> Option<serde_json::Value> {
        let state = self.lock();
        let (_, bytes) = state.manifests.get(&(repository.to_owned(), name.to_owned()))?;
        Some(serde_json::from_slice(bytes).unwrap())
    }

    /// A blob.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        self.lock().blobs.get(&(repository.to_owned(), digest.to_owned())).cloned()
    }

    /// Puts other bytes in the place of a blob.
    pub fn replace(&self, repository: &str, digest: &str, bytes: &[u8]) {
        self.lock().blobs.insert((repository.to_owned(), digest.to_owned()), bytes.to_vec()).expect("it has the blob");
    }

    /// Puts an image there: the blobs, and the manifest by its digest and a tag.
    pub fn put(&self, repository: &str, tag: &str, media_type: &str, manifest: &[u8], blobs: &[&[u8]]) -> Digest {
        let mut state = self.lock();
        for blob in blobs {
            state.blobs.insert((repository.to_owned(), Digest::of(blob).to_string()), blob.to_vec());
        }
        let digest = Digest::of(manifest);
        for name in [tag, &digest.to_string()] {
            let manifest = (media_type.to_owned(), manifest.to_vec());
            state.manifests.insert((repository.to_owned(), name.to_owned()), manifest);
        }
        digest
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        state.ended = true;
        for connection in &state.connections {
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        self.listening.take().map(thread::JoinHandle::join);
    }
}

fn listen(listener: &TcpListener, state: &Arc<Mutex<State>>) {
    let mut threads = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        let mut locked = state.lock().unwrap();
        if locked.ended {
            break;
        }
        let _ = stream.set_nodelay(true);
        locked.connections.extend(stream.try_clone());
        let state = state.clone();
        threads.push(thread::spawn(move || {
            // A client that goes away is what tests do.
            let _ = converse(&state, &stream);
            let _ = stream.shutdown(Shutdown::Both);
        }));
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

fn converse(state: &Mutex<State>, mut stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let answer = state.lock().unwrap().answer(&request, body);
        let mut head = format!("HTTP/1.1 {} Told\r\n", answer.status);
        let is_head = request.method == "HEAD";
        head += &format!("Content-Length: {}\r\n", answer.body.len());
        answer.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        if !is_head {
            stream.write_all(&answer.body)?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn plain(status: u16) -> Answer {
    Answer { status, ..Answer::default() }
}

fn error(status: u16, code: &str, detail: &str) -> Answer {
    let body = format!(r#"{{"errors":[{{"code":"{code}","message":"{code}","detail":"{detail}"}}]}}"#);
    Answer { status, headers: Vec::new(), body: body.into_bytes() }
}

impl State {
    fn answer(&mut self, request: &Request, body: Vec<u8>) -> Answer {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        self.requests.push(format!("{} {path}", request.method));
        self.received += body.len() as u64;
        let Some(rest) = path.strip_prefix("/v2/") else { return plain(404) };
        let method = request.method.as_str();
        if let Some((repository, upload)) = rest.split_once("/blobs/uploads/") {
            return self.upload(method, repository, upload, query, body);
        }
        if let Some((repository, digest)) = rest.split_once("/blobs/") {
            return self.blob(repository, digest, request);
        }
        match (method, rest.split_once("/manifests/")) {
            ("PUT", Some((repository, name))) => self.take_manifest(repository, name, request, body),
            (_, Some((repository, name))) => match self.manifests.get(&(repository.to_owned(), name.to_owned())) {
                Some((media_type, bytes)) => {
                    let digest = Digest::of(bytes).to_string();
                    let headers = vec![("Content-Type", media_type.clone()), ("Docker-Content-Digest", digest)];
                    Answer { status: 200, headers, body: bytes.clone() }
                }
                None => error(404, "MANIFEST_UNKNOWN", ""),
            },
            _ => plain(404),
        }
    }

    fn blob(&self, repository: &str, digest: &str, request: &Request) -> Answer {
        let is_claimed = self.claims_all || self.claimed.contains(digest);
        let Some(bytes) = self.blobs.get(&(repository.to_owned(), digest.to_owned())) else {
            let lies = request.method == "HEAD" && is_claimed;
            return if lies { plain(200) } else { error(404, "BLOB_UNKNOWN", digest) };
        };
        let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let from: Option<usize> = range.and_then(|text| text.parse().ok());
        let status = if from.is_some() { 206 } else { 200 };
        Answer { status, headers: Vec::new(), body: bytes[from.unwrap_or(0)..].to_vec() }
    }

    fn upload(&mut self, method: &str, repository: &str, upload: &str, query: &str, body: Vec<u8>) -> Answer {
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.replace("%3A", ":").replace("%2F", "/")))
            .collect();
        let location = |id: &str| ("Location", format!("/v2/{repository}/blobs/uploads/{id}"));
        let answer = |status, headers| Answer { status, headers, body: Vec::new() };
        match method {
            "POST" => {
                let from = query.get("from").cloned().unwrap_or_default();
                let mounted = query.get("mount").and_then(|digest| self.blobs.get(&(from, digest.clone())).cloned());
                if let (Some(bytes), Some(digest)) = (mounted, query.get("mount")) {
                    self.blobs.insert((repository.to_owned(), digest.clone()), bytes);
                    return plain(201);
                }
                let id = format!("upload-{}", self.uploads.len());
                self.uploads.insert(id.clone(), Vec::new());
                answer(202, vec![location(&id)])
            }
            "PATCH" => {
                let upload_bytes = self.uploads.entry(upload.to_owned()).or_default();
                upload_bytes.extend(body);
                let range = ("Range", format!("0-{}", upload_bytes.len().saturating_sub(1)));
                answer(202, vec![location(upload), range])
            }
            "PUT" => {
                let mut bytes = self.uploads.insert(upload.to_owned(), Vec::new()).unwrap_or_default();
                bytes.extend(body);
                let digest = Digest::of(&bytes).to_string();
                if query.get("digest") != Some(&digest) {
                    return error(400, "DIGEST_INVALID", &digest);
                }
                self.claimed.remove(&digest);
                self.blobs.insert((repository.to_owned(), digest), bytes);
                plain(201)
            }
            _ => plain(405),
        }
    }

    fn take_manifest(&mut self, repository: &str, name: &str, request: &Request, body: Vec<u8>) -> Answer {
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let parts = value["layers"].as_array().into_iter().flatten().chain(value.get("config"));
        for part in parts.filter_map(|part| part["digest"].as_str()).filter(|_| !self.claims_all) {
            if !self.blobs.contains_key(&(repository.to_owned(), part.to_owned())) {
                return error(400, "MANIFEST_BLOB_UNKNOWN", part);
            }
        }
        let media_type = request.header("content-type").unwrap_or_default().to_owned();
        let digest = Digest::of(&body).to_string();
        for name in [name, &digest] {
            self.manifests.insert((repository.to_owned(), name.to_owned()), (media_type.clone(), body.clone()));
        }
        Answer { status: 201, headers: vec![("Docker-Content-Digest", digest)], body: Vec::new() }
    }
}
