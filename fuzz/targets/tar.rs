//! A tar from outside; what is handed on is written into a layer, which must never be refused for its shape twice.
#![no_main]

#[path = "../checks/tar.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
