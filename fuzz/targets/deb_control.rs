//! The control archive's stanza and md5sums, in a .deb that is right otherwise.
#![no_main]

#[path = "../checks/deb_control.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
