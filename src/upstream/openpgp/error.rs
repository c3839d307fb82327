use crate::error::{Category, Diagnose};

/// A signature or key that is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum OpenPgpError {
    /// A KEYS file without a key that can be read.
    #[error("keys: no OpenPGP public key can be read")]
    NoKeys,
    /// What should be a signature is none, or was cut off.
    #[error("{name}: its signature cannot be read: {why}")]
    Unreadable {
        /// What is signed.
        name: String,
        /// Why.
        why: String,
    },
    /// No key of ours made it.
    #[error("{name}: it is signed by {found}, whose key is not among those that kimg trusts here")]
    UnknownSigner {
        /// What is signed.
        name: String,
        /// Key ids or fingerprints that the signature names.
        found: String,
    },
    /// A key of ours made it, but not one that may sign this.
    #[error("{name}: it is signed by {found}, not by {}", expected.join(" or "))]
    WrongSigner {
        /// What is signed.
        name: String,
        /// Who signed it.
        found: String,
        /// Who may.
        expected: Vec<String>,
    },
    /// A hash function that can be forged.
    #[error("{name}: its signature uses {algorithm}, which can be forged")]
    Weak {
        /// What is signed.
        name: String,
        /// The hash function.
        algorithm: String,
    },
    /// It was made over other bytes.
    #[error("{name}: the signature of {signer} does not fit its bytes")]
    Bad {
        /// What is signed.
        name: String,
        /// Who signed it.
        signer: String,
    },
    /// The key may not make it, or might not when it did.
    #[error("{name}: the key {signer} {why}")]
    Key {
        /// What is signed.
        name: String,
        /// The key.
        signer: String,
        /// `was revoked: …`, `had expired …`.
        why: String,
    },
}

impl Diagnose for OpenPgpError {
    fn category(&self) -> Category {
        Category::Verification
    }

    fn hint(&self) -> Option<String> {
        Some("do not use this file; try another mirror, and tell upstream if that one has it too".to_owned())
    }
}
