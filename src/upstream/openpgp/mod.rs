//! OpenPGP: keys, detached signatures, cleartext signatures. The crate does the mathematics; the policy of what is
//! accepted is here, for `pgp` enforces neither expiry nor revocation nor the strength of a hash.

mod armor;
mod cleartext;
mod error;
mod policy;
mod signature;

use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::types::KeyDetails;

pub use error::OpenPgpError;
pub use signature::Accepted;

/// A set of public keys.
#[derive(Debug)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

impl Keyring {
    /// The keys of a KEYS file: armored blocks with prose between. A block that cannot be read (a key of 1997, say) is
    /// left out; a file without any key is an error. Of a key that stands there several times, what any copy says counts:
    /// one may know that it was revoked, or that its life was prolonged.
    pub fn from_keys_file(text: &[u8]) -> Result<Keyring, OpenPgpError> {
        let text = String::from_utf8_lossy(text);
        let mut keys = Vec::new();
        let mut rest = text.as_ref();
        while let Some((block, after)) = armor::block(rest, "PUBLIC KEY BLOCK") {
            rest = after;
            let Ok(bytes) = block else { continue };
            if let Ok(found) = SignedPublicKey::from_bytes_many(bytes.as_slice()) {
                found.filter_map(Result::ok).for_each(|key| join(&mut keys, key));
            }
        }
        if keys.is_empty() {
            return Err(OpenPgpError::NoKeys);
        }
        Ok(Keyring { keys })
    }

    /// Whether a signature that was accepted before still counts: its key is in this keyring, and nothing that revokes it
    /// has become known since.
    pub fn still_accepts(&self, accepted: &Accepted) -> bool {
        let key = self.keys.iter().find(|key| policy::fingerprint(key) == accepted.signer);
        key.is_some_and(|key| policy::is_unrevoked(key, accepted.created))
    }

    /// The primary fingerprints of all keys, upper-case hexadecimal.
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(policy::fingerprint).collect()
    }
}

/// Adds a key, or what this copy of it knows.
fn join(keys: &mut Vec<SignedPublicKey>, copy: SignedPublicKey) {
    let Some(key) = keys.iter_mut().find(|key| key.fingerprint() == copy.fingerprint()) else {
        keys.push(copy);
        return;
    };
    key.details.revocation_signatures.extend(copy.details.revocation_signatures);
    key.details.direct_signatures.extend(copy.details.direct_signatures);
    for user in copy.details.users {
        match key.details.users.iter_mut().find(|known| known.id.id() == user.id.id()) {
            Some(known) => known.signatures.extend(user.signatures),
            None => key.details.users.push(user),
        }
    }
    for subkey in copy.public_subkeys {
        match key.public_subkeys.iter_mut().find(|known| known.fingerprint() == subkey.fingerprint()) {
            Some(known) => known.signatures.extend(subkey.signatures),
            None => key.public_subkeys.push(subkey),
        }
    }
}
