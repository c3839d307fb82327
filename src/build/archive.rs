//! The release archive as the first upstream of its members.

use std::io::Read;

use super::folders;
use super::halt::Halt;
use super::inputs::{self, Need};
use super::recipe::Part;
use super::vouch;
use super::{BuildError, JarSource, Workshop};
use crate::digest::Digest;
use crate::error::{Category, Diagnose};
use crate::lock::{Archive, Input, Upstream};
use crate::net::NetError;
use crate::upstream::openpgp::Accepted;
use crate::upstream::release_archive::{self, ReleaseArchiveError, Taken, Wanted, name_of};

/// What came of asking.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// Inputs that the archive has with other bytes.
    pub differ: Vec<String>,
    /// The digests of those that are in the cache by it.
    pub fit: Vec<Digest>,
    /// The archive as it was used: its size, and the signature beside it.
    pub used: Option<(u64, Vec<u8>)>,
}

/// A signature has some hundred bytes.
const SIGNATURE_LIMIT: u64 = 64 << 10;

/// Brings those of these inputs that the cache lacks, and that are members of the part's archive. Where the archive cannot
/// be used and other upstreams may serve, that is told and no failure.
pub(super) async fn ask(part: &Part, inputs: &[&Input], workshop: &Workshop, halt: &Halt) -> Result<Asked, BuildError> {
    let Some(archive) = &part.lock.archive else { return Ok(Asked::default()) };
    let members: Vec<&Input> = inputs.iter().copied().filter(|input| input.member.is_some()).collect();
    let needs = inputs::needs(part, &members, workshop)?;
    let lacks = |input: &&Input| needs.iter().any(|need| need.digest == input.sha256.into());
    let only = workshop.sources.jars == JarSource::Apache;
    let cached = workshop.store.downloads().size(&archive.digest).is_some();
    if !members.iter().any(lacks) && (needs.is_empty() || !(only || cached)) {
        // Where nothing but signatures is lacking, they are smaller than the archive.
        return Ok(Asked::default());
    }
    let unsigned = |input: &&Input| {
        let signature = input.signature.as_ref();
        signature.is_some_and(|signature| needs.iter().any(|need| need.digest == signature.sha256.into()))
    };
    let wanted: Vec<&Input> = members.into_iter().filter(|input| lacks(input) || unsigned(input)).collect();
    ask_for(part, archive, &wanted, workshop, halt).await
}

/// The same for all of these inputs, whatever the cache has.
pub(super) async fn ask_for(
    part: &Part,
    archive: &Archive,
    wanted: &[&Input],
    workshop: &Workshop,
    halt: &Halt,
) -> Result<Asked, BuildError> {
    let only = workshop.sources.jars == JarSource::Apache
        || wanted.iter().any(|input| input.upstream == Upstream::Apache && input.member.is_some());
    match take(part, archive, wanted, workshop, halt).await {
        Ok(Some(got)) => {
            tell(archive, &got.taken, got.accepted.as_ref(), only, workshop);
            let fit = got.taken.fit.iter().map(|one| one.digest).collect();
            Ok(Asked { differ: got.taken.differ, fit, used: Some((got.size, got.signature)) })
        }
        Ok(None) => Ok(Asked::default()),
        Err(error) if only || workshop.sources.offline => Err(error),
        Err(error) => pass_over(archive, error, workshop).map(|()| Asked::default()),
    }
}

/// Says what the archive gave, and what it did not.
fn tell(archive: &Archive, taken: &Taken, accepted: Option<&Accepted>, only: bool, workshop: &Workshop) {
    let name = name_of(&archive.path);
    let files = if taken.fit.len() == 1 { "1 file".to_owned() } else { format!("{} files", taken.fit.len()) };
    let by = match accepted {
        Some(accepted) => format!("signed by {}", accepted.signer),
        None => "known by its digest only".to_owned(),
    };
    workshop.events.note(format!("{name}: {files}, {by}"));
    if !only {
        for input in &taken.differ {
            workshop.events.note(format!("{input}: {name} has other bytes of it than the lock pins; Maven serves it"));
        }
        for input in &taken.missing {
            workshop.events.note(format!("{input}: {name} does not have it; Maven serves it"));
        }
    }
}

/// What was taken from an archive.
struct Got {
    taken: Taken,
    accepted: Option<Accepted>,
    size: u64,
    signature: Vec<u8>,
}

/// Says why another upstream serves all; what is wrong here and not with the archive stays a failure.
fn pass_over(archive: &Archive, error: BuildError, workshop: &Workshop) -> Result<(), BuildError> {
    let events = &workshop.events;
    match (&error, error.category()) {
        (BuildError::ReleaseArchive(ReleaseArchiveError::Net(NetError::NotFound { .. })), _) => {
            events.note(format!("the Apache archive does not have {error}; Maven serves all"));
        }
        (BuildError::ReleaseArchive(_), Category::Refused | Category::NotFound) => {
            events.note(format!("the Apache archive cannot be reached: {error}; Maven serves all"));
        }
        (BuildError::ReleaseArchive(_), Category::Verification) => {
            let name = name_of(&archive.path);
            events.warning(format!("the Apache archive is not used: {name}: {error}; Maven serves all"));
        }
        _ => return Err(error),
    }
    Ok(())
}

/// Takes the wanted members; `None` where no host may be asked and the archive is nowhere here.
async fn take(
    part: &Part,
    archive: &Archive,
    wanted: &[&Input],
    workshop: &Workshop,
    halt: &Halt,
) -> Result<Option<Got>, BuildError> {
    let downloads = workshop.store.downloads();
    from_folders(archive, workshop).await?;
    let bases = || workshop.machine.bases(Upstream::Apache, None);
    let size = match (downloads.size(&archive.digest), workshop.sources.offline) {
        (Some(size), _) => size,
        (None, true) => return Ok(None),
        (None, false) => release_archive::fetch(archive, &bases(), &workshop.client, &downloads).await?,
    };
    let signature = match (&archive.signer, signature_here(archive, workshop).await?) {
        (None, _) => Vec::new(),
        (Some(_), Some(bytes)) => bytes,
        (Some(_), None) if workshop.sources.offline => return Ok(None),
        (Some(_), None) => release_archive::signature(&archive.path, &bases(), &workshop.client).await?,
    };
    let wanted: Vec<Wanted> = wanted.iter().filter_map(|input| wanted_of(input)).collect();
    let (family, archive, workshop, halt) = (part.family.clone(), archive.clone(), workshop.clone(), halt.clone());
    let work = move || {
        let keys = vouch::keyring(&family)?;
        let name = name_of(&archive.path);
        let (file, accepted) = release_archive::open(&archive, size, &signature, &keys, &downloads)?;
        let taken = release_archive::take(file, name, &wanted, &downloads, &|| halt.goes_on())?;
        for one in accepted.iter().flat_map(|accepted| taken.fit.iter().map(move |one| (accepted, one))) {
            vouch::note(archive.digest, one.0, &one.1.digest, &workshop)?;
        }
        Ok::<_, BuildError>(Some(Got { taken, accepted, size, signature }))
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| BuildError::Worker(error.to_string()))?
}

fn wanted_of(input: &Input) -> Option<Wanted> {
    let Input { name, size, .. } = input.clone();
    Some(Wanted { member: input.member.clone()?, name, digest: input.sha256.into(), size })
}

/// Brings the archive out of the user's folders or artifacts into the cache, where one has it.
async fn from_folders(archive: &Archive, workshop: &Workshop) -> Result<(), BuildError> {
    if workshop.store.downloads().size(&archive.digest).is_some() {
        return Ok(());
    }
    let need = |size| Need {
        upstream: Upstream::Apache,
        name: name_of(&archive.path).to_owned(),
        path: archive.path.clone(),
        url: None,
        digest: archive.digest,
        size,
    };
    for folder in &workshop.sources.folders {
        let path = folders::path(folder, Upstream::Apache, &archive.path);
        let Some(file) = folders::open(&path)? else { continue };
        let failed = |source| BuildError::UserFile { path: path.display().to_string(), source };
        return folders::take(vec![need(file.metadata().map_err(failed)?.len())], workshop).await;
    }
    let mut artifacts = workshop.sources.artifacts.iter();
    match artifacts.find_map(|artifact| artifact.titled(Upstream::Apache, &archive.path)) {
        Some(file) => folders::take(vec![need(file.size)], workshop).await,
        None => Ok(()),
    }
}

/// The archive's signature out of the user's folders or artifacts.
async fn signature_here(archive: &Archive, workshop: &Workshop) -> Result<Option<Vec<u8>>, BuildError> {
    for folder in &workshop.sources.folders {
        let path = folders::path(folder, Upstream::Apache, &format!("{}.asc", archive.path));
        let Some(file) = folders::open(&path)? else { continue };
        let mut bytes = Vec::new();
        let failed = |source| BuildError::UserFile { path: path.display().to_string(), source };
        file.take(SIGNATURE_LIMIT).read_to_end(&mut bytes).map_err(failed)?;
        return Ok(Some(bytes));
    }
    let path = format!("{}.asc", archive.path);
    for artifact in &workshop.sources.artifacts {
        let Some(file) = artifact.titled(Upstream::Apache, &path) else { continue };
        return artifact.bytes(file, SIGNATURE_LIMIT).await.map(Some);
    }
    Ok(None)
}
