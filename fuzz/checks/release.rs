//! A Release, once its signature was verified.

use kimg::upstream::debian::Release;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Release::parse(text, "fuzz");
}
