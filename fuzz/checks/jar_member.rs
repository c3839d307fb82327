//! A member of a jar.

use std::io::Cursor;

use kimg::layer::zip_member;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    if let Ok(Some(member)) = zip_member(Cursor::new(bytes), "fuzz", "LICENSE", 1 << 16) {
        assert!(member.len() <= 1 << 16);
    }
}
