//! The registry that kimg serves, asked as distribution-spec 1.1 has it.

#[path = "support/registry.rs"]
mod registry;

use std::io::Read;

use kimg::copy::Source;
use kimg::digest::Digest;
use kimg::event::Events;
use kimg::net::{Body, Client, Exchange, Verb};
use kimg::oci::media_type;
use kimg::serve::{Access, Act, Server};
use registry::{Registry, bytes, image, settings};

/// A client of a registry's URLs.
struct Asking<'a> {
    registry: &'a Registry,
    client: Client,
}

/// What was answered.
#[derive(Debug)]
struct Answered {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

const HEADERS: [&str; 9] = [
    "content-length",
    "content-range",
    "content-type",
    "docker-content-digest",
    "link",
    "location",
    "oci-filters-applied",
    "oci-subject",
    "range",
];

impl Answered {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["errors"][0]["code"].as_str().unwrap().to_owned()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Asking<'_> {
    fn ask(&self, verb: Verb, target: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Answered {
        let mut ask = Exchange::new(verb, self.registry.url(target)).body(Body::Bytes(body.to_vec()));
        ask.headers.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.registry.runtime().block_on(async {
            let mut answer = self.client.exchange(ask).await.unwrap();
            let header = |name: &&'static str| Some((*name, answer.header(name)?.to_owned()));
            let (status, headers) = (answer.status, HEADERS.iter().filter_map(header).collect());
            Answered { status, headers, body: answer.whole(8 << 20).await.unwrap() }
        })
    }

    fn get(&self, target: &str) -> Answered {
        self.ask(Verb::Get, target, &[], b"")
    }

    /// Begins an upload, and says where it goes.
    fn begin(&self, repository: &str) -> String {
        let begun = self.ask(Verb::Post, &format!("/v2/{repository}/blobs/uploads/"), &[], b"");
        assert_eq!((begun.status, begun.header("range")), (202, "0-0"));
        begun.header("location").to_owned()
    }

    fn upload(&self, repository: &str, content: &[u8]) -> Digest {
        let (digest, location) = (Digest::of(content), self.begin(repository));
        let done = self.ask(Verb::Put, &format!("{location}?digest={digest}"), &[], content);
        assert_eq!((done.status, done.header("location")), (201, &*format!("/v2/{repository}/blobs/{digest}")));
        digest
    }
}

fn asking(registry: &Registry) -> Asking<'_> {
    Asking { registry, client: Client::new(settings(), Events::silent()) }
}

#[test]
fn blobs_are_read_whole_and_in_part() {
    let registry = Registry::start();
    let (asking, content) = (asking(&registry), bytes(1, 3_000_000));
    let digest = registry.image("app:1", std::slice::from_ref(&content)).layers[0].digest;
    let target = format!("/v2/app/blobs/{digest}");
    let head = asking.ask(Verb::Head, &target, &[], b"");
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "3000000", 0));
    assert_eq!(head.header("docker-content-digest"), digest.to_string());
    let part = asking.ask(Verb::Get, &target, &[("range", "bytes=10-19")], b"");
    assert_eq!((part.status, part.header("content-range")), (206, "bytes 10-19/3000000"));
    assert_eq!(part.body, content[10..20]);
    let past = asking.ask(Verb::Get, &target, &[("range", "bytes=3000000-")], b"");
    assert_eq!((past.status, past.header("content-range")), (416, "bytes */3000000"));
    let changed = asking.ask(Verb::Get, &target, &[("range", "bytes=2999999-"), ("if-range", "\"other\"")], b"");
    assert_eq!(changed.status, 200);
    // Blobs belong to repositories.
    let other = asking.get(&format!("/v2/other/blobs/{digest}"));
    assert_eq!((other.status, other.code()), (404, "BLOB_UNKNOWN".to_owned()));
}

#[test]
fn a_damaged_blob_is_not_served_as_a_whole_one() {
    let registry = Registry::start();
    let made = registry.image("app:1", &[bytes(1, 1000)]);
    let path = registry.store().layout().blob_path(&made.layers[0].digest);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes(2, 1000)).unwrap();
    let source = registry.source("app");
    let mut content = Source::open(&source, &made.layers[0], 0).unwrap();
    // The connection breaks before the last bytes: who trusts lengths is warned too.
    assert!(content.read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn uploads_in_chunks() {
    let registry = Registry::start();
    let (asking, content) = (asking(&registry), bytes(1, 1000));
    let digest = Digest::of(&content);
    let location = asking.begin("app");
    let first = asking.ask(Verb::Patch, &location, &[("content-range", "0-599")], &content[..600]);
    assert_eq!((first.status, first.header("range"), first.header("location")), (202, "0-599", &*location));
    let gap = asking.ask(Verb::Patch, &location, &[("content-range", "700-999")], &content[700..]);
    assert_eq!((gap.status, gap.header("range"), gap.code()), (416, "0-599", "BLOB_UPLOAD_INVALID".to_owned()));
    let status = asking.get(&location);
    assert_eq!((status.status, status.header("range")), (204, "0-599"));
    let elsewhere = asking.get(&location.replace("/app/", "/other/"));
    assert_eq!((elsewhere.status, elsewhere.code()), (404, "BLOB_UPLOAD_UNKNOWN".to_owned()));
    let done = asking.ask(Verb::Put, &format!("{location}?digest={digest}"), &[], &content[600..]);
    assert_eq!(done.status, 201);
    assert_eq!(asking.get(&format!("/v2/app/blobs/{digest}")).body, content);
    assert_eq!(asking.get(&location).status, 404);
}

#[test]
fn uploads_in_one_request_and_those_given_up() {
    let registry = Registry::start();
    let (asking, content) = (asking(&registry), bytes(1, 1000));
    let digest = Digest::of(&content);
    let done = asking.ask(Verb::Post, &format!("/v2/app/blobs/uploads/?digest={digest}"), &[], &content);
    assert_eq!(done.status, 201);
    assert_eq!(asking.get(&format!("/v2/app/blobs/{digest}")).body, content);
    let location = asking.begin("app");
    assert_eq!(asking.ask(Verb::Delete, &location, &[], b"").status, 204);
    assert_eq!(asking.get(&location).status, 404);
    assert_eq!(asking.ask(Verb::Patch, &location, &[], b"x").status, 404);
}

#[test]
fn other_bytes_are_not_kept() {
    let registry = Registry::start();
    let asking = asking(&registry);
    let digest = Digest::of(b"right");
    let location = asking.begin("app");
    let done = asking.ask(Verb::Put, &format!("{location}?digest={digest}"), &[], b"wrong");
    assert_eq!((done.status, done.code()), (400, "DIGEST_INVALID".to_owned()));
    assert_eq!(asking.get(&format!("/v2/app/blobs/{digest}")).status, 404);
    assert!(!registry.store().layout().blob_path(&digest).exists());
    let location = asking.begin("app");
    assert_eq!(asking.ask(Verb::Put, &location, &[], b"right").status, 400);
    assert_eq!(asking.ask(Verb::Put, &format!("{location}?digest=sha256:x"), &[], b"right").status, 400);
}

#[test]
fn sha512_whole_and_in_chunks() {
    let registry = Registry::start();
    let asking = asking(&registry);
    let text = concat!(
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a",
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    );
    for first in ["", "a"] {
        let location = asking.begin("app");
        asking.ask(Verb::Patch, &location, &[], first.as_bytes());
        let rest = &b"abc"[first.len()..];
        assert_eq!(asking.ask(Verb::Put, &format!("{location}?digest=sha512:{text}"), &[], rest).status, 201);
        assert_eq!(asking.get(&format!("/v2/app/blobs/sha512:{text}")).body, b"abc");
    }
}

#[test]
fn a_torn_upload_keeps_what_came() {
    let registry = Registry::start();
    let (asking, content) = (asking(&registry), bytes(1, 100_000));
    let digest = Digest::of(&content);
    let location = asking.begin("app");
    registry.once("PATCH", "", Act::Tear(1234));
    let ask = Exchange::new(Verb::Patch, registry.url(&location)).body(Body::Bytes(content.clone()));
    let once = Client::new(kimg::net::Settings { tries: 1, ..settings() }, Events::silent());
    registry.runtime().block_on(async { once.exchange(ask).await.map(drop).unwrap_err() });
    assert_eq!(asking.get(&location).header("range"), "0-1233");
    let rest = asking.ask(Verb::Patch, &location, &[("content-range", "1234-99999")], &content[1234..]);
    assert_eq!(rest.status, 202);
    assert_eq!(asking.ask(Verb::Put, &format!("{location}?digest={digest}"), &[], b"").status, 201);
}

#[test]
fn mounts() {
    let registry = Registry::start();
    let asking = asking(&registry);
    let digest = asking.upload("one", b"shared");
    let mounted = asking.ask(Verb::Post, &format!("/v2/two/blobs/uploads/?mount={digest}&from=one"), &[], b"");
    assert_eq!((mounted.status, mounted.header("location")), (201, &*format!("/v2/two/blobs/{digest}")));
    assert_eq!(asking.get(&format!("/v2/two/blobs/{digest}")).body, b"shared");
    let none = asking.ask(Verb::Post, &format!("/v2/three/blobs/uploads/?mount={digest}&from=four"), &[], b"");
    assert_eq!((none.status, none.header("range")), (202, "0-0"));
}

#[test]
fn manifests_come_after_what_they_name() {
    let registry = Registry::start();
    let asking = asking(&registry);
    let made = registry::made(&[bytes(1, 10)]);
    let put = |name: &str, kind: &str| {
        asking.ask(Verb::Put, &format!("/v2/app/manifests/{name}"), &[("content-type", kind)], &made.image.bytes)
    };
    let early = put("1", media_type::MANIFEST);
    assert_eq!((early.status, early.code()), (404, "MANIFEST_BLOB_UNKNOWN".to_owned()));
    let layout = kimg::store::Layout::open(made.folder.path()).unwrap();
    for blob in std::iter::once(&made.image.config).chain(&made.image.layers) {
        asking.upload("app", &layout.read_blob(blob, 10_000).unwrap());
    }
    let digest = made.image.descriptor.digest;
    let done = put("1", media_type::MANIFEST);
    assert_eq!((done.status, done.header("docker-content-digest")), (201, &*digest.to_string()));
    let got = asking.get("/v2/app/manifests/1");
    assert_eq!((got.status, got.header("content-type")), (200, media_type::MANIFEST));
    assert_eq!((got.header("docker-content-digest"), &got.body), (&*digest.to_string(), &made.image.bytes));
    assert_eq!(put("1", media_type::INDEX).code(), "MANIFEST_INVALID");
    assert_eq!(put("1", "text/plain").code(), "MANIFEST_INVALID");
    assert_eq!(put(&Digest::of(b"").to_string(), media_type::MANIFEST).code(), "DIGEST_INVALID");
    assert_eq!(put("-x", media_type::MANIFEST).status, 404);
    let large = vec![b' '; (4 << 20) + 1];
    let large = asking.ask(Verb::Put, "/v2/app/manifests/1", &[("content-type", media_type::MANIFEST)], &large);
    assert_eq!((large.status, large.code()), (413, "SIZE_INVALID".to_owned()));
}

#[test]
fn names_go_and_bytes_stay_until_a_prune() {
    let registry = Registry::start();
    let asking = asking(&registry);
    let made = registry.image("app:1", &[]);
    registry.store().name(&["app:2".to_owned(), "other:1".to_owned()], &made.descriptor).unwrap();
    let digest = made.descriptor.digest;
    assert_eq!(asking.ask(Verb::Delete, "/v2/app/manifests/1", &[], b"").status, 202);
    assert_eq!(asking.get("/v2/app/manifests/1").status, 404);
    assert_eq!(asking.get("/v2/app/manifests/2").status, 200);
    assert_eq!(asking.ask(Verb::Delete, &format!("/v2/app/manifests/{digest}"), &[], b"").status, 202);
    assert_eq!(asking.ask(Verb::Delete, &format!("/v2/app/manifests/{digest}"), &[], b"").status, 404);
    assert_eq!(asking.get("/v2/app/tags/list").code(), "NAME_UNKNOWN");
    assert_eq!(asking.get("/v2/other/manifests/1").status, 200);
    assert!(registry.store().has(&made.descriptor));
}

#[test]
fn tags_in_pages() {
    let registry = Registry::start();
    let asking = asking(&registry);
    let made = registry.image("app:b", &[]);
    let names = ["app:c", "app:a", "app/x:z"].map(str::to_owned);
    registry.store().name(&names, &made.descriptor).unwrap();
    assert_eq!(asking.get("/v2/app/tags/list").json(), serde_json::json!({ "name": "app", "tags": ["a", "b", "c"] }));
    let first = asking.get("/v2/app/tags/list?n=2");
    assert_eq!(first.json()["tags"], serde_json::json!(["a", "b"]));
    assert_eq!(first.header("link"), r#"</v2/app/tags/list?n=2&last=b>; rel="next""#);
    let rest = asking.get("/v2/app/tags/list?n=2&last=b");
    assert_eq!((rest.json()["tags"].clone(), rest.header("link")), (serde_json::json!(["c"]), ""));
    assert_eq!(asking.get("/v2/app/tags/list?n=0").json()["tags"], serde_json::json!([]));
    assert_eq!(asking.get("/v2/app/tags/list?n=x").status, 400);
}

#[test]
fn referrers_by_kind() {
    let registry = Registry::start();
    let asking = asking(&registry);
    let made = registry.image("app:1", &[]);
    let config = asking.upload("app", b"{}");
    let subject = made.descriptor.digest;
    let mut digests = Vec::new();
    for kind in ["application/vnd.example.a", "application/vnd.example.b"] {
        let document = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "artifactType": kind, "layers": [],
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 },
            "subject": made.descriptor, "annotations": { "kind": kind },
        });
        let content = document.to_string().into_bytes();
        let digest = Digest::of(&content);
        let put = asking.ask(
            Verb::Put,
            &format!("/v2/app/manifests/{digest}"),
            &[("content-type", media_type::MANIFEST)],
            &content,
        );
        assert_eq!((put.status, put.header("oci-subject")), (201, &*subject.to_string()));
        digests.push(digest.to_string());
    }
    let all = asking.get(&format!("/v2/app/referrers/{subject}"));
    assert_eq!((all.header("content-type"), all.json()["manifests"].as_array().unwrap().len()), (media_type::INDEX, 2));
    let one = asking.get(&format!("/v2/app/referrers/{subject}?artifactType=application/vnd.example.b"));
    assert_eq!(
        (one.header("oci-filters-applied"), one.json()["manifests"][0]["digest"].as_str()),
        ("artifactType", Some(&*digests[1]))
    );
    assert_eq!(one.json()["manifests"][0]["annotations"]["kind"], "application/vnd.example.b");
    let none = asking.get(&format!("/v2/app/referrers/{}", Digest::of(b"x")));
    assert_eq!((none.status, none.json()["manifests"].clone()), (200, serde_json::json!([])));
}

#[test]
fn what_is_served_read_only_cannot_be_changed() {
    let registry = Registry::start();
    let made = registry.image("app:1", &[]);
    let read_only = kimg::serve::Registry::new(registry.store().clone(), Access::ReadOnly).unwrap();
    let server = Server::start(read_only, 0, registry.runtime().handle()).unwrap();
    let client = Client::new(settings(), Events::silent());
    let status = |verb, target: &str| {
        let ask = Exchange::new(verb, format!("http://{}{target}", server.address())).body(Body::Bytes(b"{}".to_vec()));
        registry.runtime().block_on(async { client.exchange(ask).await.unwrap().status })
    };
    assert!(server.address().ip().is_loopback());
    for target in ["/v2/", "/v2/app/manifests/1", "/v2/app/tags/list"] {
        assert_eq!((status(Verb::Get, target), status(Verb::Head, target)), (200, 200), "{target}");
    }
    for (verb, target) in [
        (Verb::Put, "/v2/app/manifests/1"),
        (Verb::Delete, "/v2/app/manifests/1"),
        (Verb::Post, "/v2/app/blobs/uploads/"),
        (Verb::Patch, "/v2/app/blobs/uploads/x"),
    ] {
        assert_eq!(status(verb, target), 405, "{target}");
    }
    assert_eq!(registry.named("app:1").unwrap().digest, made.descriptor.digest);
}

#[test]
fn what_was_pushed_is_there_for_the_next_server() {
    let registry = Registry::start();
    let made = registry::made(&[bytes(1, 1000)]);
    registry.push(&made, "team/app:1").unwrap();
    let next = kimg::serve::Registry::new(registry.store().clone(), Access::ReadOnly).unwrap();
    let server = Server::start(next, 0, registry.runtime().handle()).unwrap();
    let client = Client::new(settings(), Events::silent());
    let url = format!("http://{}/v2/team/app/blobs/{}", server.address(), made.image.layers[0].digest);
    let status =
        registry.runtime().block_on(async { client.exchange(Exchange::new(Verb::Get, url)).await.unwrap().status });
    assert_eq!(status, 200);
}

#[test]
fn an_image_of_an_index_belongs_to_its_repository() {
    let registry = Registry::start();
    let asking = asking(&registry);
    let layout = registry.store().layout().clone();
    let one = image(&layout, &[bytes(1, 10)]);
    let index = registry::index(&layout, vec![one.descriptor.clone()]);
    registry.store().name(&["app:1".to_owned()], &index).unwrap();
    assert_eq!(asking.get(&format!("/v2/app/manifests/{}", one.descriptor.digest)).status, 200);
    assert_eq!(asking.get(&format!("/v2/app/blobs/{}", one.layers[0].digest)).status, 200);
    assert_eq!(asking.get(&format!("/v2/other/manifests/{}", one.descriptor.digest)).status, 404);
    assert_eq!(asking.get("/v2/nothing").status, 404);
    assert_eq!(asking.get("/v2/app/manifests/sha256:x").code(), "DIGEST_INVALID");
    assert_eq!(asking.get("/v2/App/manifests/1").code(), "NAME_INVALID");
}
