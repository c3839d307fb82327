//! A whole .deb: ar, decompression, control, data.

use std::io::{self, Read};

use kimg::layer::Entry;
use kimg::upstream::debian::{Control, DebianError, read_deb};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let entry = |_: Entry, content: &mut dyn Read| {
        let _ = io::copy(content, &mut io::sink());
        Ok::<(), DebianError>(())
    };
    let _ = read_deb(bytes, "fuzz", |_: Control| Ok(()), entry);
}
