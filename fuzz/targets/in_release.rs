//! An InRelease that nobody verified yet: nothing that a fuzzer makes is signed by these keys.
#![no_main]

use std::sync::LazyLock;

use kimg::upstream::openpgp::Keyring;
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let text = include_bytes!("../../images/keys/debian/debian-archive-bookworm-stable.asc");
    Keyring::from_keys_file(text).expect("the key that ships with kimg")
});

fuzz_target!(|bytes: &[u8]| {
    let _ = KEYS.verify_cleartext("fuzz", bytes);
});
