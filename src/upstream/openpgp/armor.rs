//! ASCII armor (RFC 9580, 6.2). It is read here, for the crate's reader panics on some blocks that are damaged.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Some programs of old leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes of the first block of a kind (`SIGNATURE`), and what is behind it. What stands before it is prose. A checksum
/// is not looked at: section 6.1 forbids refusing a block for it, and what a digest or a signature guards needs none.
pub(super) fn block<'a>(text: &'a str, kind: &str) -> Option<(Result<Vec<u8>, String>, &'a str)> {
    let (begin, end) = (format!("-----BEGIN PGP {kind}-----"), format!("-----END PGP {kind}-----"));
    let inside = &text[text.find(&begin)? + begin.len()..];
    match inside.split_once(end.as_str()) {
        Some((inside, after)) => Some((decode(inside), after)),
        None => Some((Err("it is cut off".to_owned()), "")),
    }
}

/// Headers up to an empty line, then base64, then perhaps a checksum.
fn decode(inside: &str) -> Result<Vec<u8>, String> {
    let mut lines = inside.lines().map(str::trim);
    // What is behind the dashes of the first line.
    if lines.next().is_some_and(|rest| !rest.is_empty()) {
        return Err("its first line has more than it may".to_owned());
    }
    for line in lines.by_ref() {
        if line.is_empty() {
            break;
        }
        if !line.contains(": ") && !line.ends_with(':') {
            return Err("it has a header that is none".to_owned());
        }
    }
    let body: String = lines.take_while(|line| !line.starts_with('=')).collect();
    match BASE64.decode(body) {
        Ok(bytes) if bytes.is_empty() => Err("it is empty".to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!("it is not base64: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_with_and_without_headers_and_checksums() {
        let wrapped =
            |inside: &str| format!("prose\n-----BEGIN PGP SIGNATURE-----{inside}-----END PGP SIGNATURE-----\nafter");
        for inside in ["\n\naGVsbG8=\n=abcd\n", "\nVersion: x\nComment:\n\naGVs\r\nbG8=\r\n", "  \n \naGVsbG8\n"] {
            let text = wrapped(inside);
            let (bytes, after) = block(&text, "SIGNATURE").unwrap();
            assert_eq!((bytes.unwrap(), after), (b"hello".to_vec(), "\nafter"), "{inside:?}");
        }
        for wrong in ["", "\n\n", "\n\n=abcd\n", "\naGVsbG8=\n", " x\n\naGVsbG8=\n", "\n\na!b=\n"] {
            assert!(block(&wrapped(wrong), "SIGNATURE").unwrap().0.is_err(), "{wrong:?}");
        }
        assert!(block("-----BEGIN PGP SIGNATURE-----\n\naGVs", "SIGNATURE").unwrap().0.is_err());
        assert!(block(&wrapped("\n\naGVs\n"), "PUBLIC KEY BLOCK").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 1..200), width in 1_usize..80) {
            let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
            let lines: Vec<String> = encoded.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
            // A line that begins with `=` is a checksum.
            prop_assume!(!lines.iter().any(|line| line.starts_with('=')));
            let text = format!("-----BEGIN PGP SIGNATURE-----\n\n{}\n-----END PGP SIGNATURE-----", lines.join("\n"));
            prop_assert_eq!(block(&text, "SIGNATURE").unwrap().0.unwrap(), bytes);
        }
    }
}
