//! A member of a jar.
#![no_main]

#[path = "../checks/jar_member.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
