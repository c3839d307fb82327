//! An InRelease that nobody verified yet: nothing that a fuzzer makes is signed by these keys.
#![no_main]

#[path = "../checks/in_release.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
