//! A KEYS file.
#![no_main]

#[path = "../checks/keys.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
