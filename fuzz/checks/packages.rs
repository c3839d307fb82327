//! Packages of a Debian archive.

use kimg::upstream::debian::parse_packages;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for package in parse_packages(text, "fuzz", |_| true).into_iter().flatten() {
        assert!(kimg::lock::is_upstream_path(&package.path), "{}", package.path);
    }
}
