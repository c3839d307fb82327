//! OpenPGP: keys, detached signatures, cleartext signatures. The crate does the mathematics; the policy of what is
//! accepted is here, for `pgp` enforces neither expiry nor revocation nor the strength of a hash.

mod error;
mod policy;
mod signature;

use pgp::composed::{Deserializable, SignedPublicKey};

pub use error::OpenPgpError;
pub use signature::Accepted;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// A set of public keys.
#[derive(Debug)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

impl Keyring {
    /// The keys of a KEYS file: armored blocks with prose between. A block that cannot be read (a key of 1997, say) is
    /// left out; a file without any key is an error.
    pub fn from_keys_file(text: &[u8]) -> Result<Keyring, OpenPgpError> {
        let text = String::from_utf8_lossy(text);
        let mut keys = Vec::new();
        let mut rest = text.as_ref();
        while let Some(begin) = rest.find(BEGIN) {
            rest = &rest[begin..];
            let Some(end) = rest.find(END) else { break };
            let (block, after) = rest.split_at(end + END.len());
            if let Ok((found, _)) = SignedPublicKey::from_armor_many(block.as_bytes()) {
                keys.extend(found.filter_map(Result::ok));
            }
            rest = after;
        }
        if keys.is_empty() {
            return Err(OpenPgpError::NoKeys);
        }
        Ok(Keyring { keys })
    }

    /// The primary fingerprints of all keys, upper-case hexadecimal.
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(policy::fingerprint).collect()
    }
}
