//! A KEYS file.
#![no_main]

use kimg::upstream::openpgp::Keyring;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keys) = Keyring::from_keys_file(bytes) {
        assert!(!keys.fingerprints().is_empty());
    }
});
