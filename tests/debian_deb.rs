//! Reading .debs: every compression, and every way to be damaged.

#[path = "support/deb.rs"]
mod deb;

use deb::{Deb, PACKINGS, Packing, Raw, Tar, archive};
use kimg::error::{Category, Diagnose};
use kimg::layer::EntryKind;
use kimg::upstream::debian::{Control, DebianError, read_deb};
use proptest::prelude::*;

/// What a .deb gave: its control data, and each entry with its contents.
type Read = (Option<Control>, Vec<(String, EntryKind, u32, Vec<u8>)>);

fn read(bytes: &[u8]) -> Result<Read, DebianError> {
    let (mut control, mut entries) = (None, Vec::new());
    let take_control = |found: Control| {
        control = Some(found);
        Ok(())
    };
    read_deb(bytes, "demo", take_control, |entry, content| {
        let mut bytes = Vec::new();
        content
            .read_to_end(&mut bytes)
            .map_err(|error| DebianError::Deb { package: "demo".to_owned(), why: error.to_string() })?;
        entries.push((entry.path.to_string(), entry.kind, entry.mode, bytes));
        Ok::<(), DebianError>(())
    })?;
    Ok((control, entries))
}

fn demo() -> Deb {
    let text = b"some text that compresses, some text that compresses".repeat(40);
    let data = Tar::new().folder("./").folder("./usr/").folder("./usr/bin/").file_of("./usr/bin/demo", 0o755, &text);
    Deb::new("demo", data.symlink("./usr/bin/link", "demo").hardlink("./usr/bin/other", "./usr/bin/demo"))
}

/// The error of a .deb that is refused: its message.
fn refusal(bytes: &[u8]) -> String {
    let error = read(bytes).unwrap_err();
    assert_eq!(error.category(), Category::Verification, "{error}");
    let text = error.to_string();
    assert!(text.starts_with("demo: ") || text.starts_with("usr/bin/"), "{text}");
    text
}

#[test]
fn every_compression_gives_the_same() {
    let expected = read(&demo().bytes()).unwrap();
    let names: Vec<&str> = expected.1.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(names, ["usr", "usr/bin", "usr/bin/demo", "usr/bin/link", "usr/bin/other"]);
    assert_eq!((expected.1[2].2, expected.1[2].3.len()), (0o755, 2080));
    let control = expected.0.as_ref().unwrap();
    assert_eq!(control.stanza, demo().stanza());
    assert_eq!(control.md5sums.len(), 1);
    assert_eq!(control.md5sums[0].1, b"usr/bin/demo");
    for packing in PACKINGS {
        for data in PACKINGS {
            assert_eq!(read(&demo().packed(packing, data).bytes()).unwrap(), expected, "{packing:?} {data:?}");
        }
    }
}

#[test]
fn members_of_another_name_order_number_or_format_are_refused() {
    let members = demo().members();
    let [binary, control, data] = members.as_slice() else { unreachable!("a .deb has three members") };
    let named = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let said = [
        ("nothing at all", Vec::new()),
        ("no member", archive(&[])),
        ("no control", archive(std::slice::from_ref(binary))),
        ("no data", archive(&[binary.clone(), control.clone()])),
        ("control first", archive(&[control.clone(), binary.clone(), data.clone()])),
        ("data before control", archive(&[binary.clone(), data.clone(), control.clone()])),
        ("control twice", archive(&[binary.clone(), control.clone(), control.clone(), data.clone()])),
        ("one more between", archive(&[binary.clone(), named("_gpgorigin", b"x"), control.clone(), data.clone()])),
        ("one more behind", archive(&[binary.clone(), control.clone(), data.clone(), named("extra", b"x")])),
        ("another format", Deb { format: "3.0\n".to_owned(), ..demo() }.bytes()),
        ("a long format", Deb { format: "2.0\n".repeat(9), ..demo() }.bytes()),
        ("not text", archive(&[named("debian-binary", &[0xFF]), control.clone(), data.clone()])),
        ("a longer name", archive(&[named("debian-binary2", b"2.0\n"), control.clone(), data.clone()])),
        ("bzip2", archive(&[binary.clone(), control.clone(), named("data.tar.bz2", &data.1)])),
        ("no tar", archive(&[binary.clone(), named("control.xz", &control.1), data.clone()])),
        ("gzip that is xz", archive(&[binary.clone(), control.clone(), named("data.tar.gz", &data.1)])),
        (
            "xz that is zstd",
            archive(&[binary.clone(), control.clone(), named("data.tar.xz", &Packing::Zstd.pack(b"x"))]),
        ),
        ("zstd that is xz", archive(&[binary.clone(), control.clone(), named("data.tar.zst", &data.1)])),
        ("a zip", b"PK\x03\x04 and so on, and so on, and so on".to_vec()),
    ]
    .map(|(what, bytes)| format!("{what}: {}\n", refusal(&bytes)));
    insta::assert_snapshot!(said.concat());
}

#[test]
fn a_control_archive_must_hold_a_control_file() {
    let with = |control: Tar| {
        let mut members = demo().members();
        members[1] = ("control.tar".to_owned(), control.finish());
        refusal(&archive(&members))
    };
    let said = [
        ("empty", with(Tar::new())),
        ("without", with(Tar::new().file("./md5sums", b""))),
        ("not UTF-8", with(Tar::new().file("./control", &[0xFF, b'\n']))),
        ("a folder", with(Tar::new().folder("./control/"))),
        ("twice", with(Tar::new().file("./control", b"a").file("./control", b"b"))),
        ("outside", with(Tar::new().file("../control", b"Package: demo\n"))),
        ("a bomb", with(Tar::new().raw(&Raw { size: 17 << 20, ..Raw::new(b'0', "./control") }, b""))),
    ]
    .map(|(what, text)| format!("{what}: {text}\n"));
    insta::assert_snapshot!(said.concat());
}

#[test]
fn odd_lines_of_md5sums_are_left_out() {
    let mut members = demo().members();
    let digest = "0123456789abcdef0123456789abcdef";
    let lines = format!("{digest}  a b\n\nshort\n{digest} one-space\n{digest}  last");
    members[1] =
        ("control.tar".to_owned(), Tar::new().file("control", b"x").file("md5sums", lines.as_bytes()).finish());
    let control = read(&archive(&members)).unwrap().0.unwrap();
    let paths: Vec<&[u8]> = control.md5sums.iter().map(|(_, path)| path.as_slice()).collect();
    assert_eq!(paths, [&b"a b"[..], b"last"]);
}

#[test]
fn a_data_archive_that_is_cut_is_never_taken_for_a_whole_one() {
    for packing in PACKINGS {
        let whole = demo().packed(Packing::None, packing).bytes();
        // The last byte may be padding of the outer archive.
        for length in (0..whole.len() - 1).step_by(7) {
            assert!(read(&whole[..length]).is_err(), "{packing:?}: {length} of {} bytes", whole.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_mutation_is_read_or_refused(
        packing in 0usize..4,
        cut in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut deb = demo().packed(Packing::Gzip, PACKINGS[packing]).bytes();
        let at = at.index(deb.len());
        let end = (at + bytes.len()).min(deb.len());
        deb[at..end].copy_from_slice(&bytes[..end - at]);
        let _ = read(&deb);
        deb.truncate(cut.index(deb.len()));
        let _ = read(&deb);
    }

    #[test]
    fn any_bytes_as_data_are_read_or_refused(packing in 0usize..4, bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut members = demo().packed(Packing::None, PACKINGS[packing]).members();
        // Both what a decompressor and what a tar reader may be given.
        members[2].1 = bytes.clone();
        let _ = read(&archive(&members));
        members[2].1 = PACKINGS[packing].pack(&bytes);
        let _ = read(&archive(&members));
    }
}
