//! The store as a folder: blobs, names, who may write.

#[path = "support/child.rs"]
mod child;
#[path = "support/stores.rs"]
mod stores;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use kimg::digest::{Algorithm, Digest, Hasher};
use kimg::error::{Category, Diagnose};
use kimg::oci::{Descriptor, Index, media_type, to_bytes};
use kimg::store::{Layout, NAME, Store, StoreError};
use stores::{files, image, replace, store};

fn descriptor(bytes: &[u8]) -> Descriptor {
    Descriptor::of(media_type::LAYER, bytes)
}

fn contents(store: &Store, descriptor: &Descriptor) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    store.open_blob(descriptor).unwrap().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn paths(paths: &[&str]) -> Vec<PathBuf> {
    paths.iter().map(PathBuf::from).collect()
}

#[test]
fn a_fresh_store_is_a_layout() {
    let (_folder, store) = store();
    assert_eq!(files(store.root()), paths(&["index.json", "index.lock", "oci-layout"]));
    assert!(store.root().join("blobs/sha256").is_dir());
    let text = |name: &str| fs::read_to_string(store.root().join(name)).unwrap();
    assert_eq!(text("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: Index = serde_json::from_str(&text("index.json")).unwrap();
    assert_eq!((index.schema_version, index.manifests), (2, Vec::new()));
    assert_eq!(store.names().unwrap(), []);
    // Again, and as a layout.
    Store::open(store.root()).unwrap();
    Layout::open(store.root()).unwrap();
    assert_eq!(files(store.root()), paths(&["index.json", "index.lock", "oci-layout"]));
}

#[test]
fn a_blob_is_there_when_it_is_whole_and_not_before() {
    let (_folder, store) = store();
    let blob = descriptor(b"hello");
    let mut writer = store.create_blob().unwrap();
    writer.append(b"hel").unwrap();
    writer.write_all(b"lo").unwrap();
    assert!(!store.has(&blob) && files(&store.root().join("blobs")).is_empty());
    writer.commit(&blob.digest).unwrap();
    assert!(store.has(&blob));
    assert_eq!(contents(&store, &blob).unwrap(), b"hello");
    let mut dropped = store.create_blob().unwrap();
    dropped.append(&[1; 100_000]).unwrap();
    drop(dropped);
    assert_eq!(files(&store.root().join("cache")), paths(&[]));
    assert_eq!(files(&store.root().join("blobs")), [PathBuf::from("sha256").join(blob.digest.hex())]);
}

#[test]
fn blobs_of_sha_512_lie_where_they_are_looked_for() {
    let (_folder, store) = store();
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(b"hello");
    let blob = Descriptor::new(media_type::LAYER, hasher.finish(), 5);
    let mut writer = store.create_blob().unwrap();
    writer.append(b"hello").unwrap();
    writer.commit(&blob.digest).unwrap();
    assert!(store.has(&blob));
    assert_eq!(contents(&store, &blob).unwrap(), b"hello");
    assert_eq!(store.check(false, &mut |_| {}).unwrap(), []);
    assert_eq!(store.prune(Default::default()).unwrap().blobs, 1);
}

#[test]
fn a_damaged_blob_is_told_and_mended_by_its_bytes() {
    let (_folder, store) = store();
    let blob = store.put(media_type::LAYER, b"hello").unwrap();
    let path = store.layout().blob_path(&blob.digest);
    for damage in [&b"hellx"[..], b"hell", b"hello!", b""] {
        replace(&path, damage);
        // By name and size; the bytes are looked at when they leave.
        assert_eq!(store.has(&blob), damage.len() == 5);
        let error = contents(&store, &blob).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().starts_with(&format!("expected {} of 5 bytes, found ", blob.digest)), "{error}");
        let error = store.layout().read_blob(&blob, 100).unwrap_err();
        assert_eq!(error.category(), Category::Verification);
        let mut writer = store.create_blob().unwrap();
        writer.append(b"hello").unwrap();
        writer.commit(&blob.digest).unwrap();
        assert_eq!(contents(&store, &blob).unwrap(), b"hello");
    }
}

#[test]
fn a_blob_that_is_absent_or_too_long() {
    let (_folder, store) = store();
    let Err(error) = store.open_blob(&descriptor(b"x")) else { panic!("it is not there") };
    assert_eq!((error.category(), error.hint().is_some()), (Category::NotFound, true));
    assert_eq!(error.to_string(), format!("blob {}: it is not in {}", Digest::of(b"x"), store.root().display()));
    let blob = store.put(media_type::MANIFEST, &[7; 101]).unwrap();
    let error = store.layout().read_blob(&blob, 100).unwrap_err();
    assert!(error.to_string().ends_with("101 bytes are more than the 100 that it may have"), "{error}");
}

#[test]
fn names_point_at_images_and_move() {
    let (_folder, store) = store();
    let (one, two) = (image(&store, b"one"), image(&store, b"two"));
    let name = |names: &[&str], of: &Descriptor| {
        store.name(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), of).unwrap();
    };
    let listed = || store.names().unwrap().into_iter().map(|named| named.name).collect::<Vec<_>>();
    name(&["b:1", "a:1"], &one.manifest);
    assert_eq!(listed(), ["a:1", "b:1"]);
    assert_eq!(store.resolve("a:1").unwrap().unwrap().digest, one.manifest.digest);
    assert_eq!(store.resolve("a").unwrap(), None);
    name(&["a:1"], &two.manifest);
    assert_eq!(store.resolve("a:1").unwrap().unwrap().digest, two.manifest.digest);
    assert_eq!(store.resolve("b:1").unwrap().unwrap().digest, one.manifest.digest);
    let named = &store.names().unwrap()[0];
    assert_eq!(named.size, two.manifest.size + two.config.size + two.layer.size);
    assert_eq!(named.created.as_deref(), Some("2026-01-02T03:04:05Z"));
    // Without a name it is listed once; a name takes its place.
    name(&[], &one.manifest);
    name(&[], &one.manifest);
    assert_eq!(store.layout().index().unwrap().manifests.len(), 3);
    name(&["c:1"], &one.manifest);
    assert_eq!(store.layout().index().unwrap().manifests.len(), 3);
    assert_eq!(listed(), ["a:1", "b:1", "c:1"]);
}

#[test]
fn an_index_that_says_so_already_is_not_written() {
    let (_folder, store) = store();
    let image = image(&store, b"one");
    let inode = || fs::metadata(store.root().join("index.json")).unwrap().ino();
    store.name(&["a:1".to_owned()], &image.manifest).unwrap();
    let before = inode();
    store.name(&["a:1".to_owned()], &image.manifest).unwrap();
    assert_eq!(inode(), before);
    store.name(&["a:2".to_owned()], &image.manifest).unwrap();
    assert_ne!(inode(), before);
}

#[test]
fn what_others_wrote_into_an_index_stays() {
    let (_folder, store) = store();
    let other = serde_json::json!({
        "mediaType": media_type::MANIFEST, "digest": Digest::of(b"x"), "size": 1, "urls": ["https://mirror.example/x"],
        "platform": {"os": "windows", "os.version": "10.0", "architecture": "amd64"},
        "annotations": {NAME: "other"},
    });
    let index = serde_json::json!({
        "schemaVersion": 2, "manifests": [other], "annotations": {"a": "b"}, "subject": {"x": 1},
    });
    fs::write(store.root().join("index.json"), index.to_string()).unwrap();
    store.name(&["a:1".to_owned()], &image(&store, b"one").manifest).unwrap();
    let mut after: serde_json::Value =
        serde_json::from_slice(&fs::read(store.root().join("index.json")).unwrap()).unwrap();
    let manifests = after["manifests"].take();
    assert_eq!(manifests[1], other);
    assert_eq!(manifests[0]["annotations"][NAME], "a:1");
    assert_eq!((&after["annotations"], &after["subject"]), (&index["annotations"], &index["subject"]));
}

#[test]
fn records_are_kept_and_torn_ones_are_none() {
    let (_folder, store) = store();
    assert_eq!(store.recall::<Vec<u32>>("numbers", "key"), None);
    store.remember("numbers", "key", &vec![1, 2]).unwrap();
    assert_eq!(store.recall("numbers", "key"), Some(vec![1, 2]));
    assert_eq!(store.recall::<String>("numbers", "key"), None);
    fs::write(store.root().join("cache/records/numbers/key"), "[1,").unwrap();
    assert_eq!(store.recall::<Vec<u32>>("numbers", "key"), None);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_store_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o777, 0o775, 0o757, 0o722] {
        set_mode(folder.path(), mode);
        let error = Store::open(folder.path()).unwrap_err();
        let shown = folder.path().display();
        assert_eq!(
            error.to_string(),
            format!("{shown}: the store is refused: its permissions {mode:04o} let others write to it")
        );
        assert_eq!(error.category(), Category::Failed);
        assert!(error.hint().unwrap().starts_with(&format!("`chmod go-w {shown}` if it is yours")));
        assert!(files(folder.path()).is_empty() && !folder.path().join("blobs").exists(), "something is left behind");
    }
    set_mode(folder.path(), 0o755);
    let store = Store::open(folder.path()).unwrap();
    // And one that was opened to others later.
    set_mode(store.root(), 0o777);
    assert!(matches!(Store::open(store.root()), Err(StoreError::Unsafe { .. })));
}

#[test]
fn a_folder_of_another_kind_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o755);
    let refused = |why: &str| {
        let before = files(folder.path());
        let error = Store::open(folder.path()).unwrap_err();
        assert_eq!(error.category(), Category::Failed);
        assert_eq!(error.hint().unwrap(), "set KIMG_HOME to a new or empty folder");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(files(folder.path()), before);
    };
    for name in ["thesis.txt", "2026-01", ".hidden"] {
        fs::write(folder.path().join(name), "x").unwrap();
        refused(&format!("{name}: it holds other files, and no OCI layout is made among them"));
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    for (text, why) in [
        (r#"{"imageLayoutVersion":"2.0.0"}"#, "oci-layout: the layout has version `2.0.0`, not 1.0.0"),
        (r#"{"imageLayoutVersion":"1\n"}"#, r"oci-layout: the layout has version `1\n`, not 1.0.0"),
        ("{}", "oci-layout: is no `oci-layout` file: missing field"),
        ("", "oci-layout: is no `oci-layout` file: EOF"),
    ] {
        fs::write(folder.path().join("oci-layout"), text).unwrap();
        refused(why);
    }
    let file = folder.path().join("oci-layout");
    let error = Store::open(&file).unwrap_err();
    assert_eq!(error.category(), Category::Failed);
}

#[test]
fn an_index_that_is_none_is_named() {
    let (_folder, store) = store();
    fs::write(store.root().join("index.json"), "{").unwrap();
    for error in [
        store.names().unwrap_err(),
        store.resolve("a").unwrap_err(),
        store.name(&["a".to_owned()], &descriptor(b"x")).unwrap_err(),
        store.prune(Default::default()).unwrap_err(),
    ] {
        assert!(error.to_string().contains("index.json: is no index of a layout: EOF"), "{error}");
        assert_eq!(error.hint().unwrap(), "`kimg store check --repair` mends what can be mended");
    }
    assert_eq!(fs::read_to_string(store.root().join("index.json")).unwrap(), "{");
}

#[test]
fn many_make_one_store_at_once() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let (root, start) = (folder.path().join("a/b/store"), Barrier::new(8));
        std::thread::scope(|scope| {
            let open = || {
                start.wait();
                Store::open(&root).unwrap()
            };
            let running: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            for thread in running {
                assert_eq!(thread.join().unwrap().names().unwrap(), []);
            }
        });
        assert_eq!(files(&root), paths(&["index.json", "index.lock", "oci-layout"]));
    }
}

#[test]
fn a_store_whose_making_was_cut_short_is_made_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o755);
    let root = folder.path();
    fs::create_dir_all(root.join("blobs/sha256")).unwrap();
    fs::create_dir(root.join("cache")).unwrap();
    for name in ["index.lock", ".kimg-4711-0"] {
        fs::write(root.join(name), "").unwrap();
    }
    // Another process may bring this file between the look for it and the look for files of others: here it is listed,
    // and cannot be read.
    std::os::unix::fs::symlink("nowhere", root.join("oci-layout")).unwrap();
    let store = Store::open(root).unwrap();
    drop(store.lease().unwrap());
    assert_eq!(files(root), paths(&["cache/lease", "index.json", "index.lock", "oci-layout"]));
}

/// The modes of all that a store holds, when it was made under a umask.
fn modes(umask: u32) -> BTreeMap<PathBuf, u32> {
    let folder = tempfile::tempdir().unwrap();
    child::start("no_umask_lets_others_write", folder.path(), &umask.to_string()).finish();
    let root = folder.path().join("store");
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    let mut modes = BTreeMap::new();
    for file in files(&root) {
        for path in file.ancestors() {
            modes.insert(path.to_owned(), mode(&root.join(path)));
        }
    }
    modes
}

#[test]
fn no_umask_lets_others_write() {
    if let Some((folder, umask)) = child::part() {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask.parse().unwrap()));
        let store = Store::open(&folder.join("store")).unwrap();
        let _lease = store.lease().unwrap();
        store.name(&["a:1".to_owned()], &image(&store, b"one").manifest).unwrap();
        store.remember("kind", "key", &1).unwrap();
        store.downloads().insert(b"document").unwrap();
        drop(store.downloads().part(&Digest::of(b"x"), 1, "mirror.example:443").unwrap());
        // What is open to others is refused by the same rule.
        Store::open(&folder.join("store")).unwrap();
        child::end();
    }
    let usual = modes(0o022);
    assert!(usual.len() > 15);
    for (path, mode) in &usual {
        let is_blob = path.starts_with("blobs") && path.extension().is_none() && path.iter().count() == 3;
        let wanted: &[u32] = if is_blob { &[0o444] } else { &[0o755, 0o644] };
        assert!(wanted.contains(mode), "{}: {mode:o}", path.display());
    }
    assert_eq!(modes(0), usual);
    // Whoever wants to be alone is.
    let alone = usual.iter().map(|(path, mode)| (path.clone(), mode & 0o700)).collect::<BTreeMap<_, _>>();
    assert_eq!(modes(0o077).into_iter().collect::<BTreeMap<_, _>>(), alone);
}

#[test]
fn documents_are_stored_once() {
    let (_folder, store) = store();
    let first = store.put(media_type::CONFIG, &to_bytes(&1)).unwrap();
    let inode = || fs::metadata(store.layout().blob_path(&first.digest)).unwrap().ino();
    let before = inode();
    assert_eq!(store.put(media_type::CONFIG, b"1").unwrap(), first);
    assert_eq!(inode(), before);
}
