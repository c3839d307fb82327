//! Registries that fail, or lie, while manifests and names are read.

#[path = "support/registry.rs"]
mod registry;

use kimg::copy::{MAX_MANIFEST, Source};
use kimg::digest::Digest;
use kimg::oci::{Descriptor, media_type};
use kimg::serve::{Act, Reply, ReplyBody};
use registry::{Image, Registry, bytes, failure, index, refusal};

fn one_image() -> (Registry, Image) {
    let registry = Registry::start();
    let image = registry.image("app:1", &[bytes(1, 1000)]);
    (registry, image)
}

fn told(registry: &Registry) -> String {
    failure(registry.pull("app", "1")).replace(&registry.name(""), "REGISTRY/")
}

fn without(header: &'static str) -> Act {
    Act::Headers(vec![(header, String::new())])
}

#[test]
fn heads_that_say_too_little_cost_one_more_request() {
    for header in ["docker-content-digest", "content-type"] {
        let (registry, image) = one_image();
        registry.always("HEAD", "/manifests/1", without(header));
        assert!(registry.pull("app", "1").unwrap().is(&image), "{header}");
        // The manifest that came is not asked for again.
        assert_eq!(registry.asked("GET", "/manifests/").len(), 1, "{header}");
    }
    let (registry, image) = one_image();
    registry.always("HEAD", "/manifests/1", Act::Answer(refusal(405, "UNSUPPORTED")));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    assert_eq!(registry.asked("GET", "/manifests/").len(), 1);
}

#[test]
fn a_digest_that_lies() {
    let (registry, _) = one_image();
    let other = registry.image("app:2", &[bytes(2, 1000)]).descriptor.digest;
    registry.always(
        "HEAD",
        "/manifests/1",
        Act::Headers(vec![("docker-content-digest", Digest::of(b"x").to_string())]),
    );
    let message = told(&registry);
    assert!(message.contains(": nothing is named `sha256:") && message.ends_with("\nexit code: 5"), "{message}");
    // Whatever bytes are sent for a digest, only its own count.
    let (registry, image) = one_image();
    let wrong = Reply::new(200).header("content-type", media_type::MANIFEST).body(vec![b' '; image.bytes.len()]);
    registry.always("GET", "/manifests/sha256:", Act::Answer(wrong));
    let message = told(&registry);
    let expected = format!("manifest {}: its bytes are not those of its digest", image.descriptor.digest);
    assert!(message.contains(&expected) && message.ends_with("\nexit code: 3"), "{message}");
    assert_ne!(image.descriptor.digest, other);
}

#[test]
fn a_digest_in_the_name_is_what_counts() {
    let (registry, image) = one_image();
    let own = image.descriptor.digest.to_string();
    registry.always("HEAD", &own, Act::Headers(vec![("docker-content-digest", Digest::of(b"x").to_string())]));
    assert!(registry.pull("app", &own).unwrap().is(&image));
}

#[test]
fn a_digest_that_is_none() {
    for lie in ["sha256:../../../x", "md5:d41d8cd98f00b204e9800998ecf8427e", "%2e%2e"] {
        let (registry, image) = one_image();
        registry.always("HEAD", "/manifests/1", Act::Headers(vec![("docker-content-digest", lie.to_owned())]));
        assert!(registry.pull("app", "1").unwrap().is(&image), "{lie}");
    }
}

#[test]
fn a_media_type_that_lies() {
    // Some registries tell the type of any file.
    for lie in ["application/octet-stream", "application/json", "text/plain; charset=utf-8", "application/json+x\\;"] {
        let (registry, image) = one_image();
        registry.always("", "/manifests/1", Act::Headers(vec![("content-type", lie.to_owned())]));
        assert!(registry.pull("app", "1").unwrap().is(&image), "{lie}");
    }
    let (registry, _) = one_image();
    registry.always("", "/manifests/", Act::Headers(vec![("content-type", media_type::INDEX.to_owned())]));
    let message = told(&registry);
    assert!(
        message.contains("may be read as a manifest and as an index") && message.ends_with("exit code: 3"),
        "{message}"
    );
}

#[test]
fn a_web_page_instead() {
    let (registry, _) = one_image();
    let page = Reply::new(200).header("content-type", "text/html").body("<html>log in</html>");
    registry.always("", "/manifests/", Act::Answer(page));
    let message = told(&registry);
    assert!(message.contains("a web page was answered") && message.ends_with("\nexit code: 4"), "{message}");
    let (registry, _) = one_image();
    registry.always("", "/manifests/", Act::Answer(Reply::new(200).body("[1]")));
    let message = told(&registry);
    assert!(message.contains("what was answered is no manifest") && message.ends_with("\nexit code: 4"), "{message}");
}

#[test]
fn a_manifest_over_the_limit() {
    let (registry, _) = one_image();
    registry.always("HEAD", "", Act::Answer(refusal(405, "UNSUPPORTED")));
    registry.always("GET", "/manifests/", Act::Answer(Reply { body: ReplyBody::Endless, ..Reply::new(200) }));
    let message = told(&registry);
    assert!(message.ends_with(&format!("more than {MAX_MANIFEST} bytes\nexit code: 4")), "{message}");
    // One whose size is told is not asked for.
    let (registry, image) = one_image();
    let descriptor = Descriptor::new(media_type::MANIFEST, image.descriptor.digest, MAX_MANIFEST + 1);
    let message = failure(registry.source("app").manifest(&descriptor));
    assert!(message.ends_with("bytes are more than the 8388608 it may have\nexit code: 3"), "{message}");
    assert!(registry.asked("", "").is_empty());
}

#[test]
fn a_manifest_that_breaks_off() {
    let (registry, image) = one_image();
    registry.once("GET", "/manifests/", Act::Cut(10));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    let (registry, _) = one_image();
    registry.always("GET", "/manifests/", Act::Cut(10));
    let message = told(&registry);
    assert!(message.contains("the answer broke off") && message.ends_with("\nexit code: 4"), "{message}");
}

#[test]
fn not_now() {
    let (registry, image) = one_image();
    registry.once("HEAD", "/manifests/", Act::Answer(Reply::new(429).header("retry-after", "1")));
    registry.once("GET", "/manifests/", Act::Answer(Reply::new(503)));
    assert!(registry.pull("app", "1").unwrap().is(&image));
    let (registry, _) = one_image();
    registry.always("HEAD", "/manifests/", Act::Answer(Reply::new(429).header("retry-after", "3600")));
    let message = told(&registry);
    assert!(message.contains("429 Too Many Requests") && message.ends_with("\nexit code: 4"), "{message}");
}

#[test]
fn not_there_not_logged_in_and_not_allowed_are_told_apart() {
    let (registry, _) = one_image();
    for (repository, tag) in [("app", "2"), ("other", "1")] {
        let missing = failure(registry.pull(repository, tag)).replace(&registry.name(""), "REGISTRY/");
        let place = format!("docker://REGISTRY/{repository}");
        let hint = format!("hint: `kimg ls {place}` lists its tags");
        assert_eq!(missing, format!("error: {place}: nothing is named `{tag}`\n{hint}\nexit code: 5"));
    }
    registry.once("HEAD", "", Act::Answer(refusal(401, "UNAUTHORIZED")));
    registry.once("GET", "", Act::Answer(refusal(401, "UNAUTHORIZED")));
    let message = told(&registry);
    assert!(message.contains("it wants to know who asks (status 401)\nhint: log in "), "{message}");
    registry.once("HEAD", "", Act::Answer(refusal(403, "DENIED")));
    registry.once("GET", "", Act::Answer(refusal(403, "DENIED")));
    let message = told(&registry);
    assert!(message.contains("it is not allowed (denied) (status 403)\nhint: "), "{message}");
    assert!(message.ends_with("\nexit code: 4"), "{message}");
}

#[test]
fn what_registries_say_is_escaped_and_short() {
    let (registry, _) = one_image();
    let text = format!(r#"{{"errors":[{{"code":"DENIED","message":"\u001b[31mred {}"}}]}}"#, "x".repeat(100_000));
    registry.always("", "/manifests/", Act::Answer(Reply::new(400).body(text)));
    let message = told(&registry);
    assert!(!message.contains('\u{1b}') && message.len() < 500, "{message:?}");
    assert!(message.contains("status 400") && message.ends_with("\nexit code: 4"), "{message}");
}

#[test]
fn an_index_and_another_digest() {
    let registry = Registry::start();
    let layout = registry.store().layout().clone();
    let (one, two) = (registry.image("app:one", &[bytes(1, 10)]), registry.image("app:two", &[bytes(2, 20)]));
    let index = index(&layout, vec![one.descriptor.clone(), two.descriptor.clone()]);
    registry.store().name(&["app:1".to_owned()], &index).unwrap();
    let pulled = registry.pull("app", "1").unwrap();
    assert_eq!((pulled.descriptor.digest, pulled.moved.blobs), (index.digest, 4));
    // sha512 is a digest too.
    let text = r#"sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"#;
    let missing = failure(registry.pull("app", text));
    assert!(missing.ends_with("\nexit code: 5"), "{missing}");
    assert_eq!(registry.asked("HEAD", text).len(), 1);
}
