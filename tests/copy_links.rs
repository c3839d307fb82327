//! A layout on the store's file system takes blobs as further names of their files; what that must not weaken.

#[path = "support/stores.rs"]
mod stores;

use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kimg::copy::{self, Choice, CopyError, Execution, Root};
use kimg::error::{Category, Diagnose};
use kimg::event::Events;
use kimg::oci::{Descriptor, media_type};
use kimg::store::{Layout, PruneOptions, Store, StoreError};
use kimg::transport::{LayoutSink, StoreSource};
use stores::{files, image, store};

/// More than one read of the copy.
const LAYER: &[u8] = &[1; 3_000_000];

fn copy(store: &Store, root: &Descriptor, folder: &Path) -> Result<(), CopyError> {
    let source = StoreSource::open(store.clone())?;
    let sink = LayoutSink::open(folder)?;
    let plan = copy::plan(
        &source,
        &sink,
        &[Root { descriptor: root.clone(), names: vec!["a:1".to_owned()] }],
        &Choice::default(),
    )?;
    copy::execute(&plan, &source, Box::new(sink), &Execution::new(Events::silent())).map(drop)
}

/// The store as the next command finds it.
fn reopened(store: &Store) -> Store {
    Store::open(store.root()).unwrap()
}

fn path(folder: &Path, blob: &Descriptor) -> PathBuf {
    folder.join("blobs/sha256").join(blob.digest.hex())
}

fn inode(folder: &Path, blob: &Descriptor) -> (u64, u64) {
    let metadata = fs::metadata(path(folder, blob)).unwrap();
    (metadata.dev(), metadata.ino())
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Writes to a blob as somebody who insists.
fn tamper(path: &Path, bytes: &[u8]) {
    set_mode(path, 0o644);
    fs::write(path, bytes).unwrap();
    set_mode(path, 0o444);
}

fn bytes_of(layout: &Layout, blob: &Descriptor) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    layout.open_blob(blob).unwrap().read_to_end(&mut bytes).map(|_| bytes)
}

#[test]
fn blobs_are_shared_and_read_only() {
    let (folder, store) = store();
    let image = image(&store, LAYER);
    // By the process that wrote them, and by one that finds them.
    for (name, store) in [("one", store.clone()), ("two", reopened(&store))] {
        let target = folder.path().join(name);
        copy(&store, &image.manifest, &target).unwrap();
        for blob in [&image.layer, &image.config] {
            assert_eq!(inode(&target, blob), inode(store.root(), blob));
            assert_eq!(fs::metadata(path(&target, blob)).unwrap().mode() & 0o7777, 0o444);
        }
        assert!(!files(&target).iter().any(|path| path.to_string_lossy().contains(".kimg-")));
    }
    // What the store forgets, the layouts keep; what a layout removes, the store keeps.
    store.prune(PruneOptions::default()).unwrap();
    assert!(!store.has(&image.layer));
    fs::remove_dir_all(folder.path().join("one")).unwrap();
    let layout = Layout::open(&folder.path().join("two")).unwrap();
    assert!(bytes_of(&layout, &image.layer).unwrap() == LAYER);
}

#[test]
fn damage_is_found_before_there_is_a_name() {
    let (folder, store) = store();
    let image = image(&store, LAYER);
    let target = folder.path().join("layout");
    let mut other = LAYER.to_vec();
    other[2_999_999] ^= 1;
    for damage in [&other, &LAYER[1..], &[LAYER, b"x"].concat()] {
        tamper(&path(store.root(), &image.layer), damage);
        for store in [&store, &reopened(&store)] {
            let error = copy(store, &image.manifest, &target).unwrap_err();
            assert_eq!(error.category(), Category::Verification, "{error}");
            let wanted = format!("oci:{}: {}: expected {}", target.display(), image.layer.digest, image.layer.digest);
            assert!(error.to_string().starts_with(&wanted), "{error}");
            assert!(!path(&target, &image.layer).exists());
            assert_eq!(Layout::open(&target).unwrap().index().unwrap().manifests, []);
            assert!(!files(&target).iter().any(|path| path.to_string_lossy().contains(".kimg-")));
        }
    }
}

#[test]
fn damage_by_way_of_a_layout_is_found() {
    let (folder, store) = store();
    let image = image(&store, LAYER);
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    copy(&store, &image.manifest, &one).unwrap();
    tamper(&path(&one, &image.layer), &vec![2; LAYER.len()]);
    let error = copy(&store, &image.manifest, &two).unwrap_err();
    assert_eq!(error.category(), Category::Verification, "{error}");
    let findings = store.check(true, &mut |_| {}).unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    // The store mends itself; the layout has what its user made of it.
    store.put(media_type::LAYER, LAYER).unwrap();
    copy(&store, &image.manifest, &two).unwrap();
    assert!(bytes_of(&Layout::open(&two).unwrap(), &image.layer).unwrap() == LAYER);
    assert!(bytes_of(&Layout::open(&one).unwrap(), &image.layer).is_err());
}

#[test]
fn a_blob_that_others_may_write_to_is_none() {
    let (folder, store) = store();
    let image = image(&store, LAYER);
    let blob = path(store.root(), &image.layer);
    // A layout was given to a group, and its files with it.
    set_mode(&blob, 0o664);
    assert!(!store.has(&image.layer));
    assert!(matches!(store.open_blob(&image.layer), Err(StoreError::Unsafe { .. })));
    let error = copy(&store, &image.manifest, &folder.path().join("layout")).unwrap_err();
    let why = format!("{}: the store is refused: its permissions 0664 let others write to it", blob.display());
    assert!(error.to_string().ends_with(&why), "{error}");
    // Another file takes its place; theirs stays as it is.
    store.put(media_type::LAYER, LAYER).unwrap();
    assert!(store.has(&image.layer));
    copy(&store, &image.manifest, &folder.path().join("layout")).unwrap();
}

#[test]
fn what_cannot_be_linked_is_written() {
    let (folder, store) = store();
    let image = image(&store, LAYER);
    let copied = |target: &Path| {
        copy(&store, &image.manifest, target).unwrap();
        assert_ne!(inode(target, &image.layer), inode(store.root(), &image.layer));
        assert!(bytes_of(&Layout::open(target).unwrap(), &image.layer).unwrap() == LAYER);
    };
    // Another file system.
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    assert_ne!(device(elsewhere.path()), device(folder.path()), "the test needs two file systems");
    copied(&elsewhere.path().join("layout"));
    // A file that its owner may write to: as other tools write blobs into the store.
    set_mode(&path(store.root(), &image.layer), 0o644);
    copied(&folder.path().join("writable"));
    // A link in the place of the file.
    let blob = path(store.root(), &image.layer);
    fs::rename(&blob, folder.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("moved"), &blob).unwrap();
    set_mode(&folder.path().join("moved"), 0o444);
    copied(&folder.path().join("symlink"));
}

#[test]
fn a_torn_blob_of_the_layout_is_replaced() {
    let (folder, store) = store();
    let image = image(&store, LAYER);
    let target = folder.path().join("layout");
    copy(&store, &image.manifest, &target).unwrap();
    fs::remove_file(path(&target, &image.layer)).unwrap();
    fs::write(path(&target, &image.layer), "torn").unwrap();
    copy(&store, &image.manifest, &target).unwrap();
    assert_eq!(inode(&target, &image.layer), inode(store.root(), &image.layer));
}
