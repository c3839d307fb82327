//! A KEYS file.

use kimg::upstream::openpgp::Keyring;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    if let Ok(keys) = Keyring::from_keys_file(bytes) {
        assert!(!keys.fingerprints().is_empty());
    }
}
