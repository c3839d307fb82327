//! A whole .deb: ar, decompression, control, data.
#![no_main]

#[path = "../checks/deb.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
