//! The download cache: only whole and right files get a final name.

#[path = "support/stores.rs"]
mod stores;

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use kimg::digest::{Algorithm, Digest, Hasher};
use kimg::error::{Category, Diagnose};
use kimg::store::{Downloads, Part, Store, StoreError};
use stores::{files, store};

const WHOLE: &[u8] = b"0123456789";

fn digest() -> Digest {
    Digest::of(WHOLE)
}

fn part(downloads: &Downloads, host: &str) -> Part {
    downloads.part(&digest(), 10, host).unwrap().unwrap()
}

/// The part files, without locks.
fn parts(store: &Store) -> Vec<PathBuf> {
    let all = files(&store.root().join("cache/parts")).into_iter();
    all.filter(|path| path.extension().is_none_or(|extension| extension != "lock")).collect()
}

#[test]
fn a_part_becomes_the_whole() {
    let (_folder, store) = store();
    let downloads = store.downloads();
    assert!(matches!(downloads.open(&digest(), 10), Err(StoreError::Absent { .. })));
    for (bytes, offset) in [(&WHOLE[..3], 0), (&WHOLE[3..4], 3), (&WHOLE[4..], 4)] {
        let mut part = part(&downloads, "mirror.example:443");
        assert_eq!(part.offset(), offset);
        part.append(bytes).unwrap();
        assert!(!downloads.has(&digest(), 10), "a part has the final name");
        if part.offset() == 10 {
            part.finish().unwrap();
        }
    }
    assert!(downloads.has(&digest(), 10) && !downloads.has(&digest(), 9));
    assert!(downloads.part(&digest(), 10, "other.example:443").unwrap().is_none());
    let mut bytes = Vec::new();
    downloads.open(&digest(), 10).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, WHOLE);
    assert_eq!(parts(&store), Vec::<PathBuf>::new());
}

#[test]
fn what_an_earlier_run_left_is_hashed_again() {
    let (_folder, store) = store();
    let downloads = store.downloads();
    part(&downloads, "mirror.example:443").append(b"012x").unwrap();
    let mut part = part(&downloads, "mirror.example:443");
    part.append(&WHOLE[part.offset() as usize..]).unwrap();
    let error = part.finish().unwrap_err();
    let (expected, found) = (digest(), Digest::of(b"012x456789"));
    assert!(error.to_string().ends_with(&format!("expected {expected} of 10 bytes, found {found} of 10 bytes")));
    assert_eq!(error.category(), Category::Verification);
    // All of it is thrown away, and nothing has the final name.
    assert_eq!(parts(&store), Vec::<PathBuf>::new());
    assert!(!downloads.has(&digest(), 10));
    assert_eq!(self::part(&downloads, "mirror.example:443").offset(), 0);
}

#[test]
fn a_whole_that_is_too_short_or_too_long() {
    let (_folder, store) = store();
    let downloads = store.downloads();
    let mut short = part(&downloads, "mirror.example:443");
    short.append(&WHOLE[..9]).unwrap();
    assert!(matches!(short.finish(), Err(StoreError::Mismatch { .. })));
    let mut long = part(&downloads, "mirror.example:443");
    long.append(WHOLE).unwrap();
    let error = long.append(b"x").unwrap_err();
    assert!(error.to_string().ends_with("of 10 bytes, found more"), "{error}");
    // What was right before stays right.
    long.finish().unwrap();
    assert!(downloads.has(&digest(), 10));
}

#[test]
fn more_than_the_whole_is_of_no_use() {
    let (_folder, store) = store();
    let downloads = store.downloads();
    part(&downloads, "mirror.example:443").append(WHOLE).unwrap();
    let path = store.root().join("cache/parts").join(&parts(&store)[0]);
    fs::write(&path, [WHOLE, b"x"].concat()).unwrap();
    let mut part = part(&downloads, "mirror.example:443");
    assert_eq!((part.offset(), fs::metadata(&path).unwrap().len()), (0, 0));
    part.append(WHOLE).unwrap();
    part.finish().unwrap();
}

#[test]
fn a_restart_begins_from_nothing() {
    let (_folder, store) = store();
    let downloads = store.downloads();
    let mut part = part(&downloads, "mirror.example:443");
    part.append(b"xxxx").unwrap();
    part.restart().unwrap();
    assert_eq!(part.offset(), 0);
    part.append(WHOLE).unwrap();
    part.finish().unwrap();
    assert_eq!(fs::read(store.root().join("cache/downloads/sha256").join(digest().hex())).unwrap(), WHOLE);
}

#[test]
fn hosts_do_not_mix() {
    let (_folder, store) = store();
    let downloads = store.downloads();
    let long = |last: &str| format!("{}.{last}:443", "very-long-label.".repeat(15));
    let hosts = ["a.example:443", "a.example:80", "a.example_3a443", "a_2eexample", "[::1]:443", "A.example:443"];
    let hosts: Vec<String> = hosts.into_iter().map(str::to_owned).chain([long("a"), long("b")]).collect();
    for (count, host) in hosts.iter().enumerate() {
        let mut part = part(&downloads, host);
        assert_eq!(part.offset(), 0, "{host}");
        part.append(&WHOLE[..count + 1]).unwrap();
    }
    for (count, host) in hosts.iter().enumerate() {
        assert_eq!(part(&downloads, host).offset(), count as u64 + 1, "{host}");
    }
    // A host is a name, and never a way out of the folder.
    part(&downloads, "../../x/y").append(b"0").unwrap();
    assert_eq!(parts(&store).len(), hosts.len() + 1);
    // When one of them brought it, what others sent is of no use any more; another file's part is.
    let other = downloads.part(&Digest::of(b"other"), 5, "a.example:443").unwrap().unwrap();
    let mut last = part(&downloads, &hosts[0]);
    last.append(&WHOLE[1..]).unwrap();
    last.finish().unwrap();
    assert_eq!(parts(&store).len(), 1);
    drop(other);
}

#[test]
fn an_input_of_sha_512_with_the_longest_host_name() {
    let (_folder, store) = store();
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(WHOLE);
    let digest = hasher.finish();
    let host = format!("{}:65535", "a".repeat(253));
    let mut part = store.downloads().part(&digest, 10, &host).unwrap().unwrap();
    part.append(WHOLE).unwrap();
    part.finish().unwrap();
    store.downloads().open(&digest, 10).unwrap();
    assert_eq!(store.check(true, &mut |_| {}).unwrap(), []);
    assert!(store.downloads().has(&digest, 10));
}

#[test]
fn a_cached_file_that_changed_is_removed_and_no_parser_sees_it() {
    let (_folder, store) = store();
    let downloads = store.downloads();
    let path = store.root().join("cache/downloads/sha256").join(digest().hex());
    for damage in [&b"012345678x"[..], b"01234", b"01234567890"] {
        downloads.insert(WHOLE).unwrap();
        fs::write(&path, damage).unwrap();
        let error = downloads.open(&digest(), 10).unwrap_err();
        assert_eq!(error.category(), Category::Verification, "{error}");
        assert!(error.to_string().contains(&format!("expected {} of 10 bytes, found ", digest())), "{error}");
        assert!(!path.exists());
    }
    assert_eq!(downloads.insert(WHOLE).unwrap(), digest());
    downloads.open(&digest(), 10).unwrap();
}
