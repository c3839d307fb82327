//! A tar from outside; what is handed on is written into a layer, which must never be refused for its shape twice.

use std::io::{self, Read};

use kimg::layer::{Entry, LayerError, Limits, read_tar};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let limits = Limits { entries: 1000, bytes: 1 << 30 };
    let _ = read_tar(bytes, "fuzz", limits, |entry: Entry, content: &mut dyn Read| {
        let path = entry.path.as_bytes();
        assert!(!path.starts_with(b"/") && !path.contains(&0), "{path:?}");
        assert!(path.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b"..")), "{path:?}");
        let _ = io::copy(content, &mut io::sink());
        Ok::<(), LayerError>(())
    });
}
