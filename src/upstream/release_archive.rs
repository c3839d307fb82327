//! Release archives: a tar.gz that upstream publishes with a detached signature beside it, and whose members are inputs.
//!
//! Nothing of an archive is decompressed before the whole of it has its pinned digest and, where a signer is pinned, the
//! signature of that signer. Each member is then checked against its own pin.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use flate2::read::MultiGzDecoder;

use crate::digest::Digest;
use crate::error::{Category, Diagnose};
use crate::layer::{EntryKind, LayerError, Limits, read_tar};
use crate::lock::Archive;
use crate::net::{Base, Client, Download, NetError};
use crate::store::{Downloads, StoreError};
use crate::upstream::openpgp::{Accepted, Keyring, OpenPgpError};

/// A signature has some hundred bytes, or some thousand where several signed.
const SIGNATURE_LIMIT: u64 = 64 << 10;

/// The largest release has 130 MB; no host makes kimg fill a disk.
const SIZE_LIMIT: u64 = 2 << 30;

/// The largest release has some thousand members, most of them its documentation, and 300 MB.
const LIMITS: Limits = Limits { entries: 200_000, bytes: 8 << 30 };

/// A release archive that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseArchiveError {
    /// It cannot be had.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The host does not tell its size, or tells one that none has.
    #[error("{name}: {host} says that it has {found}")]
    Size {
        /// The archive.
        name: String,
        /// Who was asked.
        host: String,
        /// What the host says.
        found: String,
    },
    /// There is none beside it.
    #[error("{name}: its signature {name}.asc is not beside it")]
    NoSignature {
        /// The archive.
        name: String,
    },
    /// What is published as its digest is none.
    #[error("{name}: {name}.sha512 beside it does not hold its digest")]
    NoDigest {
        /// The archive.
        name: String,
    },
    /// Its signature is not accepted.
    #[error(transparent)]
    OpenPgp(#[from] OpenPgpError),
    /// It cannot be read, or holds what no publisher would put into it.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The cache failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The build that needed it ended.
    #[error("{name}: nobody waits for it any more")]
    Halted {
        /// The archive.
        name: String,
    },
}

impl Diagnose for ReleaseArchiveError {
    fn category(&self) -> Category {
        match self {
            ReleaseArchiveError::Net(error) => error.category(),
            ReleaseArchiveError::Size { .. } => Category::Refused,
            ReleaseArchiveError::NoSignature { .. } | ReleaseArchiveError::NoDigest { .. } => Category::Verification,
            ReleaseArchiveError::OpenPgp(error) => error.category(),
            ReleaseArchiveError::Layer(error) => error.category(),
            ReleaseArchiveError::Store(error) => error.category(),
            ReleaseArchiveError::Halted { .. } => Category::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ReleaseArchiveError::Net(error) => error.hint(),
            ReleaseArchiveError::Size { .. } => Some("ask another host with --mirror apache=URL".to_owned()),
            ReleaseArchiveError::NoSignature { .. } | ReleaseArchiveError::NoDigest { .. } => {
                Some("ask a host that has both with --mirror apache=URL".to_owned())
            }
            ReleaseArchiveError::OpenPgp(error) => error.hint(),
            ReleaseArchiveError::Layer(error) => error.hint(),
            ReleaseArchiveError::Store(error) => error.hint(),
            ReleaseArchiveError::Halted { .. } => None,
        }
    }
}

/// The last component of an archive's path, which people call it by.
pub fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where an archive or its signature may be had.
fn places(bases: &[Base], path: &str) -> Vec<(Base, String)> {
    bases.iter().map(|base| (base.clone(), path.to_owned())).collect()
}

/// Brings an archive into the cache, where it is not there yet, and returns its size. Hosts that do not answer at once are
/// not waited for; one that serves other bytes is not the last to be asked.
pub async fn fetch(
    archive: &Archive,
    bases: &[Base],
    client: &Client,
    downloads: &Downloads,
) -> Result<u64, ReleaseArchiveError> {
    if let Some(size) = downloads.size(&archive.digest) {
        return Ok(size);
    }
    let name = name_of(&archive.path);
    let all = places(bases, &archive.path);
    let mut rest = all.as_slice();
    let mut failure: Option<ReleaseArchiveError> = None;
    loop {
        let found = match client.probe(rest).await {
            Ok(found) => found,
            Err(error) => return Err(failure.unwrap_or_else(|| error.into())),
        };
        let place = &rest[found.place..=found.place];
        rest = &rest[found.place + 1..];
        let fetched = match size(archive, name, found.size, place) {
            Ok(size) => {
                let download = Download { name: name.to_owned(), places: place.to_vec(), digest: archive.digest, size };
                client.fetch(&[download], downloads).await.map(|()| size).map_err(ReleaseArchiveError::from)
            }
            Err(error) => Err(error),
        };
        match fetched {
            Err(error) if !rest.is_empty() && error.category() != Category::Failed => {
                failure.get_or_insert(error);
            }
            Err(error) => return Err(failure.unwrap_or(error)),
            fetched => return fetched,
        }
    }
}

/// The size that the lock knows, else the one that the host told.
fn size(
    archive: &Archive,
    name: &str,
    told: Option<u64>,
    place: &[(Base, String)],
) -> Result<u64, ReleaseArchiveError> {
    let wrong = |found: String| ReleaseArchiveError::Size {
        name: name.to_owned(),
        host: place.iter().map(|(base, _)| base.url.clone()).collect(),
        found,
    };
    match archive.size.or(told) {
        Some(size) if size > SIZE_LIMIT => Err(wrong(format!("{size} bytes, which no release has"))),
        Some(size) => Ok(size),
        None => Err(wrong("a size that it does not tell".to_owned())),
    }
}

/// Gets the signature beside an archive. Hosts that do not answer at once are not waited for.
pub async fn signature(path: &str, bases: &[Base], client: &Client) -> Result<Vec<u8>, ReleaseArchiveError> {
    let none = || ReleaseArchiveError::NoSignature { name: name_of(path).to_owned() };
    let places = places(bases, &format!("{path}.asc"));
    let found = match client.probe(&places).await {
        Err(NetError::NotFound { .. }) => return Err(none()),
        found => found?,
    };
    let found = client.get(&places[found.place..], SIGNATURE_LIMIT).await?;
    found.map(|(bytes, _)| bytes).ok_or_else(none)
}

/// Opens an archive of the cache: the whole of it has the pinned digest, and `signature` is one of its pinned signer. An
/// archive without a pinned signer is vouched for by its digest only.
pub fn open(
    archive: &Archive,
    size: u64,
    signature: &[u8],
    keys: &Keyring,
    downloads: &Downloads,
) -> Result<(File, Option<Accepted>), ReleaseArchiveError> {
    let mut file = downloads.open(&archive.digest, size)?;
    let Some(signer) = &archive.signer else { return Ok((file, None)) };
    let name = name_of(&archive.path);
    let accepted = keys.verify_detached(name, &mut BufReader::new(&mut file), signature, &[signer])?;
    file.rewind().map_err(|error| damaged(name, &error))?;
    Ok((file, Some(accepted)))
}

/// The same for an archive that was signed by any key of a keyring: which one is what is to be found.
pub fn open_signed_by_any(
    archive: &Archive,
    size: u64,
    signature: &[u8],
    keys: &Keyring,
    downloads: &Downloads,
) -> Result<(File, Accepted), ReleaseArchiveError> {
    let mut file = downloads.open(&archive.digest, size)?;
    let name = name_of(&archive.path);
    let all = keys.fingerprints();
    let signers: Vec<&str> = all.iter().map(String::as_str).collect();
    let accepted = keys.verify_detached(name, &mut BufReader::new(&mut file), signature, &signers)?;
    file.rewind().map_err(|error| damaged(name, &error))?;
    Ok((file, accepted))
}

/// The SHA-512 digest that upstream publishes beside an archive. It says which bytes to fetch and vouches for nothing.
pub async fn published_digest(path: &str, bases: &[Base], client: &Client) -> Result<Digest, ReleaseArchiveError> {
    let places = places(bases, &format!("{path}.sha512"));
    let found = client.probe(&places).await?;
    let text = client.get(&places[found.place..], SIGNATURE_LIMIT).await?.map(|(bytes, _)| bytes).unwrap_or_default();
    let none = || ReleaseArchiveError::NoDigest { name: name_of(path).to_owned() };
    read_digest(&String::from_utf8_lossy(&text), name_of(path)).ok_or_else(none)
}

/// Reads `HEX  NAME` as of sha512sum, and `NAME: HHHHHHHH HHHHHHHH …` as of `gpg --print-md`, over several lines.
fn read_digest(text: &str, name: &str) -> Option<Digest> {
    let text = text.replace(name, " ");
    let digits: String = text.split(|c: char| c.is_whitespace() || matches!(c, ':' | '*')).collect();
    format!("sha512:{}", digits.to_ascii_lowercase()).parse().ok()
}

/// A member that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its path in the archive.
    pub member: String,
    /// What people call it.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// What came of the wanted members, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Those that are in the cache now.
    pub fit: Vec<Wanted>,
    /// Those that the archive has with other bytes.
    pub differ: Vec<String>,
    /// Those that it has not.
    pub missing: Vec<String>,
}

/// Reads an archive that was verified once from its start to its end, and puts the wanted members that fit their pins into
/// the cache. `going` tells whether somebody still waits for it.
pub fn take(
    file: File,
    name: &str,
    wanted: &[Wanted],
    downloads: &Downloads,
    going: &dyn Fn() -> bool,
) -> Result<Taken, ReleaseArchiveError> {
    let mut waiting: BTreeMap<&[u8], Vec<&Wanted>> = BTreeMap::new();
    for one in wanted {
        waiting.entry(one.member.as_bytes()).or_default().push(one);
    }
    let mut taken = Taken::default();
    walk(file, name, going, |path, size, content| {
        for one in waiting.remove(path).unwrap_or_default() {
            match one.size == size && copy(one, content, downloads)? {
                true => taken.fit.push(one.clone()),
                false => taken.differ.push(one.name.clone()),
            }
        }
        Ok(())
    })?;
    taken.missing = waiting.into_values().flatten().map(|one| one.name.clone()).collect();
    Ok(taken)
}

/// A member as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path in the archive.
    pub path: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Puts each file that lies in `folder` of a verified archive itself, not below, into the cache; sorted by path.
pub fn take_folder(
    file: File,
    name: &str,
    folder: &str,
    downloads: &Downloads,
    going: &dyn Fn() -> bool,
) -> Result<Vec<Member>, ReleaseArchiveError> {
    let mut found = Vec::new();
    walk(file, name, going, |path, size, content| {
        let path = String::from_utf8_lossy(path).into_owned();
        let below = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        if below.is_some_and(|below| !below.contains('/')) {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map_err(|error| damaged(name, &error))?;
            found.push(Member { path, digest: downloads.insert(&bytes)?, size });
        }
        Ok(())
    })?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Hands each file of an archive to `take`: path, size, contents.
fn walk(
    file: File,
    name: &str,
    going: &dyn Fn() -> bool,
    mut take: impl FnMut(&[u8], u64, &mut dyn Read) -> Result<(), ReleaseArchiveError>,
) -> Result<(), ReleaseArchiveError> {
    let tar = MultiGzDecoder::new(BufReader::with_capacity(256 << 10, file));
    read_tar(tar, name, LIMITS, |entry, content| {
        if !going() {
            return Err(ReleaseArchiveError::Halted { name: name.to_owned() });
        }
        match entry.kind {
            EntryKind::File { size } => take(entry.path.as_bytes(), size, content),
            _ => Ok(()),
        }
    })
}

/// Copies a member into the cache; whether it fits.
fn copy(wanted: &Wanted, content: &mut dyn Read, downloads: &Downloads) -> Result<bool, ReleaseArchiveError> {
    let mut input = downloads.create(&wanted.name, &wanted.digest, wanted.size)?;
    input.append_all(content, |error| damaged(&wanted.name, &error))?;
    match input.commit() {
        Ok(()) => Ok(true),
        Err(StoreError::Mismatch { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn damaged(name: &str, error: &io::Error) -> ReleaseArchiveError {
    LayerError::Damaged { input: name.to_owned(), why: error.to_string() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_as_upstream_writes_them() {
        let hex = "0123456789abcdef".repeat(8);
        let expected = format!("sha512:{hex}").parse().ok();
        let words: Vec<&str> = (0..16).map(|index| &hex[index * 8..index * 8 + 8]).collect();
        let printed = format!("a-1.tgz: {}\n         {}\n", words[..8].join(" "), words[8..].join(" ")).to_uppercase();
        let printed = printed.replace("A-1.TGZ", "a-1.tgz");
        for text in [format!("{hex}  a-1.tgz\n"), format!("{hex} *a-1.tgz"), format!("{hex}\n"), printed] {
            assert_eq!(read_digest(&text, "a-1.tgz"), expected, "{text}");
        }
        for wrong in ["", "<html>", &hex[1..], &format!("{hex}  other.tgz")] {
            assert_eq!(read_digest(wrong, "a-1.tgz"), None, "{wrong}");
        }
    }
}
