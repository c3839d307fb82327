//! Cleartext-signed documents: nothing but the signed text comes out of them.

#[path = "support/openpgp.rs"]
mod keys;

use std::time::Instant;

use keys::{How, Key, SIGNED, YEAR, sign_cleartext_by};
use kimg::upstream::openpgp::{Keyring, OpenPgpError};
use pgp::packet::SignatureType;
use proptest::prelude::*;

const TEXT: &str = "Origin: Tests\n- a list\n-----BEGIN PGP SIGNED MESSAGE-----\n\n  indented\tand \u{fc}\nend";

fn ring(keys: &[&Key]) -> Keyring {
    let text: String = keys.iter().map(|key| key.armored()).collect();
    Keyring::from_keys_file(text.as_bytes()).unwrap()
}

/// The text that comes out of a document, where the key is trusted.
fn read(key: &Key, document: &str) -> Result<String, OpenPgpError> {
    let (text, accepted) = ring(&[key]).verify_cleartext("InRelease", document.as_bytes())?;
    assert_eq!(accepted.iter().map(|one| &one.signer).collect::<Vec<_>>(), [&key.fingerprint()]);
    Ok(text)
}

fn text_at(time: u32) -> How {
    How { kind: SignatureType::Text, time, ..How::default() }
}

#[test]
fn the_signed_text_comes_out_with_its_dashes() {
    let key = Key::new("Ann");
    for text in [TEXT, "", "one line", "- ", "-", "\n", "\n\n", "a\n", "-----END PGP SIGNATURE-----\n"] {
        let text_with_no_blanks: Vec<&str> = text.split('\n').map(str::trim_end).collect();
        let document = key.sign_cleartext(&text_with_no_blanks.join("\n"));
        assert_eq!(read(&key, &document).unwrap(), text_with_no_blanks.join("\n"), "{document}");
        let of_bytes = key.sign_cleartext_as(&text_with_no_blanks.join("\n"), &How::default());
        assert_eq!(read(&key, &of_bytes).unwrap(), text_with_no_blanks.join("\n"), "{of_bytes}");
    }
}

#[test]
fn what_gnupg_signs_is_read() {
    let ring = Keyring::from_keys_file(include_bytes!("support/gnupg/key.asc")).unwrap();
    let document = include_str!("support/gnupg/clear.asc");
    let (text, accepted) = ring.verify_cleartext("x", document.as_bytes()).unwrap();
    // The blanks at the end of a line are not signed.
    assert_eq!(text, "what is signed\n- dashed\ntrailing");
    assert_eq!((accepted.len(), accepted[0].created), (1, u64::from(SIGNED)));
    let other_blanks = document.replace("trailing  ", "trailing \t ");
    assert_eq!(ring.verify_cleartext("x", other_blanks.as_bytes()).unwrap().0, text);
}

#[test]
fn ends_of_lines_do_not_matter_and_are_told_in_one_way() {
    let key = Key::new("Ann");
    let document = key.sign_cleartext(TEXT);
    let crlf = document.replace('\n', "\r\n");
    assert_eq!(read(&key, &crlf).unwrap(), TEXT);
    assert_eq!(read(&key, document.trim_end()).unwrap(), TEXT);
    assert_eq!(read(&key, &format!("{document}\n \r\n")).unwrap(), TEXT);
    // A carriage return within a line would be the end of a line to some readers, and not to others.
    let within = key.sign_cleartext("a\rb");
    assert!(matches!(read(&key, &within), Err(OpenPgpError::Unreadable { .. })));
}

#[test]
fn what_stands_around_the_frame_is_not_trusted() {
    let key = Key::new("Ann");
    let document = key.sign_cleartext(TEXT);
    let second = key.sign_cleartext("Second: text\n");
    for around in [
        format!("Codename: evil\n{document}"),
        format!("\n{document}"),
        format!("{document}Codename: evil\n"),
        format!("{document}{second}"),
        document.replace("Hash: SHA256\n", "Hash: SHA256\nCodename: evil\n"),
        document.replace("Hash: SHA256\n", "NotDashEscaped: true\n"),
        document.replace("-----END PGP SIGNATURE-----", "-----END PGP SIGNATURE-----\nCodename: evil"),
    ] {
        assert_ne!(around, document);
        let error = read(&key, &around).unwrap_err();
        assert!(matches!(error, OpenPgpError::Unreadable { .. }), "{around}: {error}");
    }
    // In the armor of the signature is room for headers, which nobody reads.
    let commented =
        document.replace("-----BEGIN PGP SIGNATURE-----\n", "-----BEGIN PGP SIGNATURE-----\nCodename: evil\n");
    assert_eq!(read(&key, &commented).unwrap(), TEXT);
}

#[test]
fn text_that_is_not_the_signed_one_is_refused() {
    let key = Key::new("Ann");
    let document = key.sign_cleartext(TEXT);
    let signature = document.find("-----BEGIN PGP SIGNATURE").unwrap();
    let longer = format!("{}Codename: evil\n{}", &document[..signature], &document[signature..]);
    for other in [document.replace("Tests", "Others"), document.replace("\n\n  in", "\n  in"), longer] {
        assert!(matches!(read(&key, &other), Err(OpenPgpError::Bad { .. })), "{other}");
    }
    let unescaped = document.replace("\n- - a list", "\n- a list");
    assert!(matches!(read(&key, &unescaped), Err(OpenPgpError::Bad { .. })));
    let unescaped = document.replace("\n- - a list", "\n-a list");
    assert!(matches!(read(&key, &unescaped), Err(OpenPgpError::Unreadable { .. })));
}

#[test]
fn a_document_that_is_cut_off_is_refused() {
    let key = Key::new("Ann");
    let document = key.sign_cleartext(TEXT);
    for length in (0..document.len() - 1).filter(|length| document.is_char_boundary(*length)) {
        let error = read(&key, &document[..length]).unwrap_err();
        assert!(matches!(error, OpenPgpError::Unreadable { .. }), "{length}: {error}");
    }
}

#[test]
fn what_is_no_document_is_refused() {
    let key = Key::new("Ann");
    let empty_block =
        "-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n";
    for wrong in ["", "\n", "<html>please log in</html>", &key.armored(), &key.sign(b"x"), empty_block] {
        let error = read(&key, wrong).unwrap_err();
        assert!(matches!(&error, OpenPgpError::Unreadable { name, .. } if name == "InRelease"), "{wrong}: {error}");
    }
    let latin = [key.sign_cleartext("x").as_bytes(), b"\xfc"].concat();
    assert!(ring(&[&key]).verify_cleartext("x", &latin).is_err());
}

#[test]
fn of_several_signatures_one_of_a_known_key_is_enough() {
    let (ann, bob, eve) = (Key::new("Ann"), Key::new("Bob"), Key::new("Eve"));
    let expired = Key::new("Old").expiring(keys::CREATED, Some(SIGNED));
    let how = || text_at(SIGNED);
    let document = sign_cleartext_by(TEXT, &[(&eve, how()), (&expired, how()), (&ann, how()), (&bob, how())]);
    assert_eq!(read(&ann, &document).unwrap(), TEXT);
    assert_eq!(read(&bob, &document).unwrap(), TEXT);
    let (_, accepted) = ring(&[&bob, &expired, &ann]).verify_cleartext("x", document.as_bytes()).unwrap();
    let signers: Vec<&str> = accepted.iter().map(|one| one.signer.as_str()).collect();
    assert_eq!(signers, [ann.fingerprint(), bob.fingerprint()]);

    let error = ring(&[&Key::new("Another")]).verify_cleartext("x", document.as_bytes()).unwrap_err();
    assert!(matches!(error, OpenPgpError::UnknownSigner { .. }), "{error}");
    // What is wrong with a key that is known tells more than that others are not.
    for order in [[&expired, &eve], [&eve, &expired]] {
        let document = sign_cleartext_by(TEXT, &order.map(|key| (key, how())));
        let error = ring(&[&expired]).verify_cleartext("x", document.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("had expired"), "{error}");
    }
}

#[test]
fn the_rules_for_keys_are_those_of_detached_signatures() {
    let key = Key::new("Ann");
    let document = key.sign_cleartext_as(TEXT, &text_at(SIGNED));
    for refusing in [key.clone().revoked(None, SIGNED + YEAR), key.clone().that_certifies_only()] {
        assert!(matches!(read(&refusing, &document), Err(OpenPgpError::Key { .. })));
    }
    assert!(matches!(read(&Key::new("Bob"), &document), Err(OpenPgpError::UnknownSigner { .. })));
}

/// Whoever serves a document may make it as large and as odd as he likes before anybody can verify it.
#[test]
#[allow(clippy::disallowed_methods, reason = "an hour is told from a moment")]
fn a_large_document_is_refused_in_time() {
    let key = Key::new("Ann");
    let (head, size) = ("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n", 4 << 20);
    let many = vec![(&key, text_at(SIGNED)); 40];
    let start = Instant::now();
    for text in ["\n", "- \n", "-----BEGIN\n", "x"] {
        assert!(read(&key, &format!("{head}{}", text.repeat(size / text.len()))).is_err());
    }
    assert!(read(&key, &format!("{head}{}", "Hash: x\n".repeat(size / 8))).is_err());
    let error = read(&key, &sign_cleartext_by(TEXT, &many)).unwrap_err();
    assert!(error.to_string().contains("more than 16 signatures"), "{error}");
    // It takes much less than a second; the square of four million would take an hour.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn one_byte_changed_anywhere_is_refused_or_leaves_the_text_as_it_was(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let key = Key::new("Ann");
        let ring = ring(&[&key]);
        let mut document = key.sign_cleartext(TEXT).into_bytes();
        let at = at.index(document.len());
        document[at] = byte;
        if let Ok((text, accepted)) = ring.verify_cleartext("x", &document) {
            prop_assert_eq!(text, TEXT);
            prop_assert_eq!(&accepted[0].signer, &key.fingerprint());
        }
    }

    #[test]
    fn bytes_put_in_or_left_out_are_refused_or_leave_the_text_as_it_was(
        at in any::<prop::sample::Index>(), left_out in 0..4usize, put_in in "[-\r\n \tA:]{0,4}"
    ) {
        let key = Key::new("Ann");
        let ring = ring(&[&key]);
        let mut document = key.sign_cleartext(TEXT).into_bytes();
        let at = at.index(document.len() - left_out);
        document.splice(at..at + left_out, put_in.bytes());
        if let Ok((text, _)) = ring.verify_cleartext("x", &document) {
            prop_assert_eq!(text, TEXT);
        }
    }

    #[test]
    fn any_text_comes_back(lines in prop::collection::vec("[-A-Za-z: \u{e4}]{0,12}[a-z-]", 0..8)) {
        let key = Key::new("Ann");
        let text = lines.join("\n");
        prop_assert_eq!(read(&key, &key.sign_cleartext(&text)).unwrap(), text);
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let ring = ring(&[&Key::new("Ann")]);
        prop_assert!(ring.verify_cleartext("x", &bytes).is_err());
        prop_assert!(ring.verify_detached("x", &mut b"x".as_slice(), &bytes, &[]).is_err());
        prop_assert!(Keyring::from_keys_file(&bytes).is_err());
    }
}
