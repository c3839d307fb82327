//! Archives that declare, or decompress to, more than anybody can hold.

#[path = "support/tars.rs"]
mod tars;

use std::io::{self, Cursor, Read, Write};

use kimg::error::{Category, Diagnose};
use kimg::layer::{LayerError, Limits, read_tar, zip_member};
use proptest::prelude::*;
use tars::{Fields, Tar};
use zip::write::SimpleFileOptions;

const LIMITS: Limits = Limits { entries: 100, bytes: 1 << 20 };

/// Reads all and keeps nothing.
fn read(tar: impl Read, limits: Limits) -> Result<(), LayerError> {
    read_tar(tar, "x.deb", limits, |_, content| {
        let _ = io::copy(content, &mut io::sink());
        Ok(())
    })
}

/// Endless bytes, as a decompressor makes them of a few; counts what is taken.
struct Endless<'a> {
    begin: &'a [u8],
    repeat: &'a [u8],
    at: u64,
}

impl Read for &mut Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(self.at < 16 << 20, "it is read without end");
        for byte in buffer.iter_mut() {
            let at = usize::try_from(self.at).unwrap();
            *byte = match self.begin.get(at) {
                Some(byte) => *byte,
                None => self.repeat[(at - self.begin.len()) % self.repeat.len()],
            };
            self.at += 1;
        }
        Ok(buffer.len())
    }
}

/// What is refused of an endless archive, and how much of it was read.
fn endless(begin: &[u8], repeat: &[u8]) -> (String, u64) {
    let mut endless = Endless { begin, repeat, at: 0 };
    let error = read(&mut endless, LIMITS).unwrap_err();
    assert!(matches!(error, LayerError::Bomb { .. }), "{error}");
    (error.to_string(), endless.at)
}

#[test]
fn bombs_are_refused_before_they_are_read() {
    let bytes = "x.deb: more than 1048576 bytes, so it is refused as a bomb";
    let entries = "x.deb: more than 100 entries, so it is refused as a bomb";
    let huge =
        |kind: u8, size: &'static [u8]| Tar::default().add(Fields { kind, size: Some(size), ..Fields::default() }).0;
    // A file, a folder, a global header and extension headers of sizes that no archive has.
    for kind in *b"05gLKx" {
        for size in [&b"00004000001"[..], b"77777777777", b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"] {
            assert_eq!(endless(&huge(kind, size), b"1"), (bytes.to_owned(), 512), "{}", char::from(kind));
        }
    }
    // Many small files, which together are too much.
    let each = Tar::default().file(b"a", &[0; 600_000]).file(b"b", &[0; 600_000]).0;
    assert_eq!(endless(&each, &[0]).0, bytes);
    // Entries without end that are none: roots, global headers, one folder again and again.
    for repeat in [
        Tar::default().entry(b'5', b"./", b"").0,
        Tar::default().entry(b'5', b"a", b"").0,
        Tar::default().extension(b'g', b"").0,
    ] {
        let (text, read) = endless(&[], &repeat);
        assert_eq!((text.as_str(), read), (entries, 101 * repeat.len() as u64));
    }
    // Extension headers without end are two at most.
    let repeat = Tar::default().extension(b'x', b"").0;
    let mut endless = Endless { begin: &[], repeat: &repeat, at: 0 };
    assert!(matches!(read(&mut endless, LIMITS), Err(LayerError::Damaged { .. })));
    assert_eq!(endless.at, 2 * 512);
}

#[test]
fn an_extension_header_has_a_bound_of_its_own() {
    let limits = Limits { entries: 100, bytes: 1 << 40 };
    for kind in *b"LKx" {
        let begin = Tar::default().add(Fields { kind, size: Some(b"00400000000"), ..Fields::default() }).0;
        let mut endless = Endless { begin: &begin, repeat: b"1", at: 0 };
        let error = read(&mut endless, limits).unwrap_err();
        let text = "x.deb: more than 1048576 bytes in an extension header, so it is refused as a bomb";
        assert_eq!((error.to_string().as_str(), endless.at <= 512 + (1 << 20) + 1), (text, true));
    }
}

#[test]
fn folders_that_paths_lead_through_count() {
    let deep = vec![b"d".as_slice(); 200].join(&b'/');
    let tar = Tar::default().pax(&[("path", &deep)]).file(b"x", b"").end();
    let error = read(tar.as_slice(), LIMITS).unwrap_err();
    assert_eq!(error.to_string(), "x.deb: more than 100 entries, so it is refused as a bomb");
    // And the bytes of names have a bound, though there may be many entries.
    let limits = Limits { entries: 1 << 30, bytes: 1 << 40 };
    let mut tar = Tar::default();
    for index in 0..40 {
        let path = format!("{index}/{}", "d/".repeat(2000));
        tar = tar.pax(&[("path", path.as_bytes())]).entry(b'5', b"x", b"");
    }
    let error = read(tar.end().as_slice(), limits).unwrap_err();
    assert_eq!(error.to_string(), "x.deb: more than 67108864 bytes of names, so it is refused as a bomb");
}

/// A zip with a member of text, one of many zeros, and an empty one.
fn good_zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in
        [("META-INF/LICENSE", b"licence".to_vec()), ("zeros", vec![0; 1 << 20]), ("empty", Vec::new())]
    {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&contents).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn member(zip: &[u8], name: &str, limit: u64) -> Result<Option<Vec<u8>>, LayerError> {
    zip_member(Cursor::new(zip), "x.jar", name, limit)
}

#[test]
fn a_member_of_a_zip() {
    let zip = good_zip();
    assert_eq!(member(&zip, "META-INF/LICENSE", 7).unwrap().unwrap(), b"licence");
    assert_eq!(member(&zip, "empty", 0).unwrap().unwrap(), b"");
    assert_eq!(member(&zip, "META-INF", 7).unwrap(), None);
    assert_eq!(member(&zip, "", 7).unwrap(), None);
}

#[test]
fn a_member_that_is_larger_than_its_bound() {
    let zip = good_zip();
    let error = member(&zip, "zeros", (1 << 20) - 1).unwrap_err();
    assert_eq!(error.to_string(), "x.jar: zeros: more than 1048575 bytes, so it is refused as a bomb");
    assert_eq!(error.category(), Category::Verification);
    assert_eq!(member(&zip, "zeros", 1 << 20).unwrap().unwrap().len(), 1 << 20);
    // What it declares does not matter: it says 1 byte, and has a mebibyte.
    let mut lying = zip;
    for at in 0..lying.len() - 4 {
        if lying[at..at + 4] == (1u32 << 20).to_le_bytes() {
            lying[at..at + 4].copy_from_slice(&1u32.to_le_bytes());
        }
    }
    assert!(member(&lying, "zeros", 1 << 10).is_err());
}

#[test]
fn a_zip_that_is_none_or_ends_early() {
    let zip = good_zip();
    for length in 0..zip.len() {
        let error = member(&zip[..length], "META-INF/LICENSE", 100).unwrap_err();
        assert!(matches!(error, LayerError::Damaged { .. }), "{length}: {error}");
        assert!(error.to_string().starts_with("x.jar: the archive is damaged: "), "{error}");
    }
    // Contents that are not those of the checksum.
    let mut wrong = zip.clone();
    let at = zip.windows(7).position(|window| window == b"licence").unwrap_or(50);
    wrong[at] ^= 1;
    assert!(member(&wrong, "META-INF/LICENSE", 100).is_err());
    // An end that tells of 65,535 members of which there is none.
    let mut empty = zip::ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
    empty[8..12].fill(0xff);
    assert!(member(&empty, "x", 100).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mutation_of_a_zip_is_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut zip = good_zip();
        for (index, byte) in changes {
            let at = index.index(zip.len());
            zip[at] = byte;
        }
        for name in ["META-INF/LICENSE", "zeros"] {
            if let Ok(Some(bytes)) = member(&zip, name, 1000) {
                prop_assert!(bytes.len() <= 1000);
            }
        }
    }
}
