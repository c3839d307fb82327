//! OpenPGP: which signatures are accepted, and which are not.

#[path = "support/openpgp.rs"]
mod keys;

use keys::Key;
use kimg::upstream::openpgp::Keyring;

#[test]
fn the_right_signer_is_accepted() {
    let key = Key::new("Ann");
    let ring = Keyring::from_keys_file(key.armored().as_bytes()).unwrap();
    assert_eq!(ring.fingerprints(), [key.fingerprint()]);
    let accepted = ring
        .verify_detached("x.jar", &mut b"bytes".as_slice(), key.sign(b"bytes").as_bytes(), &[&key.fingerprint()])
        .unwrap();
    assert_eq!(accepted.signer, key.fingerprint());
    let (text, accepted) = ring.verify_cleartext("InRelease", key.sign_cleartext("a\n- b\n").as_bytes()).unwrap();
    assert_eq!(text, "a\n- b\n");
    assert_eq!(accepted.len(), 1);
}
