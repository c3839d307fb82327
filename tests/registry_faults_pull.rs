//! Registries that fail while blobs are read: the copy survives, or says what failed.

#[path = "support/registry.rs"]
mod registry;

use std::time::Duration;

use kimg::net::Settings;
use kimg::serve::{Act, Asked, Reply, ReplyBody};
use kimg::transport::registry::RegistrySource;
use registry::{Image, Registry, bytes, failure, pull, refusal, settings};

const SIZE: usize = 300_000;

/// A registry with one image of one layer, and the layer's part of a target.
fn one_layer() -> (Registry, Image, String) {
    let registry = Registry::start();
    let image = registry.image("app:1", &[bytes(1, SIZE)]);
    let blob = format!("/blobs/{}", image.layers[0].digest);
    (registry, image, blob)
}

fn ranges(asked: &[Asked]) -> Vec<&str> {
    asked.iter().map(|asked| asked.header("range").unwrap_or("all")).collect()
}

/// The error of a pull, without what differs from run to run.
fn told(registry: &Registry) -> String {
    failure(registry.pull("app", "1")).replace(&registry.name(""), "REGISTRY/")
}

#[test]
fn a_good_registry() {
    let registry = Registry::start();
    let image = registry.image("app:1", &[bytes(1, SIZE), bytes(2, 10), Vec::new()]);
    assert!(registry.pull("app", "1").unwrap().is(&image));
    assert_eq!(registry.asked("HEAD", "").len(), 1);
    assert_eq!(registry.asked("GET", "/manifests/").len(), 1);
    // What is empty is not asked for.
    assert_eq!(registry.asked("GET", "/blobs/").len(), 3);
    assert!(registry.pull("app", &image.descriptor.digest.to_string()).unwrap().is(&image));
}

#[test]
fn a_blob_that_breaks_off_goes_on_there() {
    let (registry, image, blob) = one_layer();
    registry.once("GET", &blob, Act::Cut(1000));
    registry.once("GET", &blob, Act::Cut(1));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    let asked = registry.asked("GET", &blob);
    assert_eq!(ranges(&asked), ["all", "bytes=1000-", "bytes=1001-"]);
    // Other bytes under that name would begin from the start.
    let etag = format!("\"{}\"", image.layers[0].digest);
    assert_eq!(asked[1].header("if-range"), Some(etag.as_str()));
}

#[test]
fn a_blob_that_stands_still_goes_on_there() {
    let (registry, image, blob) = one_layer();
    registry.once("GET", &blob, Act::Stall(1000));
    let settings = Settings { stall_timeout: Duration::from_millis(200), ..settings() };
    let session = registry.session_with("app", None, settings);
    let source = RegistrySource::new(session, registry.runtime().handle().clone());
    assert!(pull(&source, "1").unwrap().is(&image));
    assert_eq!(ranges(&registry.asked("GET", &blob)), ["all", "bytes=1000-"]);
}

#[test]
fn a_blob_that_breaks_off_again_and_again() {
    let (registry, _, blob) = one_layer();
    registry.always("GET", &blob, Act::Cut(7));
    let told = told(&registry);
    assert!(told.starts_with("error: docker://REGISTRY/app: sha256:") && told.ends_with("\nexit code: 4"), "{told}");
    assert!(told.contains("the answer broke off"), "{told}");
    assert_eq!(ranges(&registry.asked("GET", &blob)), ["all", "bytes=7-", "bytes=14-", "bytes=21-"]);
}

#[test]
fn no_ranges_are_known() {
    let (registry, image, blob) = one_layer();
    registry.once("GET", &blob, Act::Cut(1000));
    registry.once("GET", &blob, Act::Answer(Reply::new(200).body(bytes(1, SIZE))));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    assert_eq!(registry.asked("GET", &blob).len(), 2);
}

#[test]
fn a_range_that_was_not_asked_for() {
    let (registry, image, blob) = one_layer();
    registry.once("GET", &blob, Act::Cut(1000));
    let other = Reply::new(206).header("content-range", format!("bytes 999-{}/{SIZE}", SIZE - 1));
    registry.once("GET", &blob, Act::Answer(other.body(&bytes(1, SIZE)[999..])));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    assert_eq!(ranges(&registry.asked("GET", &blob)), ["all", "bytes=1000-", "all"]);
}

#[test]
fn a_range_that_is_refused() {
    let (registry, image, blob) = one_layer();
    registry.once("GET", &blob, Act::Cut(1000));
    registry.once("GET", &blob, Act::Answer(refusal(416, "SIZE_INVALID")));
    // And once more in the whole, of which the first bytes are left out.
    registry.once("GET", &blob, Act::Cut(500));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    assert_eq!(ranges(&registry.asked("GET", &blob)), ["all", "bytes=1000-", "all", "all"]);
}

#[test]
fn a_part_of_what_was_asked_for() {
    let (registry, image, blob) = one_layer();
    registry.once("GET", &blob, Act::Cut(1000));
    let part = Reply::new(206).header("content-range", format!("bytes 1000-1999/{SIZE}"));
    registry.once("GET", &blob, Act::Answer(part.body(&bytes(1, SIZE)[1000..2000])));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    assert_eq!(ranges(&registry.asked("GET", &blob)), ["all", "bytes=1000-", "bytes=2000-"]);
}

#[test]
fn other_bytes() {
    let (registry, image, blob) = one_layer();
    registry.always("GET", &blob, Act::Answer(Reply::new(200).body(bytes(2, SIZE))));
    let told = told(&registry);
    let expected = format!("expected {} of {SIZE} bytes, found sha256:", image.layers[0].digest);
    assert!(told.contains(&expected) && told.ends_with("\nexit code: 3"), "{told}");
}

#[test]
fn other_bytes_behind_a_cut() {
    let (registry, _, blob) = one_layer();
    registry.once("GET", &blob, Act::Cut(1000));
    let rest = Reply::new(206).header("content-range", format!("bytes 1000-{}/{SIZE}", SIZE - 1));
    registry.once("GET", &blob, Act::Answer(rest.body(&bytes(2, SIZE)[1000..])));
    let told = told(&registry);
    assert!(told.contains("found sha256:") && told.ends_with("\nexit code: 3"), "{told}");
}

#[test]
fn another_length() {
    for length in [0, 1, SIZE - 1, SIZE + 1] {
        let (registry, _, blob) = one_layer();
        registry.always("GET", &blob, Act::Answer(Reply::new(200).body(bytes(1, length))));
        let told = told(&registry);
        let expected = format!("it has {length} bytes there, and {SIZE} in its manifest\nexit code: 3");
        assert!(told.ends_with(&expected), "{told}");
    }
}

#[test]
fn a_body_without_an_end() {
    let (registry, _, blob) = one_layer();
    let endless = Reply { body: ReplyBody::Endless, ..Reply::new(200) };
    registry.always("GET", &blob, Act::Answer(endless));
    let told = told(&registry);
    assert!(told.ends_with(&format!("it has more than its {SIZE} bytes\nexit code: 3")), "{told}");
    assert_eq!(registry.asked("GET", &blob).len(), 1);
}

#[test]
fn a_web_page_instead() {
    let (registry, _, blob) = one_layer();
    let page = Reply::new(200).header("content-type", "text/html; charset=utf-8").body("<html>log in</html>");
    registry.always("GET", &blob, Act::Answer(page));
    let told = told(&registry);
    assert!(told.contains("a web page was answered") && told.ends_with("\nexit code: 4"), "{told}");
}

#[test]
fn not_now() {
    let (registry, image, blob) = one_layer();
    let later = |status| Reply::new(status).header("date", "Fri, 20 Nov 2026 12:00:00 GMT");
    registry.once("GET", &blob, Act::Answer(later(429).header("retry-after", "1")));
    registry.once("GET", &blob, Act::Answer(later(503).header("retry-after", "Fri, 20 Nov 2026 12:00:09 GMT")));
    registry.once("GET", &blob, Act::Answer(refusal(502, "UNKNOWN")));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    assert_eq!(registry.asked("GET", &blob).len(), 4);
}

#[test]
fn never() {
    for (status, reason) in [(429, "429 Too Many Requests"), (503, "503 Service Unavailable")] {
        let (registry, _, blob) = one_layer();
        registry.always("GET", &blob, Act::Answer(refusal(status, "TOOMANYREQUESTS")));
        let told = told(&registry);
        assert!(told.contains(reason) && told.ends_with("\nexit code: 4"), "{told}");
        assert_eq!(registry.asked("GET", &blob).len(), 4);
    }
}

#[test]
fn a_blob_that_is_not_there() {
    let (registry, _, blob) = one_layer();
    registry.always("GET", &blob, Act::Answer(refusal(404, "BLOB_UNKNOWN")));
    let told = told(&registry);
    assert!(told.ends_with("blob unknown (status 404)\nexit code: 5"), "{told}");
}
