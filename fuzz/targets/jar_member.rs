//! A member of a jar.
#![no_main]

use std::io::Cursor;

use kimg::layer::zip_member;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some(member)) = zip_member(Cursor::new(bytes), "fuzz", "LICENSE", 1 << 16) {
        assert!(member.len() <= 1 << 16);
    }
});
