//! Every input of an image as files of a folder or of an artifact, for machines without a network.

use std::collections::BTreeMap;
use std::path::Path;

use super::archive;
use super::folders;
use super::halt::{self, Halt};
use super::inputs::{self, Need};
use super::inputs_artifact::InputsSource;
use super::recipe::{Part, Recipe};
use super::{BuildError, JarSource, Workshop};
use crate::digest::Digest;
use crate::lock::{Input, Upstream};
use crate::store::StoreError;

/// What was fetched of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// `kafka:3.5.2`.
    pub name: String,
    /// How many files it needs.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Files by their path in the folder: by upstream and path, `debian/pool/…`, `maven/org/…`, `apache/…`.
type Files = BTreeMap<String, (Digest, u64)>;

/// Brings every input of an image with its signatures, for all platforms that it is made for, into `folder`. A file has its
/// name there when it is whole. As in a build, the release archive stands for the members that it has as they are pinned.
pub async fn fetch(image: &str, folder: &Path, workshop: &Workshop) -> Result<Fetched, BuildError> {
    let lease = workshop.store.lease()?;
    let (fetched, files) = gather(image, workshop).await?;
    let (downloads, folder) = (workshop.store.downloads(), folder.to_owned());
    let export = move || {
        let mut all = files.into_iter();
        all.try_for_each(|(path, (digest, size))| match downloads.export(&digest, size, &folder.join(path)) {
            Err(StoreError::Io { path, source, .. }) if path.starts_with(&folder) => {
                Err(BuildError::UserFile { path: path.display().to_string(), source })
            }
            exported => Ok(exported?),
        })
    };
    tokio::task::spawn_blocking(export).await.map_err(|error| BuildError::Worker(error.to_string()))??;
    drop(lease);
    Ok(fetched)
}

/// The same of all these images, as one artifact for registries.
pub async fn fetch_artifact(
    images: &[String],
    workshop: &Workshop,
) -> Result<(Vec<Fetched>, InputsSource), BuildError> {
    let lease = workshop.store.lease()?;
    let (mut all, mut files) = (Vec::new(), Files::new());
    for image in images {
        let (fetched, own) = gather(image, workshop).await?;
        all.push(fetched);
        files.extend(own);
    }
    let downloads = workshop.store.downloads();
    let made = tokio::task::spawn_blocking(move || InputsSource::new(&files, downloads, lease)).await;
    Ok((all, made.map_err(|error| BuildError::Worker(error.to_string()))??))
}

/// Brings every input of an image into the cache.
async fn gather(image: &str, workshop: &Workshop) -> Result<(Fetched, Files), BuildError> {
    let (_going, halt) = halt::pair();
    let (name, parts) = Recipe::parts(&workshop.catalog, image)?;
    let mut files = Files::new();
    for part in &parts {
        fetch_part(part, workshop, &halt, &mut files).await?;
    }
    let bytes = files.values().map(|(_, size)| size).sum();
    Ok((Fetched { name, files: files.len(), bytes }, files))
}

/// Brings the inputs of a part into the cache, and says where each goes.
async fn fetch_part(part: &Part, workshop: &Workshop, halt: &Halt, files: &mut Files) -> Result<(), BuildError> {
    let members: Vec<&Input> = part.lock.inputs.iter().filter(|input| input.member.is_some()).collect();
    let mut fit = Vec::new();
    let mut differ = Vec::new();
    if let (Some(archive), true) = (&part.lock.archive, workshop.sources.jars != JarSource::Maven) {
        let asked = archive::ask_for(part, archive, &members, workshop, halt).await?;
        (fit, differ) = (asked.fit, asked.differ);
        if let Some((size, signature)) = asked.used {
            let path = |end: &str| folders::title(Upstream::Apache, &format!("{}{end}", archive.path));
            files.insert(path(""), (archive.digest, size));
            if archive.signer.is_some() {
                let digest = workshop.store.downloads().insert(&signature)?;
                files.insert(path(".asc"), (digest, signature.len() as u64));
            }
        }
    }
    // An archive that nobody signed vouches for none of its members.
    let signed = part.lock.archive.as_ref().is_some_and(|archive| archive.signer.is_some());
    let needs_of = |input: &Input| match (inputs::files(input), fit.contains(&input.sha256.into())) {
        ([own, signature], false) => [own, signature],
        (_, true) if signed => [None, None],
        ([_, signature], true) => [None, signature],
    };
    let needs: Vec<Need> = part.lock.inputs.iter().flat_map(needs_of).flatten().collect();
    inputs::check_route(&needs, part, &differ, workshop)?;
    files.extend(needs.iter().map(|need| {
        let Need { upstream, path, digest, size, .. } = need;
        (folders::title(*upstream, path), (*digest, *size))
    }));
    inputs::download(needs, part, workshop).await
}
