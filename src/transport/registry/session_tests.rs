//! Tokens for two repositories at once, which no public function asks for alone.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use super::*;
use crate::event::Events;
use crate::net::Settings;

/// A registry that answers so many requests, one a connection: what stands in their first lines and `Authorization`.
fn registry(answers: usize, answer: fn(&str, &str) -> String) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let own = host.clone();
    let serving = thread::spawn(move || {
        let mut asked = Vec::new();
        for _ in 0..answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let first = lines.next().unwrap();
            let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let shown = headers.iter().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default();
            let text = answer(&first, shown).replace("HOST", &own);
            write!(stream, "HTTP/1.1 {text}").unwrap();
            asked.push(format!("{} {shown}", first.split_whitespace().nth(1).unwrap()));
        }
        asked
    });
    (host, serving)
}

fn refuse() -> String {
    "401 so\r\nWWW-Authenticate: Bearer realm=\"http://HOST/token\",service=s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        .to_owned()
}

fn token(text: &str) -> String {
    let body = format!("{{\"token\": \"{text}\"}}");
    format!("200 so\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn status(status: u16) -> String {
    format!("{status} so\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}

async fn mount(host: &str) -> u16 {
    let repository = Repository { registry: host.to_owned(), name: "team/app".to_owned() };
    let trust = Trust { transport: Transport::Tls, credentials: None };
    let session = Session::new(Client::new(Settings::default(), Events::silent()), repository, trust);
    let url = session.url("blobs/uploads/?mount=sha256:x&from=other");
    session.ask_mounting("other", || Exchange::new(Verb::Post, url.clone())).await.unwrap().status
}

#[tokio::test]
async fn a_mount_has_a_token_for_both_repositories() {
    let (host, serving) = registry(3, |first, shown| match (first, shown) {
        (first, _) if first.contains("/token?") => token("both"),
        (_, "Bearer both") => status(201),
        _ => refuse(),
    });
    assert_eq!(mount(&host).await, 201);
    let asked = serving.join().unwrap();
    assert!(
        asked[1].contains("scope=repository%3Ateam%2Fapp%3Apull%2Cpush&scope=repository%3Aother%3Apull"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn where_one_token_is_for_one_repository_the_registry_decides() {
    let (host, serving) = registry(4, |first, shown| match (first, shown) {
        (first, _) if first.contains("other%3Apull") => status(400),
        (first, _) if first.contains("/token?") => token("one"),
        // An upload that begins in the place of the mount.
        (_, "Bearer one") => status(202),
        _ => refuse(),
    });
    assert_eq!(mount(&host).await, 202);
    assert_eq!(serving.join().unwrap()[3], "/v2/team/app/blobs/uploads/?mount=sha256:x&from=other Bearer one");
}
