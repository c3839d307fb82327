//! The frame of a cleartext-signed document (RFC 9580, 7). It is read here, before anybody has verified it: strictly, and
//! in one pass, where the crate's reader takes a time that grows with the square of the document.

use pgp::composed::{Deserializable, DetachedSignature};
use pgp::packet::Signature;

use super::armor;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";

/// Debian signs with three keys. Each signature costs a pass over the text.
const MOST_SIGNATURES: usize = 16;

/// What a document holds.
pub(super) struct Cleartext {
    /// The text as it was signed: lines without blanks at their end, and `\r\n` between them.
    pub(super) text: String,
    /// The signatures, none of them verified.
    pub(super) signatures: Vec<Signature>,
}

/// Reads a document that holds nothing else: what stands before or after the frame is signed by nobody.
pub(super) fn read(document: &[u8]) -> Result<Cleartext, String> {
    let document = std::str::from_utf8(document).map_err(|error| error.to_string())?;
    let mut rest = document;
    if line(&mut rest).map(str::trim_end) != Some(BEGIN) {
        return Err("it does not begin as a signed text".to_owned());
    }
    loop {
        match line(&mut rest).map(str::trim_end) {
            Some("") => break,
            Some(header) if header.starts_with("Hash: ") => {}
            _ => return Err("it has a header that is not `Hash`".to_owned()),
        }
    }
    let mut lines = Vec::new();
    let block = loop {
        let before = rest;
        let line = line(&mut rest).ok_or_else(|| "it ends before its signature".to_owned())?;
        if line.trim_end() == BEGIN_SIGNATURE {
            break before;
        }
        let line = match line.strip_prefix('-') {
            Some(escaped) => escaped.strip_prefix(' ').ok_or_else(|| "a dash in it is not escaped".to_owned())?,
            None => line,
        };
        if line.contains('\r') {
            return Err("it has a carriage return within a line".to_owned());
        }
        lines.push(line.trim_end_matches([' ', '\t']));
    };
    Ok(Cleartext { text: lines.join("\r\n"), signatures: signatures(block)? })
}

/// The next line, without its end.
fn line<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (line, after) = rest.split_once('\n')?;
    *rest = after;
    Some(line.strip_suffix('\r').unwrap_or(line))
}

fn signatures(block: &str) -> Result<Vec<Signature>, String> {
    let (bytes, after) = armor::block(block, "SIGNATURE").ok_or_else(|| "it holds no signature".to_owned())?;
    let bytes = bytes.map_err(|why| format!("its signature: {why}"))?;
    if !after.trim().is_empty() {
        return Err("something follows its signature".to_owned());
    }
    let found = DetachedSignature::from_bytes_many(bytes.as_slice()).map_err(|error| error.to_string())?;
    let mut signatures = Vec::new();
    for signature in found {
        signatures.push(signature.map_err(|error| error.to_string())?.signature);
        if signatures.len() > MOST_SIGNATURES {
            return Err(format!("it has more than {MOST_SIGNATURES} signatures"));
        }
    }
    Ok(signatures)
}
