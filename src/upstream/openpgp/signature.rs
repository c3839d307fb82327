use std::io::Read;

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::VerifyingKey;

use super::policy::{self, Position};
use super::{Keyring, OpenPgpError, armor, cleartext};

/// A signature that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Accepted {
    /// The fingerprint of the primary key, upper-case hexadecimal.
    pub signer: String,
    /// When it was made, seconds since 1970.
    pub created: u64,
}

impl Keyring {
    /// Verifies a detached signature (armored or not) over `data`. The signer's primary fingerprint must be among
    /// `signers`. Refused: another signer, SHA-1 and MD5, a signature made after the key expired or was revoked (a
    /// revocation that tells of no soft reason counts always), a subkey that may not sign or is not bound back, a
    /// signature of text instead of bytes, bytes that do not fit. `data` is streamed.
    pub fn verify_detached(
        &self,
        name: &str,
        data: &mut dyn Read,
        signature: &[u8],
        signers: &[&str],
    ) -> Result<Accepted, OpenPgpError> {
        let unreadable = |why: String| OpenPgpError::Unreadable { name: name.to_owned(), why };
        let text = std::str::from_utf8(signature).ok().and_then(|text| armor::block(text, "SIGNATURE"));
        let bytes = match text {
            Some((bytes, _)) => bytes.map_err(unreadable)?,
            // Each packet begins with a byte whose highest bit is set (RFC 9580, 4.2).
            None if signature.first().is_none_or(|first| first & 0x80 == 0) => {
                return Err(unreadable("it is no signature".to_owned()));
            }
            None => signature.to_vec(),
        };
        let signature =
            DetachedSignature::from_bytes(bytes.as_slice()).map_err(|error| unreadable(error.to_string()))?;
        if signature.signature.typ() == Some(SignatureType::Text) {
            return Err(unreadable("it is one of text, which leaves open how lines end".to_owned()));
        }
        let accepted = self.accept(name, &signature.signature, data)?;
        match signers.contains(&accepted.signer.as_str()) {
            true => Ok(accepted),
            false => Err(OpenPgpError::WrongSigner {
                name: name.to_owned(),
                found: accepted.signer,
                expected: signers.iter().map(|signer| (*signer).to_owned()).collect(),
            }),
        }
    }

    /// Verifies a cleartext-signed document and returns the signed text only, with lines that end in `\n`. At least one
    /// signature must be by a key of this keyring and good; the same rules.
    pub fn verify_cleartext(&self, name: &str, document: &[u8]) -> Result<(String, Vec<Accepted>), OpenPgpError> {
        let unreadable = |why: String| OpenPgpError::Unreadable { name: name.to_owned(), why };
        let signed = cleartext::read(document).map_err(unreadable)?;
        let mut accepted = Vec::new();
        let mut refused: Option<OpenPgpError> = None;
        for signature in &signed.signatures {
            match self.accept(name, signature, &mut signed.text.as_bytes()) {
                Ok(good) => accepted.push(good),
                // What is wrong with a signature of ours tells more than whose the others are.
                Err(error) if matches!(refused, None | Some(OpenPgpError::UnknownSigner { .. })) => {
                    refused = Some(error);
                }
                Err(_) => {}
            }
        }
        match (accepted.is_empty(), refused) {
            (false, _) => Ok((signed.text.replace("\r\n", "\n"), accepted)),
            (true, Some(error)) => Err(error),
            (true, None) => Err(unreadable("it holds no signature".to_owned())),
        }
    }

    fn accept(&self, name: &str, signature: &Signature, data: &mut dyn Read) -> Result<Accepted, OpenPgpError> {
        let name = || name.to_owned();
        let unreadable = |why: &str| OpenPgpError::Unreadable { name: name(), why: why.to_owned() };
        if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
            return Err(unreadable("it is no signature of data"));
        }
        let algorithm = signature.hash_alg().ok_or_else(|| unreadable("its version is not known"))?;
        if !policy::is_strong(algorithm) {
            return Err(OpenPgpError::Weak { name: name(), algorithm: algorithm.to_string() });
        }
        let created = signature.created().ok_or_else(|| unreadable("it does not say when it was made"))?;
        let time = u64::from(created.as_secs());
        let Some((key, position)) = self.holder(signature) else {
            return Err(OpenPgpError::UnknownSigner { name: name(), found: issuers(signature) });
        };
        let signer = policy::fingerprint(key);
        let fits = match position {
            Position::Primary => signature.verify(&key.primary_key, data),
            Position::Subkey(index) => signature.verify(&key.public_subkeys[index].key, data),
        };
        if fits.is_err() {
            return Err(OpenPgpError::Bad { name: name(), signer });
        }
        match policy::check(key, position, time) {
            Ok(()) => Ok(Accepted { signer, created: time }),
            Err(why) => Err(OpenPgpError::Key { name: name(), signer, why }),
        }
    }

    /// The key that holds the one that a signature names, and where.
    fn holder(&self, signature: &Signature) -> Option<(&SignedPublicKey, Position)> {
        self.keys.iter().find_map(|key| {
            let subkey = || key.public_subkeys.iter().position(|subkey| named(signature, &subkey.key));
            let primary = named(signature, &key.primary_key).then_some(Position::Primary);
            primary.or_else(|| subkey().map(Position::Subkey)).map(|position| (key, position))
        })
    }
}

fn named(signature: &Signature, key: &impl VerifyingKey) -> bool {
    let by_fingerprint = signature.issuer_fingerprint().into_iter().any(|own| *own == key.fingerprint());
    let by_id = signature.issuer_key_id().into_iter().any(|own| *own == key.legacy_key_id());
    by_fingerprint || (by_id && signature.issuer_fingerprint().is_empty())
}

fn issuers(signature: &Signature) -> String {
    let fingerprints = signature.issuer_fingerprint().into_iter().map(|own| format!("{own:X}"));
    let ids = signature.issuer_key_id().into_iter().map(|own| own.to_string());
    let all: Vec<String> = fingerprints.chain(ids).collect();
    if all.is_empty() { "nobody that it names".to_owned() } else { all.join(", ") }
}
