//! OpenPGP: which signatures are accepted, and which are not.

#[path = "support/openpgp.rs"]
mod keys;

use keys::{CREATED, How, Key, SIGNED, Subkey, YEAR, armored, dearmored};
use kimg::error::{Category, Diagnose};
use kimg::upstream::openpgp::{Accepted, Keyring, OpenPgpError};
use pgp::composed::{ArmorOptions, Deserializable, SignedPublicKey};
use pgp::packet::{RevocationCode, SignatureType};

const DATA: &[u8] = b"what is signed\n";

/// A key of GnuPG's, of the old kind that may still use SHA-1, and what it signed.
const OLD_KEY: &str = include_str!("support/gnupg/key.asc");
const OLD_KEY_FINGERPRINT: &str = "3EC54A2AB5757214279AFB90021FC99E37FE04CA";

fn ring(copies: &[&Key]) -> Keyring {
    let text: String = copies.iter().map(|key| key.armored()).collect();
    Keyring::from_keys_file(text.as_bytes()).unwrap()
}

/// Verifies what `signer` may have signed.
fn verify_by(ring: &Keyring, signer: &Key, data: &[u8], signature: impl AsRef<[u8]>) -> Result<Accepted, OpenPgpError> {
    let mut data = data;
    ring.verify_detached("x.jar", &mut data, signature.as_ref(), &[&signer.fingerprint()])
}

/// What becomes of a signature made so by a key whose ring holds these copies.
fn judge(copies: &[&Key], how: &How) -> Result<Accepted, OpenPgpError> {
    verify_by(&ring(copies), copies[0], DATA, copies[0].sign_as(DATA, how))
}

fn at(time: u32) -> How {
    How { time, ..How::default() }
}

/// The reason why the key may not have signed.
fn why(result: Result<Accepted, OpenPgpError>) -> String {
    match result.unwrap_err() {
        OpenPgpError::Key { name, why, .. } if name == "x.jar" => why,
        other => panic!("{other}"),
    }
}

#[test]
fn the_right_signer_is_accepted_and_named() {
    let key = Key::new("Ann");
    let ring = ring(&[&Key::new("Bob"), &key]);
    let expected = Accepted { signer: key.fingerprint(), created: SIGNED.into() };
    let signature = key.sign(DATA);
    assert_eq!(verify_by(&ring, &key, DATA, &signature).unwrap(), expected);
    assert_eq!(verify_by(&ring, &key, DATA, dearmored(&signature)).unwrap(), expected);
    assert_eq!(verify_by(&ring, &key, b"", key.sign(b"")).unwrap(), expected);
    let large = vec![7; 1 << 20];
    assert_eq!(verify_by(&ring, &key, &large, key.sign(&large)).unwrap(), expected);
}

#[test]
fn a_signer_of_ours_who_may_not_sign_this_is_refused() {
    let (ann, bob) = (Key::new("Ann"), Key::new("Bob"));
    let error = verify_by(&ring(&[&ann, &bob]), &ann, DATA, bob.sign(DATA)).unwrap_err();
    assert!(matches!(error, OpenPgpError::WrongSigner { .. }), "{error}");
    let text = format!("x.jar: it is signed by {}, not by {}", bob.fingerprint(), ann.fingerprint());
    assert_eq!(error.to_string(), text);
    assert_eq!(error.category(), Category::Verification);
    assert!(error.hint().is_some());
}

#[test]
fn a_signer_whom_nobody_knows_is_refused_and_named() {
    let (ann, bob) = (Key::new("Ann"), Key::new("Bob"));
    let error = verify_by(&ring(&[&ann]), &ann, DATA, bob.sign(DATA)).unwrap_err();
    assert!(matches!(error, OpenPgpError::UnknownSigner { .. }), "{error}");
    assert!(error.to_string().contains(&bob.fingerprint()), "{error}");
}

#[test]
fn other_bytes_are_refused() {
    let key = Key::new("Ann");
    let ring = ring(&[&key]);
    let signature = key.sign(DATA);
    let longer = [DATA, b"\n"].concat();
    for other in [&DATA[..DATA.len() - 1], &longer, b"", b"what is signed\r\n"] {
        let error = verify_by(&ring, &key, other, &signature).unwrap_err();
        assert!(
            matches!(&error, OpenPgpError::Bad { name, signer } if name == "x.jar" && *signer == key.fingerprint())
        );
    }
}

#[test]
fn every_byte_of_a_signature_and_of_the_data_counts() {
    let key = Key::new("Ann");
    let ring = ring(&[&key]);
    let signature = dearmored(&key.sign(DATA));
    let flipped = |bytes: &[u8], at: usize, bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1 << bit;
        bytes
    };
    for bit in 0..8 {
        for at in 0..signature.len() {
            let other = flipped(&signature, at, bit);
            assert!(verify_by(&ring, &key, DATA, other).is_err(), "bit {bit} of byte {at} of the signature");
        }
        for at in 0..DATA.len() {
            let other = flipped(DATA, at, bit);
            assert!(verify_by(&ring, &key, &other, &signature).is_err(), "bit {bit} of byte {at} of the data");
        }
    }
}

#[test]
fn a_signature_that_is_cut_off_is_refused() {
    let key = Key::new("Ann");
    let ring = ring(&[&key]);
    let signature = dearmored(&key.sign(DATA));
    for length in 0..signature.len() {
        let error = verify_by(&ring, &key, DATA, &signature[..length]).unwrap_err();
        assert!(matches!(error, OpenPgpError::Unreadable { .. }), "{length} bytes: {error}");
    }
    let signature = key.sign(DATA);
    let body = signature.rfind("\n-----END").unwrap() - "=abcd".len();
    for length in 0..body {
        assert!(verify_by(&ring, &key, DATA, &signature[..length]).is_err(), "{length} bytes of armor");
    }
}

#[test]
fn what_is_no_signature_of_bytes_is_refused() {
    let key = Key::new("Ann");
    let ring = ring(&[&key]);
    let certification = SignedPublicKey::from_string(&key.armored()).unwrap().0.details.users[0].signatures[0].clone();
    // A signature of text stays good where a line ends in another way, so that other bytes would do as well.
    let of_text = key.sign_as(DATA, &How { kind: SignatureType::Text, ..How::default() });
    for wrong in
        ["", "<html>please log in</html>", &key.armored(), &key.sign_cleartext("x"), &armored(&certification), &of_text]
    {
        let error = verify_by(&ring, &key, DATA, wrong).unwrap_err();
        assert!(matches!(error, OpenPgpError::Unreadable { .. }), "{wrong}: {error}");
        assert!(error.to_string().starts_with("x.jar: its signature cannot be read: "), "{error}");
    }
}

#[test]
fn sha_1_is_refused_though_it_fits() {
    let ring = Keyring::from_keys_file(OLD_KEY.as_bytes()).unwrap();
    let verify =
        |signature: &str| ring.verify_detached("x.jar", &mut &DATA[..], signature.as_bytes(), &[OLD_KEY_FINGERPRINT]);
    assert_eq!(verify(include_str!("support/gnupg/sha256.asc")).unwrap().signer, OLD_KEY_FINGERPRINT);
    let error = verify(include_str!("support/gnupg/sha1.asc")).unwrap_err();
    assert!(matches!(error, OpenPgpError::Weak { .. }), "{error}");
    assert_eq!(error.to_string(), "x.jar: its signature uses SHA1, which can be forged");
    assert!(matches!(verify(include_str!("support/gnupg/text.asc")), Err(OpenPgpError::Unreadable { .. })));
}

#[test]
fn a_key_signs_while_it_lives() {
    let end = SIGNED + YEAR;
    let key = Key::new("Ann").expiring(CREATED, Some(end));
    for time in [CREATED, SIGNED, end - 1] {
        assert_eq!(judge(&[&key], &at(time)).unwrap().created, u64::from(time));
    }
    for time in [end, end + 1, end + 10 * YEAR] {
        assert_eq!(why(judge(&[&key], &at(time))), "had expired when it signed");
    }
    assert_eq!(why(judge(&[&key], &at(CREATED - 1))), "was made after the signature");
    // Whoever takes his name back does not prolong the life of his key.
    assert_eq!(why(judge(&[&key.user_revoked(SIGNED)], &at(end))), "had expired when it signed");
}

#[test]
fn a_revocation_that_tells_of_no_harmless_reason_counts_whenever() {
    for reason in [None, Some(RevocationCode::NoReason), Some(RevocationCode::KeyCompromised)] {
        let key = Key::new("Ann").revoked(reason, SIGNED);
        for time in [CREATED, SIGNED - 1, SIGNED, SIGNED + 1] {
            assert!(why(judge(&[&key], &at(time))).starts_with("was revoked ("), "{reason:?}");
        }
    }
}

#[test]
fn a_key_that_was_superseded_or_retired_was_good_before() {
    for (reason, said) in [(RevocationCode::KeySuperseded, "KeySuperseded"), (RevocationCode::KeyRetired, "KeyRetired")]
    {
        let key = Key::new("Ann").revoked(Some(reason), SIGNED);
        judge(&[&key], &at(SIGNED - 1)).unwrap();
        for time in [SIGNED, SIGNED + 1] {
            assert_eq!(why(judge(&[&key], &at(time))), format!("was revoked ({said})"));
        }
    }
}

#[test]
fn nobody_revokes_the_key_of_another() {
    let public = |key: &Key| SignedPublicKey::from_string(&key.armored()).unwrap().0;
    let (ann, bob) = (Key::new("Ann"), Key::new("Bob").revoked(None, SIGNED));
    let mut key = public(&ann);
    key.details.revocation_signatures = public(&bob).details.revocation_signatures;
    let text = key.to_armored_string(ArmorOptions::default()).unwrap();
    let ring = Keyring::from_keys_file(text.as_bytes()).unwrap();
    verify_by(&ring, &ann, DATA, ann.sign(DATA)).unwrap();
}

#[test]
fn a_key_that_may_not_sign_is_refused_and_one_that_says_nothing_is_not() {
    assert_eq!(why(judge(&[&Key::new("Ann").that_certifies_only()], &at(SIGNED))), "may not sign data");
    judge(&[&Key::new("Ann").without_flags()], &at(SIGNED)).unwrap();
    let key = Key::new("Ann");
    let bare = Keyring::from_keys_file(key.armored_bare().as_bytes()).unwrap();
    verify_by(&bare, &key, DATA, key.sign(DATA)).unwrap();
}

#[test]
fn a_subkey_signs_in_the_name_of_its_key() {
    let by_subkey = |time| How { by_subkey: true, ..at(time) };
    let with = |subkey| Key::new("Ann").that_certifies_only().with_subkey(subkey);
    let key = with(Subkey::default());
    assert_eq!(judge(&[&key], &by_subkey(SIGNED)).unwrap().signer, key.fingerprint());
    let refused = |subkey, time| why(judge(&[&with(subkey)], &by_subkey(time)));

    let silent = Subkey { signs: false, ..Subkey::default() };
    assert_eq!(refused(silent, SIGNED), "has a subkey that may not sign");
    let unconfirmed = Subkey { confirms: false, ..Subkey::default() };
    assert_eq!(refused(unconfirmed, SIGNED), "claims a subkey that does not confirm it");

    let short = Subkey { expires: Some(SIGNED), ..Subkey::default() };
    judge(&[&with(short.clone())], &by_subkey(SIGNED - 1)).unwrap();
    assert_eq!(refused(short, SIGNED), "had expired when it signed");

    let retired = Subkey { revoked: Some((RevocationCode::KeyRetired, SIGNED)), ..Subkey::default() };
    judge(&[&with(retired.clone())], &by_subkey(SIGNED - 1)).unwrap();
    assert_eq!(refused(retired, SIGNED), "was revoked (KeyRetired)");
    let stolen = Subkey { revoked: Some((RevocationCode::KeyCompromised, SIGNED)), ..Subkey::default() };
    assert_eq!(refused(stolen, SIGNED - 1), "was revoked (KeyCompromised)");
}

#[test]
fn what_befalls_a_key_befalls_its_subkey() {
    let by_subkey = How { by_subkey: true, ..How::default() };
    let key = Key::new("Ann").with_subkey(Subkey::default());
    assert!(why(judge(&[&key.clone().revoked(None, SIGNED + YEAR)], &by_subkey)).starts_with("was revoked"));
    assert_eq!(why(judge(&[&key.expiring(CREATED, Some(SIGNED))], &by_subkey)), "had expired when it signed");
    // And the other way round: a subkey's end is not that of its key.
    let stolen = Subkey { revoked: Some((RevocationCode::KeyCompromised, CREATED)), ..Subkey::default() };
    judge(&[&Key::new("Ann").with_subkey(stolen)], &at(SIGNED)).unwrap();
}

#[test]
fn nobody_signs_by_claiming_the_subkey_of_another() {
    let bob = Key::new("Bob").with_subkey(Subkey::default());
    let signature = bob.sign_as(DATA, &How { by_subkey: true, ..How::default() });
    let thief = Key::new("Ann").with_subkey(Subkey { of: Some("Bob"), confirms: false, ..Subkey::default() });
    let error = verify_by(&ring(&[&thief]), &thief, DATA, signature).unwrap_err();
    assert!(matches!(error, OpenPgpError::Key { .. }), "{error}");
}

#[test]
fn the_newest_word_of_several_copies_counts() {
    let key = Key::new("Ann");
    let both = |one: &Key, other: &Key, check: &dyn Fn(Result<Accepted, OpenPgpError>)| {
        check(judge(&[one, other], &at(SIGNED)));
        check(judge(&[other, one], &at(SIGNED)));
    };
    let expired = key.clone().expiring(CREATED, Some(SIGNED - YEAR));
    let prolonged = key.clone().expiring(CREATED + YEAR, Some(SIGNED + YEAR));
    both(&expired, &prolonged, &|result| drop(result.unwrap()));

    let endless = key.clone();
    let shortened = key.clone().expiring(CREATED + YEAR, Some(SIGNED - YEAR));
    both(&endless, &shortened, &|result| assert_eq!(why(result), "had expired when it signed"));

    let revoked = key.clone().revoked(None, SIGNED + YEAR);
    both(&key, &revoked, &|result| assert!(why(result).starts_with("was revoked")));
    assert_eq!(ring(&[&key, &revoked, &Key::new("Bob"), &expired]).fingerprints().len(), 2);

    // A copy from before there was a subkey.
    let with_subkey = key.clone().with_subkey(Subkey::default());
    let signature = with_subkey.sign_as(DATA, &How { by_subkey: true, ..How::default() });
    verify_by(&ring(&[&key, &with_subkey]), &key, DATA, &signature).unwrap();
    let stolen = Subkey { revoked: Some((RevocationCode::KeyCompromised, SIGNED)), ..Subkey::default() };
    let stolen = key.clone().with_subkey(stolen);
    for copies in [[&with_subkey, &stolen], [&stolen, &with_subkey]] {
        assert!(why(verify_by(&ring(&copies), &key, DATA, &signature)).starts_with("was revoked"));
    }
}

#[test]
fn a_keys_file_holds_prose_and_blocks_that_cannot_be_read() {
    let (ann, bob) = (Key::new("Ann"), Key::new("Bob"));
    let broken = ann.armored().replace("\n\n", "\n\n!!!!");
    let text = format!(
        "This file has the keys of the developers.\npub 4096R/00000000\n\n{}\nsig \u{fc} -----\n{broken}\n{}\nThe end.\n",
        ann.armored(),
        bob.armored().replace('\n', "\r\n"),
    );
    let ring = Keyring::from_keys_file(text.as_bytes()).unwrap();
    assert_eq!(ring.fingerprints(), [ann.fingerprint(), bob.fingerprint()]);
    let cut = &text[..text.rfind("-----END").unwrap()];
    assert_eq!(Keyring::from_keys_file(cut.as_bytes()).unwrap().fingerprints(), [ann.fingerprint()]);
    // Prose of another century is not UTF-8.
    let latin = [b"\xfc\xe4\n".as_slice(), ann.armored().as_bytes()].concat();
    assert_eq!(Keyring::from_keys_file(&latin).unwrap().fingerprints(), [ann.fingerprint()]);
}

#[test]
fn a_keys_file_without_a_key_is_an_error() {
    let signature = Key::new("Ann").sign(DATA);
    let broken = Key::new("Ann").armored().replace("\n\n", "\n\n!!!!");
    for text in ["", "prose", &broken, &signature] {
        let error = Keyring::from_keys_file(text.as_bytes()).unwrap_err();
        assert!(matches!(error, OpenPgpError::NoKeys), "{error}");
    }
}

#[test]
fn the_keys_that_ship_with_kimg_can_be_read() {
    for (file, fingerprint) in [
        ("kafka.asc", "42EFF58EC9BDFD20FA7DF8B16CCECEFAC04AC304"),
        ("zookeeper.asc", "52A7EA3EECAE05B0A8306471790761798F6E35FC"),
        ("zookeeper.asc", "AF3D175EC05DB249738D01AC8D8C3C3ED0B02E66"),
        ("debian/debian-archive-bookworm-automatic.asc", "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8"),
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("images/keys").join(file);
        let known = Keyring::from_keys_file(&std::fs::read(path).unwrap()).unwrap().fingerprints();
        assert!(known.iter().any(|known| known == fingerprint), "{file}: {fingerprint} is not among {known:?}");
    }
}
