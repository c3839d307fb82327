//! A JKS truststore: the one format that Java reads by default and that can be made the same every time (a PKCS#12 file
//! with a password has random salts).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::certificates::certificates;
use crate::layer::EntryPath;

/// Java's default, which everybody knows: it guards against accidents only.
const PASSWORD: &str = "changeit";

const MAGIC: u32 = 0xFEED_FEED;
const VERSION: u32 = 2;
const TRUSTED_CERTIFICATE: u32 = 2;

/// A truststore of all certificates of these files. Aliases are the files' names in lower case (keytool compares them
/// so), made unique by a number, and sorted; an entry's date is the certificate's notBefore.
pub(in crate::build) fn java_truststore(files: &[(&EntryPath, &[u8])]) -> Result<Vec<u8>, String> {
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, pem) in certificates(files)? {
        let der = decode(&pem).ok_or_else(|| format!("{name}: its PEM block is not base64"))?;
        // A certificate that two files hold is trusted once.
        if entries.iter().all(|(_, other)| *other != der) {
            entries.push((unique(&name.to_lowercase(), &entries), der));
        }
    }
    entries.sort();
    let mut store = Vec::new();
    put_u32(&mut store, MAGIC);
    put_u32(&mut store, VERSION);
    put_u32(&mut store, u32::try_from(entries.len()).map_err(|error| error.to_string())?);
    for (alias, der) in &entries {
        let not_before = not_before(der).ok_or_else(|| format!("{alias}: it is no X.509 certificate"))?;
        put_u32(&mut store, TRUSTED_CERTIFICATE);
        put_text(&mut store, alias)?;
        store.extend_from_slice(&(not_before * 1000).to_be_bytes());
        put_text(&mut store, "X.509")?;
        put_u32(&mut store, u32::try_from(der.len()).map_err(|error| error.to_string())?);
        store.extend_from_slice(der);
    }
    let digest = seal(&store);
    store.extend_from_slice(&digest);
    Ok(store)
}

fn unique(name: &str, entries: &[(String, Vec<u8>)]) -> String {
    let taken = |alias: &str| entries.iter().any(|(other, _)| other == alias);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|alias| !taken(alias)).unwrap_or_default()
}

fn decode(pem: &str) -> Option<Vec<u8>> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    STANDARD.decode(body).ok()
}

fn put_u32(store: &mut Vec<u8>, value: u32) {
    store.extend_from_slice(&value.to_be_bytes());
}

/// Java's modified UTF-8: for text without NUL and below U+10000 it is UTF-8.
fn put_text(store: &mut Vec<u8>, text: &str) -> Result<(), String> {
    let length = u16::try_from(text.len()).map_err(|_| format!("the alias `{text}` is too long"))?;
    if text.chars().any(|letter| letter == '\0' || u32::from(letter) > 0xFFFF) {
        return Err(format!("the alias `{}` has a letter that JKS cannot hold", text.escape_debug()));
    }
    store.extend_from_slice(&length.to_be_bytes());
    store.extend_from_slice(text.as_bytes());
    Ok(())
}

/// sun.security.provider.JavaKeyStore: SHA-1 over the password in UTF-16BE, a phrase, and the store.
fn seal(store: &[u8]) -> [u8; 20] {
    let mut hasher = Sha1::new();
    for unit in PASSWORD.encode_utf16() {
        hasher.update(unit.to_be_bytes());
    }
    hasher.update(b"Mighty Aphrodite");
    hasher.update(store);
    hasher.finalize().into()
}

/// The notBefore of a certificate in seconds since 1970: a walk over DER (X.690) to RFC 5280's
/// `tbsCertificate.validity.notBefore`.
fn not_before(der: &[u8]) -> Option<i64> {
    let certificate = element(der)?.contents;
    let mut fields = element(certificate)?.contents;
    // version [0], serialNumber, signature, issuer; the version may be absent.
    if element(fields)?.tag == 0xA0 {
        fields = element(fields)?.rest;
    }
    for _ in 0..3 {
        fields = element(fields)?.rest;
    }
    let validity = element(fields)?.contents;
    let time = element(validity)?;
    let text = std::str::from_utf8(time.contents).ok()?;
    let full = match time.tag {
        // UTCTime: years 50 to 99 are of the last century (RFC 5280, 4.1.2.5.1).
        0x17 if text.get(..2)?.parse::<u32>().ok()? >= 50 => format!("19{text}"),
        0x17 => format!("20{text}"),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let part = |range: std::ops::Range<usize>| full.get(range);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
    let seconds = crate::lock::seconds(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))?;
    i64::try_from(seconds).ok()
}

struct Element<'a> {
    tag: u8,
    contents: &'a [u8],
    rest: &'a [u8],
}

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7F);
        if !(1..=4).contains(&count) {
            return None;
        }
        let (bytes, after) = rest.split_at_checked(count)?;
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = after;
    }
    let (contents, rest) = rest.split_at_checked(length)?;
    Some(Element { tag, contents, rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        [&[tag, u8::try_from(body.len()).unwrap()][..], &body].concat()
    }

    fn certificate(time: &str) -> Vec<u8> {
        let time = wrap(if time.len() == 13 { 0x17 } else { 0x18 }, &[time.as_bytes()]);
        let validity = wrap(0x30, &[&time]);
        let body = wrap(0x30, &[&wrap(0xA0, &[&[2, 1, 2]]), &[2, 1, 1], &wrap(0x30, &[]), &wrap(0x30, &[]), &validity]);
        wrap(0x30, &[&body])
    }

    fn pem(der: &[u8]) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
    }

    #[test]
    fn dates_of_both_forms() {
        assert_eq!(not_before(&certificate("000101000000Z")), Some(946_684_800));
        assert_eq!(not_before(&certificate("990101000000Z")), Some(915_148_800));
        assert_eq!(not_before(&certificate("20500101000000Z")), Some(2_524_608_000));
        assert_eq!(not_before(b"no certificate"), None);
    }

    #[test]
    fn aliases_are_lower_case_unique_and_sorted() {
        let (one, two) = (pem(&certificate("000101000000Z")), pem(&certificate("010101000000Z")));
        let (b, a) = (EntryPath::new(b"x/Same.crt").unwrap(), EntryPath::new(b"y/SAME.crt").unwrap());
        let store = java_truststore(&[(&b, one.as_bytes()), (&a, two.as_bytes()), (&a, one.as_bytes())]).unwrap();
        assert_eq!(&store[..12], [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0, 0, 0, 2]);
        let text = String::from_utf8_lossy(&store);
        let places = ["same.crt\0", "same.crt-2\0"].map(|alias| text.find(alias).unwrap());
        assert!(places[0] < places[1]);
        assert_eq!(store[store.len() - 20..], seal(&store[..store.len() - 20]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), at in 0usize..40, byte in any::<u8>()) {
            let _ = not_before(&bytes);
            let mut broken = certificate("000101000000Z");
            let at = at.min(broken.len() - 1);
            broken[at] = byte;
            let _ = not_before(&broken);
        }
    }
}
