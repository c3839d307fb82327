//! Inputs that come from elsewhere than the network, and inputs that go elsewhere: whole and verified, or not at all.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders")]

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kimg::digest::{Algorithm, Digest, Hasher};
use kimg::error::{Category, Diagnose};
use kimg::store::{Downloads, PruneOptions, Store, StoreError};

fn digests(bytes: &[u8]) -> [Digest; 2] {
    [Algorithm::Sha256, Algorithm::Sha512].map(|algorithm| {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    })
}

fn put(downloads: &Downloads, digest: &Digest, size: u64, mut bytes: &[u8]) -> Result<(), StoreError> {
    let mut input = downloads.create("a file", digest, size)?;
    input.append_all(&mut bytes, |error| panic!("{error}"))?;
    input.commit()
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().path().strip_prefix(folder).unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn an_input_has_its_name_when_it_is_whole_and_fits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let downloads = store.downloads();
    for digest in digests(b"right") {
        for (bytes, size) in [(&b"wrong"[..], 5), (b"righ", 5), (b"right and more", 5), (b"right", 4), (b"", 5)] {
            let error = put(&downloads, &digest, size, bytes).unwrap_err();
            assert!(error.category() == Category::Verification && error.to_string().starts_with("a file: "), "{error}");
            assert_eq!(downloads.size(&digest), None);
        }
        drop(downloads.create("a file", &digest, 5).unwrap());
        put(&downloads, &digest, 5, b"right").unwrap();
        assert_eq!((downloads.size(&digest), downloads.has(&digest, 5)), (Some(5), true));
        let mut text = String::new();
        downloads.open(&digest, 5).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "right");
        assert_eq!(
            names(&folder.path().join("cache/downloads").join(digest.algorithm().name())),
            [Path::new(&digest.hex())]
        );
    }
    assert_eq!(names(&folder.path().join("cache/tmp")), [""; 0].map(PathBuf::from));
}

#[test]
fn a_content_that_cannot_be_read_is_told_by_its_reader() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("torn"))
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let downloads = Store::open(folder.path()).unwrap().downloads();
    let mut input = downloads.create("a file", &Digest::of(b"x"), 1).unwrap();
    let unreadable = |source| StoreError::Io { what: "read", path: "there".into(), source };
    let error = input.append_all(&mut Broken, unreadable).unwrap_err();
    assert_eq!(error.to_string(), "there: cannot read: torn");
}

#[test]
fn both_folders_are_checked_and_pruned() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for digest in digests(b"right") {
        put(&store.downloads(), &digest, 5, b"right").unwrap();
    }
    assert!(store.check(false, &mut |_| {}).unwrap().is_empty());
    let [_, sha512] = digests(b"right");
    fs::write(folder.path().join("cache/downloads/sha512").join(sha512.hex()), "wrong").unwrap();
    let findings = store.check(true, &mut |_| {}).unwrap();
    assert!(findings.len() == 1 && findings[0].mended && findings[0].what.contains("sha512:"), "{findings:?}");
    let pruned = store.prune(PruneOptions { downloads: true, dry_run: false }).unwrap();
    assert_eq!((pruned.downloads, pruned.bytes), (1, 5));
    // A store of before had no such folder.
    fs::remove_dir(folder.path().join("cache/downloads/sha512")).unwrap();
    assert!(store.downloads().part(&sha512, 5, "a.example:80").unwrap().is_some());
    put(&store.downloads(), &sha512, 5, b"right").unwrap();
}

#[test]
fn an_export_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let (digest, to) = (Digest::of(b"right"), folder.path().join("out/a/b.jar"));
    put(&store.downloads(), &digest, 5, b"right").unwrap();
    store.downloads().export(&digest, 5, &to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"right");
    let before = fs::metadata(&to).unwrap().modified().unwrap();
    store.downloads().export(&digest, 5, &to).unwrap();
    assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), before);
    for other in ["wrong", "right and more", ""] {
        fs::write(&to, other).unwrap();
        store.downloads().export(&digest, 5, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"right", "{other}");
    }
    // Damaged in the store: nothing of it gets out.
    fs::write(folder.path().join("store/cache/downloads/sha256").join(digest.hex()), "wrong").unwrap();
    let error = store.downloads().export(&digest, 5, &folder.path().join("out/a/c.jar")).unwrap_err();
    assert_eq!(error.category(), Category::Verification);
    assert_eq!(names(&folder.path().join("out/a")), [Path::new("b.jar")]);
}
