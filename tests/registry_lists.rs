//! What a registry lists: tags and referrers, in pages, with faults.

#[path = "support/registry.rs"]
mod registry;

use std::collections::BTreeSet;

use kimg::copy::{CopyError, Source};
use kimg::digest::Digest;
use kimg::oci::{Descriptor, media_type};
use kimg::serve::{Act, Asked, Reply};
use kimg::transport::registry::tags;
use registry::{Image, Registry, bytes, failure, index, put, refusal};

fn list(registry: &Registry) -> Result<Vec<String>, CopyError> {
    tags(&registry.session("app", None), registry.runtime().handle())
}

/// A registry whose repository has tags from `t00` on.
fn with_tags(count: usize) -> (Registry, Vec<String>) {
    let registry = Registry::start();
    let image = registry.image("app:t00", &[]);
    let tags: Vec<String> = (0..count).map(|number| format!("t{number:02}")).collect();
    let names: Vec<String> = tags.iter().map(|tag| format!("app:{tag}")).collect();
    registry.store().name(&names, &image.descriptor).unwrap();
    (registry, tags)
}

/// Pages of at most 3, whatever is asked for: this answers each request for a list by that of a smaller one.
fn small_pages(registry: &Registry) {
    registry.rule(|asked: &Asked| {
        let query = asked.target.split_once("tags/list?")?.1;
        let last = query.split_once("last=t").map_or(0, |(_, last)| last.parse::<usize>().unwrap() + 1);
        let page: Vec<String> = (last..(last + 3).min(7)).map(|number| format!("t{number:02}")).collect();
        let next = format!("</v2/app/tags/list?n=3&last={}>; rel=\"next\"", page.last()?);
        let body = serde_json::to_vec(&serde_json::json!({ "name": "app", "tags": page })).unwrap();
        let reply = if last + 3 < 7 { Reply::new(200).header("link", next) } else { Reply::new(200) };
        Some(Act::Answer(reply.body(body)))
    });
}

#[test]
fn all_tags() {
    let (registry, expected) = with_tags(7);
    assert_eq!(list(&registry).unwrap(), expected);
    assert_eq!(registry.asked("GET", "/tags/list")[0].target, "/v2/app/tags/list?n=1000");
}

#[test]
fn pages_of_the_size_that_the_registry_likes() {
    let (registry, expected) = with_tags(7);
    small_pages(&registry);
    assert_eq!(list(&registry).unwrap(), expected);
    assert_eq!(registry.asked("GET", "/tags/list").len(), 3);
}

#[test]
fn a_registry_that_minds_how_many_are_asked_for() {
    let (registry, expected) = with_tags(7);
    registry.always("GET", "n=1000", Act::Answer(refusal(400, "PAGINATION_NUMBER_INVALID")));
    assert_eq!(list(&registry).unwrap(), expected);
}

#[test]
fn lists_without_an_end_and_lists_elsewhere() {
    let page = |link: &str| {
        let reply = Reply::new(200).header("link", format!("<{link}>; rel=next"));
        Act::Answer(reply.body(r#"{"name":"app","tags":["a"]}"#))
    };
    let (registry, _) = with_tags(1);
    registry.always("GET", "/tags/list", page("?n=1000"));
    let message = failure(list(&registry));
    assert!(message.ends_with("the list goes round in a circle\nexit code: 4"), "{message}");
    let (registry, _) = with_tags(1);
    let mut count = 0;
    registry.rule(move |asked| {
        count += 1;
        asked.target.contains("/tags/list").then(|| page(&format!("?page={}", count % 2)))
    });
    let message = failure(list(&registry));
    assert!(message.ends_with("the list goes round in a circle\nexit code: 4"), "{message}");
    for elsewhere in ["http://other.example/v2/app/tags/list", "//127.0.0.2/x", "http://[", "ftp://x.example/"] {
        let (registry, _) = with_tags(1);
        registry.always("GET", "/tags/list", page(elsewhere));
        let message = failure(list(&registry));
        assert!(message.ends_with("the list goes on at another host\nexit code: 4"), "{elsewhere}: {message}");
    }
}

#[test]
fn lists_that_are_none() {
    let answered = |reply: Reply| {
        let (registry, _) = with_tags(1);
        registry.always("GET", "/tags/list", Act::Answer(reply));
        match list(&registry) {
            Ok(tags) => format!("{tags:?}"),
            error => failure(error).replace(registry.name("").trim_end_matches('/'), "REGISTRY"),
        }
    };
    assert_eq!(answered(Reply::new(200).body(r#"{"name":"app","tags":null}"#)), "[]");
    let odd = r#"{"name":"app","tags":["b","a","b","../x","\u001b[31m","-c",""]}"#;
    assert_eq!(answered(Reply::new(200).body(odd)), r#"["a", "b"]"#);
    let page = answered(Reply::new(200).header("content-type", "text/html").body("<html>"));
    assert_eq!(page, "error: docker://REGISTRY/app: its tags: the answer is no list of tags\nexit code: 4");
    let missing = answered(refusal(404, "NAME_UNKNOWN"));
    assert_eq!(missing, "error: docker://REGISTRY: nothing is named `app`\nexit code: 5");
}

/// An image `app:1` and two artifacts that have it as their subject, of which one is named by nothing else.
fn with_referrers() -> (Registry, Image, BTreeSet<Digest>) {
    let registry = Registry::start();
    let image = registry.image("app:1", &[bytes(1, 10)]);
    let referrers = ["application/vnd.example.sbom", "application/vnd.example.signature"].map(|kind| {
        let descriptor = artifact(&registry, kind, &image.descriptor);
        registry.store().name(&[format!("app@{}", descriptor.digest)], &descriptor).unwrap();
        descriptor.digest
    });
    (registry, image, referrers.into())
}

fn artifact(registry: &Registry, kind: &str, subject: &Descriptor) -> Descriptor {
    let layout = registry.store().layout();
    let config = put(layout, "application/vnd.oci.empty.v1+json", b"{}");
    let document = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::MANIFEST, "artifactType": kind,
        "config": config, "layers": [], "subject": subject, "annotations": { "about": kind },
    });
    put(layout, media_type::MANIFEST, document.to_string().as_bytes())
}

fn referrers(registry: &Registry, image: &Image) -> Result<BTreeSet<Digest>, CopyError> {
    let found = registry.source("app").referrers(&image.descriptor)?;
    Ok(found.into_iter().map(|descriptor| descriptor.digest).collect())
}

#[test]
fn referrers_of_a_registry_that_knows_them() {
    let (registry, image, expected) = with_referrers();
    assert_eq!(referrers(&registry, &image).unwrap(), expected);
    assert_eq!(registry.asked("", "").len(), 1);
    let none = registry.image("app:2", &[]);
    assert!(referrers(&registry, &none).unwrap().is_empty());
}

#[test]
fn referrers_of_a_registry_that_does_not() {
    let page = Reply::new(200).header("content-type", "text/html").body("<html>");
    for absent in [refusal(404, "UNSUPPORTED"), refusal(405, "UNSUPPORTED"), refusal(400, "UNSUPPORTED"), page] {
        let (registry, image, expected) = with_referrers();
        registry.always("GET", "/referrers/", Act::Answer(absent));
        assert!(referrers(&registry, &image).unwrap().is_empty());
        let layout = registry.store().layout();
        let listed = expected.iter().map(|digest| Descriptor::new(media_type::MANIFEST, *digest, 1)).collect();
        let index = index(layout, listed);
        let tag = image.descriptor.digest.to_string().replace(':', "-");
        registry.store().name(&[format!("app:{tag}")], &index).unwrap();
        assert_eq!(referrers(&registry, &image).unwrap(), expected);
    }
}

#[test]
fn referrers_in_pages() {
    let (registry, image, expected) = with_referrers();
    let pages: Vec<Vec<u8>> = expected
        .iter()
        .map(|digest| {
            let one = Descriptor::new(media_type::MANIFEST, *digest, 1);
            kimg::oci::to_bytes(&kimg::oci::Index::new(vec![one]))
        })
        .collect();
    let subject = image.descriptor.digest;
    let next = format!("</v2/app/referrers/{subject}?page=2>; rel=\"next\"");
    registry.always("GET", "?page=2", Act::Answer(Reply::new(200).body(pages[1].clone())));
    registry.always("GET", "/referrers/", Act::Answer(Reply::new(200).header("link", next).body(pages[0].clone())));
    assert_eq!(referrers(&registry, &image).unwrap(), expected);
}

#[test]
fn referrers_that_may_not_be_seen() {
    let (registry, image, _) = with_referrers();
    registry.always("GET", "/referrers/", Act::Answer(refusal(403, "DENIED")));
    let message = failure(referrers(&registry, &image));
    assert!(message.contains("the referrers of sha256:") && message.ends_with("\nexit code: 4"), "{message}");
}
