//! A definition, kimg's own or a user's; one that is read has a stable digest.
#![no_main]

#[path = "../checks/definition.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
