//! A Release, once its signature was verified.
#![no_main]

#[path = "../checks/release.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
