//! `check` and `prune`: every kind of damage is told, what is needed stays, and the rest goes.

#[path = "support/stores.rs"]
mod stores;

use std::fs;
use std::path::PathBuf;

use kimg::digest::Digest;
use kimg::oci::{Descriptor, Index, Manifest, media_type, to_bytes};
use kimg::store::{Finding, NAME, PruneOptions, Pruned, Store, StoreError};
use stores::{Image, files, image, replace, store};

fn check(store: &Store, repair: bool) -> Vec<String> {
    let root = format!("{}/", store.root().display());
    let findings = store.check(repair, &mut |_| {}).unwrap();
    findings.iter().map(|finding| finding.to_string().replace(&root, "")).collect()
}

fn named(store: &Store, name: &str, layer: &[u8]) -> Image {
    let image = image(store, layer);
    store.name(&[name.to_owned()], &image.manifest).unwrap();
    image
}

fn blob(descriptor: &Descriptor) -> String {
    format!("blobs/sha256/{}", descriptor.digest.hex())
}

#[test]
fn a_store_that_is_sound() {
    let (_folder, store) = store();
    let image = named(&store, "a:1", &[1; 3_000_000]);
    let document = store.downloads().insert(b"document").unwrap();
    let mut told = Vec::new();
    assert_eq!(store.check(true, &mut |read| told.push(read)).unwrap(), []);
    let all = image.layer.size + image.config.size + image.manifest.size + 8;
    assert!(told.is_sorted() && told.last() == Some(&all), "{told:?}");
    assert!(store.downloads().has(&document, 8));
}

#[test]
fn nothing_is_pruned_while_it_is_checked() {
    let (_folder, store) = store();
    named(&store, "a:1", b"layer");
    let mut refused = 0;
    let findings = store.check(false, &mut |_| {
        assert!(matches!(store.prune(PruneOptions::default()), Err(StoreError::Busy { .. })));
        refused += 1;
    });
    assert_eq!((findings.unwrap(), refused), (Vec::new(), 3));
}

/// Whatever part of an image is damaged, it is told before and mended by `repair`, and then by whoever brings the bytes.
#[test]
fn damaged_blobs_of_every_kind() {
    let (_folder, store) = store();
    let image = named(&store, "a:1", b"layer");
    for part in [&image.layer, &image.config, &image.manifest] {
        let path = store.root().join(blob(part));
        let right = fs::read(&path).unwrap();
        let mut other = right.clone();
        other[0] ^= 1;
        for wrong in [other, right[1..].to_vec(), [&right, &b"x"[..]].concat(), Vec::new()] {
            replace(&path, &wrong);
            let what = format!("{}: its bytes have the digest {}", blob(part), Digest::of(&wrong));
            assert_eq!(check(&store, false), [what.as_str()]);
            assert_eq!(fs::read(&path).unwrap(), wrong, "nothing is changed without `repair`");
            let missing = format!("{}: is missing, and a:1 needs it", blob(part));
            assert_eq!(check(&store, true), [format!("{what} (removed)"), missing.clone()]);
            assert_eq!(check(&store, false), [missing]);
            let mut writer = store.create_blob().unwrap();
            writer.append(&right).unwrap();
            writer.commit(&part.digest).unwrap();
            assert_eq!(check(&store, false), Vec::<String>::new());
        }
    }
}

#[test]
fn files_that_are_no_blobs() {
    let (_folder, store) = store();
    named(&store, "a:1", b"layer");
    let blobs = store.root().join("blobs/sha256");
    let empty = Digest::of(b"").hex();
    fs::create_dir(blobs.join("folder")).unwrap();
    fs::write(blobs.join("notes.txt"), "x").unwrap();
    fs::create_dir(blobs.join(&empty)).unwrap();
    fs::write(blobs.join(&empty).join("x"), "x").unwrap();
    let nothing = Digest::of(b"nothing").hex();
    std::os::unix::fs::symlink("nowhere", blobs.join(&nothing)).unwrap();
    let mut expected = vec![
        format!("blobs/sha256/{empty}: it is no file"),
        format!("blobs/sha256/{nothing}: it is no file"),
        "blobs/sha256/folder: its name is no digest".to_owned(),
        "blobs/sha256/notes.txt: its name is no digest".to_owned(),
    ];
    expected.sort();
    assert_eq!(check(&store, false), expected);
    assert_eq!(check(&store, true), expected.iter().map(|text| format!("{text} (removed)")).collect::<Vec<_>>());
    assert_eq!(check(&store, true), Vec::<String>::new());
    // `prune` does not stumble over them either.
    fs::create_dir(blobs.join("folder")).unwrap();
    assert_eq!(store.prune(PruneOptions::default()).unwrap().blobs, 1);
}

#[test]
fn a_damaged_input() {
    let (_folder, store) = store();
    let document = store.downloads().insert(b"document").unwrap();
    let path = format!("cache/downloads/sha256/{}", document.hex());
    fs::write(store.root().join(&path), "documenT").unwrap();
    let what = format!("{path}: its bytes have the digest {}", Digest::of(b"documenT"));
    assert_eq!(check(&store, false), [what.as_str()]);
    assert_eq!(check(&store, true), [format!("{what} (removed)")]);
    assert_eq!(check(&store, false), Vec::<String>::new());
}

#[test]
fn a_damaged_or_missing_index() {
    let (_folder, store) = store();
    named(&store, "a:1", b"layer");
    let path = store.root().join("index.json");
    for (damage, what) in
        [(Some("{"), "is no index of a layout: EOF"), (Some("[]"), "is no index"), (None, "is missing")]
    {
        match damage {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let found = check(&store, false);
        assert!(found.len() == 1 && found[0].starts_with(&format!("index.json: {what}")), "{found:?}");
        assert!(check(&store, true)[0].ends_with(" (removed)"));
        assert_eq!(check(&store, false), Vec::<String>::new());
        // The blobs are there still, so the names come back at once.
        named(&store, "a:1", b"layer");
        assert_eq!(store.names().unwrap().len(), 1);
    }
}

#[test]
fn an_image_that_lacks_something_is_told_once_with_its_name() {
    let (_folder, store) = store();
    let image = named(&store, "b:1", b"layer");
    store.name(&["a:1".to_owned()], &image.manifest).unwrap();
    fs::remove_file(store.root().join(blob(&image.layer))).unwrap();
    let finding = Finding {
        path: store.root().join(blob(&image.layer)),
        what: "is missing, and a:1 needs it".to_owned(),
        mended: false,
    };
    assert_eq!(store.check(true, &mut |_| {}).unwrap(), [finding]);
    // Of an image without a manifest, the manifest is what is missing.
    fs::remove_file(store.root().join(blob(&image.manifest))).unwrap();
    assert_eq!(check(&store, false), [format!("{}: is missing, and a:1 needs it", blob(&image.manifest))]);
}

#[test]
fn documents_that_do_not_say_what_they_should() {
    let (_folder, store) = store();
    let text = store.put(media_type::MANIFEST, b"{}").unwrap();
    store.name(&["text:1".to_owned()], &text).unwrap();
    let mut image = image(&store, b"layer");
    image.manifest.size += 1;
    store.name(&["size:1".to_owned()], &image.manifest).unwrap();
    let size = image.manifest.size;
    assert_eq!(
        check(&store, true),
        [
            format!(
                "{}: is not what its media type says: missing field `schemaVersion` at line 1 column 2",
                blob(&text)
            ),
            format!("{}: has another size than the {size} bytes that size:1 says", blob(&image.manifest)),
        ]
    );
}

#[test]
fn prune_keeps_what_is_needed_and_removes_the_rest() {
    let (_folder, store) = store();
    let kept = named(&store, "a:1", b"kept");
    let moved = named(&store, "b:1", b"old");
    let new = named(&store, "b:1", b"new");
    let unnamed = image(&store, b"unnamed");
    store.name(&[], &unnamed.manifest).unwrap();
    let part = |descriptor: &Descriptor| Descriptor { annotations: Default::default(), ..descriptor.clone() };
    let inner = Index::new(vec![part(&image(&store, b"inner").manifest)]);
    let inner = store.put(media_type::INDEX, &to_bytes(&inner)).unwrap();
    let outer = store.put(media_type::INDEX, &to_bytes(&Index::new(vec![inner]))).unwrap();
    store.name(&["index:1".to_owned()], &outer).unwrap();
    store.remember("layers", "kept", &serde_json::json!({"descriptor": kept.layer})).unwrap();
    store.remember("layers", "gone", &serde_json::json!({"descriptor": moved.layer})).unwrap();
    store.remember("layers", "other", &1).unwrap();
    let document = store.downloads().insert(b"document").unwrap();
    let before = files(store.root());

    let gone = moved.manifest.size + moved.config.size + moved.layer.size;
    let dry = store.prune(PruneOptions { dry_run: true, downloads: false }).unwrap();
    assert_eq!(files(store.root()), [before.as_slice(), &[PathBuf::from("cache/lease")]].concat().sorted());
    let pruned = store.prune(PruneOptions::default()).unwrap();
    assert_eq!(pruned, dry);
    assert_eq!((pruned.blobs, pruned.downloads, pruned.leftovers), (3, 0, 2));
    assert!(pruned.bytes > gone);
    for part in [&kept.layer, &new.layer, &new.config, &unnamed.layer, &outer] {
        assert!(store.has(part));
    }
    assert!(!store.has(&moved.layer) && store.downloads().has(&document, 8));
    assert_eq!(check(&store, false), Vec::<String>::new());
    assert!(store.recall::<serde_json::Value>("layers", "kept").is_some());
    assert_eq!(store.recall::<serde_json::Value>("layers", "gone"), None);
    assert_eq!(store.prune(PruneOptions::default()).unwrap(), Pruned::default());
}

trait Sorted {
    fn sorted(self) -> Self;
}

impl Sorted for Vec<PathBuf> {
    fn sorted(mut self) -> Self {
        self.sort();
        self
    }
}

#[test]
fn downloads_go_only_when_that_is_asked_for() {
    let (_folder, store) = store();
    let downloads = store.downloads();
    downloads.insert(b"document").unwrap();
    let part = || downloads.part(&Digest::of(b"0123456789"), 10, "mirror.example:443").unwrap().unwrap();
    part().append(b"01234").unwrap();
    assert_eq!(store.prune(PruneOptions::default()).unwrap(), Pruned::default());
    assert_eq!(part().offset(), 5, "what was fetched is fetched again");
    let dry = store.prune(PruneOptions { downloads: true, dry_run: true }).unwrap();
    assert_eq!(part().offset(), 5);
    let pruned = store.prune(PruneOptions { downloads: true, dry_run: false }).unwrap();
    assert_eq!((pruned, dry), (Pruned { downloads: 2, bytes: 13, ..Pruned::default() }, pruned));
    assert_eq!(part().offset(), 0);
}

/// Where a manifest cannot be read, nobody knows which blobs it needs.
#[test]
fn prune_removes_nothing_where_a_manifest_is_damaged() {
    let (_folder, store) = store();
    let image = named(&store, "a:1", b"layer");
    store.put(media_type::LAYER, b"garbage").unwrap();
    let path = store.root().join(blob(&image.manifest));
    let mut bytes = fs::read(&path).unwrap();
    bytes[0] = b'!';
    replace(&path, &bytes);
    let before = files(store.root());
    assert!(matches!(store.prune(PruneOptions::default()), Err(StoreError::Io { .. })));
    assert_eq!(files(store.root()), [before.as_slice(), &[PathBuf::from("cache/lease")]].concat().sorted());
}

/// Two descriptors of one manifest, one of them with a wrong size: the right one counts, in either order.
#[test]
fn prune_is_not_misled_by_a_wrong_size() {
    let (_folder, store) = store();
    let image = image(&store, b"layer");
    let mut wrong = image.manifest.clone();
    wrong.size += 1;
    for names in [["a:1", "b:1"], ["b:1", "a:1"]] {
        store.name(&[names[0].to_owned()], &image.manifest).unwrap();
        store.name(&[names[1].to_owned()], &wrong).unwrap();
        store.prune(PruneOptions::default()).unwrap();
        assert!(store.has(&image.layer) && store.has(&image.manifest));
    }
}

/// Sizes and depths that no image has do no harm when they are listed.
#[test]
fn absurd_images_are_listed() {
    let (_folder, store) = store();
    let config = image(&store, b"layer").config;
    let layer = Descriptor::new(media_type::LAYER, Digest::of(b"x"), u64::MAX);
    let manifest = Manifest::new(config, vec![layer.clone(), layer], Default::default());
    let mut root = store.put(media_type::MANIFEST, &to_bytes(&manifest)).unwrap();
    store.name(&["huge:1".to_owned()], &root).unwrap();
    for _ in 0..20 {
        root = store.put(media_type::INDEX, &to_bytes(&Index::new(vec![root.clone(), root]))).unwrap();
    }
    root.annotations.insert(NAME.to_owned(), "overwritten".to_owned());
    store.name(&["deep:1".to_owned()], &root).unwrap();
    let sizes: Vec<_> = store.names().unwrap().into_iter().map(|named| (named.name, named.size)).collect();
    assert_eq!(sizes[1], ("huge:1".to_owned(), u64::MAX));
    assert_eq!(sizes[0].0, "deep:1");
    store.check(false, &mut |_| {}).unwrap();
}
