//! A detached signature that nobody verified yet.
#![no_main]

#[path = "../checks/signature.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
