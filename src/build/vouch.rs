//! Who vouches for an input that upstream signs: the signature beside it, or the release archive that it was taken from.
//!
//! A jar out of an archive that has the pinned digest and the signature of the pinned signer was published by that signer,
//! so it needs no signature of its own, which only another upstream has. The store remembers that, for the archive need not
//! be kept. As with a signature, a key that the definition no longer trusts, or that is known to be revoked by now, counts
//! for nothing.

use std::cell::OnceCell;
use std::io::Read;

use super::recipe::{Part, Step};
use super::{BuildError, Workshop};
use crate::definition::Family;
use crate::digest::Digest;
use crate::lock::Input;
use crate::store::VOUCHED;
use crate::upstream::openpgp::{Accepted, Keyring};

#[derive(serde::Serialize, serde::Deserialize)]
struct Record {
    archive: Digest,
    accepted: Accepted,
}

/// What is known of the inputs of one part.
pub(super) struct Vouchers<'a> {
    part: &'a Part,
    workshop: &'a Workshop,
    keys: OnceCell<Keyring>,
}

impl<'a> Vouchers<'a> {
    pub fn of(part: &'a Part, workshop: &'a Workshop) -> Vouchers<'a> {
        Vouchers { part, workshop, keys: OnceCell::new() }
    }

    /// Whether the part's release archive vouched for an input.
    pub fn has(&self, input: &Input) -> Result<bool, BuildError> {
        let Some(archive) = self.part.lock.archive.as_ref().filter(|_| input.member.is_some()) else {
            return Ok(false);
        };
        let Some(record) = self.workshop.store.recall::<Record>(VOUCHED, &Digest::from(input.sha256).hex()) else {
            return Ok(false);
        };
        let same = record.archive == archive.digest && archive.signer.as_ref() == Some(&record.accepted.signer);
        Ok(same && self.keys()?.still_accepts(&record.accepted))
    }

    fn keys(&self) -> Result<&Keyring, BuildError> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let keys = keyring(&self.part.family)?;
        Ok(self.keys.get_or_init(|| keys))
    }
}

/// Notes that an archive whose signature was accepted vouches for an input.
pub(super) fn note(
    archive: Digest,
    accepted: &Accepted,
    input: &Digest,
    workshop: &Workshop,
) -> Result<(), BuildError> {
    let record = Record { archive, accepted: accepted.clone() };
    Ok(workshop.store.remember(VOUCHED, &input.hex(), &record)?)
}

/// Checks every signature of a layer's inputs before one of them is read for its contents.
pub(super) fn verify(step: &Step<'_>, workshop: &Workshop) -> Result<(), BuildError> {
    let vouchers = Vouchers::of(step.part, workshop);
    let downloads = workshop.store.downloads();
    for input in step.inputs() {
        let Some(signature) = &input.signature else { continue };
        if !downloads.has(&signature.sha256.into(), signature.size) && vouchers.has(input)? {
            continue;
        }
        let mut bytes = Vec::new();
        let mut file = downloads.open(&signature.sha256.into(), signature.size)?;
        file.read_to_end(&mut bytes).map_err(|source| BuildError::UserFile { path: signature.path.clone(), source })?;
        let mut data = downloads.open(&input.sha256.into(), input.size)?;
        vouchers.keys()?.verify_detached(&input.name, &mut data, &bytes, &[&signature.signer])?;
    }
    Ok(())
}

/// The keys that a definition trusts.
pub(super) fn keyring(family: &Family) -> Result<Keyring, BuildError> {
    let of = || format!("keys of `{}`", family.definition.name);
    let text = family.keys().map_err(|file| BuildError::MissingFile { of: of(), file })?;
    Ok(Keyring::from_keys_file(&text)?)
}
