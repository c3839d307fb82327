//! Layers as tars: what goes in comes out, in every header field, and what must not go in does not.

#[path = "support/layers.rs"]
mod layers;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use kimg::layer::{Compression, Entry, EntryKind, EntryPath, Layer, LayerError, LayerWriter, Origin, Pool};
use layers::{Item, MTIME, Random, entry, file, folder, hardlink, symlink};
use proptest::prelude::*;

fn write(items: &[Item]) -> Result<(Layer, Vec<u8>), LayerError> {
    layers::write(items, Compression::None, 1)
}

/// What a tar says of an entry.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    path: Vec<u8>,
    kind: u8,
    mode: u32,
    owner: (u64, u64),
    mtime: u64,
    target: Vec<u8>,
    contents: Vec<u8>,
}

/// All entries, by the headers of the tar crate; it takes a PAX record for a line, so records are read here.
fn read(tar: &[u8]) -> Vec<Found> {
    let (mut found, mut records) = (Vec::new(), BTreeMap::new());
    for entry in tar::Archive::new(tar).entries().unwrap().raw(true) {
        let mut entry = entry.unwrap();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).unwrap();
        let header = entry.header();
        if header.entry_type() == tar::EntryType::XHeader {
            records = parse(&contents);
            continue;
        }
        let number = |key: &str| records.get(key).map(|value| std::str::from_utf8(value).unwrap().parse().unwrap());
        let link_name = || header.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
        found.push(Found {
            path: records.get("path").cloned().unwrap_or_else(|| header.path_bytes().into_owned()),
            kind: header.entry_type().as_byte(),
            mode: header.mode().unwrap(),
            owner: (
                number("uid").unwrap_or_else(|| header.uid().unwrap()),
                number("gid").unwrap_or_else(|| header.gid().unwrap()),
            ),
            mtime: header.mtime().unwrap(),
            target: records.get("linkpath").cloned().unwrap_or_else(link_name),
            contents,
        });
        records.clear();
    }
    found
}

/// PAX records: "LENGTH KEY=VALUE\n".
fn parse(mut bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut records = BTreeMap::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&bytes[..space]).unwrap().parse().unwrap();
        let (record, rest) = bytes.split_at(length);
        let (key, value) = record[space + 1..].split_at(record[space + 1..].iter().position(|b| *b == b'=').unwrap());
        assert_eq!(value.last(), Some(&b'\n'));
        let before = records.insert(String::from_utf8(key.to_vec()).unwrap(), value[1..value.len() - 1].to_vec());
        assert!(before.is_none(), "a record comes twice");
        bytes = rest;
    }
    records
}

/// The same as the tar crate tells it, where it can.
fn read_by_crate(tar: &[u8]) -> Vec<(Vec<u8>, Vec<u8>, u64, u64)> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let target = entry.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
        let owner = (entry.header().uid().unwrap(), entry.header().gid().unwrap());
        (entry.path_bytes().into_owned(), target, owner.0, owner.1)
    });
    entries.collect()
}

/// What a tar should say of an entry that is written as it is.
fn expected((entry, contents): &Item) -> Found {
    let mut path = entry.path.as_bytes().to_vec();
    let (kind, target) = match &entry.kind {
        EntryKind::File { .. } => (b'0', Vec::new()),
        EntryKind::Hardlink { target } => (b'1', target.as_bytes().to_vec()),
        EntryKind::Symlink { target } => (b'2', target.clone()),
        EntryKind::Directory => (b'5', Vec::new()),
    };
    if kind == b'5' {
        path.push(b'/');
    }
    let is_file = matches!(kind, b'0' | b'1');
    Found {
        path,
        kind,
        mode: if is_file { entry.mode & !0o6000 } else { entry.mode },
        owner: (entry.uid.into(), entry.gid.into()),
        mtime: MTIME,
        target,
        contents: contents.clone(),
    }
}

/// All headers of a tar, extension headers too, without tar-rs.
fn headers(tar: &[u8]) -> Vec<[u8; 512]> {
    let (mut headers, mut at) = (Vec::new(), 0);
    while tar[at..at + 512].iter().any(|byte| *byte != 0) {
        let header: [u8; 512] = tar[at..at + 512].try_into().unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&header[124..135]).unwrap(), 8).unwrap();
        at += 512 + size.next_multiple_of(512);
        headers.push(header);
    }
    assert_eq!(tar.len() - at, 1024, "a tar ends with two zero blocks");
    headers
}

/// Everything of a header that does not depend on the entry, and its checksum.
fn check_header(header: &[u8; 512]) {
    assert_eq!(&header[257..265], b"ustar\x0000");
    assert!(header[265..329].iter().all(|byte| *byte == 0), "names of user and group");
    assert_eq!(&header[329..345], b"0000000\x000000000\0", "device");
    assert!(header[500..].iter().all(|byte| *byte == 0), "the end of the block");
    for field in [100..108, 108..116, 116..124, 124..136, 136..148] {
        let (digits, end) = header[field.clone()].split_at(field.len() - 1);
        assert!(digits.iter().all(|byte| matches!(byte, b'0'..=b'7')) && end == [0], "{field:?}");
    }
    assert_eq!(&header[136..148], format!("{MTIME:011o}\0").as_bytes());
    let sum: u32 = header[..148].iter().chain(&header[156..]).map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
    assert_eq!(&header[148..156], format!("{sum:06o}\0 ").as_bytes());
}

/// Whether ustar has room for a path.
fn fits(path: &[u8]) -> bool {
    let split = |at: usize| path[at] == b'/' && (1..=155).contains(&at) && (1..=100).contains(&(path.len() - at - 1));
    path.is_ascii() && (path.len() <= 100 || (0..path.len()).any(split))
}

/// Names of few and of many bytes; some are not ASCII, some not UTF-8, some have newlines.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-z0-9._+~-]{1,12}".prop_map(String::into_bytes),
        2 => (90usize..260).prop_map(|length| vec![b'n'; length]),
        1 => "\\PC{1,20}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 1..20),
        1 => Just(b"line\nbreak = 1".to_vec()),
    ]
    .prop_map(|name| name.into_iter().map(|byte| if matches!(byte, b'/' | 0) { b'_' } else { byte }).collect())
}

fn path() -> impl Strategy<Value = EntryPath> {
    proptest::collection::vec(name(), 1..5).prop_filter_map("a path that no layer has", |names: Vec<Vec<u8>>| {
        let wrong = |name: &Vec<u8>| name.starts_with(b".wh.");
        if names.iter().any(wrong) { None } else { EntryPath::new(&names.join(&b'/')).ok() }
    })
}

fn owner() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1000), 0o7777770u32..0o10000010, any::<u32>()]
}

fn item() -> impl Strategy<Value = Item> {
    let target = || prop_oneof![path().prop_map(|path| path.as_bytes().to_vec()), name()];
    let kind = prop_oneof![
        Just((EntryKind::Directory, Vec::new())),
        (0usize..2000, any::<u8>()).prop_map(|(size, byte)| (EntryKind::File { size: size as u64 }, vec![byte; size])),
        target().prop_map(|target| (EntryKind::Symlink { target }, Vec::new())),
        // The target becomes one of the files before.
        path().prop_map(|target| (EntryKind::Hardlink { target }, Vec::new())),
    ];
    (path(), kind, 0u32..0o10000, owner(), owner()).prop_map(|(path, (kind, contents), mode, uid, gid)| {
        let origin = Origin { input: Arc::from("test"), rule: Arc::from("package") };
        (Entry { path, kind, mode, uid, gid, origin }, contents)
    })
}

/// A tree in which every folder comes before what it holds, and hard links name files.
fn tree() -> impl Strategy<Value = Vec<Item>> {
    proptest::collection::vec(item(), 0..12).prop_map(|items| {
        let mut kinds: BTreeMap<Vec<u8>, u8> = BTreeMap::new();
        let mut files: Vec<EntryPath> = Vec::new();
        let mut tree = Vec::new();
        for (mut entry, contents) in items {
            let bytes = entry.path.as_bytes().to_vec();
            let above: Vec<&[u8]> = (0..bytes.len()).filter(|at| bytes[*at] == b'/').map(|at| &bytes[..at]).collect();
            let is_free =
                !kinds.contains_key(&bytes) && above.iter().all(|at| kinds.get(*at).is_none_or(|k| *k == b'd'));
            if let EntryKind::Hardlink { target } = &mut entry.kind {
                let Some(file) = files.first() else { continue };
                *target = file.clone();
            }
            if !is_free {
                continue;
            }
            for folder in above {
                if kinds.insert(folder.to_vec(), b'd').is_none() {
                    tree.push(layers::folder(folder));
                }
            }
            let is_folder = entry.kind == EntryKind::Directory;
            kinds.insert(bytes, if is_folder { b'd' } else { b'f' });
            if matches!(entry.kind, EntryKind::File { .. } | EntryKind::Hardlink { .. }) {
                files.push(entry.path.clone());
            }
            tree.push((entry, contents));
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(tree in tree()) {
        let (layer, tar) = write(&tree).unwrap();
        let found = read(&tar);
        prop_assert_eq!(&found, &tree.iter().map(expected).collect::<Vec<_>>());
        if !found.iter().any(|found| found.path.contains(&b'\n') || found.target.contains(&b'\n')) {
            let found = found.into_iter().map(|found| (found.path, found.target, found.owner.0, found.owner.1));
            prop_assert_eq!(read_by_crate(&tar), found.collect::<Vec<_>>());
        }
        let paths: Vec<_> = layer.entries.iter().map(|record| &record.path).collect();
        prop_assert_eq!(paths, tree.iter().map(|(entry, _)| &entry.path).collect::<Vec<_>>());
        headers(&tar).iter().for_each(check_header);
        let records = headers(&tar).iter().filter(|header| header[156] == b'x').count();
        let needed = tree.iter().filter(|(entry, _)| needs_records(entry)).count();
        prop_assert_eq!(records, needed, "PAX where there is no need, or not where there is");
        let stripped: BTreeSet<_> = layer.stripped.iter().collect();
        let set: BTreeSet<_> = tree.iter().filter(|(entry, _)| is_set(entry)).map(|(entry, _)| &entry.path).collect();
        prop_assert_eq!(stripped, set);
    }
}

fn is_set(entry: &Entry) -> bool {
    entry.mode & 0o6000 != 0 && matches!(entry.kind, EntryKind::File { .. } | EntryKind::Hardlink { .. })
}

fn needs_records(entry: &Entry) -> bool {
    let mut path = entry.path.as_bytes().to_vec();
    let target = match &entry.kind {
        EntryKind::Symlink { target } => target.as_slice(),
        EntryKind::Hardlink { target } => target.as_bytes(),
        EntryKind::File { .. } => &[],
        EntryKind::Directory => {
            path.push(b'/');
            &[]
        }
    };
    !fits(&path) || !target.is_ascii() || target.len() > 100 || entry.uid > 0o7777777 || entry.gid > 0o7777777
}

/// The bounds of ustar's fields, exactly.
#[test]
fn paths_at_the_bounds_of_the_fields() {
    let name = |length: usize| vec![b'n'; length];
    let below = |prefix: usize, rest: usize| [name(prefix), name(rest)].join(&b'/');
    for (path, records) in [
        (name(100), false),
        (name(101), true),
        (below(155, 100), false),
        (below(156, 100), true),
        (below(155, 101), true),
        (below(1, 100), false),
        (below(100, 1), false),
    ] {
        let (_, tar) = write(&[file(&path, b"x".to_vec())]).unwrap();
        let found: Vec<Found> = read(&tar);
        assert_eq!(found.last().unwrap().path, path);
        // The header before the file's own; a folder's before.
        let is_record = headers(&tar).iter().rev().nth(1).is_some_and(|header| header[156] == b'x');
        assert_eq!(is_record, records, "{} bytes", path.len());
    }
    // A folder has a slash more.
    for (length, records) in [(99, false), (100, true)] {
        let (_, tar) = write(&[folder(&name(length))]).unwrap();
        assert_eq!(headers(&tar)[0][156] == b'x', records, "{length}");
    }
    for (length, records) in [(100, false), (101, true)] {
        let (_, tar) = write(&[symlink(b"link", &name(length))]).unwrap();
        assert_eq!(headers(&tar)[0][156] == b'x', records, "{length}");
    }
}

/// Larger than a header has room for; only what is written before the contents end is looked at.
#[test]
fn files_of_eight_gibibytes_have_a_record_of_their_size() {
    #[derive(Clone, Default)]
    struct Begin(Arc<std::sync::Mutex<Vec<u8>>>);
    impl io::Write for Begin {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let largest = 0o77777777777;
    for (size, record) in [(largest, None), (largest + 1, Some("19 size=8589934592\n"))] {
        let out = Begin::default();
        let pool = Pool::new(1);
        let mut writer = LayerWriter::new(out.clone(), Compression::None, MTIME, &pool, Box::new(|_| {})).unwrap();
        let entry = entry(b"huge", EntryKind::File { size });
        let error = writer.add(entry, &mut io::repeat(1).take(16 << 20)).unwrap_err();
        assert!(matches!(error, LayerError::Size { found: "shorter", .. }), "{error}");
        let begin = out.0.lock().unwrap();
        match record {
            None => assert_eq!(&begin[124..136], b"77777777777\0"),
            Some(record) => assert_eq!(&begin[512..512 + record.len()], record.as_bytes()),
        }
    }
}

#[test]
fn names_that_are_not_utf_8_are_announced() {
    let (_, tar) = write(&[symlink(b"\xff", b"\xfe"), file("ä".as_bytes(), Vec::new())]).unwrap();
    let text = tar.escape_ascii().to_string();
    assert_eq!(text.matches("hdrcharset=BINARY").count(), 1);
    assert!(text.contains(r"21 hdrcharset=BINARY\n9 path=\xff\n14 linkpath=\xfe\n"));
    assert!(text.contains(r"11 path=\xc3\xa4\n"));
}

#[test]
fn missing_folders_are_made() {
    let (layer, tar) = write(&[file(b"a/b/c", b"x".to_vec()), file(b"a/d/e", Vec::new())]).unwrap();
    let found: Vec<_> = read(&tar).into_iter().map(|found| (found.path, found.kind, found.mode)).collect();
    let made = |path: &str| (path.as_bytes().to_vec(), b'5', 0o755);
    let given = |path: &str| (path.as_bytes().to_vec(), b'0', 0o644);
    assert_eq!(found, [made("a/"), made("a/b/"), given("a/b/c"), made("a/d/"), given("a/d/e")]);
    let rules: Vec<_> = layer.entries.iter().map(|record| record.origin.to_string()).collect();
    let (parent, package) = ("test (rule parent)", "test (rule package)");
    assert_eq!(rules, [parent, parent, package, parent, package]);
}

#[test]
fn a_folder_or_an_equal_link_that_is_there_is_left_out() {
    let mut again = folder(b"a");
    again.0.mode = 0o700;
    let items = [folder(b"a"), symlink(b"a/l", b"x"), again, symlink(b"a/l", b"x")];
    let (layer, tar) = write(&items).unwrap();
    assert_eq!(read(&tar), items[..2].iter().map(expected).collect::<Vec<_>>());
    assert_eq!(layer.entries.len(), 2);
}

#[test]
fn setuid_and_setgid_of_files_are_stripped_and_told() {
    let with = |mut item: Item, mode| {
        item.0.mode = mode;
        item
    };
    let items = [
        with(folder(b"mail"), 0o3775),
        with(file(b"su", b"x".to_vec()), 0o4755),
        with(file(b"write", Vec::new()), 0o2755),
        with(hardlink(b"su2", b"su"), 0o6755),
        with(file(b"sticky", Vec::new()), 0o1644),
    ];
    let (layer, tar) = write(&items).unwrap();
    let modes: Vec<u32> = read(&tar).iter().map(|found| found.mode).collect();
    assert_eq!(modes, [0o3775, 0o755, 0o755, 0o755, 0o1644]);
    let stripped: Vec<String> = layer.stripped.iter().map(EntryPath::to_string).collect();
    assert_eq!(stripped, ["su", "write", "su2"]);
}

/// A layer that was not reproduced is pinned to a file by these digests.
#[test]
fn the_record_of_an_entry_tells_every_difference() {
    let digest = |item: Item| write(&[file(b"x", Vec::new()), item]).unwrap().0.entries.last().unwrap().digest;
    let with = |change: fn(&mut Entry)| {
        let mut item = file(b"a", b"12".to_vec());
        change(&mut item.0);
        item
    };
    let all = [
        with(|_| {}),
        with(|entry| entry.mode = 0o600),
        with(|entry| entry.uid = 1),
        with(|entry| entry.gid = 1),
        file(b"b", b"12".to_vec()),
        file(b"a", b"13".to_vec()),
        file(b"a", b"123".to_vec()),
        folder(b"a"),
        symlink(b"a", b"x"),
        symlink(b"a", b"y"),
        hardlink(b"a", b"x"),
    ];
    let digests: BTreeSet<_> = all.iter().cloned().map(digest).collect();
    assert_eq!(digests.len(), all.len());
    // Where it came from is no part of it.
    let mut other = all[0].clone();
    other.0.origin.input = Arc::from("other");
    assert_eq!(digest(other), digest(all[0].clone()));
}

#[test]
fn a_layer_depends_on_the_time_and_the_order_that_are_given() {
    let items = [file(b"a", Random(1).text(100)), file(b"b", Vec::new())];
    let (layer, _) = write(&items).unwrap();
    assert_eq!(write(&items).unwrap().0, layer);
    let [a, b] = items.clone();
    assert_ne!(write(&[b, a]).unwrap().0.diff_id, layer.diff_id);
    let pool = Pool::new(1);
    let mut writer = LayerWriter::new(Vec::new(), Compression::None, MTIME + 1, &pool, Box::new(|_| {})).unwrap();
    for (entry, bytes) in items {
        writer.add(entry, &mut bytes.as_slice()).unwrap();
    }
    assert_ne!(writer.finish().unwrap().0.diff_id, layer.diff_id);
}
