//! A detached signature that nobody verified yet.

use std::sync::LazyLock;

use kimg::upstream::openpgp::Keyring;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let text = include_bytes!("../../images/keys/zookeeper.asc");
    Keyring::from_keys_file(text).expect("the keys that ship with kimg")
});

/// Checks one input.
pub fn check(bytes: &[u8]) {
    assert!(KEYS.verify_detached("fuzz", &mut &b"data"[..], bytes, &[]).is_err());
}
