//! Downloads that break off: they go on where they were, and never mix what two hosts sent.

#![allow(clippy::disallowed_methods, reason = "a test looks at clocks, folders and its own environment")]

#[path = "support/network.rs"]
mod network;
#[path = "support/server.rs"]
mod server;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kimg::error::{Category, Diagnose};
use kimg::event::Events;
use kimg::net::{Client, Settings};
use network::{Cache, Recorder, bytes, client, download, settings};
use server::{Fault, Server};

const SIZE: usize = 400_000;

/// The offset that a request asked to go on from.
fn from(request: &server::Request) -> Option<u64> {
    request.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn offsets(server: &Server) -> Vec<Option<u64>> {
    server.requests().iter().map(from).collect()
}

#[tokio::test]
async fn a_cut_is_resumed_and_no_byte_comes_twice() {
    let (server, cache) = (Server::start(), Cache::new());
    let body = bytes(1, SIZE);
    server.put("/a", body.clone());
    server.faults("/a", [Fault::CutAfter(1), Fault::CutAfter(149_999), Fault::Hangup]);
    let wanted = download(&[server.url()], "a", &body);
    let client = Client::new(Settings { tries: 4, ..settings() }, Events::silent());
    client.fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(offsets(&server), [None, Some(1), Some(150_000), Some(150_000)]);
    assert_eq!(server.bytes_sent(), SIZE as u64);
}

#[tokio::test]
async fn a_transfer_that_stands_still_is_resumed() {
    let (server, cache, recorder) = (Server::start(), Cache::new(), Recorder::default());
    let body = bytes(1, SIZE);
    server.put("/a", body.clone());
    server.faults("/a", [Fault::StallAfter(100_000)]);
    let wanted = download(&[server.url()], "a", &body);
    let settings = Settings { stall_timeout: Duration::from_millis(200), ..settings() };
    let client = Client::new(settings, recorder.events());
    client.fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(offsets(&server), [None, Some(100_000)]);
    assert!(recorder.texts()[0].contains("stood still after 100000 of 400000 bytes"), "{:?}", recorder.texts());
}

#[tokio::test]
async fn what_a_dropped_call_had_is_not_fetched_again() {
    let (server, cache, recorder) = (Server::start(), Cache::new(), Recorder::default());
    let (whole, half) = (bytes(1, SIZE / 2), bytes(2, SIZE));
    server.put("/whole", whole.clone());
    server.put("/half", half.clone());
    server.faults("/half", [Fault::StallAfter(150_000)]);
    let wanted = [download(&[server.url()], "whole", &whole), download(&[server.url()], "half", &half)];
    let first = Client::new(settings(), recorder.events());
    tokio::select! {
        _ = first.fetch(&wanted, &cache.downloads) => panic!("it can't end"),
        () = async {
            while !cache.has(&wanted[0]) {
                tokio::task::yield_now().await;
            }
            recorder.progress(131_072).await;
        } => {}
    }
    client().fetch(&wanted, &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted[1]), half);
    assert_eq!(server.requests_for("/whole").len(), 1);
    let asked = server.requests_for("/half");
    let offset = from(&asked[1]).unwrap();
    assert!((131_072..=150_000).contains(&offset), "{offset}");
    assert_eq!(asked.len(), 2);
}

/// The child of `a_killed_process_is_resumed_by_the_next`: fetches for ever.
async fn fetch_for_ever(url: String, folder: &std::path::Path) {
    let store = kimg::store::Store::open(&folder.join("store")).unwrap();
    let wanted = download(&[url], "a", &bytes(1, SIZE));
    let settings = Settings { stall_timeout: Duration::from_secs(600), ..settings() };
    let _ = Client::new(settings, Events::silent()).fetch(&[wanted], &store.downloads()).await;
}

fn bytes_below(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
        _ => entry.metadata().map_or(0, |metadata| metadata.len()),
    };
    entries.map(size).sum()
}

#[tokio::test]
async fn a_killed_process_is_resumed_by_the_next() {
    const URL: &str = "KIMG_TEST_URL";
    const FOLDER: &str = "KIMG_TEST_FOLDER";
    if let (Ok(url), Some(folder)) = (std::env::var(URL), std::env::var_os(FOLDER)) {
        return fetch_for_ever(url, folder.as_ref()).await;
    }
    let (server, cache) = (Server::start(), Cache::new());
    let body = bytes(1, SIZE);
    server.put("/a", body.clone());
    server.faults("/a", [Fault::StallAfter(250_000)]);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_process_is_resumed_by_the_next"])
        .env(URL, server.url())
        .env(FOLDER, cache.folder())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while bytes_below(cache.folder()) < 250_000 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let wanted = download(&[server.url()], "a", &body);
    client().fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(offsets(&server), [None, Some(250_000)]);
}

#[tokio::test]
async fn a_host_that_does_not_continue_is_asked_for_the_whole() {
    let body = bytes(1, SIZE);
    for (fault, requests) in [
        // The whole comes with 200 at once.
        (Fault::IgnoreRange, vec![None, Some(100_000)]),
        // Other bytes than those asked for: what is there is thrown away.
        (Fault::ContentRange(format!("bytes 0-{}/{SIZE}", SIZE - 1)), vec![None, Some(100_000), None]),
        (Fault::ContentRange(format!("bytes 100001-{}/{SIZE}", SIZE - 1)), vec![None, Some(100_000), None]),
        (Fault::ContentRange("senseless".into()), vec![None, Some(100_000), None]),
        (Fault::Status(416, None), vec![None, Some(100_000), None]),
    ] {
        let (server, cache) = (Server::start(), Cache::new());
        server.put("/a", body.clone());
        server.faults("/a", [Fault::CutAfter(100_000), fault.clone()]);
        let wanted = download(&[server.url()], "a", &body);
        client().fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
        assert_eq!(cache.read(&wanted), body, "{fault:?}");
        assert_eq!(offsets(&server), requests, "{fault:?}");
    }
}

#[tokio::test]
async fn a_part_of_what_was_asked_for_is_taken() {
    let (server, cache) = (Server::start(), Cache::new());
    let body = bytes(1, SIZE);
    server.put("/a", body.clone());
    server.faults("/a", [Fault::CutAfter(100_000), Fault::Part(50_000)]);
    let wanted = download(&[server.url()], "a", &body);
    let client = Client::new(Settings { tries: 3, ..settings() }, Events::silent());
    client.fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(offsets(&server), [None, Some(100_000), Some(150_000)]);
}

#[tokio::test]
async fn a_file_that_changed_its_size_is_not_continued() {
    let (server, cache) = (Server::start(), Cache::new());
    let body = bytes(1, SIZE);
    server.put("/a", body.clone());
    server.faults("/a", [Fault::CutAfter(100_000), Fault::ContentRange("bytes 100000-399999/400001".into())]);
    let wanted = download(&[server.url()], "a", &body);
    let error = client().fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap_err();
    assert_eq!(error.category(), Category::Verification);
    assert!(error.to_string().contains("400001 bytes instead of 400000"), "{error}");
}

#[tokio::test]
async fn the_next_host_begins_a_part_of_its_own() {
    let (bad, good, cache) = (Server::start(), Server::start(), Cache::new());
    let body = bytes(1, SIZE);
    // Its first half is good, and it never gets further.
    bad.put("/a", body.clone());
    bad.always("/a", Fault::Hangup);
    bad.faults("/a", [Fault::CutAfter(SIZE / 2)]);
    good.put("/a", body.clone());
    let wanted = download(&[bad.url(), good.url()], "a", &body);
    client().fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(offsets(&bad), [None, Some(SIZE as u64 / 2)]);
    assert_eq!(offsets(&good), [None]);
}

#[tokio::test]
async fn a_part_that_was_wrong_is_fetched_once_more_from_the_start() {
    let (server, cache) = (Server::start(), Cache::new());
    let body = bytes(1, SIZE);
    // The first answer is of another file of the same size, and breaks off; the second continues the right one.
    server.put("/a", bytes(2, SIZE));
    server.always("/a", Fault::CutAfter(SIZE / 2));
    let wanted = download(&[server.url()], "a", &body);
    let once = Client::new(Settings { tries: 1, ..settings() }, Events::silent());
    let error = once.fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap_err();
    assert_eq!(error.category(), Category::Refused);
    server.put("/a", body.clone());
    server.always("/a", Fault::None);
    once.fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(offsets(&server), [None, Some(SIZE as u64 / 2), None]);
}

#[tokio::test]
async fn a_part_behind_a_redirect_belongs_to_the_host_that_sent_it() {
    let (front, one, two, cache) = (Server::start(), Server::start(), Server::start(), Cache::new());
    let body = bytes(1, SIZE);
    one.put("/a", body.clone());
    two.put("/a", body.clone());
    let to = |server: &Server| Fault::Redirect(format!("{}a", server.url()));
    front.faults("/a", [to(&one), to(&two), to(&one)]);
    one.faults("/a", [Fault::CutAfter(100_000)]);
    two.faults("/a", [Fault::CutAfter(200_000)]);
    let wanted = download(&[front.url()], "a", &body);
    let client = Client::new(Settings { tries: 3, ..settings() }, Events::silent());
    client.fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
    assert_eq!(offsets(&front), [None, None, None]);
    assert_eq!(offsets(&one), [None, Some(100_000)]);
    assert_eq!(offsets(&two), [None]);
}

#[tokio::test]
async fn byte_by_byte_is_slow_but_good() {
    let (server, cache) = (Server::start(), Cache::new());
    let body = bytes(1, 3_000);
    server.put("/a", body.clone());
    server.always("/a", Fault::Drip);
    let wanted = download(&[server.url()], "a", &body);
    client().fetch(std::slice::from_ref(&wanted), &cache.downloads).await.unwrap();
    assert_eq!(cache.read(&wanted), body);
}
