//! OpenPGP: keys, detached signatures, cleartext signatures. The policy of what is accepted is ours.

use crate::error::{Category, Diagnose};

/// A signature or key that is not accepted. (To be replaced by one variant a failure.)
#[derive(Debug, thiserror::Error)]
#[error("openpgp")]
pub struct OpenPgpError;

impl Diagnose for OpenPgpError {
    fn category(&self) -> Category {
        Category::Verification
    }
}

/// A set of public keys.
#[derive(Debug)]
pub struct Keyring;

/// A signature that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The fingerprint of the primary key, upper-case hexadecimal.
    pub signer: String,
    /// When it was made, seconds since 1970.
    pub created: u64,
}

impl Keyring {
    /// The keys of a KEYS file: armored blocks with prose between. A block that cannot be read is left out.
    pub fn from_keys_file(text: &[u8]) -> Result<Keyring, OpenPgpError> {
        todo!("{text:?}")
    }

    /// Verifies a detached signature (armored or not) over `data`. The signer's primary fingerprint must be among
    /// `signers`. Refused: another signer, SHA-1 and MD5, a signature made after the key expired or was revoked (a hard
    /// revocation counts always), a subkey that may not sign or is not bound back, bytes that do not fit.
    pub fn verify_detached(
        &self,
        name: &str,
        data: &mut dyn std::io::Read,
        signature: &[u8],
        signers: &[&str],
    ) -> Result<Accepted, OpenPgpError> {
        todo!("{name} {signature:?} {signers:?} {}", std::any::type_name_of_val(&data))
    }

    /// Verifies a cleartext-signed document and returns the signed text only. At least one signature must be by a key
    /// of this keyring and good; the same rules.
    pub fn verify_cleartext(&self, name: &str, document: &[u8]) -> Result<(String, Vec<Accepted>), OpenPgpError> {
        todo!("{name} {document:?}")
    }
}
