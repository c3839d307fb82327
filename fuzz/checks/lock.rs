//! A lock; one that is read is the same after it was written.

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(lock) = kimg::lock::parse(text, "fuzz") {
        let again = kimg::lock::parse(&kimg::lock::to_text(&lock), "fuzz").expect("what was written is read");
        assert_eq!(lock, again);
    }
}
