//! Retries, small documents, redirects, credentials, proxies and TLS.

#![allow(clippy::disallowed_methods, reason = "a test looks at clocks, folders and its own environment")]

#[path = "support/network.rs"]
mod network;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/server.rs"]
mod server;

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use kimg::error::{Category, Diagnose};
use kimg::event::Events;
use kimg::net::{Base, Client, NetError, Settings};
use network::{Cache, Recorder, base, bytes, client, download, nobody, settings};
use proxy::Proxy;
use server::{Fault, Server};

async fn get(client: &Client, urls: &[String], path: &str) -> Result<Option<(Vec<u8>, String)>, NetError> {
    let places: Vec<(Base, String)> = urls.iter().map(|url| (base(url), path.to_owned())).collect();
    client.get(&places, 1000).await
}

#[tokio::test]
async fn statuses_that_pass_are_tried_again_and_others_are_not() {
    for (status, tried) in
        [(408, 3), (425, 3), (429, 3), (500, 3), (502, 3), (503, 3), (504, 3), (400, 1), (403, 1), (451, 1), (501, 1)]
    {
        let (server, cache) = (Server::start(), Cache::new());
        server.always("/a", Fault::Status(status, None));
        let wanted = download(&[server.url()], "a", b"body");
        let client = Client::new(Settings { tries: 3, ..settings() }, Events::silent());
        let error = client.fetch(&[wanted], &cache.downloads).await.unwrap_err();
        assert_eq!(server.requests().len(), tried, "{status}");
        assert_eq!(error.category(), Category::Refused, "{status}");
        assert!(error.to_string().contains(&format!("answered {status}")), "{error}");
        let error = get(&client, &[server.url()], "a").await.unwrap_err();
        assert_eq!(server.requests().len(), 2 * tried, "{status}");
        assert_eq!(error.category(), Category::Refused, "{status}");
    }
}

#[tokio::test]
async fn retry_after_is_obeyed_up_to_the_longest_wait() {
    let longest = Duration::from_millis(300);
    for (after, least) in [
        ("1", longest),
        ("Fri, 20 Nov 2026 12:00:30 GMT", longest),
        ("0", Duration::ZERO),
        ("Fri, 20 Nov 2026 11:00:00 GMT", Duration::ZERO),
    ] {
        let (server, cache, recorder) = (Server::start(), Cache::new(), Recorder::default());
        server.put("/a", *b"body");
        server.faults("/a", [Fault::Status(429, Some(after))]);
        let wanted = download(&[server.url()], "a", b"body");
        let client = Client::new(Settings { longest_wait: longest, ..settings() }, recorder.events());
        let start = Instant::now();
        client.fetch(&[wanted], &cache.downloads).await.unwrap();
        assert!(start.elapsed() >= least, "{after}");
        let wait = if least.is_zero() { "1ms" } else { "300ms" };
        let expected = format!("a: {}a: answered 429 Too Many Requests; trying again in {wait}", server.url());
        assert_eq!(recorder.texts(), [expected]);
    }
}

#[tokio::test]
async fn a_host_that_asked_for_a_pause_is_left_alone_by_all_downloads() {
    let (server, cache) = (Server::start(), Cache::new());
    let big = bytes(1, 1000);
    server.put("/big", big.clone());
    server.faults("/big", [Fault::Status(503, Some("10"))]);
    let mut downloads = vec![download(&[server.url()], "big", &big)];
    for seed in 0..100 {
        server.put(&format!("/{seed}"), bytes(seed, 100));
        downloads.push(download(&[server.url()], &seed.to_string(), &bytes(seed, 100)));
    }
    let settings = Settings { per_host: 2, longest_wait: Duration::from_millis(400), ..settings() };
    Client::new(settings, Events::silent()).fetch(&downloads, &cache.downloads).await.unwrap();
    // Without the pause, a hundred small files would have come before the second try of the big one.
    let requests = server.requests();
    let second = requests.iter().rposition(|request| request.path == "/big").unwrap();
    assert!(second < requests.len() - 1, "{second}");
    assert_eq!(requests.len(), 102);
}

#[tokio::test]
async fn a_small_document_comes_from_the_first_that_has_it() {
    let (one, two) = (Server::start(), Server::start());
    two.put("/dists/InRelease", *b"signed");
    two.faults("/dists/InRelease", [Fault::CutAfter(3), Fault::Hangup]);
    let client = Client::new(Settings { tries: 3, ..settings() }, Events::silent());
    let found = get(&client, &[one.url(), two.url()], "dists/InRelease").await.unwrap();
    assert_eq!(found, Some((b"signed".to_vec(), format!("{}dists/InRelease", two.url()))));
    assert_eq!((one.requests().len(), two.requests().len()), (1, 3));
    assert_eq!(two.requests()[1].header("range"), None);
}

#[tokio::test]
async fn a_small_document_that_nobody_has_is_none_but_an_unreachable_host_may_have_it() {
    let (one, two) = (Server::start(), Server::start());
    two.always("/a.asc", Fault::Status(410, None));
    assert_eq!(get(&client(), &[one.url(), two.url()], "a.asc").await.unwrap(), None);
    let error = get(&client(), &[one.url(), nobody()], "a.asc").await.unwrap_err();
    assert_eq!(error.category(), Category::Refused);
    assert!(error.to_string().starts_with("a.asc: cannot be fetched: "), "{error}");
}

#[tokio::test]
async fn a_document_that_is_too_long_is_not_read() {
    let server = Server::start();
    server.put("/fits", bytes(1, 1000));
    server.put("/told", bytes(1, 1001));
    server.put("/untold", bytes(1, 1000));
    server.always("/untold", Fault::Longer(1));
    let client = client();
    assert_eq!(get(&client, &[server.url()], "fits").await.unwrap().unwrap().0, bytes(1, 1000));
    for path in ["told", "untold"] {
        let error = get(&client, &[server.url()], path).await.unwrap_err();
        assert!(error.to_string().ends_with("more than 1000 bytes"), "{error}");
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn redirects_are_followed_ten_times() {
    let server = Server::start();
    server.put("/end", *b"end");
    for step in 0..=10 {
        let next = if step == 0 { "end".to_owned() } else { format!("{}", step - 1) };
        server.always(&format!("/{step}"), Fault::Redirect(next));
    }
    let client = client();
    let (bytes, url) = get(&client, &[server.url()], "9").await.unwrap().unwrap();
    assert_eq!((bytes.as_slice(), url), (b"end".as_slice(), format!("{}9", server.url())));
    let error = get(&client, &[server.url()], "10").await.unwrap_err();
    assert!(error.to_string().ends_with("redirects more than 10 times"), "{error}");
    server.always("/bad", Fault::Redirect("file:///etc/passwd".into()));
    let error = get(&client, &[server.url()], "bad").await.unwrap_err();
    assert!(error.to_string().ends_with("redirects to what is neither http nor https"), "{error}");
}

#[tokio::test]
async fn credentials_are_shown_to_their_host_only() {
    let (server, other, cache) = (Server::start(), Server::start(), Cache::new());
    server.put("/own", *b"own");
    server.always("/own", Fault::Login("ann", "s3cret"));
    other.put("/far", *b"far");
    server.always("/near", Fault::Redirect("/own".into()));
    server.always("/far", Fault::Redirect(format!("http://eve:evil@{}/far", other.address())));
    let with = |path: &str, body: &[u8]| {
        let mut wanted = download(&[server.url()], path, body);
        wanted.places[0].0.credentials = Some(("ann".into(), "s3cret".into()));
        wanted
    };
    let client = client();
    client.fetch(&[with("own", b"own")], &cache.downloads).await.unwrap();
    let near = Cache::new();
    client.fetch(&[with("near", b"own")], &near.downloads).await.unwrap();
    client.fetch(&[with("far", b"far")], &cache.downloads).await.unwrap();
    assert!(server.requests().iter().all(|request| request.shows("ann", "s3cret")));
    assert_eq!(other.requests().len(), 1);
    assert_eq!(other.requests()[0].header("authorization"), None);
}

#[tokio::test]
async fn netrc_is_asked_where_a_base_has_no_credentials() {
    let (server, other) = (Server::start(), Server::start());
    server.put("/a", *b"body");
    server.always("/a", Fault::Login("ann", "s3cret"));
    // Another name of the same machine is another host, which netrc's entry is not for.
    other.always("/a", Fault::Redirect(format!("http://localhost:{}/a", server.address().port())));
    let netrc = "machine 127.0.0.1\nlogin ann password s3cret\nmachine localhost login x password y";
    let settings = Settings { netrc: Some(netrc.into()), ..settings() };
    let client = Client::new(settings.clone(), Events::silent());
    assert_eq!(get(&client, &[server.url()], "a").await.unwrap().unwrap().0, b"body");

    let error = get(&client, &[other.url()], "a").await.unwrap_err();
    assert!(other.requests()[0].shows("ann", "s3cret"));
    assert_eq!(server.requests()[1].header("authorization"), None);
    assert!(error.hint().unwrap().contains("netrc"), "{error}");

    // What is configured for the base is preferred, and no secret is told.
    let mut own = base(server.url());
    own.credentials = Some(("bob".into(), "hidden".into()));
    let error = client.get(&[(own.clone(), "a".into())], 10).await.unwrap_err();
    assert!(server.requests()[2].shows("bob", "hidden"));
    for told in [format!("{error} {error:?}"), format!("{client:?} {settings:?} {own:?}")] {
        assert!(!told.contains("s3cret") && !told.contains("hidden"), "{told}");
    }
}

#[tokio::test]
async fn the_query_of_a_signed_redirect_is_not_told() {
    let (server, other) = (Server::start(), Server::start());
    server.always("/a", Fault::Redirect(format!("{}blob?signature=s3cret#f", other.url())));
    other.always("/blob?signature=s3cret", Fault::Status(403, None));
    let error = get(&client(), &[server.url()], "a").await.unwrap_err();
    assert_eq!(other.requests()[0].path, "/blob?signature=s3cret");
    assert!(error.to_string().ends_with(&format!("{}blob: answered 403 Forbidden", other.url())), "{error}");
}

fn proxied(variables: &[(&str, String)]) -> Client {
    let proxies = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Client::new(Settings { proxies, tries: 1, ..settings() }, Events::silent())
}

#[tokio::test]
async fn a_proxy_is_used_for_its_scheme_unless_the_host_is_excepted() {
    let (server, proxy, cache) = (Server::start(), Proxy::start(Some(("pat", "pr0xy"))), Cache::new());
    let body = bytes(1, 100_000);
    server.put("/a", body.clone());
    let wanted = download(&[server.url()], "a", &body);
    let url = format!("http://pat:pr0xy@{}", proxy.address());
    let client = proxied(&[("HTTP_PROXY", url.clone()), ("https_proxy", nobody())]);
    client.fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(proxy.requests()[0].path, format!("{}a", server.url()));
    assert_eq!(server.requests()[0].header("proxy-authorization"), None);

    let excepted = proxied(&[("all_proxy", url), ("no_proxy", "localhost,127.0.0.0/8".into())]);
    get(&excepted, &[server.url()], "b").await.unwrap();
    assert_eq!((proxy.requests().len(), server.requests().len()), (1, 2));
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_a_refusal_is_told_without_the_password() {
    let proxy = Proxy::start(None);
    let client = proxied(&[("https_proxy", format!("http://pat:pr0xy@{}", proxy.address()))]);
    let error = get(&client, &["https://mirror.example/".into()], "a").await.unwrap_err();
    let requests = proxy.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("CONNECT", "mirror.example:443"));
    assert_eq!(error.category(), Category::Refused);
    assert!(error.to_string().contains("https://mirror.example/a") && !error.to_string().contains("pr0xy"), "{error}");
    assert!(error.hint().unwrap().contains("https_proxy"));
}

#[tokio::test]
async fn a_senseless_proxy_is_wrong_usage() {
    let client = proxied(&[("ALL_PROXY", "socks5://pat:pr0xy@proxy.example:1080".into())]);
    let error = get(&client, &["https://mirror.example/".into()], "a").await.unwrap_err();
    assert_eq!(error.category(), Category::Usage);
    assert_eq!(error.to_string(), "the proxy of ALL_PROXY: SOCKS proxies are not supported");
}

#[tokio::test]
async fn what_does_not_speak_tls_is_told_and_not_tried_again() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        // Until the client has gone: closing before would take back what was written.
        let _ = io::copy(&mut stream, &mut io::sink());
    });
    let recorder = Recorder::default();
    let client = Client::new(Settings { tries: 5, ..settings() }, recorder.events());
    let error = get(&client, &[url], "a").await.unwrap_err();
    assert!(error.to_string().contains("no TLS connection: "), "{error}");
    assert!(error.hint().unwrap().contains("certificate authority"));
    assert_eq!(recorder.texts(), [""; 0]);
    server.join().unwrap();
}

#[tokio::test]
async fn an_authority_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, said) in [("hello", "no certificate in it"), (broken, "")] {
        std::fs::write(&file, text).unwrap();
        let client = Client::new(Settings { authorities: vec![file.clone()], ..settings() }, Events::silent());
        let error = get(&client, &[nobody().replacen("http:", "https:", 1)], "a").await.unwrap_err();
        assert_eq!(error.category(), Category::Failed, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_machine_without_authorities_is_told_what_to_install() {
    const CHILD: &str = "KIMG_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let error = get(&client(), &[nobody().replacen("http:", "https:", 1)], "a").await.unwrap_err();
        assert_eq!(error.category(), Category::Failed);
        assert!(error.to_string().starts_with("the HTTP client: "), "{error}");
        assert!(error.hint().unwrap().contains("ca-certificates"));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("none.pem");
    std::fs::write(&empty, "").unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_machine_without_authorities_is_told_what_to_install"])
        .env(CHILD, "1")
        .env("SSL_CERT_FILE", &empty)
        .env("SSL_CERT_DIR", folder.path().join("none"))
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}
