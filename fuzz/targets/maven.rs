//! What a machine tells of Maven and apt: settings, super POM, sources.
#![no_main]

#[path = "../checks/maven.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
