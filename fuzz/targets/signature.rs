//! A detached signature that nobody verified yet.
#![no_main]

use std::sync::LazyLock;

use kimg::upstream::openpgp::Keyring;
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let text = include_bytes!("../../images/keys/zookeeper.asc");
    Keyring::from_keys_file(text).expect("the keys that ship with kimg")
});

fuzz_target!(|bytes: &[u8]| {
    assert!(KEYS.verify_detached("fuzz", &mut &b"data"[..], bytes, &[]).is_err());
});
