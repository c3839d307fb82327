//! Which keys may sign, and when. RFC 9580, 5.2.3 and 10.1.

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{RevocationCode, Signature, SignatureType};
use pgp::types::{KeyDetails, Tag};

/// A key's primary fingerprint, upper-case hexadecimal.
pub(super) fn fingerprint(key: &SignedPublicKey) -> String {
    format!("{:X}", key.primary_key.fingerprint())
}

/// Whether a hash function still resists forgery.
pub(super) fn is_strong(algorithm: HashAlgorithm) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha224, Sha256, Sha384, Sha512};
    matches!(algorithm, Sha224 | Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512)
}

/// Where in a key the one stands that signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Position {
    Primary,
    Subkey(usize),
}

/// Whether the key might sign at `time` (seconds since 1970); the error continues "the key …", here and below.
pub(super) fn check(key: &SignedPublicKey, position: Position, time: u64) -> Result<(), String> {
    check_revoked(key, position, time)?;
    check_may_sign(key, position, time)
}

/// Whether nothing revokes the primary key as of `time`.
pub(super) fn is_unrevoked(key: &SignedPublicKey, time: u64) -> bool {
    check_revoked(key, Position::Primary, time).is_ok()
}

/// Whether nothing revokes what signed at `time`.
fn check_revoked(key: &SignedPublicKey, position: Position, time: u64) -> Result<(), String> {
    let own = |signature: &&Signature| signature.verify_key(&key.primary_key).is_ok();
    for revocation in key.details.revocation_signatures.iter().filter(own) {
        check_revocation(revocation, time)?;
    }
    let Position::Subkey(index) = position else { return Ok(()) };
    bound(key, &key.public_subkeys[index], SignatureType::SubkeyRevocation)
        .try_for_each(|revocation| check_revocation(revocation, time))
}

fn check_may_sign(key: &SignedPublicKey, position: Position, time: u64) -> Result<(), String> {
    // Each is silent of what the other tells.
    let own = [newest(certifications(key)), newest(direct_signatures(key))];
    own.iter().try_for_each(|own| within(&key.primary_key, *own, time))?;
    let Position::Subkey(index) = position else {
        // Old keys say nothing of what they are for.
        let refuses = |own: &&Signature| has_flags(own) && !own.key_flags().sign();
        return if own.iter().flatten().any(refuses) { Err("may not sign data".to_owned()) } else { Ok(()) };
    };
    let subkey = &key.public_subkeys[index];
    let Some(binding) = newest(bound(key, subkey, SignatureType::SubkeyBinding)) else {
        return Err("has a subkey that it did not bind".to_owned());
    };
    if !binding.key_flags().sign() {
        return Err("has a subkey that may not sign".to_owned());
    }
    // Without the subkey's own word anybody could claim another's subkey as theirs (RFC 9580, 5.2.1.8).
    let back = binding.embedded_signature();
    if back.is_none_or(|back| back.verify_primary_key_binding(&subkey.key, &key.primary_key).is_err()) {
        return Err("claims a subkey that does not confirm it".to_owned());
    }
    within(&subkey.key, Some(binding), time)
}

/// The signatures of the primary key over a subkey, of one kind.
fn bound<'a>(
    key: &'a SignedPublicKey,
    subkey: &'a SignedPublicSubKey,
    kind: SignatureType,
) -> impl Iterator<Item = &'a Signature> {
    let of_kind = subkey.signatures.iter().filter(move |signature| signature.typ() == Some(kind));
    of_kind.filter(move |signature| signature.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok())
}

/// Superseded and retired keys were good before; of all other reasons none can be trusted to have begun late.
fn check_revocation(revocation: &Signature, time: u64) -> Result<(), String> {
    let revoked = revocation.created().map_or(0, |created| u64::from(created.as_secs()));
    let reason = revocation.revocation_reason_code();
    let soft = matches!(reason, Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired));
    match soft && time < revoked {
        true => Ok(()),
        false => {
            let reason = reason.map_or_else(|| "no reason given".to_owned(), |reason| format!("{reason:?}"));
            Err(format!("was revoked ({reason})"))
        }
    }
}

/// Certifications of the key by itself. Their hash may be SHA-1, as on old keys of Apache's: the fingerprint is pinned.
/// One that was taken back says nothing of the key.
fn certifications(key: &SignedPublicKey) -> impl Iterator<Item = &Signature> {
    key.details.users.iter().flat_map(|user| {
        let own = |signature: &&Signature| {
            signature.is_certification()
                && signature.typ() != Some(SignatureType::CertRevocation)
                && signature.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok()
        };
        user.signatures.iter().filter(own)
    })
}

fn direct_signatures(key: &SignedPublicKey) -> impl Iterator<Item = &Signature> {
    key.details.direct_signatures.iter().filter(|signature| signature.verify_key(&key.primary_key).is_ok())
}

fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<&'a Signature> {
    signatures.max_by_key(|signature| signature.created().map(pgp::types::Timestamp::as_secs))
}

fn has_flags(signature: &Signature) -> bool {
    use pgp::packet::SubpacketData::KeyFlags;
    let config = signature.config();
    config.is_some_and(|config| config.hashed_subpackets().any(|packet| matches!(packet.data, KeyFlags(_))))
}

fn within(key: &impl KeyDetails, binding: Option<&Signature>, time: u64) -> Result<(), String> {
    let created = u64::from(key.created_at().as_secs());
    if time < created {
        return Err("was made after the signature".to_owned());
    }
    let lasts = binding.and_then(Signature::key_expiration_time).map_or(0, |duration| u64::from(duration.as_secs()));
    match lasts > 0 && time >= created + lasts {
        true => Err("had expired when it signed".to_owned()),
        false => Ok(()),
    }
}
