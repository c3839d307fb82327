//! Uploads into a registry: what they send when all goes well, and when it does not.

#[path = "support/stores.rs"]
mod stores;
#[path = "support/uploads.rs"]
mod uploads;

use std::time::Duration;

use kimg::copy::{CopyError, Moved};
use kimg::error::{Category, Diagnose};
use kimg::transport::registry::Credentials;
use stores::{Image, image, store};
use tempfile::TempDir;
use uploads::{Copies, Fault, Registry};

/// Large enough for its session to be kept.
const SIZE: usize = 6_000_000;

/// A store with an image of one layer of [`SIZE`] bytes, a registry, and copies between.
fn three() -> (TempDir, Image, Registry, Copies) {
    let (folder, store) = store();
    let mut layer = (0..=250).collect::<Vec<u8>>().repeat(SIZE / 251 + 1);
    layer.truncate(SIZE);
    let image = image(&store, &layer);
    let copies = Copies::new(&store);
    (folder, image, Registry::start(), copies)
}

fn layer_of(registry: &Registry, image: &Image) -> Vec<u8> {
    registry.state().blobs[&format!("app {}", image.layer.digest)].clone()
}

/// The log without the digests and the sessions, and without the small configuration.
fn short(log: &[String]) -> Vec<String> {
    let line = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        let path = words[1].trim_start_matches("app/").split("/sha256:").next().unwrap_or_default().to_owned();
        format!("{} {path} {}", words[0], words[2])
    };
    log.iter().map(line).collect()
}

fn failed(result: Result<Moved, CopyError>) -> (Category, String) {
    let error = result.unwrap_err();
    (error.category(), error.to_string())
}

#[test]
fn one_put_a_blob_and_no_question_for_a_small_one() {
    let (_folder, image, registry, copies) = three();
    let moved = copies.copy(&registry, "app", &image.manifest, &["1", "2"]).unwrap();
    assert_eq!((moved.blobs, moved.bytes), (2, image.layer.size + image.config.size));
    let expected = [
        "HEAD manifests/1 404",
        "HEAD blobs 404",
        "POST blobs/uploads/ 202",
        "PUT blobs/uploads/s1 201",
        "POST blobs/uploads/ 202",
        "PUT blobs/uploads/s2 201",
        "PUT manifests/1 201",
        "PUT manifests/2 201",
    ];
    assert_eq!(short(&registry.log()), expected);
    // Nothing to do is one question a name.
    assert_eq!(copies.copy(&registry, "app", &image.manifest, &["1", "2"]).unwrap(), Moved::default());
    assert_eq!(short(&registry.log()), ["HEAD manifests/1 200", "HEAD manifests/2 200"]);
}

#[test]
fn a_cut_is_gone_on_from_and_no_byte_is_sent_twice() {
    let (_folder, image, registry, copies) = three();
    registry.faults("PUT app/blobs", [Fault::Cut(2_000_000)]);
    registry.faults("PATCH app/blobs", [Fault::Cut(1_500_000)]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    let expected = [
        "HEAD manifests/1 404",
        "HEAD blobs 404",
        "POST blobs/uploads/ 202",
        "PUT blobs/uploads/s1 cut",
        "GET blobs/uploads/s1 204",
        "PATCH blobs/uploads/s1 cut",
        "GET blobs/uploads/s1 204",
        "PATCH blobs/uploads/s1 202",
        "PUT blobs/uploads/s1 201",
    ];
    assert_eq!(short(&registry.log())[..9], expected);
    let state = registry.state();
    let ranges: Vec<&str> =
        state.requests.iter().filter_map(|request| Some(request.headers.get("content-range")?.as_str())).collect();
    assert_eq!(ranges, ["2000000-5999999", "3500000-5999999"]);
    // The newest location each time, with its query.
    let queries: Vec<&str> =
        state.requests.iter().filter(|request| request.path.ends_with("/s1")).map(|r| r.query.as_str()).collect();
    let digest = format!("digest=sha256%3A{}", image.layer.digest.hex());
    let (first, last) = (format!("_state=0&{digest}"), format!("_state=6000000&{digest}"));
    assert_eq!(queries, [&first, "_state=0", "_state=2000000", "_state=2000000", "_state=3500000", &last]);
    let small = image.config.size + image.manifest.size;
    assert_eq!(state.came as u64, image.layer.size + small);
}

#[test]
fn the_next_process_goes_on_in_mid_blob() {
    let (folder, image, registry, copies) = three();
    registry.faults("PUT app/blobs", [Fault::Cut(2_500_000)]);
    // Then nobody answers any more.
    registry.faults("GET app/blobs", std::iter::repeat_n(Fault::Cut(0), 3));
    let (category, text) = failed(copies.copy(&registry, "app", &image.manifest, &["1"]));
    assert_eq!(category, Category::Refused, "{text}");
    // The plan knows it before a byte moves.
    let sink = copies.sink(&registry, "app");
    let plan = copies.plan(&sink, &image.manifest, &["1"]).unwrap();
    assert_eq!(plan.bytes(), image.layer.size - 2_500_000 + image.config.size);
    drop(sink);
    registry.log();
    let moved = copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    assert_eq!((moved.resumed, moved.blobs), (2_500_000, 2));
    let expected = ["GET blobs/uploads/s1 204", "PATCH blobs/uploads/s1 202", "PUT blobs/uploads/s1 201"];
    assert_eq!(short(&registry.log())[2..5], expected);
    assert_eq!(layer_of(&registry, &image).len(), SIZE);
    let small = image.config.size + image.manifest.size;
    assert_eq!(registry.state().came as u64, image.layer.size + small);
    // What was kept is gone; the locks stay, so that all lock the same file.
    let uploads = stores::files(&folder.path().join("store/cache/uploads"));
    assert!(uploads.iter().all(|path| path.extension().is_some_and(|end| end == "lock")), "{uploads:?}");
}

#[test]
fn what_a_kept_session_may_not_do() {
    let (_folder, image, registry, copies) = three();
    // It is gone, or says what cannot be: the blob begins anew.
    for (session, length) in [("gone", None), ("too-much", Some(SIZE + 1)), ("one-byte-or-none", Some(1))] {
        registry.state().blobs.clear();
        registry.state().sessions.clear();
        length.map(|length| registry.state().sessions.insert(session.to_owned(), vec![0; length]));
        let record = copies.store.upload(&registry.address, "app", &image.layer.digest).unwrap().unwrap();
        let location = format!("http://{}/v2/app/blobs/uploads/{session}", registry.address);
        record.keep(&kimg::store::UploadSession { location, offset: 0, at: copies.now }).unwrap();
        drop(record);
        let now = copies.now + 2 * 86_400;
        let moved = copies.at(now).copy(&registry, "app", &image.manifest, &[session]);
        assert_eq!(moved.unwrap().resumed, 0, "{session}");
        assert_eq!(layer_of(&registry, &image).len(), SIZE, "{session}");
    }
    // It holds other bytes: the registry finds that, and the blob is sent from its start.
    registry.state().blobs.clear();
    registry.state().sessions.insert("other".to_owned(), vec![0xff; 1_000_000]);
    let record = copies.store.upload(&registry.address, "app", &image.layer.digest).unwrap().unwrap();
    let location = format!("http://{}/v2/app/blobs/uploads/other", registry.address);
    record.keep(&kimg::store::UploadSession { location, offset: 0, at: copies.now }).unwrap();
    drop(record);
    let later = copies.at(copies.now + 4 * 86_400);
    later.copy(&registry, "app", &image.manifest, &["other"]).unwrap();
    assert_eq!(layer_of(&registry, &image).len(), SIZE);
}

#[test]
fn a_session_that_is_lost_begins_again_in_chunks() {
    let (_folder, image, registry, copies) = three();
    registry.faults("PUT app/blobs", [Fault::Lose(1_000_000)]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    let log = short(&registry.log());
    assert_eq!(
        log[3..7],
        [
            "PUT blobs/uploads/s1 cut",
            "GET blobs/uploads/s1 404",
            "POST blobs/uploads/ 202",
            // 6 MB are less than a chunk.
            "PUT blobs/uploads/s2 201",
        ]
    );
}

#[test]
fn tries_are_bounded() {
    let (_folder, image, registry, copies) = three();
    registry.faults("PUT app/blobs", std::iter::repeat_n(Fault::Lose(5), 9));
    let (category, text) = failed(copies.copy(&registry, "app", &image.manifest, &["1"]));
    assert_eq!(category, Category::Refused, "{text}");
    let puts = registry.log().iter().filter(|line| line.starts_with("PUT")).count();
    assert_eq!(puts, 3);
}

#[test]
fn what_passes_is_tried_again() {
    let (_folder, image, registry, copies) = three();
    let busy = |status| Fault::Answer(status, "Retry-After: 0\r\n".to_owned(), "later".to_owned());
    registry.faults("PUT app/blobs", [busy(429), busy(503)]);
    registry.faults("POST app/blobs", [busy(503)]);
    registry.faults("PUT app/manifests", [busy(429)]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    assert_eq!(layer_of(&registry, &image).len(), SIZE);
}

#[test]
fn a_token_that_ends_in_mid_upload_is_renewed() {
    let (_folder, image, registry, mut copies) = three();
    copies.credentials = Some(Credentials::Password { user: "u".to_owned(), password: "p".to_owned() });
    let who = || Fault::Answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n".to_owned(), String::new());
    registry.faults("PUT app/blobs", [who()]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    assert_eq!(layer_of(&registry, &image).len(), SIZE);
}

#[test]
fn too_large_for_one_request_goes_in_chunks() {
    let (_folder, image, registry, copies) = three();
    let large = || Fault::Answer(413, String::new(), "<html>too large</html>".to_owned());
    registry.faults("PUT app/blobs", [large()]);
    registry.faults("PATCH app/blobs", [large()]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    let log = short(&registry.log());
    let of = |session: &str| log.iter().filter(|line| line.contains(session)).cloned().collect::<Vec<_>>();
    assert_eq!(of("/s2"), ["PATCH blobs/uploads/s2 413"]);
    let lengths: Vec<usize> =
        registry.state().requests.iter().filter(|r| r.method == "PATCH").map(|r| r.length).collect();
    assert_eq!(lengths, [1_500_000, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, SIZE - 5 * (1 << 20)]);
    assert_eq!(layer_of(&registry, &image).len(), SIZE);
}

#[test]
fn a_refusal_that_comes_before_the_body_ends_is_heard() {
    let (_folder, image, registry, copies) = three();
    registry.faults("PUT app/blobs", [Fault::Early(413)]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    let first = registry.state().requests.iter().find(|request| request.method == "PATCH").map(|r| r.length);
    assert_eq!(first, Some(1_500_000));
    assert_eq!(layer_of(&registry, &image).len(), SIZE);
    registry.state().blobs.clear();
    registry.faults("PUT app/blobs", [Fault::Early(403)]);
    let later = copies.at(copies.now + 2 * 86_400);
    let (category, text) = failed(later.copy(&registry, "app", &image.manifest, &["2"]));
    assert!(category == Category::Refused && text.contains("not allowed"), "{text}");
}

#[test]
fn what_the_registry_asks_for_as_least_chunk_is_obeyed() {
    let (_folder, image, registry, copies) = three();
    registry.faults("PUT app/blobs", [Fault::Answer(413, String::new(), String::new())]);
    let begins = "Location: /v2/app/blobs/uploads/{id}\r\nOCI-Chunk-Min-Length: 4000000\r\n";
    registry.state().begins = Some(begins.to_owned());
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    let lengths: Vec<usize> =
        registry.state().requests.iter().filter(|r| r.method == "PATCH").map(|r| r.length).collect();
    assert_eq!(lengths, [4_000_000, 2_000_000]);
}

#[test]
fn a_registry_that_drops_chunks_gets_one_put() {
    let (_folder, image, registry, copies) = three();
    registry.faults("PUT app/blobs", [Fault::Cut(3_000_000)]);
    let stuck = "Location: /v2/app/blobs/uploads/s1\r\nRange: 0-2999999\r\n";
    registry.faults("PATCH app/blobs", [Fault::Answer(201, stuck.to_owned(), String::new())]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    let log = short(&registry.log());
    let expected = ["PATCH blobs/uploads/s1 201", "POST blobs/uploads/ 202", "PUT blobs/uploads/s2 201"];
    assert_eq!(log[5..8], expected);
}

#[test]
fn where_to_go_on_is_said_in_two_ways() {
    let (_folder, image, registry, copies) = three();
    registry.faults("PUT app/blobs", [Fault::Cut(2_000_000)]);
    // As Quay says it, without a new location.
    let status = |text: &str| Fault::Answer(204, format!("Range: {text}\r\n"), String::new());
    registry.faults("GET app/blobs", [status("bytes=0-2000000")]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    assert_eq!(registry.state().came as u64, image.layer.size + image.config.size + image.manifest.size);
    // Whoever means another byte by it does not take the rest, and gets all of it once more.
    registry.state().blobs.clear();
    registry.log();
    registry.faults("PUT app/blobs", [Fault::Cut(2_000_001)]);
    registry.faults("GET app/blobs", [status("bytes=0-2000000"), status("bytes=0-2000000")]);
    copies.at(copies.now + 2 * 86_400).copy(&registry, "app", &image.manifest, &["2"]).unwrap();
    assert_eq!(layer_of(&registry, &image).len(), SIZE);
    assert_eq!(registry.log().iter().filter(|line| line.ends_with(" 416")).count(), 1);
}

#[test]
fn another_digest_is_believed_when_it_is_found_twice() {
    let (_folder, image, registry, copies) = three();
    let other = || Fault::Answer(400, String::new(), r#"{"errors":[{"code":"DIGEST_INVALID","message":"x"}]}"#.into());
    registry.faults("PUT app/blobs", [other()]);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    registry.state().blobs.clear();
    registry.faults("PUT app/blobs", [other(), other()]);
    let later = copies.at(copies.now + 2 * 86_400);
    let (category, text) = failed(later.copy(&registry, "app", &image.manifest, &["2"]));
    assert!(category == Category::Verification && text.contains("another digest, twice"), "{text}");
}

#[test]
fn bytes_that_do_not_fit_are_not_sent_to_the_end() {
    let (_folder, image, registry, copies) = three();
    let blob = copies.store.layout().blob_path(&image.layer.digest);
    stores::replace(&blob, &vec![7; SIZE]);
    let (category, text) = failed(copies.copy(&registry, "app", &image.manifest, &["1"]));
    assert!(category == Category::Verification && text.contains("expected sha256:"), "{text}");
    assert!(registry.state().blobs.is_empty() && registry.state().manifests.is_empty());
}

#[test]
fn a_registry_that_takes_nothing_is_not_waited_for_for_ever() {
    let (_folder, image, registry, mut copies) = three();
    copies.settings.stall_timeout = Duration::from_millis(20);
    copies.settings.connect_timeout = Duration::from_millis(100);
    copies.settings.tries = 1;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let begins = format!("Location: http://{}/upload\r\n", listener.local_addr().unwrap());
    registry.state().begins = Some(begins);
    // Nobody accepts there, so that the system takes what fits into its buffers, and nothing more.
    let (category, text) = failed(copies.copy(&registry, "app", &image.manifest, &["1"]));
    assert_eq!(category, Category::Refused, "{text}");
}

#[test]
fn another_host_takes_the_bytes_and_learns_no_secret() {
    let (_folder, image, registry, mut copies) = three();
    copies.credentials = Some(Credentials::Password { user: "u".to_owned(), password: "p".to_owned() });
    let storage = Registry::start();
    storage.state().sessions.insert("s1".to_owned(), Vec::new());
    storage.state().sessions.insert("s2".to_owned(), Vec::new());
    registry.state().begins =
        Some(format!("Location: http://{}/v2/app/blobs/uploads/{{id}}?sig=a%2Bb\r\n", storage.address));
    let who = Fault::Answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n".to_owned(), String::new());
    registry.faults("HEAD app/manifests", [who]);
    // The manifest is refused, for this registry does not see the blobs; that is not what is looked at here.
    let _ = copies.copy(&registry, "app", &image.manifest, &["1"]);
    let shown = |registry: &Registry| {
        let state = registry.state();
        state.requests.iter().map(|request| request.headers.contains_key("authorization")).collect::<Vec<_>>()
    };
    assert_eq!(shown(&storage), [false, false]);
    assert_eq!(shown(&registry)[..4], [false, true, true, true]);
    assert!(storage.state().requests[0].query.starts_with("sig=a%2Bb&digest=sha256%3A"));
}
