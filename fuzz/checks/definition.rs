//! A definition; one that is read has a stable digest.

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(definition) = kimg::definition::parse(text, "fuzz") {
        assert_eq!(kimg::lock::definition_digest(&definition), kimg::lock::definition_digest(&definition.clone()));
    }
}
