//! A lock; one that is read is the same after it was written.
#![no_main]

#[path = "../checks/lock.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
