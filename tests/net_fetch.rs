//! Downloads: side by side, verified, from the next place where one fails, with errors that say what to do.

#[path = "support/network.rs"]
mod network;
#[path = "support/server.rs"]
mod server;

use std::time::Duration;

use kimg::error::{Category, Diagnose};
use kimg::event::{Event, Outcome};
use kimg::net::{Client, Settings};
use network::{Cache, Recorder, base, bytes, client, download, nobody, settings};
use server::{Fault, Server};

#[tokio::test]
async fn what_is_fetched_is_cached_and_not_fetched_again() {
    let (server, cache, recorder) = (Server::start(), Cache::new(), Recorder::default());
    let body = bytes(1, 300_000);
    server.put("/pool/a.deb", body.clone());
    let wanted = download(&[server.url()], "pool/a.deb", &body);
    let client = Client::new(settings(), recorder.events());
    client.fetch(&[wanted.clone(), wanted.clone()], &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    client.fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].method, "GET");
    assert_eq!(requests[0].header("user-agent"), Some(concat!("kimg/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(requests[0].header("accept-encoding"), Some("identity"));
    for absent in ["range", "authorization", "cookie", "referer"] {
        assert_eq!(requests[0].header(absent), None, "{absent}");
    }
    // One task, whose progress grows to the end; nothing is told of what was there.
    assert_eq!(recorder.started(), ["pool/a.deb"]);
    assert_eq!(recorder.outcomes(), [Outcome::Done]);
    let progress: Vec<u64> = recorder
        .all()
        .iter()
        .filter_map(|event| if let Event::Progress { done, .. } = event { Some(*done) } else { None })
        .collect();
    assert!(progress.is_sorted() && progress.last() == Some(&300_000), "{progress:?}");
    assert!(progress.len() <= 300_000 / 65_536 + 2, "{progress:?}");
    assert!(recorder.all().iter().any(|event| matches!(event, Event::Started { total: Some(300_000), .. })));
}

#[tokio::test]
async fn the_biggest_come_first_and_no_more_at_once_than_a_host_may_serve() {
    let (server, cache, recorder) = (Server::start(), Cache::new(), Recorder::default());
    let downloads: Vec<_> = [5usize, 90, 20, 70, 10, 80]
        .iter()
        .map(|size| {
            let body = bytes(*size as u8, size * 100);
            server.put(&format!("/{size}"), body.clone());
            download(&[server.url()], &size.to_string(), &body)
        })
        .collect();
    server.hold();
    let client = Client::new(Settings { per_host: 2, ..settings() }, recorder.events());
    let work = client.fetch(&downloads, &cache.downloads);
    let watch = tokio::task::spawn_blocking(move || {
        for come in 2..=6 {
            server.wait_for_requests(come);
            server.release(1);
        }
        server.release_all();
        server
    });
    let (done, server) = tokio::join!(work, watch);
    done.unwrap();
    let server = server.unwrap();
    assert_eq!(server.most_at_once(), 2);
    let mut first: Vec<String> = server.requests()[..2].iter().map(|request| request.path.clone()).collect();
    first.sort();
    assert_eq!(first, ["/80", "/90"]);
    assert_eq!(server.requests()[5].path, "/5");
    assert!(downloads.iter().all(|wanted| cache.has(wanted)));
}

#[tokio::test]
async fn two_calls_at_once_fetch_a_file_once() {
    let (server, cache) = (Server::start(), Cache::new());
    let body = bytes(1, 1_000_000);
    server.put("/a", body.clone());
    let wanted = [download(&[server.url()], "a", &body)];
    let (one, other) = (client(), client());
    let (a, b) = tokio::join!(one.fetch(&wanted, &cache.downloads), other.fetch(&wanted, &cache.downloads));
    a.unwrap();
    b.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn many_calls_that_want_the_same_files_do_not_wait_in_a_circle() {
    let (one, two, cache) = (Server::start(), Server::start(), Cache::new());
    let files: Vec<Vec<u8>> = (0..6).map(|seed| bytes(seed, 50_000)).collect();
    let mut downloads = Vec::new();
    for (index, body) in files.iter().enumerate() {
        // Each host lacks every second file, so that all downloads move between them.
        [&one, &two][index % 2].put(&format!("/{index}"), body.clone());
        let mut urls = [one.url(), two.url()];
        urls.rotate_left((index + 1) % 2);
        downloads.push(download(&urls, &index.to_string(), body));
    }
    let client = Client::new(Settings { per_host: 1, ..settings() }, kimg::event::Events::silent());
    let backwards: Vec<_> = downloads.iter().rev().cloned().collect();
    let (a, b, c) = tokio::join!(
        client.fetch(&downloads, &cache.downloads),
        client.fetch(&backwards, &cache.downloads),
        client.fetch(&downloads[2..], &cache.downloads)
    );
    a.and(b).and(c).unwrap();
    assert!(downloads.iter().all(|wanted| cache.has(wanted)));
}

#[tokio::test]
async fn wrong_bytes_of_one_mirror_are_mended_by_the_next_without_mixing() {
    let (bad, good, cache, recorder) = (Server::start(), Server::start(), Cache::new(), Recorder::default());
    let body = bytes(1, 200_000);
    bad.put("/a.jar", bytes(2, 200_000));
    good.put("/a.jar", body.clone());
    let wanted = download(&[bad.url(), good.url()], "a.jar", &body);
    Client::new(settings(), recorder.events()).fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(bad.requests().len(), 1);
    assert_eq!(good.requests().len(), 1);
    assert_eq!(good.requests()[0].header("range"), None);
    let warned = recorder.texts().join("\n");
    assert!(warned.contains("a.jar") && warned.contains(&bad.url()), "{warned}");
}

#[tokio::test]
async fn wrong_bytes_everywhere_are_a_failed_verification() {
    let (one, two, cache) = (Server::start(), Server::start(), Cache::new());
    let (body, other) = (bytes(1, 1000), bytes(2, 1000));
    one.put("/a.jar", other.clone());
    two.always("/a.jar", Fault::Html);
    let wanted = download(&[one.url(), two.url()], "a.jar", &body);
    let error = client().fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap_err();
    assert_eq!(error.category(), Category::Verification);
    let text = error.to_string();
    let found = kimg::digest::Digest::of(&other).to_string();
    let expected = wanted.digest.to_string();
    for part in ["a.jar", "1000 bytes", &expected, &found, &one.url(), &two.url(), "26 bytes instead of 1000"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(error.hint().unwrap().contains("--mirror"));
    assert_eq!((one.requests().len(), two.requests().len()), (1, 1));
    assert!(!cache.has(&wanted));
}

#[tokio::test]
async fn a_body_longer_or_shorter_than_pinned_is_not_taken() {
    let body = bytes(1, 100_000);
    for (fault, said) in [
        (Fault::Longer(1), "more than 100000 bytes"),
        (Fault::Longer(10_000_000), "more than 100000 bytes"),
        (Fault::Shorter(99_999), "99999 bytes instead of 100000"),
        (Fault::ContentLength(99_999), "99999 bytes instead of 100000"),
        (Fault::ContentLength(100_001), "100001 bytes instead of 100000"),
    ] {
        let (server, cache) = (Server::start(), Cache::new());
        server.put("/a", body.clone());
        server.always("/a", fault);
        let wanted = download(&[server.url()], "a", &body);
        let error = client().fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap_err();
        assert_eq!(error.category(), Category::Verification, "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(server.requests().len(), 1);
        assert!(!cache.has(&wanted));
    }
}

#[tokio::test]
async fn a_length_that_nobody_told_is_no_obstacle() {
    let (server, cache) = (Server::start(), Cache::new());
    let body = bytes(1, 100_000);
    server.put("/a", body.clone());
    server.always("/a", Fault::Longer(0));
    let wanted = download(&[server.url()], "a", &body);
    client().fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
}

#[tokio::test]
async fn what_no_host_has_is_not_found() {
    let (one, two, cache, recorder) = (Server::start(), Server::start(), Cache::new(), Recorder::default());
    two.always("/pool/gone.deb", Fault::Status(410, None));
    let wanted = download(&[one.url(), two.url()], "pool/gone.deb", b"body");
    let error = Client::new(settings(), recorder.events()).fetch(&[wanted], &cache.downloads).await.unwrap_err();
    assert_eq!(error.category(), Category::NotFound);
    let expected = format!(
        "pool/gone.deb: not found: {}pool/gone.deb: answered 404 Not Found; {}pool/gone.deb: answered 410 Gone",
        one.url(),
        two.url()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!((one.requests().len(), two.requests().len()), (1, 1));
    assert_eq!(recorder.outcomes(), [Outcome::Failed]);
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_named_and_not_waited_for_again() {
    let (server, cache, recorder) = (Server::start(), Cache::new(), Recorder::default());
    let dead = nobody();
    let downloads: Vec<_> = (0..40u8)
        .map(|seed| {
            server.put(&format!("/{seed}"), bytes(seed, 100));
            download(&[dead.clone(), server.url()], &seed.to_string(), &bytes(seed, 100))
        })
        .collect();
    // One at a time, so that each download after the first knows what the first has learnt.
    let settings = Settings { per_host: 1, tries: 3, ..settings() };
    let client = Client::new(settings, recorder.events());
    client.fetch(&downloads, &cache.downloads).await.unwrap();
    let again = recorder.texts().iter().filter(|text| text.contains("trying again")).count();
    assert_eq!(again, 2, "{:?}", recorder.texts());

    let lost = download(std::slice::from_ref(&dead), "lost", b"lost");
    let error = client.fetch(&[lost], &cache.downloads).await.unwrap_err();
    assert_eq!(error.category(), Category::Refused);
    let text = error.to_string();
    assert!(text.starts_with(&format!("lost: cannot be fetched: {dead}lost: cannot be reached: ")), "{text}");
    assert!(text.contains("refused") && !text.contains("error sending request"), "{text}");
    assert!(error.hint().unwrap().contains("--mirror"));
}

#[tokio::test]
async fn the_first_error_ends_it_and_what_was_fetched_stays() {
    let (server, cache) = (Server::start(), Cache::new());
    let good = bytes(1, 100);
    server.put("/good", good.clone());
    server.always("/slow", Fault::StallAfter(0));
    server.put("/slow", bytes(2, 50));
    let good = download(&[server.url()], "good", &good);
    let slow = download(&[server.url()], "slow", &bytes(2, 50));
    let bad = download(&[server.url()], "bad", b"bad");
    let settings = Settings { per_host: 2, stall_timeout: Duration::from_secs(600), ..settings() };
    let client = Client::new(settings, kimg::event::Events::silent());
    let error = client.fetch(&[bad, slow, good.clone()], &cache.downloads).await.unwrap_err();
    assert!(error.to_string().starts_with("bad: not found"), "{error}");
    assert!(cache.has(&good));
}

#[tokio::test]
async fn a_download_without_a_place_or_with_a_senseless_base_is_told_of_before_anything_is_asked() {
    let (server, cache) = (Server::start(), Cache::new());
    let fine = download(&[server.url()], "fine", &bytes(1, 100));
    let nowhere = download(&[], "nowhere", b"x");
    let error = client().fetch(&[fine.clone(), nowhere], &cache.downloads).await.unwrap_err();
    assert_eq!((error.category(), error.to_string().contains("nowhere")), (Category::NotFound, true));
    let mut senseless = download(&[server.url()], "senseless", b"x");
    senseless.places.push((base("mirror.example"), "x".into()));
    let error = client().fetch(&[fine, senseless], &cache.downloads).await.unwrap_err();
    assert_eq!(error.category(), Category::Usage);
    assert!(error.to_string().starts_with("the mirror's URL from a test: "), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn nothing_to_fetch_needs_no_client() {
    let cache = Cache::new();
    let settings = Settings { authorities: vec!["/nonexistent/ca.pem".into()], ..settings() };
    let client = Client::new(settings, kimg::event::Events::silent());
    client.fetch(&[], &cache.downloads).await.unwrap();
    let wanted = download(&[nobody().replacen("http:", "https:", 1)], "a", b"a");
    let error = client.fetch(&[wanted], &cache.downloads).await.unwrap_err();
    assert_eq!(error.category(), Category::Failed);
    assert!(error.to_string().starts_with("/nonexistent/ca.pem: "), "{error}");
}
