//! What the program says of registries that fail, with its exit codes.

#[path = "support/command.rs"]
mod command;
#[path = "support/registry.rs"]
mod registry;

use command::Kimg;
use kimg::digest::Digest;
use kimg::serve::{Act, Reply, ReplyBody};
use registry::{Image, Registry, bytes, refusal};

const SIZE: usize = 300_000;

/// Pulls `app:1` into a layout; `fault` is told the part of the target of its layer.
fn pull(what: &str, fault: impl FnOnce(&Registry, &str)) -> String {
    let registry = Registry::start();
    let image = registry.image("app:1", &[bytes(1, SIZE)]);
    fault(&registry, &format!("/blobs/{}", image.layers[0].digest));
    let kimg = Kimg::new();
    let source = format!("docker://{}", registry.name("app:1"));
    let shown = kimg.run(&["-q", "copy", &source, "oci:out"]);
    // Nothing has a name that is not whole.
    let index = std::fs::read_to_string(kimg.home().join("out/index.json")).unwrap_or_default();
    assert_eq!(index.contains(&image.descriptor.digest.to_string()), shown.contains("exit code: 0"), "{shown}");
    format!("# {what}\n{}\n", neutral(&shown, &registry))
}

fn push(what: &str, fault: impl FnOnce(&Registry)) -> String {
    let registry = Registry::start();
    let made = registry::made(&[bytes(1, SIZE)]);
    fault(&registry);
    let kimg = Kimg::new();
    let source = format!("oci:{}", made.folder.path().display());
    let shown = kimg.run(&["-q", "copy", &source, &format!("docker://{}", registry.name("app:1"))]);
    assert_eq!(is_there(&registry, &made.image), shown.contains("exit code: 0"), "{shown}");
    let shown = shown.replace(&made.folder.path().display().to_string(), "LAYOUT");
    format!("# {what}\n{}\n", neutral(&shown, &registry))
}

fn is_there(registry: &Registry, image: &Image) -> bool {
    registry.named("app:1").is_some() && registry.holds("app:1", image)
}

fn neutral(shown: &str, registry: &Registry) -> String {
    shown.replace(registry.name("").trim_end_matches('/'), "REGISTRY")
}

fn page() -> Act {
    Act::Answer(Reply::new(200).header("content-type", "text/html").body("<html>log in</html>"))
}

#[test]
fn while_it_is_read() {
    let shown = [
        pull("a good one", |_, _| {}),
        pull("a blob that breaks off once", |registry, blob| registry.once("GET", blob, Act::Cut(1000))),
        pull("too few", |registry, blob| registry.always("GET", blob, Act::Answer(Reply::new(200).body("x")))),
        pull("without an end", |registry, blob| {
            registry.always("GET", blob, Act::Answer(Reply { body: ReplyBody::Endless, ..Reply::new(200) }));
        }),
        pull("a web page as a blob", |registry, blob| registry.always("GET", blob, page())),
        pull("a web page as a manifest", |registry, _| registry.always("", "/manifests/", page())),
        pull("a manifest over the limit", |registry, _| {
            registry.always("HEAD", "", Act::Answer(Reply::new(405)));
            registry.always("GET", "", Act::Answer(Reply { body: ReplyBody::Endless, ..Reply::new(200) }));
        }),
        pull("a digest that lies", |registry, _| {
            let other = Digest::of(b"other").to_string();
            registry.always("HEAD", "", Act::Headers(vec![("docker-content-digest", other)]));
        }),
        pull("a circle", |registry, blob| {
            registry.always("GET", blob, Act::Answer(Reply::new(307).header("location", "")));
        }),
        pull("no such blob", |registry, blob| registry.always("GET", blob, Act::Answer(refusal(404, "BLOB_UNKNOWN")))),
    ];
    insta::assert_snapshot!(shown.concat());
}

#[test]
fn while_it_is_written_to() {
    let shown = [
        push("a good one", |_| {}),
        push("no Location", |registry| {
            registry.always("POST", "", Act::Headers(vec![("location", String::new())]));
        }),
        push("a manifest that it does not like", |registry| {
            registry.always("PUT", "/manifests/", Act::Answer(refusal(400, "MANIFEST_INVALID")));
        }),
        push("too large for it", |registry| {
            registry.always("PUT", "/manifests/", Act::Answer(Reply::new(413).body("<html>")));
        }),
    ];
    insta::assert_snapshot!(shown.concat());
}
