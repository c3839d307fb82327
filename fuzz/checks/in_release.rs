//! An InRelease that nobody verified yet: nothing that a fuzzer makes is signed by these keys.

use std::sync::LazyLock;

use kimg::upstream::openpgp::Keyring;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let text = include_bytes!("../../images/keys/debian/debian-archive-bookworm-stable.asc");
    Keyring::from_keys_file(text).expect("the key that ships with kimg")
});

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let _ = KEYS.verify_cleartext("fuzz", bytes);
}
