//! A registry of few words, with TLS or without, in the process of the test: a function from requests to answers, and all
//! requests as they came.
//!
//! ```ignore
//! let registry = Scripted::start(None, |asked| match asked.path() {
//!     "/v2/" => Reply::status(200),
//!     _ => Reply::status(404),
//! });
//! // … ask registry.host() …
//! assert_eq!(registry.asked()[0].header("authorization"), None);
//! ```
#![allow(dead_code, unreachable_pub)]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    /// The value of a header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Who asks.
    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The values of a name in the query, or in a form that is the body.
    pub fn values(&self, name: &str) -> Vec<String> {
        let query = self.target.split_once('?').map(|(_, query)| query.as_bytes().to_vec()).unwrap_or_default();
        let all = [query, self.body.clone()];
        let pairs = all.iter().flat_map(|text| url::form_urlencoded::parse(text)).filter(|(own, _)| own == name);
        pairs.map(|(_, value)| value.into_owned()).collect()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    pub fn status(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Reply {
        self.body = body.into();
        self
    }

    /// 200 with a token.
    pub fn token(token: &str) -> Reply {
        Reply::status(200).body(format!(r#"{{"token": "{token}", "expires_in": 300}}"#))
    }

    /// 401 with a challenge.
    pub fn challenge(challenge: impl Into<String>) -> Reply {
        let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        Reply::status(401).header("WWW-Authenticate", challenge).body(body)
    }

    /// 200 with a manifest.
    pub fn manifest(bytes: &[u8]) -> Reply {
        let reply = Reply::status(200).header("Content-Type", "application/vnd.oci.image.manifest.v1+json");
        reply.header("Docker-Content-Digest", kimg::digest::Digest::of(bytes).to_string()).body(bytes)
    }
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The registry. It ends when it is dropped.
pub struct Scripted {
    shared: Arc<Shared>,
    address: SocketAddr,
    has_tls: bool,
    listening: Option<thread::JoinHandle<()>>,
}

struct Shared {
    script: Box<Script>,
    tls: Option<Arc<ServerConfig>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    connections: Vec<TcpStream>,
    ended: bool,
}

impl Scripted {
    /// A registry that answers so.
    pub fn start(tls: Option<Arc<ServerConfig>>, script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Scripted {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let has_tls = tls.is_some();
        let shared = Arc::new(Shared { script: Box::new(script), tls, state: Mutex::default() });
        let theirs = Arc::clone(&shared);
        let listening = Some(thread::spawn(move || listen(&listener, &theirs)));
        Scripted { shared, address, has_tls, listening }
    }

    /// `127.0.0.1:PORT`, which is plain http where nothing else is said.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The root URL, without a final `/`.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.has_tls { "https" } else { "http" }, self.address)
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.state.lock().unwrap().asked.clone()
    }

    /// Those for one path.
    pub fn asked_for(&self, path: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path() == path).collect()
    }

    /// Whether anybody told who asks.
    pub fn saw_credentials(&self) -> bool {
        self.asked().iter().any(|asked| asked.authorization().is_some() || !asked.values("refresh_token").is_empty())
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        state.ended = true;
        state.connections.iter().for_each(|connection| drop(connection.shutdown(Shutdown::Both)));
        drop(state);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        self.listening.take().map(thread::JoinHandle::join);
    }
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
            let _ = match &shared.tls {
                None => converse(&shared, stream.try_clone().unwrap()),
                Some(tls) => {
                    let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                    converse(&shared, StreamOwned::new(connection, stream.try_clone().unwrap()))
                }
            };
            // What came and was not read would take back what was written last, such as why there is no TLS.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = io::copy(&mut &stream, &mut io::sink());
        }));
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

fn converse(shared: &Shared, stream: impl Read + Write) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let asked = match read(&mut stream) {
            Ok(Some(asked)) => asked,
            Ok(None) => return Ok(()),
            Err(error) => {
                // As servers do where the other side speaks TLS; and until the client has gone.
                stream.get_mut().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
                let _ = io::copy(&mut stream, &mut io::sink());
                return Err(error);
            }
        };
        shared.state.lock().unwrap().asked.push(asked.clone());
        let reply = (shared.script)(&asked);
        let mut head = format!("HTTP/1.1 {} so\r\nContent-Length: {}\r\n", reply.status, reply.body.len());
        reply.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let stream = stream.get_mut();
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if asked.method != "HEAD" {
            stream.write_all(&reply.body)?;
        }
        stream.flush()?;
    }
}

fn read(stream: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8(line).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers: Vec<(String, String)> = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, text)| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Asked { method, target, headers, body }))
}

/// A file of `tests/data/tls`.
pub fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// TLS as `NAME` of `tests/data/tls`; with `mutual`, for clients that show a certificate of its authority only.
pub fn tls(name: &str, mutual: bool) -> Option<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificate = CertificateDer::from_pem_file(data(&format!("{name}.crt"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(data(&format!("{name}.key"))).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.unwrap();
    let builder = match mutual {
        false => builder.with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(data("ca.crt")).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    Some(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()))
}
