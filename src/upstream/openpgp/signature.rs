use std::io::Read;

use pgp::composed::{CleartextSignedMessage, Deserializable, DetachedSignature, SignedPublicKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::VerifyingKey;

use super::policy::{self, Position};
use super::{Keyring, OpenPgpError};

/// A signature that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The fingerprint of the primary key, upper-case hexadecimal.
    pub signer: String,
    /// When it was made, seconds since 1970.
    pub created: u64,
}

impl Keyring {
    /// Verifies a detached signature (armored or not) over `data`. The signer's primary fingerprint must be among
    /// `signers`. Refused: another signer, SHA-1 and MD5, a signature made after the key expired or was revoked (a
    /// revocation that tells of no soft reason counts always), a subkey that may not sign or is not bound back, bytes
    /// that do not fit. `data` is streamed.
    pub fn verify_detached(
        &self,
        name: &str,
        data: &mut dyn Read,
        signature: &[u8],
        signers: &[&str],
    ) -> Result<Accepted, OpenPgpError> {
        let (signature, _) = DetachedSignature::from_reader_single(signature)
            .map_err(|error| OpenPgpError::Unreadable { name: name.to_owned(), why: error.to_string() })?;
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
        let text = std::str::from_utf8(document).map_err(|error| unreadable(error.to_string()))?;
        let (message, _) = CleartextSignedMessage::from_string(text).map_err(|error| unreadable(error.to_string()))?;
        let signed = message.signed_text();
        let mut accepted = Vec::new();
        let mut refused = None;
        for signature in message.signatures() {
            match self.accept(name, signature, &mut signed.as_bytes()) {
                Ok(good) => accepted.push(good),
                Err(error) => refused = Some(error),
            }
        }
        match (accepted.is_empty(), refused) {
            (false, _) => Ok((signed.replace("\r\n", "\n"), accepted)),
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
        // A KEYS file may hold a key several times; a revocation in any copy counts.
        let copies = self.holders(signature);
        let Some((first, position)) = copies.first() else {
            return Err(OpenPgpError::UnknownSigner { name: name(), found: issuers(signature) });
        };
        let signer = policy::fingerprint(first);
        let fits = match position {
            Position::Primary => signature.verify(&first.primary_key, data),
            Position::Subkey(index) => signature.verify(&first.public_subkeys[*index].key, data),
        };
        if fits.is_err() {
            return Err(OpenPgpError::Bad { name: name(), signer });
        }
        let refuse = |why| OpenPgpError::Key { name: name(), signer: signer.clone(), why };
        for (key, position) in &copies {
            policy::check_revoked(key, *position, time).map_err(refuse)?;
        }
        // An old copy may not know that the key's life was prolonged.
        let mut may_sign = Err(String::new());
        for (key, position) in &copies {
            may_sign = may_sign.or_else(|_| policy::check_may_sign(key, *position, time));
        }
        may_sign.map_err(refuse)?;
        Ok(Accepted { signer, created: time })
    }

    /// The keys that hold the one that a signature names, and where.
    fn holders(&self, signature: &Signature) -> Vec<(&SignedPublicKey, Position)> {
        let mut found: Vec<(&SignedPublicKey, Position)> = Vec::new();
        for key in &self.keys {
            let mut position = None;
            if named(signature, &key.primary_key) {
                position = Some(Position::Primary);
            }
            for (index, subkey) in key.public_subkeys.iter().enumerate() {
                if named(signature, &subkey.key) {
                    position = Some(Position::Subkey(index));
                }
            }
            let Some(position) = position else { continue };
            // Key ids can collide; copies of one key cannot differ in their fingerprint.
            if found.first().is_none_or(|(first, _)| policy::fingerprint(first) == policy::fingerprint(key)) {
                found.push((key, position));
            }
        }
        found
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
