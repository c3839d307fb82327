//! Packages of a Debian archive.
#![no_main]

#[path = "../checks/packages.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
