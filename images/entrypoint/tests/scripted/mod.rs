//! Servers on loopback that answer as the real ones were seen to.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::kafka::protocol::{Broker, Partition};

/// An empty folder of a test, which stands for `/`.
pub fn root(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a file of a container.
pub fn put(root: &Path, inside: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(inside);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A container with these variables.
pub fn container(root: &Path, variables: &[(&str, &str)]) -> Container {
    let environment = Environment::of(variables.iter().copied());
    Container { root: root.to_owned(), environment, host: "kafka-1".to_owned(), ..Container::default() }
}

/// An address of loopback at which nothing listens.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Answers each connection by a function, one after another.
pub fn serve(mut answer: impl FnMut(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
    address
}

/// A message with its size before it; `None` at the end of the connection.
pub fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut size = [0; 4];
    stream.read_exact(&mut size).ok()?;
    let mut message = vec![0; usize::try_from(i32::from_be_bytes(size)).unwrap()];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

/// Writes a message with its size before it.
pub fn write_message(stream: &mut TcpStream, message: &[u8]) {
    let size = i32::try_from(message.len()).unwrap().to_be_bytes();
    let _ = stream.write_all(&[&size, message].concat());
}

/// What a scripted broker knows, and what it was asked to create.
#[derive(Debug, Default)]
pub struct State {
    pub brokers: Vec<Broker>,
    pub controller: i32,
    pub partitions: Vec<Partition>,
    /// The error codes of the topics that are created next, one a request; 0 when there is none left.
    pub errors: Vec<i16>,
    /// Bodies of requests for topics.
    pub asked: Vec<Vec<u8>>,
    /// The number of requests of any kind.
    pub requests: usize,
}

/// A broker.
#[derive(Debug, Clone)]
pub struct ScriptedBroker {
    pub address: SocketAddr,
    pub state: Arc<Mutex<State>>,
}

impl ScriptedBroker {
    /// The only broker of its cluster, with this id.
    pub fn start(id: i32) -> ScriptedBroker {
        let state = Arc::new(Mutex::new(State { controller: id, ..State::default() }));
        let own = Arc::clone(&state);
        let address = serve(move |mut stream| {
            while let Some(request) = read_message(&mut stream) {
                let answer = answer(&request, &mut own.lock().unwrap());
                write_message(&mut stream, &answer);
            }
        });
        let broker = Broker { id, host: "127.0.0.1".to_owned(), port: address.port() };
        state.lock().unwrap().brokers.push(broker);
        ScriptedBroker { address, state }
    }

    /// Changes what it knows.
    pub fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }
}

/// The answer without its size.
fn answer(request: &[u8], state: &mut State) -> Vec<u8> {
    state.requests += 1;
    let number = |at: usize| i16::from_be_bytes([request[at], request[at + 1]]);
    let (key, version) = (number(0), number(2));
    assert_eq!(&request[8..14], b"\0\x04kimg", "the client's name");
    let (mut out, body) = (request[4..8].to_vec(), &request[14..]);
    match (key, version) {
        (18, 0) => {
            assert!(body.is_empty());
            out.extend([0, 0, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
        }
        (3, 5) => {
            assert!(body == [0, 0, 0, 0, 0] || body == [255, 255, 255, 255, 0], "{body:?}");
            metadata(&mut out, state, body[0] == 255);
        }
        (19, 4) => {
            state.asked.push(body.to_vec());
            let error = if state.errors.is_empty() { 0 } else { state.errors.remove(0) };
            created(&mut out, body, error);
        }
        other => panic!("no such request: {other:?}"),
    }
    out
}

fn metadata(out: &mut Vec<u8>, state: &State, with_topics: bool) {
    int32(out, 0);
    count(out, state.brokers.len());
    for broker in &state.brokers {
        int32(out, broker.id);
        string(out, &broker.host);
        int32(out, i32::from(broker.port));
        out.extend((-1i16).to_be_bytes());
    }
    string(out, "a-cluster");
    int32(out, state.controller);
    count(out, if with_topics { state.partitions.len() } else { 0 });
    for partition in state.partitions.iter().filter(|_| with_topics) {
        out.extend([0, 0]);
        string(out, &partition.topic);
        out.push(0);
        count(out, 1);
        out.extend([0, 0]);
        int32(out, partition.number);
        int32(out, partition.leader);
        for list in [&partition.replicas, &partition.in_sync, &Vec::new()] {
            count(out, list.len());
            list.iter().for_each(|id| int32(out, *id));
        }
    }
}

/// All topics get the same error.
fn created(out: &mut Vec<u8>, body: &[u8], error: i16) {
    let names = names(body);
    int32(out, 0);
    count(out, names.len());
    for name in names {
        string(out, &name);
        out.extend(error.to_be_bytes());
        if error == 0 { out.extend((-1i16).to_be_bytes()) } else { string(out, "because") }
    }
}

/// The names in a request for topics, and nothing may be left after them but the time and a flag.
pub fn names(body: &[u8]) -> Vec<String> {
    let mut at = 4;
    let mut names = Vec::new();
    let short = |at: usize| usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    let long = |at: usize| i32::from_be_bytes(body[at..at + 4].try_into().unwrap());
    for _ in 0..long(0) {
        let size = short(at);
        names.push(String::from_utf8(body[at + 2..at + 2 + size].to_vec()).unwrap());
        at += 2 + size + 4 + 2;
        assert_eq!(long(at), 0, "assignments");
        let settings = long(at + 4);
        at += 8;
        for _ in 0..settings * 2 {
            at += 2 + short(at);
        }
    }
    assert_eq!(body.len() - at, 5, "what follows the topics");
    names
}

fn int32(out: &mut Vec<u8>, number: i32) {
    out.extend(number.to_be_bytes());
}

fn count(out: &mut Vec<u8>, count: usize) {
    int32(out, i32::try_from(count).unwrap());
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend(i16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend(text.as_bytes());
}

/// What a scripted ZooKeeper has.
#[derive(Debug, Default)]
pub struct Tree {
    /// Without a quorum it closes connections.
    pub has_quorum: bool,
    /// Its nodes.
    pub nodes: Vec<(String, String)>,
    /// An error for whatever is asked; 0 is none.
    pub error: i32,
    /// How often each path was asked for.
    pub asked: Vec<String>,
    /// Sessions that were closed by their client.
    pub closed: usize,
}

/// A server of ZooKeeper, at a port that nothing uses where that is 0.
pub fn zookeeper(port: u16, tree: Arc<Mutex<Tree>>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| serve_session(stream.unwrap(), &tree)));
    address
}

fn serve_session(mut stream: TcpStream, tree: &Mutex<Tree>) {
    let Some(request) = read_message(&mut stream) else { return };
    assert_eq!(request.len(), 45, "a ConnectRequest with the flag that 3.4 knows too");
    assert_eq!(&request[16..28], [&[0; 8][..], &[0, 0, 0, 16]].concat(), "a new session");
    if !tree.lock().unwrap().has_quorum {
        return;
    }
    let session = [&[0, 0, 0, 0, 0, 0, 0x17, 0x70][..], &[1; 8], &[0, 0, 0, 16], &[2; 16], &[0]].concat();
    write_message(&mut stream, &session);
    while let Some(request) = read_message(&mut stream) {
        let mut tree = tree.lock().unwrap();
        let kind = i32::from_be_bytes(request[4..8].try_into().unwrap());
        let mut answer = [&request[..4], &[0; 8]].concat();
        match kind {
            4 => {
                let size = usize::from(request[11]);
                assert_eq!(request.len(), 12 + size + 1);
                let path = String::from_utf8(request[12..12 + size].to_vec()).unwrap();
                let data = tree.nodes.iter().find(|(own, _)| *own == path).map(|(_, data)| data.clone());
                let error = if tree.error != 0 { tree.error } else { data.as_ref().map_or(-101, |_| 0) };
                answer.extend(error.to_be_bytes());
                if let Some(data) = data.filter(|_| error == 0) {
                    count(&mut answer, data.len());
                    answer.extend([data.as_bytes(), &[0; 68]].concat());
                }
                tree.asked.push(path);
            }
            -11 => {
                answer.extend([0; 4]);
                tree.closed += 1;
            }
            other => panic!("no such request: {other}"),
        }
        write_message(&mut stream, &answer);
    }
}
