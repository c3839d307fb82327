//! Registries that fail while they are written to: the copy survives, or says what failed.

#[path = "support/registry.rs"]
mod registry;

use std::sync::atomic::{AtomicUsize, Ordering};

use kimg::copy::{self, Choice, Execution, Root, Source};
use kimg::event::Events;
use kimg::serve::{Act, Asked, Reply, ReplyBody};
use registry::{Made, Registry, bytes, failure, made, refusal};

/// Enough that chunks are worth a try where one request is too large.
const SIZE: usize = 5 << 20;

fn one_layer() -> (Registry, Made) {
    (Registry::start(), made(&[bytes(1, SIZE)]))
}

fn told(registry: &Registry, made: &Made) -> String {
    failure(registry.push(made, "app:1")).replace(&registry.name(""), "REGISTRY/")
}

fn length(asked: &Asked) -> usize {
    asked.header("content-length").and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn is_large(asked: &Asked) -> bool {
    asked.target.contains("/blobs/uploads/") && length(asked) > 1 << 20
}

/// What happens to large requests of a method, one after the other; those behind are let through.
fn large(registry: &Registry, method: &'static str, acts: impl IntoIterator<Item = Act>) {
    let mut acts = acts.into_iter().collect::<std::collections::VecDeque<_>>();
    registry.rule(move |asked| if asked.method == method && is_large(asked) { acts.pop_front() } else { None });
}

fn too_large() -> Act {
    Act::AnswerAtOnce(Reply::new(413).header("content-type", "text/html").body("<html>413 too large</html>"))
}

/// The sessions of requests that were torn are gone, as distribution 2.8 has it: it answers 404 to all that follows.
fn forgets_torn_sessions(registry: &Registry, method: &'static str, torn_at: u64, which: usize) {
    let mut gone = Vec::new();
    let mut count = 0;
    registry.rule(move |asked| {
        if gone.contains(&asked.path().to_owned()) {
            return Some(Act::Answer(refusal(404, "BLOB_UPLOAD_UNKNOWN")));
        }
        if asked.method == method && is_large(asked) {
            count += 1;
            if count == which {
                gone.push(asked.path().to_owned());
                return Some(Act::Tear(torn_at));
            }
        }
        None
    });
}

fn sent(registry: &Registry, method: &str) -> Vec<String> {
    let shown = |asked: &Asked| match asked.header("content-range") {
        Some(range) => range.to_owned(),
        None => format!("{}", length(asked)),
    };
    registry.asked(method, "/blobs/uploads/").iter().filter(|asked| is_large(asked)).map(shown).collect()
}

#[test]
fn a_good_registry() {
    let registry = Registry::start();
    let made = made(&[bytes(1, 300_000), bytes(2, 10), Vec::new()]);
    assert_eq!(registry.push(&made, "app:1").unwrap().blobs, 4);
    assert!(registry.holds("app:1", &made.image));
    // Small ones may be sent again: that costs less than to ask.
    let again = registry.push(&made, "app:2").unwrap();
    assert!(again.bytes < 1000, "{again:?}");
    assert!(registry.holds("app:2", &made.image));
}

#[test]
fn a_torn_put_goes_on_where_the_registry_keeps_what_came() {
    let (registry, made) = one_layer();
    large(&registry, "PUT", [Act::Tear(3_000_000)]);
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
    // What came is not sent again.
    assert_eq!(sent(&registry, "PATCH"), [format!("3000000-{}", SIZE - 1)]);
}

#[test]
fn a_torn_put_begins_again_where_the_registry_forgets_the_session() {
    let (registry, made) = one_layer();
    forgets_torn_sessions(&registry, "PUT", 3_000_000, 1);
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
    assert_eq!(registry.asked("POST", "").len(), 3);
}

#[test]
fn a_request_too_large_becomes_chunks() {
    let (registry, made) = one_layer();
    registry.rule(|asked| (is_large(asked) && length(asked) > 3 << 20).then(too_large));
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
    assert!(sent(&registry, "PATCH").len() > 2);
}

#[test]
fn every_request_too_large() {
    let (registry, made) = one_layer();
    registry.rule(|asked| is_large(asked).then(too_large));
    registry.rule(|asked| (asked.method == "PATCH").then(too_large));
    let message = told(&registry, &made);
    assert!(message.contains("status 413") && message.ends_with("\nexit code: 4"), "{message}");
    assert!(registry.named("app:1").is_none());
}

#[test]
fn a_torn_chunk_goes_on_where_the_registry_keeps_what_came() {
    let (registry, made) = one_layer();
    large(&registry, "PUT", [too_large()]);
    large(&registry, "PATCH", [Act::Pass, Act::Tear(1000)]);
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
    let chunk = SIZE / 4;
    let ranges = sent(&registry, "PATCH");
    assert_eq!(ranges[..2], [format!("0-{}", chunk - 1), format!("{chunk}-{}", 2 * chunk - 1)]);
    assert!(ranges[2].starts_with(&format!("{}-", chunk + 1000)), "{ranges:?}");
}

#[test]
fn a_torn_chunk_begins_again_where_the_registry_forgets_the_session() {
    let (registry, made) = one_layer();
    large(&registry, "PUT", [too_large()]);
    forgets_torn_sessions(&registry, "PATCH", 1000, 2);
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
}

#[test]
fn a_chunk_that_does_not_fit_is_asked_about() {
    // 416, with what is there or without: the session tells.
    let (registry, made) = one_layer();
    large(&registry, "PUT", [too_large()]);
    large(&registry, "PATCH", [Act::Pass, Act::Answer(refusal(416, "BLOB_UPLOAD_INVALID"))]);
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
    assert!(registry.asked("GET", "/blobs/uploads/").len() == 1);
}

#[test]
fn a_cap_on_chunks_and_none_on_one_put() {
    // GHCR, which is known by its name only: chunks of more than 4 MiB are refused so.
    let (registry, made) = one_layer();
    let text = "the request body is too large and exceeds the maximum permissible limit of 4.00MiB";
    let reply = Reply::new(416).body(format!(r#"{{"errors":[{{"code":"UNKNOWN","message":"{text}"}}]}}"#));
    large(&registry, "PUT", [Act::Tear(1 << 19)]);
    registry.rule(move |asked| {
        (asked.method == "PATCH" && length(asked) > 4 << 20).then(|| Act::AnswerAtOnce(reply.clone()))
    });
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
}

/// Amazon's ECR takes the first PATCH, answers 201 to the others, and has none of their bytes. `tells` is whether its
/// Range says so.
fn drops_chunks(registry: &Registry, tells: bool) {
    let mut first: Option<(String, usize)> = None;
    registry.rule(move |asked| {
        if asked.method != "PATCH" {
            return None;
        }
        match &first {
            Some((path, length)) if path == asked.path() => {
                let reply = Reply::new(201).header("location", asked.path());
                let range = format!("0-{}", length - 1);
                Some(Act::Answer(if tells { reply.header("range", range) } else { reply }))
            }
            _ => {
                first = Some((asked.path().to_owned(), length(asked)));
                None
            }
        }
    });
}

#[test]
fn chunks_that_are_dropped_though_they_are_taken() {
    let (registry, made) = one_layer();
    large(&registry, "PUT", [too_large()]);
    drops_chunks(&registry, true);
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
    // Where nothing tells, the digest does, and no image of other bytes comes about.
    let (registry, made) = one_layer();
    large(&registry, "PUT", [too_large()]);
    drops_chunks(&registry, false);
    let message = told(&registry, &made);
    assert!(message.contains("found another digest, twice") && message.contains("\nexit code: 3"), "{message}");
    assert!(registry.named("app:1").is_none());
}

#[test]
fn not_now() {
    let (registry, made) = one_layer();
    let later = |status| Reply::new(status).header("date", "Fri, 20 Nov 2026 12:00:00 GMT");
    registry.once("POST", "", Act::Answer(later(429).header("retry-after", "1")));
    registry.once("HEAD", "/blobs/", Act::Answer(later(503)));
    registry.once("PUT", "/manifests/", Act::Answer(later(502)));
    let date = "Fri, 20 Nov 2026 12:00:30 GMT";
    large(&registry, "PUT", [Act::Answer(later(429).header("retry-after", date)), Act::AnswerAtOnce(later(503))]);
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
}

#[test]
fn never() {
    for (method, part) in [("POST", "/uploads/"), ("PUT", "/uploads/"), ("PUT", "/manifests/"), ("HEAD", "/blobs/")] {
        let (registry, made) = (Registry::start(), made(&[bytes(1, 300_000)]));
        registry.always(method, part, Act::Answer(refusal(503, "UNAVAILABLE").header("retry-after", "1")));
        let message = told(&registry, &made);
        assert!(message.contains("503") && message.ends_with("\nexit code: 4"), "{method} {part}: {message}");
        assert!(registry.named("app:1").is_none());
        let count = registry.asked(method, part).len();
        assert!((2..40).contains(&count), "{method} {part}: {count}");
    }
}

#[test]
fn locations_with_a_query_and_on_other_hosts() {
    let (registry, made) = one_layer();
    let act = Act::Location { before: String::new(), behind: "?_state=a%3D%3D&x".to_owned() };
    registry.always("POST", "", act);
    registry.push(&made, "app:1").unwrap();
    assert!(registry.holds("app:1", &made.image));
    assert!(
        registry
            .asked("PUT", "/uploads/")
            .iter()
            .all(|asked| asked.target.contains("?_state=a%3D%3D&x&digest=sha256%3A"))
    );
    // Another name of this machine is another host: it gets the bytes, and does not learn who asks.
    let (registry, made) = one_layer();
    let port = registry.name("").trim_end_matches('/').split_once(':').unwrap().1.to_owned();
    let before = format!("http://localhost:{port}");
    registry.always("POST", "", Act::Location { before, behind: String::new() });
    registry.rule(|asked: &Asked| {
        let is_other = asked.header("host").is_some_and(|host| host.starts_with("localhost"));
        let shows = asked.header("authorization").is_some();
        // As S3 does, which has a signature in the URL already.
        (is_other == shows).then(|| match is_other {
            true => Act::Answer(Reply::new(400).body("only one auth mechanism allowed")),
            false => Act::Answer(Reply::new(401).header("www-authenticate", "Basic realm=\"x\"")),
        })
    });
    let credentials =
        kimg::transport::registry::Credentials::Password { user: "u".to_owned(), password: "p".to_owned() };
    let session = registry.session("app", Some(credentials));
    let sink = kimg::transport::registry::RegistrySink::new(session, registry.runtime().handle().clone());
    registry::push(&made, sink, "1").unwrap();
    assert!(registry.holds("app:1", &made.image));
    let uploads = registry.asked("PUT", "/uploads/");
    assert!(uploads.iter().all(|asked| asked.header("authorization").is_none()) && !uploads.is_empty());
}

#[test]
fn mounts_that_are_done_and_those_that_are_not() {
    let answers = [None, Some(202), Some(400), Some(404), Some(405)];
    for answer in answers {
        let registry = Registry::start();
        let image = registry.image("one:1", &[bytes(1, 100_000)]);
        match answer {
            None => {}
            Some(202) => {
                // A server that knows of no mounts begins an upload.
                registry.once("POST", "mount=", Act::Headers(Vec::new()));
                registry
                    .rule(|asked| (asked.method == "POST" && asked.target.contains("from=one")).then_some(Act::Pass));
            }
            Some(status) => registry.always("POST", "mount=", Act::Answer(refusal(status, "UNSUPPORTED"))),
        }
        let source = registry.source("one");
        let descriptor = source.resolve("1").unwrap();
        let sink = Box::new(registry.sink("two"));
        let root = Root { descriptor, names: vec!["1".to_owned()] };
        let plan = copy::plan(&source, sink.as_ref(), &[root], &Choice::default()).unwrap();
        let moved = copy::execute(&plan, &source, sink, &Execution::new(Events::silent())).unwrap();
        assert!(registry.holds("two:1", &image), "{answer:?}");
        if matches!(answer, None | Some(202)) {
            assert_eq!((moved.mounted, moved.blobs), (2, 0));
            assert!(registry.asked("GET", "/blobs/").is_empty());
        }
    }
}

#[test]
fn a_registry_that_finds_another_digest() {
    let (registry, made) = (Registry::start(), made(&[bytes(1, 1000)]));
    registry.always("PUT", "/uploads/", Act::Answer(refusal(400, "DIGEST_INVALID")));
    let message = told(&registry, &made);
    assert!(message.contains("digest") && message.ends_with("\nexit code: 3"), "{message}");
    assert!(registry.named("app:1").is_none());
}

#[test]
fn web_pages_instead() {
    let page = |status: u16| Reply::new(status).header("content-type", "text/html").body("<html>log in</html>");
    for (method, part) in [("POST", "/uploads/"), ("PUT", "/uploads/"), ("PUT", "/manifests/")] {
        let (registry, made) = (Registry::start(), made(&[bytes(1, 1000)]));
        registry.always(method, part, Act::Answer(page(200)));
        let message = told(&registry, &made);
        assert!(message.ends_with("\nexit code: 4"), "{method} {part}: {message}");
        assert!(registry.named("app:1").is_none());
    }
}

#[test]
fn answers_that_make_no_sense() {
    let (registry, made) = (Registry::start(), made(&[bytes(1, 1000)]));
    registry.always("POST", "", Act::Headers(vec![("location", String::new())]));
    let message = told(&registry, &made);
    assert!(message.contains("does not say where") && message.ends_with("\nexit code: 4"), "{message}");
    for location in ["http://[", "ftp://127.0.0.1/x"] {
        let registry = Registry::start();
        registry.always("POST", "", Act::Headers(vec![("location", location.to_owned())]));
        let message = told(&registry, &made);
        assert!(message.ends_with("\nexit code: 4"), "{location}: {message}");
    }
    // A refusal without an end is not read to it.
    let registry = Registry::start();
    registry.always("POST", "", Act::Answer(Reply { body: ReplyBody::Endless, ..Reply::new(400) }));
    let message = told(&registry, &made);
    assert!(message.contains("status 400") && message.ends_with("\nexit code: 4"), "{message}");
}

#[test]
fn nothing_has_a_name_before_all_is_there() {
    let (registry, made) = (Registry::start(), made(&[bytes(1, 1000), bytes(2, 2000)]));
    let count = AtomicUsize::new(0);
    registry.rule(move |asked| {
        let is_put = asked.method == "PUT" && asked.target.contains("/uploads/");
        (is_put && count.fetch_add(1, Ordering::Relaxed) >= 1).then(|| Act::Answer(refusal(403, "DENIED")))
    });
    let message = told(&registry, &made);
    assert!(message.contains("it is not allowed") && message.ends_with("\nexit code: 4"), "{message}");
    assert!(registry.asked("PUT", "/manifests/").is_empty());
}
