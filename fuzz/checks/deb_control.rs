//! The control archive's stanza and md5sums, in a .deb that is right otherwise.

use std::io::Read;

use kimg::layer::Entry;
use kimg::upstream::debian::{Control, DebianError, read_deb};

/// An ar member with its header of 60 bytes.
fn member(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut all = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", bytes.len()).into_bytes();
    all.extend_from_slice(bytes);
    all.resize(all.len().next_multiple_of(2), b'\n');
    all
}

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let empty = vec![0; 1024];
    let deb = [
        b"!<arch>\n".to_vec(),
        member("debian-binary", b"2.0\n"),
        member("control.tar", bytes),
        member("data.tar", &empty),
    ];
    let entry = |_: Entry, _: &mut dyn Read| Ok::<(), DebianError>(());
    let _ = read_deb(deb.concat().as_slice(), "fuzz", |_: Control| Ok(()), entry);
}
