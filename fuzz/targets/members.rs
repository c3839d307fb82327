//! A tar that holds an image: its files are found by headers alone and by reading it once, and both find the same.
#![no_main]

#[path = "../checks/members.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
