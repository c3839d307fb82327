//! Packages of a Debian archive.
#![no_main]

use kimg::upstream::debian::parse_packages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for package in parse_packages(text, "fuzz", |_| true).into_iter().flatten() {
        assert!(kimg::lock::is_upstream_path(&package.path), "{}", package.path);
    }
});
