//! What definitions of a user's are made of in tests: files of a Maven repository, archives, and commands. It needs
//! `mod catalog` and `mod server` beside it.
#![allow(dead_code, unreachable_pub)]

use std::io::{Cursor, Write};

use kimg::digest::Digest;
use sha2::Digest as _;

use crate::catalog::World;

/// Serves a file of Maven's with the checksum that repositories have beside it.
pub fn maven(world: &World, path: &str, bytes: &[u8]) {
    world.server.put(&format!("/maven/{path}"), bytes);
    world.server.put(&format!("/maven/{path}.sha1"), hex::encode(sha1::Sha1::digest(bytes)));
}

/// The arguments of a build of a definition.
pub fn build<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["build", "--images", "images", "-f", file], more].concat()
}

/// A tar of these files, by mode, path and contents; `->` in a path makes a link, a final `/` a folder.
pub fn tar(entries: &[(u32, &str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (mode, path, text) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_uid(501);
        header.set_gid(20);
        header.set_mtime(1_234_567_890);
        match path.split_once(" -> ") {
            Some((path, target)) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                tar.append_link(&mut header, path, target).unwrap();
            }
            None => {
                let kind = if path.ends_with('/') { tar::EntryType::Directory } else { tar::EntryType::Regular };
                header.set_entry_type(kind);
                header.set_size(text.len() as u64);
                tar.append_data(&mut header, path, text.as_bytes()).unwrap();
            }
        }
    }
    tar.into_inner().unwrap()
}

/// The same, compressed.
pub fn tar_gz(entries: &[(u32, &str, &str)]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar(entries)).unwrap();
    encoder.finish().unwrap()
}

/// The same as a zip.
pub fn zip(entries: &[(u32, &str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (mode, path, text) in entries {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(*mode);
        match path.split_once(" -> ") {
            Some((path, target)) => zip.add_symlink(path, target, options).unwrap(),
            None if path.ends_with('/') => zip.add_directory(*path, options).unwrap(),
            None => {
                zip.start_file(*path, options).unwrap();
                zip.write_all(text.as_bytes()).unwrap();
            }
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Serves an archive, and returns the lines of a definition that name it.
pub fn archive(world: &World, path: &str, bytes: &[u8]) -> String {
    world.server.put(&format!("/{path}"), bytes);
    let url = format!("{}{path}", world.server.url());
    format!("[[layer.archive]]\nurl = \"{url}\"\nsha256 = \"{}\"\n", Digest::of(bytes).hex())
}

/// A lock without what differs in each run: the server's port, and the digests that depend on it.
pub fn lock_text(world: &World, path: &str) -> String {
    let text = std::fs::read_to_string(world.kimg.home().join(path)).unwrap();
    let text = text.replace(&world.server.address().to_string(), "downloads.example");
    let mut parts = text.split("\"sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}\"sha256:DIGEST{}", &part[64..]))
}
