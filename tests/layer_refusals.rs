//! What a layer refuses, and how errors name it.

#[path = "support/layers.rs"]
mod layers;

use std::io::{self, Read};
use std::sync::Arc;

use kimg::error::{Category, Diagnose};
use kimg::layer::{Compression, EntryKind, Layer, LayerError, LayerWriter, Pool};
use layers::{Item, MTIME, entry, file, folder, hardlink, symlink};
use proptest::prelude::*;

fn write(items: &[Item]) -> Result<(Layer, Vec<u8>), LayerError> {
    layers::write(items, Compression::None, 1)
}

fn refusal(items: &[Item]) -> String {
    let Err(error) = write(items) else { panic!("these are not refused") };
    assert_eq!(error.category(), Category::Verification, "{error}");
    format!("{error}\n{}", error.hint().unwrap_or_default())
}

/// As another input, so that errors can tell the two apart.
fn of(input: &str, mut item: Item) -> Item {
    item.0.origin.input = Arc::from(input);
    item
}

#[test]
fn two_at_one_path() {
    let file = || file(b"a", Vec::new());
    for (first, second, kinds) in [
        (file(), file(), ["a file", "a file"]),
        (file(), folder(b"a"), ["a folder", "a file"]),
        (folder(b"a"), file(), ["a file", "a folder"]),
        (folder(b"a"), symlink(b"a", b"b"), ["a symbolic link", "a folder"]),
        (symlink(b"a", b"b"), symlink(b"a", b"c"), ["a symbolic link", "a symbolic link"]),
        (symlink(b"a", b"b"), folder(b"a"), ["a folder", "a symbolic link"]),
    ] {
        let refused = refusal(&[of("one.deb", first), of("two.deb", second)]);
        let [second, first] = kinds;
        assert_eq!(
            refused,
            format!(
                "a: two.deb (rule package) brings {second}, where one.deb (rule package) brought {first}\n\
                 leave one of them out by the definition's `drop`"
            )
        );
    }
    let file = layers::file(b"x", Vec::new());
    let refused = refusal(&[file.clone(), hardlink(b"y", b"x"), hardlink(b"y", b"x")]);
    assert!(refused.contains("brings a hard link, where test (rule package) brought a hard link"), "{refused}");
}

#[test]
fn a_path_through_what_is_no_folder() {
    for (way, kind) in [(symlink(b"lib", b"usr/lib"), "a symbolic link"), (file(b"lib", Vec::new()), "a file")] {
        let refused = refusal(&[of("one.deb", way), of("two.deb", file(b"lib/x/y", Vec::new()))]);
        let text = format!(
            "lib/x/y of two.deb (rule package): its path leads through lib, which is {kind} of one.deb (rule package)\n"
        );
        assert_eq!(refused, text);
    }
}

#[test]
fn a_hard_link_to_what_is_no_file() {
    for before in [folder(b"x"), symlink(b"x", b"z"), file(b"z", Vec::new())] {
        let refused = refusal(&[before, hardlink(b"y", b"x")]);
        assert!(refused.starts_with("test: y: it is a hard link to x, which is no file of this layer\n"), "{refused}");
    }
    // To itself, and to one that comes later.
    assert!(write(&[hardlink(b"y", b"y")]).is_err());
    assert!(write(&[hardlink(b"y", b"x"), file(b"x", Vec::new())]).is_err());
    // Through another hard link is no harm.
    assert!(write(&[file(b"x", Vec::new()), hardlink(b"y", b"x"), hardlink(b"z", b"y")]).is_ok());
}

#[test]
fn whiteouts() {
    for path in [&b".wh.x"[..], b"a/.wh..wh..opq", b"a/.wh.x/b"] {
        let refused = refusal(&[file(path, Vec::new())]);
        assert!(refused.contains("a name that begins with `.wh.` would delete files of the layers below"), "{refused}");
    }
    assert!(write(&[file(b"a/x.wh.y", Vec::new()), file(b"wh.", Vec::new())]).is_ok());
}

/// A reader that fails after a byte.
struct Broken(u8, io::ErrorKind);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::new(self.1, "the wire was cut"));
        }
        self.0 -= 1;
        buffer[0] = b'x';
        Ok(1)
    }
}

#[test]
fn contents_that_cannot_be_read_are_named() {
    for (kind, category) in
        [(io::ErrorKind::InvalidData, Category::Verification), (io::ErrorKind::UnexpectedEof, Category::Failed)]
    {
        let pool = Pool::new(1);
        let mut writer = LayerWriter::new(Vec::new(), Compression::None, MTIME, &pool, Box::new(|_| {})).unwrap();
        let error = writer.add(entry(b"a", EntryKind::File { size: 2 }), &mut Broken(1, kind)).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.category()),
            ("a of test (rule package): the wire was cut", category)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn contents_of_another_size_are_refused(declared in 0u64..3000, given in 0usize..3000) {
        let item = (entry(b"usr/file", EntryKind::File { size: declared }), vec![7; given]);
        match write(&[item]) {
            Ok(_) => prop_assert_eq!(declared, given as u64),
            Err(error) => {
                let found = if (given as u64) < declared { "shorter" } else { "longer" };
                let text = format!(
                    "usr/file of test (rule package): its contents are {found} than the {declared} bytes declared"
                );
                prop_assert_eq!(error.to_string(), text);
                prop_assert_eq!(error.category(), Category::Verification);
                prop_assert!(declared != given as u64);
            }
        }
    }
}
