//! A lock; one that is read is the same after it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(lock) = kimg::lock::parse(text, "fuzz") {
        let again = kimg::lock::parse(&kimg::lock::to_text(&lock), "fuzz").expect("what was written is read");
        assert_eq!(lock, again);
    }
});
