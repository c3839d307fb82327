//! Archives that a user's definition unpacks: what of them is refused, and where they may not go.

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/own.rs"]
mod own;
#[path = "support/server.rs"]
mod server;

use std::io::{Cursor, Write};

use catalog::{Material, World};
use own::{archive, build, tar, tar_gz, zip};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

/// Builds with an archive that is unpacked with these lines; what is said.
fn unpack(world: &World, name: &str, bytes: &[u8], lines: &str) -> String {
    let archive = archive(world, name, bytes);
    let text = format!("name = \"mine\"\nfrom = \"app:1.0\"\n[[layer]]\nname = \"archive\"\n{archive}{lines}\n");
    world.kimg.write("image.toml", &text);
    let _ = std::fs::remove_file(world.kimg.home().join("image.lock.toml"));
    let said = world.kimg.run(&build("image.toml", &["-q"]));
    let (_, said) = said.split_once('\n').unwrap();
    format!("{name}: {lines}\n{}", said.split("@sha256:").next().unwrap())
}

/// A tar of one header of any type.
fn special(kind: tar::EntryType, path: &str, target: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    let name = &mut header.as_old_mut().name;
    name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_link_name_literal(target).unwrap();
    header.set_cksum();
    let mut tar = tar(&[(0o644, "top/a", "a")]);
    tar.truncate(1024);
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(&[0; 1024]);
    tar
}

/// A zip whose only member has this name, whatever it is.
fn named(name: &str) -> Vec<u8> {
    let placeholder = "x".repeat(name.len());
    let mut bytes = zip(&[(0o644, &placeholder, "text")]);
    while let Some(at) = bytes.windows(name.len()).position(|window| window == placeholder.as_bytes()) {
        bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
    }
    bytes
}

#[test]
fn what_no_archive_may_hold() {
    let world = Material::new().lock();
    let into = "into = \"opt/a\"";
    let stripped = "strip = 1\ninto = \"opt/a\"";
    let mut said = Vec::new();
    for (name, bytes, lines) in [
        ("climbs.tar", special(tar::EntryType::Regular, "../../etc/passwd", ""), into),
        ("absolute.tar", special(tar::EntryType::Regular, "/etc/passwd", ""), into),
        ("device.tar", special(tar::EntryType::Char, "null", ""), into),
        ("pipe.tar", special(tar::EntryType::Fifo, "pipe", ""), into),
        ("link-out.tar", tar(&[(0o777, "top/link -> ../../etc", "")]), into),
        ("link-absolute.tar", tar(&[(0o777, "top/link -> /etc/passwd", "")]), into),
        ("link-stripped.tar", tar(&[(0o777, "top/link -> ../README", "")]), stripped),
        ("hard-link-stripped.tar", special(tar::EntryType::Link, "top/deep/b", "top/a"), "strip = 2\ninto = \"opt/a\""),
        ("hard-link-out.tar", special(tar::EntryType::Link, "b", "../../etc/passwd"), into),
        ("whiteout.tar", tar(&[(0o644, "top/.wh.bash", "")]), into),
        ("nothing.tar", tar(&[(0o644, "README", "")]), stripped),
        ("no-gzip.tgz", tar(&[(0o644, "README", "")]), into),
        ("cut.tar.gz", tar_gz(&[(0o644, "a", &"x".repeat(5000))])[..60].to_vec(), into),
        ("climbs.zip", named("../../x"), into),
        ("absolute.zip", named("/etc/xx"), into),
        ("link-out.zip", zip(&[(0o777, "a/b -> ../../etc", "")]), into),
        ("link-absolute.zip", zip(&[(0o777, "a/b -> /etc", "")]), into),
        ("no-zip.zip", b"PK\x03\x04 or not".to_vec(), into),
    ] {
        said.push(unpack(&world, name, &bytes, lines));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn what_is_well_goes_where_it_shall() {
    let world = Material::new().lock();
    let hard = special(tar::EntryType::Link, "top/b", "top/a");
    assert!(unpack(&world, "hard-link.tar", &hard, "strip = 1\ninto = \"opt/a\"").contains("mine:1.0"));
    assert!(unpack(&world, "a.TGZ", &tar_gz(&[(0o644, "a", "a")]), "into = \"opt/a\"").contains("mine:1.0"));
    // Programs of other systems leave permissions out.
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("dos.txt", SimpleFileOptions::default()).unwrap();
    zip.write_all(b"text").unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert!(unpack(&world, "dos.zip", &bytes, "into = \"opt/a\"").contains("mine:1.0"));
}

#[test]
fn links_and_folders_of_the_image_below_stay_what_they_are() {
    let world = Material::new().lock();
    let one = tar(&[(0o755, "tool", "#!/bin/sh")]);
    let said = [
        unpack(&world, "one.tar", &one, "into = \"bin\""),
        unpack(&world, "one.tar", &one, "into = \"usr/lib/jvm/java/conf\""),
        unpack(&world, "one.tar", &one, "into = \"tmp\""),
        unpack(&world, "one.tar", &one, "into = \"var/lib/app/plugins\""),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_layer_does_not_lead_through_a_link_that_a_file_of_the_users_is() {
    let world = Material::new().lock();
    std::fs::create_dir_all(world.kimg.home().join("tree")).unwrap();
    std::os::unix::fs::symlink("elsewhere", world.kimg.home().join("tree/link")).unwrap();
    let archive = archive(&world, "one.tar", &tar(&[(0o644, "a", "a")]));
    let text = format!(
        "name = \"mine\"\nfrom = \"app:1.0\"\n[[layer]]\nname = \"files\"\nfiles = [{{ from = \"tree\", to = \"opt/x\" }}]\n\
         [[layer]]\nname = \"archive\"\n{archive}into = \"opt/x/link\"\n"
    );
    world.kimg.write("image.toml", &text);
    insta::assert_snapshot!(world.kimg.run(&build("image.toml", &["-q"])));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is cut or changed in a zip, it is read or refused, and no path of it climbs.
    #[test]
    fn any_zip_is_read_or_refused(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
        let mut bytes = zip(&[(0o755, "folder/", ""), (0o644, "folder/a", "text"), (0o777, "folder/l -> a", "")]);
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
        let limits = kimg::layer::Limits { entries: 100, bytes: 1 << 20 };
        let _ = kimg::layer::read_zip(Cursor::new(bytes), "any.zip", limits, |entry, content| {
            let mut all = Vec::new();
            let _ = std::io::Read::read_to_end(&mut std::io::Read::take(content, 1 << 16), &mut all);
            assert!(!entry.path.as_bytes().split(|byte| *byte == b'/').any(|part| part == b".."));
            Ok::<(), kimg::layer::LayerError>(())
        });
    }
}
