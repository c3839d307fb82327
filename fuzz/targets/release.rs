//! A Release, once its signature was verified.
#![no_main]

use kimg::upstream::debian::Release;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Release::parse(text, "fuzz");
});
