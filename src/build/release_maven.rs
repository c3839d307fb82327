//! The jars of a release by their coordinates, from Maven.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::jar_list::{JarList, ListedJar};
use super::release::Release;
use super::vouch::keyring;
use super::{BuildError, Workshop};
use crate::definition::Family;
use crate::digest::Digest;
use crate::lock::{Archive, Input, Sha256, Signature, Upstream};
use crate::net::{Base, NetError};
use crate::upstream::openpgp::Keyring;

/// The largest jar that is known has 75 MB.
const JAR_LIMIT: u64 = 512 << 20;

/// A signature has some hundred bytes.
const SIGNATURE_LIMIT: u64 = 64 << 10;

/// All that a task needs.
struct Bench {
    bases: Vec<Base>,
    /// Where a jar must be signed.
    keys: Option<Keyring>,
    workshop: Workshop,
}

/// Fetches each jar of a list and pins what came.
pub(super) async fn resolve(
    list: JarList,
    family: &Family,
    version: &str,
    workshop: &Workshop,
) -> Result<Release, BuildError> {
    let definition = &family.definition;
    let folder = definition.archive.as_ref().map(|archive| archive.of(version));
    let archive = list.archive.zip(folder.as_ref()).map(|((digest, signer), folder)| Archive {
        path: folder.path.clone(),
        size: None,
        digest,
        signer,
    });
    let unsigned = definition.versions.get(version).is_some_and(|version| version.unsigned);
    let must_be_signed = |jar: &ListedJar| {
        let layer = definition.layers.iter().find(|layer| layer.name == jar.layer);
        jar.signed || layer.is_some_and(|layer| layer.signed) && !unsigned
    };
    let keys = list.jars.iter().any(must_be_signed).then(|| keyring(family)).transpose()?;
    let bases = workshop.machine.bases(Upstream::Maven, None);
    let bench = Arc::new(Bench { bases, keys, workshop: workshop.clone() });
    let mut tasks = JoinSet::new();
    for jar in list.jars {
        let signed = must_be_signed(&jar);
        let member = archive.as_ref().and(folder.as_ref()).map(|folder| folder.jars.clone());
        tasks.spawn(pin(bench.clone(), jar, signed, member));
    }
    let mut release = Release { archive, absent: list.absent, ..Release::default() };
    while let Some(done) = tasks.join_next().await {
        let (input, signed) = done.map_err(|error| BuildError::Worker(error.to_string()))??;
        release.signed = release.signed.max(signed);
        release.inputs.push(input);
    }
    Ok(release)
}

/// Fetches one jar; with the time of its signature.
async fn pin(
    bench: Arc<Bench>,
    jar: ListedJar,
    signed: bool,
    folder: Option<String>,
) -> Result<(Input, Option<u64>), BuildError> {
    let path = jar.coordinates.path();
    let name = jar.coordinates.file_name();
    let bytes = bench.get(&path, JAR_LIMIT).await?.ok_or_else(|| absent(&path))?;
    let signature = match signed {
        true => {
            let path = format!("{path}.asc");
            let none = || BuildError::NotSigned { name: name.clone() };
            Some((bench.get(&path, SIGNATURE_LIMIT).await?.ok_or_else(none)?, path))
        }
        false => None,
    };
    let work = move || {
        let signature = signature.map(|(text, path)| bench.verify(&name, &bytes, &text, path)).transpose()?;
        let (sha256, size) = bench.keep(&bytes)?;
        let (signature, time) = signature.unzip();
        let member = folder.map(|folder| format!("{folder}/{name}"));
        let upstream = Upstream::Maven;
        Ok((
            Input {
                layer: jar.layer,
                name,
                upstream,
                platform: None,
                path,
                url: None,
                size,
                sha256,
                member,
                signature,
            },
            time,
        ))
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| BuildError::Worker(error.to_string()))?
}

fn absent(path: &str) -> BuildError {
    NetError::NotFound { name: path.to_owned(), failures: Vec::new() }.into()
}

impl Bench {
    async fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, BuildError> {
        let places: Vec<(Base, String)> = self.bases.iter().map(|base| (base.clone(), path.to_owned())).collect();
        Ok(self.workshop.client.get(&places, limit).await?.map(|(bytes, _)| bytes))
    }

    /// The signature of a jar by any key of the definition, and when it was made.
    fn verify(&self, name: &str, jar: &[u8], text: &[u8], path: String) -> Result<(Signature, u64), BuildError> {
        let keys = self.keys.as_ref().ok_or_else(|| BuildError::NotSigned { name: name.to_owned() })?;
        let all = keys.fingerprints();
        let signers: Vec<&str> = all.iter().map(String::as_str).collect();
        let accepted = keys.verify_detached(name, &mut &*jar, text, &signers)?;
        let (sha256, size) = self.keep(text)?;
        Ok((Signature { path, size, sha256, signer: accepted.signer }, accepted.created))
    }

    /// Puts bytes into the cache.
    fn keep(&self, bytes: &[u8]) -> Result<(Sha256, u64), BuildError> {
        match self.workshop.store.downloads().insert(bytes)? {
            Digest::Sha256(digest) => Ok((Sha256(digest), bytes.len() as u64)),
            other => Err(BuildError::Worker(format!("the cache knows an input as {other}"))),
        }
    }
}
