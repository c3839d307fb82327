//! Many processes at one store, and processes that are killed.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a child of a test is told by these, and tells"
)]

#[path = "support/child.rs"]
mod child;
#[path = "support/stores.rs"]
mod stores;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use kimg::digest::Digest;
use kimg::error::{Category, Diagnose};
use kimg::oci::{Descriptor, media_type};
use kimg::store::{PruneOptions, Store, StoreError};
use stores::{files, image, store};

/// Gives many names to one image, each by a change of its own.
fn give_names(store: &Store, who: &str, count: usize) {
    let image = image(store, b"one");
    for number in 0..count {
        store.name(&[format!("{who}:{number}")], &image.manifest).unwrap();
    }
}

/// Tells threads to end, whatever became of the test.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn no_name_is_lost() {
    if let Some((folder, who)) = child::part() {
        let store = Store::open(&folder).unwrap();
        child::reached();
        give_names(&store, &who, 10);
        child::end();
    }
    let (_folder, store) = store();
    let mut children: Vec<_> =
        (0..3).map(|number| child::start("no_name_is_lost", store.root(), &format!("process-{number}"))).collect();
    children.iter_mut().for_each(child::Running::wait_until_reached);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = SetAtEnd(&done);
        // Whoever reads sees a whole index at every moment.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.names().unwrap();
            }
        });
        children.iter_mut().for_each(child::Running::go_on);
        let store = &store;
        let threads: Vec<_> =
            (0..8).map(|number| scope.spawn(move || give_names(store, &format!("thread-{number}"), 5))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        children.into_iter().for_each(child::Running::finish);
    });
    let mut expected: Vec<String> = (0..3).flat_map(|p| (0..10).map(move |n| format!("process-{p}:{n}"))).collect();
    expected.extend((0..8).flat_map(|t| (0..5).map(move |n| format!("thread-{t}:{n}"))));
    expected.sort();
    assert_eq!(store.names().unwrap().into_iter().map(|named| named.name).collect::<Vec<_>>(), expected);
    // Nothing is left under way.
    let leftover = |path: &PathBuf| path.to_string_lossy().contains(".kimg-");
    assert!(!files(store.root()).iter().any(leftover));
}

#[test]
fn what_a_killed_process_had_under_way_is_swept() {
    if let Some((folder, _)) = child::part() {
        let store = Store::open(&folder).unwrap();
        let _lease = store.lease().unwrap();
        let mut in_store = store.create_blob().unwrap();
        in_store.append(&[1; 300_000]).unwrap();
        let mut in_layout = store.layout().create_blob().unwrap();
        in_layout.append(&[2; 300_000]).unwrap();
        child::reached();
        child::end();
    }
    let (_folder, store) = store();
    let under_way = || -> Vec<PathBuf> {
        let all = files(store.root()).into_iter();
        all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".kimg-")).collect()
    };
    let mut child = child::start("what_a_killed_process_had_under_way_is_swept", store.root(), "");
    child.wait_until_reached();
    // While it lives, nobody takes its files away.
    drop(store.lease().unwrap());
    assert_eq!(under_way().len(), 2);
    child.kill();
    assert_eq!(under_way().len(), 2);
    // Who only looks leaves them; `prune` says what it would do, and every lease does it.
    store.names().unwrap();
    let told = store.prune(PruneOptions { dry_run: true, ..PruneOptions::default() }).unwrap();
    assert_eq!((told.leftovers, told.bytes, under_way().len()), (2, 600_000, 2));
    drop(store.lease().unwrap());
    assert_eq!(under_way(), Vec::<PathBuf>::new());
    assert_eq!(files(&store.root().join("blobs")), Vec::<PathBuf>::new());
}

#[test]
fn prune_sweeps_as_well() {
    if let Some((folder, _)) = child::part() {
        let mut blob = Store::open(&folder).unwrap().create_blob().unwrap();
        blob.append(b"torn").unwrap();
        child::reached();
        child::end();
    }
    let (_folder, store) = store();
    let mut child = child::start("prune_sweeps_as_well", store.root(), "");
    child.wait_until_reached();
    child.kill();
    let pruned = store.prune(PruneOptions::default()).unwrap();
    assert_eq!((pruned.leftovers, pruned.bytes), (1, 4));
    assert_eq!(store.prune(PruneOptions::default()).unwrap(), kimg::store::Pruned::default());
}

#[test]
fn prune_is_refused_while_another_process_works() {
    if let Some((folder, _)) = child::part() {
        let store = Store::open(&folder).unwrap();
        let _lease = store.lease().unwrap();
        store.put(media_type::LAYER, b"not named yet").unwrap();
        child::reached();
        child::end();
    }
    let (_folder, store) = store();
    let mut child = child::start("prune_is_refused_while_another_process_works", store.root(), "");
    child.wait_until_reached();
    let error = store.prune(PruneOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert_eq!(error.category(), Category::Failed);
    assert_eq!(error.hint().unwrap(), "run it again when they have ended");
    assert!(store.has(&Descriptor::of(media_type::LAYER, b"not named yet")));
    // Leases are held together.
    drop(store.lease().unwrap());
    child.kill();
    assert_eq!(store.prune(PruneOptions::default()).unwrap().blobs, 1);
}

#[test]
fn a_lease_waits_for_a_prune_under_way() {
    let (_folder, store) = store();
    drop(store.lease().unwrap());
    // What `prune` holds.
    let lock = std::fs::File::open(store.root().join("cache/lease")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let (sender, leased) = channel();
    thread::scope(|scope| {
        let (store, sender) = (&store, sender);
        scope.spawn(move || {
            let _lease = store.lease().unwrap();
            sender.send(()).unwrap();
        });
        let early = leased.recv_timeout(Duration::from_millis(100));
        drop(lock);
        leased.recv().unwrap();
        assert!(early.is_err(), "the lease did not wait");
    });
}

#[test]
fn a_process_that_is_killed_while_it_names_leaves_the_old_index_or_the_new() {
    if let Some((folder, _)) = child::part() {
        let store = Store::open(&folder).unwrap();
        let image = image(&store, b"one");
        eprintln!("reached");
        for number in 0.. {
            store.name(&[format!("a:{}", number % 50)], &image.manifest).unwrap();
            store.name(&[format!("a:{}", number % 50)], &image.config).unwrap();
        }
    }
    let (_folder, store) = store();
    for _ in 0..5 {
        let test = "a_process_that_is_killed_while_it_names_leaves_the_old_index_or_the_new";
        let mut child = child::start(test, store.root(), "");
        child.wait_until_reached();
        let before = store.layout().index().unwrap();
        // Until it is in the midst of it.
        while store.layout().index().unwrap() == before {
            assert!(child.is_running());
        }
        child.kill();
        store.layout().index().unwrap();
        // Its lock went with it.
        store.name(&["mine:1".to_owned()], &image(&store, b"two").manifest).unwrap();
        assert!(store.resolve("mine:1").unwrap().is_some());
    }
    drop(store.lease().unwrap());
    assert!(!files(store.root()).iter().any(|path| path.to_string_lossy().contains(".kimg-")));
}

#[test]
fn a_download_that_was_killed_is_continued() {
    const WHOLE: &[u8] = b"0123456789";
    if let Some((folder, _)) = child::part() {
        let downloads = Store::open(&folder).unwrap().downloads();
        let mut part = downloads.part(&Digest::of(WHOLE), 10, "mirror.example:443").unwrap().unwrap();
        part.append(&WHOLE[..7]).unwrap();
        child::reached();
        child::end();
    }
    let (_folder, store) = store();
    let mut child = child::start("a_download_that_was_killed_is_continued", store.root(), "");
    child.wait_until_reached();
    child.kill();
    let downloads = store.downloads();
    assert!(!downloads.has(&Digest::of(WHOLE), 10));
    let mut part = downloads.part(&Digest::of(WHOLE), 10, "mirror.example:443").unwrap().unwrap();
    assert_eq!(part.offset(), 7);
    part.append(&WHOLE[7..]).unwrap();
    part.finish().unwrap();
    assert!(downloads.has(&Digest::of(WHOLE), 10));
}

#[test]
fn of_two_processes_that_want_one_file_one_fetches_it() {
    const WHOLE: &[u8] = b"0123456789";
    if let Some((folder, _)) = child::part() {
        let downloads = Store::open(&folder).unwrap().downloads();
        let mut part = downloads.part(&Digest::of(WHOLE), 10, "one.example:443").unwrap().unwrap();
        part.append(&WHOLE[..5]).unwrap();
        child::reached();
        part.append(&WHOLE[5..]).unwrap();
        part.finish().unwrap();
        child::end();
    }
    let (_folder, store) = store();
    let mut child = child::start("of_two_processes_that_want_one_file_one_fetches_it", store.root(), "");
    child.wait_until_reached();
    let downloads = store.downloads();
    thread::scope(|scope| {
        // From whichever host: it waits, and finds the whole.
        let waiting = scope.spawn(|| downloads.part(&Digest::of(WHOLE), 10, "two.example:443").unwrap().is_none());
        // Another file is not concerned.
        assert!(downloads.part(&Digest::of(b"other"), 5, "one.example:443").unwrap().is_some());
        child.go_on();
        assert!(waiting.join().unwrap());
    });
    child.finish();
    std::io::Read::read_to_end(&mut downloads.open(&Digest::of(WHOLE), 10).unwrap(), &mut Vec::new()).unwrap();
}
