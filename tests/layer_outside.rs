//! Archives from outside: safe entries come out, or an error that names archive and entry.

#[path = "support/layers.rs"]
mod layers;
#[path = "support/tars.rs"]
mod tars;

use std::io::{self, Read};

use kimg::error::{Category, Diagnose};
use kimg::layer::{Compression, Entry, EntryKind, LayerError, Limits, read_tar};
use layers::{Random, file, folder, hardlink, symlink};
use proptest::prelude::*;
use tars::{Fields, Tar};

const LIMITS: Limits = Limits { entries: 100, bytes: 1 << 20 };

fn read(tar: impl Read, limits: Limits) -> Result<Vec<(Entry, Vec<u8>)>, LayerError> {
    let mut found = Vec::new();
    read_tar(tar, "x.deb", limits, |entry, content| {
        let mut bytes = Vec::new();
        // A truncated archive is found by the next read.
        let _ = content.read_to_end(&mut bytes);
        found.push((entry, bytes));
        Ok::<(), LayerError>(())
    })?;
    Ok(found)
}

/// What comes out, in short.
fn names(tar: &[u8]) -> Vec<String> {
    let entries = read(tar, LIMITS).unwrap();
    entries.iter().map(|(entry, bytes)| format!("{} {}", entry.path, bytes.escape_ascii())).collect()
}

fn refusal(tar: &[u8]) -> String {
    match read(tar, LIMITS) {
        Ok(found) => panic!("these are not refused: {found:?}"),
        Err(error) => {
            assert_eq!(error.category(), Category::Verification, "{error}");
            error.to_string()
        }
    }
}

#[test]
fn what_a_layer_holds_is_read_back() {
    let long = vec![b'n'; 300];
    let mut owned = file(b"\xffx", b"1".to_vec());
    (owned.0.uid, owned.0.gid, owned.0.mode) = (3_000_000, u32::MAX, 0o1640);
    let items = [
        folder(b"usr"),
        file(b"usr/a", Random(1).mix(70_000)),
        symlink(b"usr/l", b"../etc/x\ny"),
        hardlink(b"usr/h", b"usr/a"),
        file(&long, Vec::new()),
        symlink("ä".as_bytes(), &long),
        file(b"line\nbreak=1", b"x".to_vec()),
        owned,
    ];
    let (_, tar) = layers::write(&items, Compression::None, 1).unwrap();
    let found = read(tar.as_slice(), LIMITS).unwrap();
    for ((entry, bytes), (mut expected, contents)) in found.into_iter().zip(items) {
        expected.origin.input = "x.deb".into();
        assert_eq!((entry, bytes), (expected, contents));
    }
}

#[test]
fn what_is_left_unread_is_skipped() {
    let tar = Tar::default().file(b"a", &[1; 1000]).file(b"b", &[2; 1000]).end();
    let mut paths = Vec::new();
    read_tar(tar.as_slice(), "x", LIMITS, |entry, content| {
        content.read_exact(&mut [0; 3]).unwrap();
        paths.push(entry.path.to_string());
        Ok::<(), LayerError>(())
    })
    .unwrap();
    assert_eq!(paths, ["a", "b"]);
}

#[test]
fn the_callers_error_ends_it() {
    let tar = Tar::default().file(b"a", b"").file(b"b", b"").end();
    let mut calls = 0;
    let result = read_tar(tar.as_slice(), "x", LIMITS, |_, _| {
        calls += 1;
        Err(LayerError::Encoder("enough".to_owned()))
    });
    assert_eq!((result.unwrap_err().to_string().as_str(), calls), ("compressing a layer: enough", 1));
}

#[test]
fn roots_and_global_headers_are_left_out() {
    let tar = Tar::default()
        .extension(b'g', b"14 comment=abc\n")
        .entry(b'5', b"./", b"")
        .entry(b'5', b"/", b"")
        .entry(b'5', b".", b"")
        .file(b"./a/./b", b"1")
        .end();
    assert_eq!(names(&tar), ["a/b 1"]);
}

#[test]
fn paths_that_no_image_has() {
    let tar = |name: &[u8]| Tar::default().file(name, b"").end();
    for (name, why) in [
        (&b"../etc/passwd"[..], "it climbs by `..`"),
        (b"a/../../b", "it climbs by `..`"),
        (b"/etc/passwd", "it is absolute"),
        (b"", "it is empty"),
        (b"./", "it is empty"),
    ] {
        let text = name.escape_ascii();
        assert_eq!(refusal(&tar(name)), format!("x.deb: {text}: path `{text}`: {why}"));
    }
    // Folders too: only the root itself is left out.
    for name in [&b".."[..], b"./..", b"", b"a/.."] {
        let refused = refusal(&Tar::default().entry(b'5', name, b"").end());
        assert!(refused.contains("path `"), "{refused}");
    }
    let refused = refusal(&tar(b"a/"));
    assert_eq!(refused, "x.deb: a/: it is a file with the name of a folder");
    let error = read(tar(b"..").as_slice(), LIMITS).unwrap_err();
    assert_eq!(error.hint().unwrap(), "the archive is not what its publisher would make; it is not used");
}

#[test]
fn names_out_of_extension_headers_are_judged_as_well() {
    let with = |records: &[(&str, &[u8])]| Tar::default().pax(records).file(b"harmless", b"").end();
    assert!(refusal(&with(&[("path", b"a\0b")])).contains("it holds a NUL byte"));
    assert!(refusal(&with(&[("path", b"../x")])).contains("it climbs by `..`"));
    assert!(refusal(&with(&[("path", &[b'n'; 5000])])).contains("it is longer than 4096 bytes"));
    let long = |kind: u8, name: &[u8]| Tar::default().extension(kind, name).entry(b'2', b"harmless", b"x").end();
    assert!(refusal(&long(b'L', b"../x\0")).contains("it climbs by `..`"));
    assert!(refusal(&long(b'L', b"\0")).contains("it is empty"));
    assert!(refusal(&long(b'K', b"../x\0")).contains("it links to `../x`, outside the root"));
    // An empty value takes the record back.
    assert_eq!(names(&with(&[("path", b"")])), ["harmless "]);
    assert_eq!(names(&with(&[("path", b"\xff\n12 path=x")])), [r"\xff\n12 path=x "]);
}

#[test]
fn headers_that_contradict_each_other() {
    let file = |tar: Tar| tar.file(b"a", b"12").end();
    for tar in [
        Tar::default().pax(&[("path", b"x")]).pax(&[("path", b"y")]),
        Tar::default().pax(&[("path", b"x"), ("path", b"y")]),
        Tar::default().pax(&[("path", b"x")]).extension(b'L', b"y\0"),
        Tar::default().extension(b'L', b"x\0").extension(b'L', b"y\0"),
    ] {
        let refused = refusal(&file(tar));
        assert_eq!(refused, "x.deb: the archive is damaged: two extension headers say the same of one entry");
    }
    assert_eq!(refusal(&file(Tar::default().pax(&[("size", b"1")]))), "x.deb: a: its headers give two sizes");
    assert_eq!(names(&file(Tar::default().pax(&[("size", b"2"), ("mtime", b"1.5")]))), ["a 12"]);
    for malformed in [&b"5 a=b\n"[..], b"6 a=bc", b"x", b"6 abcd\n", b"99 a=b\n", b"2 ", b"18446744073709551616 a=b\n"]
    {
        let refused = refusal(&file(Tar::default().extension(b'x', malformed)));
        assert!(refused.starts_with("x.deb: the archive is damaged: a "), "{}: {refused}", malformed.escape_ascii());
    }
    assert!(refusal(&file(Tar::default().pax(&[("uid", b"-1")]))).contains("a number of a PAX record is malformed"));
    assert!(refusal(&file(Tar::default().pax(&[("uid", b"4294967296")]))).contains("its mode or owner is no number"));
    let dangling = Tar::default().file(b"a", b"").pax(&[("path", b"b")]).end();
    assert!(refusal(&dangling).ends_with("it ends after a header that describes another entry"));
}

#[test]
fn links_out_of_the_root() {
    let link = |kind: u8, target: &[u8]| Tar::default().file(b"x", b"").entry(kind, b"usr/l", target).end();
    for target in [&b"../.."[..], b"../../etc", b"a/../../../b", b""] {
        let refused = refusal(&link(b'2', target));
        assert!(refused.starts_with("x.deb: usr/l: it "), "{refused}");
    }
    for target in [&b"/etc"[..], b"../etc", b"x", b"a/../.."] {
        assert_eq!(names(&link(b'2', target)), ["x ", "usr/l "]);
    }
    for target in [&b"../x"[..], b"/x", b"", b"y", b"usr/l", b"usr"] {
        let refused = refusal(&link(b'1', target));
        assert!(refused.starts_with("x.deb: usr/l: "), "{refused}");
    }
    assert_eq!(names(&link(b'1', b"./x")), ["x ", "usr/l "]);
    // Not through a symbolic link either.
    let tar = Tar::default().entry(b'2', b"x", b"/etc").entry(b'1', b"y", b"x").end();
    assert_eq!(refusal(&tar), "x.deb: y: it is a hard link to x, which did not come before as a file");
}

#[test]
fn paths_through_what_is_no_folder() {
    for before in [Tar::default().entry(b'2', b"a", b"/tmp"), Tar::default().file(b"a", b"")] {
        let refused = refusal(&before.file(b"a/b/c", b"").end());
        assert_eq!(refused, "x.deb: a/b/c: its path leads through a, which is no folder");
    }
    // In the other order the link would take the place of a folder that holds something.
    for kind in [b'2', b'0'] {
        let tar = Tar::default().file(b"a/b", b"").entry(kind, b"a", if kind == b'2' { b"/tmp" } else { b"" });
        assert_eq!(refusal(&tar.end()), "x.deb: a: it comes twice");
    }
}

#[test]
fn one_path_twice() {
    for (first, second) in [(b'0', b'0'), (b'0', b'5'), (b'5', b'0'), (b'5', b'2'), (b'2', b'2')] {
        let tar = Tar::default().entry(first, b"a", b"x").entry(second, b"./a", b"x").end();
        assert_eq!(refusal(&tar), "x.deb: a: it comes twice");
    }
    assert_eq!(names(&Tar::default().entry(b'5', b"a/", b"").entry(b'5', b"a", b"").end()).len(), 2);
}

#[test]
fn kinds_that_no_package_needs() {
    let tar = |kind: u8| Tar::default().entry(kind, b"dev/x", b"").end();
    for (kind, why) in [
        (b'3', "it is a device"),
        (b'4', "it is a device"),
        (b'6', "it is a pipe"),
        (b'S', "it is a sparse file"),
        (b'V', "its type 'V' is not known"),
        (b'M', "its type 'M' is not known"),
        (0xff, "its type 'ÿ' is not known"),
    ] {
        assert_eq!(refusal(&tar(kind)), format!("x.deb: dev/x: {why}"));
    }
    // A sparse file of newer archives: its contents are a map and pieces.
    let records: &[(&str, &[u8])] = &[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")];
    assert_eq!(refusal(&Tar::default().pax(records).file(b"a", b"").end()), "x.deb: a: it is a sparse file");
    // An extension header needs a magic; without one it is an entry of a type that is not known.
    let old = Tar::default().add(Fields { kind: b'L', magic: b"", contents: b"x\0", ..Fields::default() });
    assert_eq!(refusal(&old.file(b"a", b"").end()), "x.deb: file: its type 'L' is not known");
}

#[test]
fn a_sparse_header_of_absurd_numbers_is_only_refused() {
    // Its size and offsets come to more than 64 bits.
    let mut header = Tar::default().add(Fields {
        kind: b'S',
        magic: b"ustar  \0",
        size: Some(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xfc\0"),
        ..Fields::default()
    });
    header.0[482] = 1;
    assert!(read(header.end().as_slice(), LIMITS).is_err());
}

#[test]
fn numbers_that_are_none() {
    let tar = |fields: Fields<'_>| Tar::default().add(fields).end();
    for fields in [
        Fields { mode: b"zzzzzzz", ..Fields::default() },
        Fields { uid: b"zzzzzzz", ..Fields::default() },
        Fields { uid: b"\x80\0\0\x01\0\0\0\0", ..Fields::default() },
    ] {
        assert_eq!(refusal(&tar(fields)), "x.deb: file: its mode or owner is no number");
    }
    assert!(refusal(&tar(Fields { size: Some(b"zzzzzzzzzzz"), ..Fields::default() })).contains("damaged"));
    let (entry, _) = read(tar(Fields { mode: b"7777777", ..Fields::default() }).as_slice(), LIMITS).unwrap().remove(0);
    assert_eq!(entry.mode, 0o7777);
}

#[test]
fn a_truncated_archive() {
    let tar = Tar::default().file(b"a", &[1; 700]).pax(&[("path", b"long")]).file(b"b", &[2; 100]).end();
    let whole = read(tar.as_slice(), LIMITS).unwrap();
    // Between two entries it looks like an end, which is left to the digest of the whole.
    let ends = [0, 512 + 1024, tar.len() - 1024];
    for length in (0..tar.len() - 1024).filter(|length| !ends.contains(length)) {
        let error = read(&tar[..length], LIMITS).unwrap_err();
        assert!(matches!(error, LayerError::Damaged { .. }), "{length}: {error}");
    }
    for length in ends {
        assert!(whole.starts_with(&read(&tar[..length], LIMITS).unwrap()));
    }
}

#[test]
fn a_reader_that_fails_is_told_with_its_reason() {
    let tar = Tar::default().file(b"a", b"").end();
    let broken = tar[..512].chain(Broken);
    assert_eq!(read(broken, LIMITS).unwrap_err().to_string(), "x.deb: the archive is damaged: lzma data is corrupt");
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::InvalidData, "lzma data is corrupt"))
    }
}

/// An archive with a bit of everything, from which mutations begin.
fn good() -> Vec<u8> {
    Tar::default()
        .extension(b'g', b"14 comment=abc\n")
        .entry(b'5', b"./", b"")
        .entry(b'5', b"usr/", b"")
        .file(b"usr/a", &[1; 700])
        .entry(b'2', b"usr/l", b"a")
        .entry(b'1', b"usr/h", b"usr/a")
        .pax(&[("path", b"usr/long"), ("uid", b"5")])
        .file(b"usr/short", b"x")
        .extension(b'L', b"usr/longer\0")
        .extension(b'K', b"../usr\0")
        .entry(b'2', b"usr/short", b"short")
        .end()
}

/// Whatever came out is what a layer may hold.
fn check(found: &[(Entry, Vec<u8>)]) {
    for (entry, bytes) in found {
        let path = entry.path.as_bytes();
        let parts = || path.split(|byte| *byte == b'/');
        assert!(!path.contains(&0) && parts().all(|part| !matches!(part, b"" | b"." | b"..")), "{entry:?}");
        assert!(entry.mode <= 0o7777);
        if let EntryKind::File { size } = entry.kind {
            assert!(bytes.len() as u64 <= size && size <= LIMITS.bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        if let Ok(found) = read(bytes.as_slice(), LIMITS) {
            check(&found);
        }
    }

    #[test]
    fn any_mutation_is_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        mend in any::<bool>(),
    ) {
        let mut tar = good();
        for (index, byte) in changes {
            let at = index.index(tar.len());
            tar[at] = byte;
        }
        tar.truncate(tar.len() - cut.index(tar.len()) / 8);
        if mend {
            // With right checksums, so that the change itself is looked at.
            for header in tar.chunks_exact_mut(512).filter(|header| &header[257..262] == b"ustar") {
                header[148..156].fill(b' ');
                let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
                header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        if let Ok(found) = read(tar.as_slice(), LIMITS) {
            check(&found);
        }
    }
}
