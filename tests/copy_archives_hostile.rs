//! Archives of images that nobody made in good faith, or that broke on the way: what is refused, and by which words.

#[path = "support/command.rs"]
mod command;
#[path = "support/places.rs"]
mod places;
#[path = "support/tars.rs"]
mod tars;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read, Seek, SeekFrom};

use command::Kimg;
use kimg::digest::Digest;
use kimg::error::{Category, Diagnose};
use kimg::layer::{LayerError, Member, Members, Passing, pass_members};
use places::{Foreign, archive, layer};
use proptest::prelude::*;
use serde_json::json;
use tars::{Fields, Tar};

const ENTRIES: u64 = 100;

fn find(tar: &[u8]) -> Result<Members, LayerError> {
    Members::find(&mut Cursor::new(tar), "a.tar", ENTRIES)
}

/// The same, read once; contents are not read.
fn pass(tar: &[u8]) -> Result<Vec<String>, LayerError> {
    let mut found = Vec::new();
    pass_members(&mut &tar[..], "a.tar", ENTRIES, |path, passing| {
        found.push(match passing {
            Passing::File(size, _) => format!("{path} {size}"),
            Passing::Link(target) => format!("{path} -> {target}"),
        });
        Ok::<(), LayerError>(())
    })?;
    Ok(found)
}

/// Why it is refused, whichever way it is read.
#[track_caller]
fn refusal(tar: &[u8]) -> String {
    let (Err(one), Err(other)) = (find(tar), pass(tar)) else { panic!("it is not refused") };
    assert_eq!(one.to_string(), other.to_string());
    assert_eq!(one.category(), Category::Verification);
    one.to_string()
}

fn contents(tar: &[u8], member: Member) -> Vec<u8> {
    let from = usize::try_from(member.offset).unwrap();
    tar[from..from + usize::try_from(member.size).unwrap()].to_vec()
}

#[test]
fn files_and_links_are_found() {
    let tar = Tar::default()
        .entry(b'5', b"./", b"")
        .entry(b'g', b"global", b"")
        .entry(b'5', b"./a/", b"")
        .file(b"./a/one", b"one")
        .entry(b'2', b"b/link", b"../a/one")
        .entry(b'1', b"hard", b"a/one")
        .entry(b'2', b"later", b"b/two")
        .file(b"b/two", &[7; 1024])
        .pax(&[("path", b"long/name"), ("size", b"3")])
        .add(Fields { name: b"short", size: Some(b"00000000000"), contents: b"abc", ..Fields::default() })
        .file(b"last", b"")
        .end();
    let members = find(&tar).unwrap();
    let read = |path: &str| members.get(path).map(|member| contents(&tar, member));
    for path in ["a/one", "./a/one", "b/link", "hard"] {
        assert_eq!(read(path).as_deref(), Some(&b"one"[..]), "{path}");
    }
    assert_eq!(read("later").unwrap(), [7; 1024]);
    assert_eq!(read("long/name").unwrap(), b"abc");
    assert_eq!(read("last").unwrap(), b"");
    for path in ["a", "short", "nothing", "", "/a/one", "../a"] {
        assert_eq!(read(path), None, "{path}");
    }
    let expected =
        ["a/one 3", "b/link -> a/one", "hard -> a/one", "later -> b/two", "b/two 1024", "long/name 3", "last 0"];
    assert_eq!(pass(&tar).unwrap(), expected);
    assert_eq!(members.iter().count(), 4);
    // Links in a ring lead nowhere.
    let ring = Tar::default().entry(b'2', b"a", b"b").entry(b'2', b"b", b"a").end();
    assert_eq!(find(&ring).unwrap().get("a"), None);
}

#[test]
fn the_end_of_a_tar() {
    let whole = Tar::default().file(b"a", b"abc").0;
    // With none of the empty blocks, one, or all; and what comes after them is nobody's.
    for end in [0, 512, 1024, 10240] {
        let tar = [whole.clone(), vec![0; end]].concat();
        assert_eq!(pass(&tar).unwrap(), ["a 3"]);
        assert!(find(&tar).unwrap().get("a").is_some());
    }
    let more = [whole.clone(), vec![0; 512], b"anything".to_vec()].concat();
    assert_eq!(pass(&more).unwrap(), ["a 3"]);
    // The padding of the last may be missing, and of its contents nothing.
    assert!(find(&whole[..515]).unwrap().get("a").is_some());
    assert_eq!(
        refusal(&whole[..514]),
        "a.tar: the archive is damaged: it is cut short: a has 3 bytes, of which 2 are there"
    );
    assert_eq!(refusal(&whole[..511]), "a.tar: the archive is damaged: it is cut short in a header");
    assert!(find(b"").unwrap().iter().next().is_none());
    let extension = Tar::default().pax(&[("path", b"x")]).0;
    assert_eq!(
        refusal(&extension),
        "a.tar: the archive is damaged: it ends after a header that describes another entry"
    );
    assert_eq!(refusal(&extension[..520]), "a.tar: the archive is damaged: it is cut short");
}

#[test]
fn what_no_archive_of_images_needs() {
    let entry = |kind, name: &[u8], target: &[u8]| Tar::default().entry(kind, name, target).end();
    let twice = |one, other| Tar::default().entry(one, b"a", b"x").entry(other, b"./a", b"x").end();
    for (tar, why) in [
        (entry(b'0', b"/etc/passwd", b""), "/etc/passwd: path `/etc/passwd`: it is absolute"),
        (entry(b'0', b"a/../../b", b""), "a/../../b: path `a/../../b`: it climbs by `..`"),
        (entry(b'0', b"a/", b""), "a/: it is a file with the name of a folder"),
        (entry(b'2', b"a", b"/etc/shadow"), "a: it links to `/etc/shadow`, outside the archive"),
        (entry(b'2', b"a/b", b"../../x"), "a/b: it links to `../../x`, outside the archive"),
        (entry(b'2', b"a", b"."), "a: it links to `.`, outside the archive"),
        (entry(b'1', b"a", b"../x"), "a: path `../x`: it climbs by `..`"),
        (entry(b'1', b"a", b""), "a: path ``: it is empty"),
        (entry(b'3', b"a", b""), "a: it is a device"),
        (entry(b'4', b"a", b""), "a: it is a device"),
        (entry(b'6', b"a", b""), "a: it is a pipe"),
        (entry(b'S', b"a", b""), "a: it is a sparse file"),
        (entry(b'Z', b"a", b""), "a: its type 'Z' is not known"),
        (twice(b'0', b'0'), "./a: it comes twice"),
        (twice(b'2', b'0'), "./a: it comes twice"),
        (twice(b'5', b'0'), "./a: it comes twice"),
    ] {
        let refused = refusal(&tar);
        let shown = refused.strip_prefix("a.tar: ").unwrap();
        assert!(shown == why || shown.trim_start_matches("./") == why.trim_start_matches("./"), "{refused}\n{why}");
    }
    let sparse = Tar::default().pax(&[("GNU.sparse.major", b"1")]).file(b"a", b"x").end();
    assert_eq!(refusal(&sparse), "a.tar: a: it is a sparse file");
    let folder = Tar::default().add(Fields { name: b"a/", kind: b'5', contents: b"x", ..Fields::default() }).end();
    assert_eq!(refusal(&folder), "a.tar: a/: it is no file, and has contents");
}

#[test]
fn headers_that_are_none_or_too_many() {
    let mut tar = Tar::default().file(b"a", b"x").end();
    tar[0] = b'b';
    let sum = "a.tar: the archive is damaged: a header's checksum does not fit; it is no tar, or is damaged";
    assert_eq!(refusal(&tar), sum);
    assert_eq!(refusal(&[b'x'; 2048]), sum);
    for size in [&b"zzz"[..], b"0000000000-"] {
        let tar = Tar::default().add(Fields { size: Some(size), ..Fields::default() }).end();
        assert_eq!(refusal(&tar), "a.tar: the archive is damaged: the size in a header is no number");
    }
    // Larger than all files: in the header's own way, and by a record.
    let huge = [&[0x80, 0, 0, 0][..], &u64::MAX.to_be_bytes()].concat();
    let huge = Tar::default().add(Fields { size: Some(&huge), ..Fields::default() }).end();
    assert!(refusal(&huge).contains("it is cut short: file has 18446744073709551615 bytes"));
    let record = Tar::default().pax(&[("size", b"18446744073709551615")]).file(b"a", b"x").end();
    assert!(refusal(&record).contains("it is cut short: a has 18446744073709551615 bytes"));
    let twice = Tar::default().pax(&[("size", b"1"), ("size", b"2")]).file(b"a", b"x").end();
    assert!(refusal(&twice).ends_with("two extension headers say the same of one entry"));
    let long = Tar::default().add(Fields { kind: b'x', size: Some(b"77777777777"), ..Fields::default() }).end();
    assert!(refusal(&long).ends_with("more than 1048576 bytes in an extension header, so it is refused as a bomb"));
    let global = Tar::default().add(Fields { kind: b'g', size: Some(b"77777777777"), ..Fields::default() }).end();
    assert!(refusal(&global).ends_with("more than 1048576 bytes in an extension header, so it is refused as a bomb"));
    let many = (0..=ENTRIES).fold(Tar::default(), |tar, number| tar.file(format!("{number}").as_bytes(), b""));
    assert!(refusal(&many.end()).ends_with("more than 100 entries, so it is refused as a bomb"));
    let control = Tar::default().file(b"a\x1b[31m/..", b"").end();
    assert!(refusal(&control).contains(r"a\x1b[31m/.."));
}

/// A file that is far longer than a disk: headers at its offsets, and nothing between.
struct Long {
    parts: BTreeMap<u64, Vec<u8>>,
    at: u64,
    end: u64,
}

impl Read for Long {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some((from, part)) = self.parts.range(..=self.at).next_back() else { return Ok(0) };
        let rest = &part[usize::try_from(self.at - from).unwrap().min(part.len())..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Long {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(_) => self.end,
            SeekFrom::Current(_) => unreachable!(),
        };
        Ok(self.at)
    }
}

#[test]
fn a_layer_of_ten_gigabytes_is_found_without_reading_it() {
    const SIZE: u64 = 10 << 30;
    for tar in [
        Tar::default().pax(&[("size", SIZE.to_string().as_bytes())]).entry(b'0', b"large", b""),
        // As GNU writes it.
        Tar::default().add(Fields {
            name: b"large",
            size: Some(&[&[0x80, 0, 0, 0][..], &SIZE.to_be_bytes()].concat()),
            ..Fields::default()
        }),
    ] {
        let start = tar.0.len() as u64;
        let parts = BTreeMap::from([(0, tar.0), (start + SIZE, Tar::default().file(b"after", b"x").end())]);
        let mut long = Long { parts, at: 0, end: start + SIZE + 2048 };
        let members = Members::find(&mut long, "a.tar", ENTRIES).unwrap();
        assert_eq!(members.get("large"), Some(Member { offset: start, size: SIZE }));
        assert_eq!(members.get("after"), Some(Member { offset: start + SIZE + 512, size: 1 }));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_found(
        files in prop::collection::btree_map("[a-z]{1,8}(/[a-z]{1,40}){0,6}/f[0-9]", prop::collection::vec(any::<u8>(), 0..1500), 0..8)
    ) {
        let list: Vec<_> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
        let tar = archive(&list);
        let members = find(&tar).unwrap();
        for (path, bytes) in &files {
            prop_assert_eq!(&contents(&tar, members.get(path).unwrap()), bytes);
        }
        prop_assert_eq!(members.iter().count(), files.len());
        let passed: Vec<_> = list.iter().map(|(path, bytes)| format!("{path} {}", bytes.len())).collect();
        prop_assert_eq!(pass(&tar).unwrap(), passed);
    }

    #[test]
    fn both_ways_of_reading_agree_on_a_damaged_tar(at in 0usize..4096, byte in any::<u8>(), cut in 0usize..5000) {
        let mut tar = Tar::default().pax(&[("path", b"p")]).file(b"a", b"abc").entry(b'2', b"b", b"a").file(b"c", b"").end();
        let at = at.min(tar.len() - 1);
        tar[at] = byte;
        tar.truncate(cut.max(1));
        match (find(&tar), pass(&tar)) {
            (Ok(members), Ok(passed)) => {
                let files = passed.iter().filter(|line| !line.contains("->")).count();
                prop_assert_eq!(members.iter().count(), files);
                for (_, member) in members.iter() {
                    prop_assert!(member.offset + member.size <= tar.len() as u64);
                }
            }
            (Err(one), Err(other)) => prop_assert_eq!(one.to_string(), other.to_string()),
            (one, other) => prop_assert!(false, "{:?} {:?}", one.err(), other.err()),
        }
    }
}

#[test]
fn what_the_program_says_of_them() {
    let kimg = Kimg::new();
    let mut lay = Foreign::new(&kimg.home().join("lay"));
    let image = lay.image("linux/amd64", "hello");
    lay.name(&image, "app:1");
    assert_eq!(kimg.output(&["copy", "oci:lay", "oci-archive:whole.tar"]).status.code(), Some(0));
    let whole = fs::read(kimg.home().join("whole.tar")).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(kimg.home().join(name), bytes).unwrap();
    put("cut.tar", &whole[..whole.len() - 1800]);
    put("lacks.tar", &{
        let files = [("index.json", fs::read(lay.folder.join("index.json")).unwrap())];
        archive(&files)
    });
    put("packed.tar", &places::gzip(&whole));
    put("out.tar", &Tar::default().entry(b'2', b"index.json", b"../../etc/passwd").end());
    put("text.tar", &[b'x'; 1000]);
    put("empty.tar", b"");
    let tar = layer("one");
    let config =
        |id: &Digest| json!({"rootfs": {"type": "layers", "diff_ids": [id.to_string()]}}).to_string().into_bytes();
    let manifest = |config: &str, layer: &str| {
        let items = json!([{"Config": config, "RepoTags": ["a:1"], "Layers": [layer]}]);
        ("manifest.json", items.to_string().into_bytes())
    };
    let other = Digest::of(b"another");
    put("wrong.tar", &archive(&[("c", config(&other)), ("l", tar.clone()), manifest("c", "l")]));
    put("gone.tar", &archive(&[("c", config(&other)), manifest("c", "../l\u{1b}")]));
    put("unsaid.tar", &archive(&[("l", tar.clone()), manifest("c", "l")]));
    let blob = format!("blobs/sha256/{}", other.hex());
    put("lie.tar", &archive(&[(&blob, tar), manifest("c", "l")]));
    let mut said = Vec::new();
    for archive in ["cut", "lacks", "packed", "out", "text", "empty", "none"] {
        said.push(kimg.run(&["copy", &format!("oci-archive:{archive}.tar"), "oci:out", "--progress", "none"]));
    }
    for archive in ["wrong", "gone", "unsaid", "lie", "packed", "text", "empty", "none"] {
        said.push(kimg.run(&["copy", &format!("docker-archive:{archive}.tar"), "oci:out", "--progress", "none"]));
    }
    insta::assert_snapshot!(said.join("\n"));
    assert!(!kimg.home().join("out").exists());
}
