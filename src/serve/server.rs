use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

use super::Registry;
use super::answer::{Answer, Body, bytes, start, with};
use super::faulty::{Endless, Then, first};
use super::hook::{Act, Asked, Reply, ReplyBody};

/// A registry that answers by HTTP on 127.0.0.1. It ends, with all of its connections, when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens on a port, or on a free one for 0.
    pub fn start(registry: Registry, port: u16, runtime: &Handle) -> io::Result<Server> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let _context = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let task = runtime.spawn(listen(listener, registry));
        Ok(Server { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, registry: Registry) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // One that went away before it was accepted is no reason to end.
                let Ok((stream, _)) = accepted else { continue };
                let registry = registry.clone();
                connections.spawn(async move {
                    let _ = stream.set_nodelay(true);
                    let service = service_fn(move |request| serve(registry.clone(), request));
                    let mut connection = http1::Builder::new();
                    // That it breaks is what connections do.
                    let _ = connection.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers a request; an error breaks the connection.
async fn serve(registry: Registry, request: Request<Incoming>) -> io::Result<Answer> {
    let act = registry.shared.hook.as_ref().map_or(Act::Pass, |hook| hook.before(&asked(&request)));
    let request = request.map(|body| body.map_err(io::Error::other).boxed_unsync());
    let answer = match act {
        Act::Pass => registry.answer(request).await,
        Act::Headers(headers) => changed(registry.answer(request).await, headers),
        Act::Location { before, behind } => {
            let answer = registry.answer(request).await;
            let own = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let location = format!("{before}{own}{behind}");
            changed(answer, vec![("location", location)])
        }
        Act::Answer(reply) => {
            drained(request.into_body()).await;
            replied(reply)
        }
        Act::AnswerAtOnce(reply) => {
            // What still comes is thrown away: a connection that is closed on it would take the answer with it.
            tokio::spawn(drained(request.into_body()));
            replied(reply)
        }
        Act::Tear(count) => {
            registry.answer(request.map(|body| first(body, count, Then::Break))).await;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Act::Cut(count) => registry.answer(request).await.map(|body| first(body, count, Then::Break)),
        Act::Stall(count) => registry.answer(request).await.map(|body| first(body, count, Then::Wait)),
    };
    Ok(answer)
}

async fn drained(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

fn asked(request: &Request<Incoming>) -> Asked {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Asked {
        method: request.method().to_string(),
        target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
    }
}

fn changed(mut answer: Answer, headers: Vec<(&'static str, String)>) -> Answer {
    for (name, value) in headers {
        answer.headers_mut().remove(name);
        if let Ok(value) = HeaderValue::from_str(&value)
            && !value.is_empty()
        {
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    answer
}

fn replied(reply: Reply) -> Answer {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let builder = reply.headers.iter().fold(start(status), |builder, (name, value)| builder.header(*name, value));
    match reply.body {
        ReplyBody::Bytes(content) => bytes(builder, content),
        ReplyBody::Endless => with(builder, endless()),
    }
}

fn endless() -> Body {
    Endless.boxed_unsync()
}
