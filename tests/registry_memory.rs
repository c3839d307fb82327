//! What is remembered of registries between runs, and mounts, which live on it; and the manifests at the end.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders")]

#[path = "support/stores.rs"]
mod stores;
#[path = "support/uploads.rs"]
mod uploads;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use kimg::copy::{Execution, Have, Moved, Origin, Sink, execute};
use kimg::digest::Digest;
use kimg::error::{Category, Diagnose};
use kimg::event::Events;
use kimg::oci::{Descriptor, Index, Manifest, media_type, to_bytes};
use kimg::store::{Learnt, Store, UploadSession};
use kimg::transport::StoreSource;
use stores::{Image, image, store};
use tempfile::TempDir;
use uploads::{Copies, Fault, Registry};

const DAY: u64 = 86_400;

fn three() -> (TempDir, Image, Registry, Copies) {
    let (folder, store) = store();
    let image = image(&store, &[5; 100_000]);
    let copies = Copies::new(&store);
    (folder, image, Registry::start(), copies)
}

/// How many requests of each kind: `HEAD blobs 404`.
fn counts(registry: &Registry) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in registry.log() {
        let words: Vec<&str> = line.split(' ').collect();
        let kind = words[1].split('/').nth(1).unwrap_or_default();
        *counts.entry(format!("{} {kind} {}", words[0], words[2])).or_default() += 1;
    }
    counts.into_iter().map(|(line, count)| format!("{count} {line}")).collect()
}

#[test]
fn what_a_repository_has_is_not_asked_for_again_for_a_day() {
    let (_folder, image, registry, copies) = three();
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    registry.log();
    copies.copy(&registry, "app", &image.manifest, &["2"]).unwrap();
    assert_eq!(counts(&registry), ["1 HEAD manifests 404", "1 PUT manifests 201"]);
    copies.at(copies.now + DAY).copy(&registry, "app", &image.manifest, &["3"]).unwrap();
    // The configuration is asked for where a layer is there.
    assert_eq!(counts(&registry), ["2 HEAD blobs 200", "1 HEAD manifests 404", "1 PUT manifests 201"]);
}

#[test]
fn what_is_believed_and_wrong_is_sent_after_all() {
    let (_folder, image, registry, copies) = three();
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    registry.state().blobs.remove(&format!("app {}", image.layer.digest));
    registry.log();
    let moved = copies.copy(&registry, "app", &image.manifest, &["2"]).unwrap();
    assert_eq!((moved.blobs, moved.present), (1, 1));
    let expected = [
        "1 HEAD blobs 200",
        "1 HEAD blobs 404",
        "1 HEAD manifests 404",
        "1 POST blobs 202",
        "1 PUT blobs 201",
        "1 PUT manifests 201",
        "1 PUT manifests 400",
    ];
    assert_eq!(counts(&registry), expected);
}

#[test]
fn a_manifest_that_is_refused_for_another_reason_is_no_reason_to_send_anything() {
    let (_folder, image, registry, copies) = three();
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    let denied = r#"{"errors":[{"code":"DENIED","message":"read only"}]}"#;
    registry.faults("PUT app/manifests/2", [Fault::Answer(403, String::new(), denied.to_owned())]);
    registry.log();
    let error = copies.copy(&registry, "app", &image.manifest, &["2"]).unwrap_err();
    assert!(error.category() == Category::Refused && error.to_string().contains("read only"), "{error}");
    assert_eq!(counts(&registry), ["1 HEAD manifests 404", "1 PUT manifests 403"]);
}

#[test]
fn what_another_repository_is_known_to_have_is_mounted() {
    let (_folder, image, registry, copies) = three();
    copies.copy(&registry, "base", &image.manifest, &["1"]).unwrap();
    registry.log();
    let moved = copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    assert_eq!(moved, Moved { mounted: 2, ..Moved::default() });
    assert_eq!(counts(&registry), ["1 HEAD manifests 404", "2 POST blobs 201", "1 PUT manifests 201"]);
}

/// A copy from another repository of the same registry, as far as the sink is told.
fn from_there(copies: &Copies, registry: &Registry, image: &Image, name: &str) -> Moved {
    let sink = copies.sink(registry, "app");
    let mut plan = copies.plan(&sink, &image.manifest, &[name]).unwrap();
    let origin = Origin { registry: registry.address.clone(), repository: "base".to_owned() };
    for blob in &mut plan.blobs {
        blob.have = sink.have(std::slice::from_ref(&blob.descriptor), Some(&origin)).unwrap()[0];
        assert_eq!(blob.have, Have::Mountable);
    }
    registry.log();
    let source = StoreSource::open(copies.store.clone()).unwrap();
    execute(&plan, &source, Box::new(sink), &Execution::new(Events::silent())).unwrap()
}

#[test]
fn a_mount_that_becomes_a_session_is_used_as_one() {
    let (_folder, image, registry, copies) = three();
    assert_eq!(from_there(&copies, &registry, &image, "1").blobs, 2);
    assert_eq!(counts(&registry), ["2 POST blobs 202", "2 PUT blobs 201", "1 PUT manifests 201"]);
}

#[test]
fn a_registry_without_mounts_is_asked_once() {
    let (_folder, image, registry, copies) = three();
    registry.faults("POST app/blobs", [Fault::Answer(405, String::new(), String::new())]);
    assert_eq!(from_there(&copies, &registry, &image, "1").blobs, 2);
    assert_eq!(counts(&registry), ["2 POST blobs 202", "1 POST blobs 405", "2 PUT blobs 201", "1 PUT manifests 201"]);
}

#[test]
fn who_may_not_mount_may_still_send() {
    let (_folder, image, registry, copies) = three();
    registry.faults("POST app/blobs", [Fault::Answer(401, String::new(), String::new())]);
    assert_eq!(from_there(&copies, &registry, &image, "1").blobs, 2);
    assert_eq!(counts(&registry), ["2 POST blobs 202", "1 POST blobs 401", "2 PUT blobs 201", "1 PUT manifests 201"]);
}

#[test]
fn the_same_repository_has_what_it_has() {
    let (_folder, image, registry, copies) = three();
    let origin = Origin { registry: registry.address.clone(), repository: "app".to_owned() };
    let have = copies.sink(&registry, "app").have(&[image.layer, image.config], Some(&origin)).unwrap();
    assert_eq!((have, registry.log().len()), (vec![Have::Present; 2], 0));
}

#[test]
fn a_torn_memory_is_none_and_bounded_in_time() {
    let (folder, store) = store();
    let presence = store.presence("registry.example");
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    let learnt = Learnt { blobs: [one, two].into(), manifests: [one].into(), ..Learnt::default() };
    presence.learn("a", &learnt, 1000).unwrap();
    presence.learn("b", &Learnt { blobs: [one].into(), ..Learnt::default() }, 2000).unwrap();
    let known = presence.read(2000);
    assert!(known.has_blob("a", &one) && known.has_blob("b", &one) && known.has_manifest("a", &one));
    assert!(!known.has_blob("b", &two) && !known.has_manifest("b", &one));
    assert_eq!((known.elsewhere("c", &one), known.elsewhere("a", &two)), (Some("b"), None));
    // Each ends by itself; and so does one of a clock that was ahead.
    let later = presence.read(1000 + DAY);
    assert!(!later.has_blob("a", &one) && later.has_blob("b", &one));
    assert!(!presence.read(0).has_blob("b", &one));
    presence.learn("a", &Learnt { gone: [one].into(), ..Learnt::default() }, 2000).unwrap();
    let known = presence.read(2000);
    assert!(!known.has_blob("a", &one) && !known.has_manifest("a", &one) && known.has_blob("a", &two));
    assert!(!store.presence("other.example").read(2000).has_blob("a", &two));
    for file in stores::files(&folder.path().join("store/cache/presence")) {
        std::fs::write(folder.path().join("store/cache/presence").join(file), b"{\"blobs\": {\"sha2").unwrap();
    }
    assert!(!presence.read(2000).has_blob("a", &two));
    presence.learn("a", &learnt, 3000).unwrap();
    assert!(presence.read(3000).has_blob("a", &two));
}

#[test]
fn the_session_of_an_upload_is_a_secret_of_one_process_for_a_week() {
    let (folder, store) = store();
    let upload = |store: &Store, repository| store.upload("registry.example", repository, &Digest::of(b"x")).unwrap();
    let record = upload(&store, "app").unwrap();
    assert_eq!(record.recall(1000), None);
    let session = UploadSession { location: "https://registry.example/u?secret".to_owned(), offset: 5, at: 1000 };
    record.keep(&session).unwrap();
    assert_eq!((record.recall(1000), record.recall(1000 + 7 * DAY)), (Some(session.clone()), None));
    assert!(upload(&store, "app").is_none() && upload(&store, "other").is_some());
    let uploads = folder.path().join("store/cache/uploads");
    let file = stores::files(&uploads).into_iter().find(|path| path.extension().is_some_and(|end| end == "json"));
    let mode = std::fs::metadata(uploads.join(file.unwrap())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(record);
    let record = upload(&store, "app").unwrap();
    assert_eq!(record.recall(1000), Some(session));
    record.forget().unwrap();
    record.forget().unwrap();
    assert_eq!(record.recall(1000), None);
}

#[test]
fn an_index_is_there_when_all_of_it_was_seen_to_be() {
    let (_folder, store) = store();
    let (index, one, two) = stores::index(&store);
    let (registry, copies) = (Registry::start(), Copies::new(&store));
    copies.copy(&registry, "app", &index, &["1"]).unwrap();
    registry.log();
    assert_eq!(copies.copy(&registry, "app", &index, &["1"]).unwrap(), Moved::default());
    assert_eq!(counts(&registry), ["1 HEAD manifests 200"]);
    // Without that memory it may be sparse.
    let later = copies.at(copies.now + DAY);
    let sink = later.sink(&registry, "app");
    let root = kimg::copy::Root { descriptor: index, names: vec!["1".to_owned()] };
    assert!(!sink.holds(&root).unwrap());
    assert!(sink.has_manifest(&one.manifest).unwrap() && sink.has_manifest(&two.manifest).unwrap());
}

#[test]
fn a_manifest_that_no_registry_takes_is_refused_before_anything_is_sent() {
    let (_folder, image, registry, copies) = three();
    let long = BTreeMap::from([("long".to_owned(), "x".repeat(5 << 20))]);
    let manifest = to_bytes(&Manifest::new(image.config.clone(), vec![image.layer.clone()], long));
    let large = copies.store.put(media_type::MANIFEST, &manifest).unwrap();
    let error = copies.copy(&registry, "app", &large, &["1"]).unwrap_err();
    assert!(error.category() == Category::Usage && error.to_string().contains("registries take 4194304"), "{error}");
    assert!(registry.log().iter().all(|line| line.starts_with("HEAD ")));
}

#[test]
fn an_index_without_all_of_its_manifests_may_be_refused() {
    let (_folder, image, registry, copies) = three();
    let other = Descriptor::of(media_type::MANIFEST, b"never seen");
    let index = to_bytes(&Index::new(vec![image.manifest.clone(), other]));
    let index = copies.store.put(media_type::INDEX, &index).unwrap();
    // As a copy of one of two platforms plans it.
    let sink = copies.sink(&registry, "app");
    let mut plan = copies.plan(&sink, &image.manifest, &["1"]).unwrap();
    plan.roots[0].descriptor = index.clone();
    let bytes = std::fs::read(copies.store.layout().blob_path(&index.digest)).unwrap();
    plan.manifests.push((index, bytes));
    let source = StoreSource::open(copies.store.clone()).unwrap();
    let error = execute(&plan, &source, Box::new(sink), &Execution::new(Events::silent())).unwrap_err();
    assert!(error.to_string().contains("takes no index without all of its manifests"), "{error}");
    assert!(error.hint().unwrap().contains("--new-index"));
}

/// A manifest that names the image's as its subject.
fn signature(copies: &Copies, image: &Image) -> Descriptor {
    let config = copies.store.put("application/vnd.example.signature", b"{}").unwrap();
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[],"subject":{},"annotations":{{"by":"me"}}}}"#,
        media_type::MANIFEST,
        serde_json::to_string(&config).unwrap(),
        serde_json::to_string(&image.manifest).unwrap(),
    );
    copies.store.put(media_type::MANIFEST, text.as_bytes()).unwrap()
}

#[test]
fn a_referrer_is_listed_by_the_registry_or_under_a_tag() {
    let (_folder, image, registry, copies) = three();
    let signature = signature(&copies, &image);
    copies.copy(&registry, "app", &image.manifest, &["1"]).unwrap();
    registry.state().lists = true;
    copies.copy(&registry, "app", &signature, &[]).unwrap();
    let tag = format!("app/manifests/sha256-{}", image.manifest.digest.hex());
    assert!(!registry.state().manifests.contains_key(&tag));
    registry.state().lists = false;
    registry.state().manifests.remove(&format!("app/manifests/{}", signature.digest));
    registry.log();
    // Somebody else changes the list between.
    registry.faults(&format!("PUT {tag}"), [Fault::Answer(412, String::new(), String::new())]);
    copies.copy(&registry, "app", &signature, &[]).unwrap();
    let tagged: Vec<String> = registry.log().into_iter().filter(|line| line.contains(&tag)).collect();
    assert_eq!(
        tagged,
        [format!("GET {tag} 404"), format!("PUT {tag} 412"), format!("GET {tag} 404"), format!("PUT {tag} 201"),]
    );
    let list = |registry: &Registry| -> serde_json::Value {
        serde_json::from_slice(&registry.state().manifests[&tag]).unwrap()
    };
    let listed = list(&registry);
    assert_eq!(listed["manifests"][0]["artifactType"], "application/vnd.example.signature");
    assert_eq!(listed["manifests"][0]["annotations"]["by"], "me");
    // Once more changes nothing; and what is added to a list is added to the one that was read.
    registry.state().manifests.remove(&format!("app/manifests/{}", signature.digest));
    copies.copy(&registry, "app", &signature, &[]).unwrap();
    assert_eq!(list(&registry), listed);
    registry.state().manifests.insert(tag.clone(), br#"{"schemaVersion":2,"manifests":[{"digest":"x"}]}"#.to_vec());
    registry.state().manifests.remove(&format!("app/manifests/{}", signature.digest));
    copies.copy(&registry, "app", &signature, &[]).unwrap();
    assert_eq!(list(&registry)["manifests"].as_array().unwrap().len(), 2);
    let state = registry.state();
    let put = state.requests.iter().rfind(|request| request.method == "PUT" && request.path == tag).unwrap();
    assert!(put.headers.get("if-match").is_some_and(|etag| etag.starts_with("\"sha256:")), "{put:?}");
}
