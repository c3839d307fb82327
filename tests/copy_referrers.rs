//! What refers to an image goes along into layouts, archives and the store, is found there again, and stays.

#[path = "support/graphs.rs"]
mod graphs;
#[path = "support/stores.rs"]
mod stores;

use graphs::Memory;
use kimg::copy::{self, Choice, Execution, Root, Sink, Source};
use kimg::event::Events;
use kimg::oci::Descriptor;
use kimg::transport::{Archive, LayoutSink, LayoutSource, OciArchiveSink, OciArchiveSource, StoreSource};
use stores::store;

fn copy(source: &dyn Source, sink: Box<dyn Sink>, root: &Descriptor) {
    let roots = [Root { descriptor: root.clone(), names: vec!["a:1".to_owned()] }];
    let choice = Choice { referrers: true, ..Choice::default() };
    let plan = copy::plan(source, sink.as_ref(), &roots, &choice).unwrap();
    copy::execute(&plan, source, sink, &Execution::new(Events::silent())).unwrap();
}

fn digests(source: &dyn Source, subject: &Descriptor) -> Vec<String> {
    let mut found: Vec<_> =
        source.referrers(subject).unwrap().iter().map(|referrer| referrer.digest.to_string()).collect();
    found.sort();
    found
}

#[test]
fn from_place_to_place() {
    let (folder, store) = store();
    let path = |name: &str| folder.path().join(name);
    let mut memory = Memory::default();
    let children = ["linux/amd64", "linux/arm64"].map(|platform| memory.child(platform));
    let index = memory.index(&children);
    let signature = memory.refer(&children[0], "signature");
    let of_signature = memory.refer(&signature, "signature of the signature");
    let more = [memory.refer(&index, "sbom"), memory.refer(&index, "provenance")];
    let subjects = [&children[0], &children[1], &signature, &of_signature, &index];
    let expected: Vec<_> = subjects.iter().map(|subject| digests(&memory, subject)).collect();
    assert_eq!(expected.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1, 0, 2]);
    let same = |source: &dyn Source| {
        let found: Vec<_> = subjects.iter().map(|subject| digests(source, subject)).collect();
        assert_eq!(found, expected, "{}", source.describe());
    };

    copy(&memory, Box::new(LayoutSink::open(&path("layout")).unwrap()), &index);
    let layout = LayoutSource::open(&path("layout")).unwrap();
    same(&layout);
    assert_eq!(layout.find(None).unwrap().digest, index.digest, "they are no images of their own");
    let archive = Archive::at("oci-archive:a.tar", &path("a.tar")).unwrap();
    copy(&layout, Box::new(OciArchiveSink::new(archive)), &index);
    let archive = OciArchiveSource::open(&path("a.tar")).unwrap();
    same(&archive);
    assert_eq!(archive.find(Some("a:1")).unwrap().digest, index.digest);
    copy(&archive, Box::new(LayoutSink::of_store(&store)), &index);
    store.prune(Default::default()).unwrap();
    let kept = StoreSource::open(store.clone()).unwrap();
    same(&kept);
    // Once more changes nothing.
    let listed = || store.layout().index().unwrap();
    let before = listed();
    assert_eq!(before.manifests.len(), 1 + 2 + more.len());
    copy(&archive, Box::new(LayoutSink::of_store(&store)), &index);
    assert_eq!(listed(), before);
}

#[test]
fn an_image_without_a_name_is_listed_all_the_same() {
    let (folder, _store) = store();
    let mut memory = Memory::default();
    let image = memory.image("linux/amd64");
    let roots = [Root { descriptor: image.clone(), names: Vec::new() }];
    let path = folder.path().join("a.tar");
    let sink = Box::new(OciArchiveSink::new(Archive::at("oci-archive:a.tar", &path).unwrap()));
    let plan = copy::plan(&memory, sink.as_ref(), &roots, &Choice::default()).unwrap();
    copy::execute(&plan, &memory, sink, &Execution::new(Events::silent())).unwrap();
    let source = OciArchiveSource::open(&path).unwrap();
    assert_eq!(source.find(None).unwrap().digest, image.digest);
    assert_eq!(source.find(Some("@0")).unwrap().digest, image.digest);
    assert!(source.find(Some("@1")).is_err());
    assert_eq!(source.resolve(&image.digest.to_string()).unwrap().digest, image.digest);
}

#[test]
fn a_part_of_an_index_is_no_damage_of_the_store() {
    let (_folder, store) = store();
    let mut memory = Memory::default();
    let children = ["linux/amd64", "linux/arm64", "linux/s390x"].map(|platform| memory.child(platform));
    let index = memory.index(&children);
    let platforms = ["linux/amd64", "linux/arm64"].map(|text| text.parse().unwrap()).to_vec();
    let roots = [Root { descriptor: index.clone(), names: vec!["a:1".to_owned()] }];
    let sink = Box::new(LayoutSink::of_store(&store));
    let plan = copy::plan(&memory, sink.as_ref(), &roots, &Choice { platforms, ..Choice::default() }).unwrap();
    copy::execute(&plan, &memory, sink, &Execution::new(Events::silent())).unwrap();
    store.prune(Default::default()).unwrap();
    assert_eq!(store.check(false, &mut |_| {}).unwrap(), []);
    let names = store.names().unwrap();
    assert!(names[0].size > index.size + children[0].size + children[1].size);
    // What came of it is needed.
    let config: serde_json::Value = memory.json(&children[1]);
    let config: Descriptor = serde_json::from_value(config["config"].clone()).unwrap();
    std::fs::remove_file(store.layout().blob_path(&config.digest)).unwrap();
    assert_eq!(store.check(false, &mut |_| {}).unwrap().len(), 1);
}
