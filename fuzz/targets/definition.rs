//! A definition; one that is read has a stable digest.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(definition) = kimg::definition::parse(text, "fuzz") {
        assert_eq!(kimg::lock::definition_digest(&definition), kimg::lock::definition_digest(&definition.clone()));
    }
});
