use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::kept::{Kept, Resumable};
use super::learnt::Learnt;
use super::manifests::{self, Missing, is_index};
use super::profile::profile;
use super::token::Actions;
use super::upload::{Target, upload};
use super::{Memory, Session};
use crate::copy::{Blob, CopyError, Have, Origin, Plan, Root, Sink, Taken};
use crate::digest::{Algorithm, Digest};
use crate::error::{Category, Diagnose};
use crate::net::{Exchange, Verb};
use crate::oci::{Descriptor, Index, media_type};
use crate::store::Store;

/// Questions whether a blob is there, at once.
const QUESTIONS: usize = 8;

/// A configuration of so many bytes at most is sent without a question where no layer is there.
const UNASKED: u64 = 32 << 10;

/// The largest manifest that registries must take (distribution-spec 1.1, "Pushing Manifests").
const MANIFEST: u64 = 4 << 20;

/// A repository as a sink. Its methods block: they are called on threads that may wait. Names are tags, or the root's own
/// digest.
#[derive(Debug)]
pub struct RegistrySink {
    session: Session,
    runtime: Handle,
    learnt: Learnt,
    memory: Option<Memory>,
    state: Mutex<State>,
    named: Vec<Descriptor>,
}

/// What was found out so far.
#[derive(Debug, Default)]
struct State {
    /// Other repositories that have a blob.
    mounts: BTreeMap<Digest, String>,
    /// Uploads of an earlier process that are gone on from.
    resumables: BTreeMap<Digest, Resumable>,
    /// Blobs that are there as far as is remembered: the registry was not asked.
    believed: BTreeMap<Digest, Descriptor>,
    /// Blobs that the registry said to have mounted.
    mounted: BTreeSet<Digest>,
    /// Manifests that were put.
    put: BTreeSet<Digest>,
    /// Manifests that are there with all that they name.
    whole: BTreeSet<Digest>,
    /// The manifests that get tags: they are written under those at the end.
    roots: Vec<(Descriptor, Vec<u8>)>,
    /// Whether the refusal of a manifest said that parts of it are missing.
    missing: bool,
}

impl RegistrySink {
    /// The repository of a session.
    pub fn new(session: Session, runtime: Handle) -> RegistrySink {
        let learnt = Learnt::new(profile(&session.repository().registry));
        RegistrySink { session, runtime, learnt, memory: None, state: Mutex::default(), named: Vec::new() }
    }

    /// With what the store remembers of registries: uploads that broke off, and which repository has which blob. `now`
    /// is in seconds since 1970.
    #[must_use]
    pub fn remembering(mut self, store: Store, now: u64) -> RegistrySink {
        self.memory = Some(Memory::new(store, now, self.session.repository()));
        self
    }

    /// What can be known of a blob without a question.
    fn known(&self, blob: &Descriptor, origin: Option<&Origin>) -> Option<Have> {
        let repository = self.session.repository();
        let here = origin.filter(|origin| origin.registry == repository.registry);
        if here.is_some_and(|origin| origin.repository == repository.name) {
            return Some(Have::Present);
        }
        let memory = self.memory.as_ref();
        // distribution 2.8 and 3 answer that they mounted a sha512 blob, and then know nothing of it (seen).
        let mounts = self.learnt.mounts() && blob.digest.algorithm() == Algorithm::Sha256;
        if memory.is_some_and(|memory| memory.has_blob(&blob.digest)) {
            self.state().believed.insert(blob.digest, blob.clone());
            return Some(Have::Present);
        }
        let elsewhere = || memory.and_then(|memory| memory.elsewhere(&blob.digest));
        let from = here.map(|origin| origin.repository.as_str()).or_else(elsewhere)?;
        if !mounts {
            return None;
        }
        self.state().mounts.insert(blob.digest, from.to_owned());
        Some(Have::Mountable)
    }

    /// How much of a blob an earlier process sent.
    fn resumable(&self, blob: &Descriptor) -> Have {
        if let Some(resumable) = self.state().resumables.get(&blob.digest) {
            return Have::PartAt(resumable.offset);
        }
        let kept = Kept::of(self.memory.as_ref(), &self.session, &self.learnt, blob);
        let Some(resumable) = self.runtime.block_on(kept.resumable(&self.session, blob)) else { return Have::Absent };
        let offset = resumable.offset;
        self.state().resumables.insert(blob.digest, resumable);
        Have::PartAt(offset)
    }

    /// Whether all of it is there where it is there itself: registries refuse a manifest without its blobs, but an index
    /// may be there without all of its manifests, so that it must have been seen to be whole.
    fn may_be_whole(&self, manifest: &Descriptor) -> bool {
        let seen = || self.memory.as_ref().is_some_and(|memory| memory.has_manifest(&manifest.digest));
        !is_index(manifest) || seen()
    }

    /// Asks for blobs, several at once.
    fn ask(&self, blobs: &[Descriptor]) -> Result<BTreeSet<Digest>, CopyError> {
        self.runtime.block_on(async {
            let turns = Arc::new(Semaphore::new(QUESTIONS));
            let mut questions = JoinSet::new();
            for digest in blobs.iter().map(|blob| blob.digest) {
                let (session, turns) = (self.session.clone(), Arc::clone(&turns));
                questions.spawn(async move {
                    let _turn = turns.acquire_owned().await;
                    Ok::<_, CopyError>((digest, is_there(&session, &digest).await?))
                });
            }
            let mut there = BTreeSet::new();
            while let Some(answer) = questions.join_next().await {
                let answer = answer.map_err(|error| self.failed("a question", error.to_string()))?;
                let (digest, found) = answer?;
                if found {
                    there.insert(digest);
                }
            }
            Ok(there)
        })
    }

    fn put(&self, name: &str, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        match self.runtime.block_on(manifests::put(&self.session, name, descriptor, bytes)) {
            Ok(()) => {
                self.state().was_put(descriptor, bytes);
                Ok(())
            }
            Err((error, Missing::Nothing)) => Err(error),
            Err((error, Missing::Parts)) => {
                self.state().missing = true;
                Err(self.sparse(descriptor, bytes, error))
            }
        }
    }

    /// The error of an index of which not all manifests were put.
    fn sparse(&self, descriptor: &Descriptor, bytes: &[u8], error: CopyError) -> CopyError {
        let index = serde_json::from_slice::<Index>(bytes).ok().filter(|_| is_index(descriptor));
        let state = self.state();
        let is_there = |digest: &Digest| state.put.contains(digest) || state.whole.contains(digest);
        let lacks = index.is_some_and(|index| !index.manifests.iter().all(|child| is_there(&child.digest)));
        if !lacks {
            return error;
        }
        let category = error.category();
        let why = match error {
            CopyError::Failed { why, .. } => why,
            other => other.to_string(),
        };
        CopyError::Failed {
            place: self.describe(),
            what: descriptor.digest.to_string(),
            why: format!("it takes no index without all of its manifests: {why}"),
            category,
            hint: Some("copy all by --all-platforms, or write an index of those copied by --new-index".to_owned()),
        }
    }

    fn failed(&self, what: &str, why: String) -> CopyError {
        manifests::failed(&self.session, what, why, Category::Failed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn was_put(&mut self, descriptor: &Descriptor, bytes: &[u8]) {
        self.put.insert(descriptor.digest);
        // Children come before parents.
        let is_whole = match is_index(descriptor) {
            true => serde_json::from_slice::<Index>(bytes)
                .is_ok_and(|index| index.manifests.iter().all(|child| self.whole.contains(&child.digest))),
            false => true,
        };
        if is_whole {
            self.whole.insert(descriptor.digest);
        }
    }
}

async fn is_there(session: &Session, blob: &Digest) -> Result<bool, CopyError> {
    let name = blob.to_string();
    let url = session.url(&format!("blobs/{name}"));
    let answer = session.ask(Actions::Push, || Exchange::new(Verb::Head, url.clone())).await?;
    match answer.status {
        // A redirect leads to where the blob is kept.
        200 | 301..=308 => Ok(true),
        404 => Ok(false),
        _ => Err(session.refused(&name, answer).await),
    }
}

impl Sink for RegistrySink {
    fn describe(&self) -> String {
        format!("docker://{}", self.session.repository().full_name())
    }

    fn jobs(&self, allowed: usize) -> usize {
        allowed
    }

    /// One question a name.
    fn holds(&self, root: &Root) -> Result<bool, CopyError> {
        let digest = root.descriptor.digest;
        if !self.may_be_whole(&root.descriptor) {
            return Ok(false);
        }
        let own = [digest.to_string()];
        let names = if root.names.is_empty() { own.as_slice() } else { &root.names };
        for name in names {
            if self.runtime.block_on(manifests::look(&self.session, name))? != Some(digest) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn has_manifest(&self, manifest: &Descriptor) -> Result<bool, CopyError> {
        if !self.may_be_whole(manifest) {
            return Ok(false);
        }
        let name = manifest.digest.to_string();
        let there = self.runtime.block_on(manifests::look(&self.session, &name))? == Some(manifest.digest);
        if there {
            self.state().whole.insert(manifest.digest);
        }
        Ok(there)
    }

    fn have(&self, blobs: &[Descriptor], origin: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        let known: Vec<Option<Have>> = blobs.iter().map(|blob| self.known(blob, origin)).collect();
        let open = blobs.iter().zip(&known).filter(|(_, have)| have.is_none()).map(|(blob, _)| blob.clone());
        let (later, first): (Vec<_>, Vec<_>) =
            open.partition(|blob| media_type::is_image_config(&blob.media_type) && blob.size <= UNASKED);
        let mut there = self.ask(&first)?;
        // Where nothing of an image is, neither is its configuration: sending it costs less than asking.
        if !there.is_empty() || known.contains(&Some(Have::Present)) {
            there.extend(self.ask(&later)?);
        }
        if let Some(memory) = &self.memory {
            memory.blobs(&there);
        }
        // A process that was killed as the last byte was taken left its session.
        for blob in first.iter().filter(|blob| there.contains(&blob.digest)) {
            Kept::of(self.memory.as_ref(), &self.session, &self.learnt, blob).forget();
        }
        let found = |blob: &Descriptor| match there.contains(&blob.digest) {
            true => Have::Present,
            false => self.resumable(blob),
        };
        Ok(blobs.iter().zip(known).map(|(blob, have)| have.unwrap_or_else(|| found(blob))).collect())
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        if let Some((large, _)) = plan.manifests.iter().find(|(descriptor, _)| descriptor.size > MANIFEST) {
            return Err(CopyError::Unfit {
                place: self.describe(),
                image: large.digest.to_string(),
                why: format!("a manifest of {} bytes, and registries take {MANIFEST}", large.size),
                hint: "copy it to oci:DIR or oci-archive:FILE".to_owned(),
            });
        }
        self.named = plan.roots.iter().map(|root| root.descriptor.clone()).collect();
        Ok(())
    }

    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        let digest = blob.descriptor().digest;
        let (from, resumable) = {
            let mut state = self.state();
            (state.mounts.get(&digest).cloned(), state.resumables.remove(&digest))
        };
        let target = Target {
            session: &self.session,
            runtime: &self.runtime,
            learnt: &self.learnt,
            memory: self.memory.as_ref(),
        };
        let taken = upload(&target, blob, from.as_deref(), resumable, progress)?;
        if let Some(memory) = &self.memory {
            memory.blobs([&digest]);
        }
        if taken == Taken::Mounted {
            let mut state = self.state();
            state.mounts.remove(&digest);
            state.mounted.insert(digest);
            state.believed.insert(digest, blob.descriptor().clone());
        }
        Ok(taken)
    }

    fn take_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        if !self.named.iter().any(|root| root.digest == descriptor.digest) {
            return self.put(&descriptor.digest.to_string(), descriptor, bytes);
        }
        let mut state = self.state();
        if !state.roots.iter().any(|(own, _)| own.digest == descriptor.digest) {
            state.roots.push((descriptor.clone(), bytes.to_vec()));
        }
        Ok(())
    }

    fn name(&self, roots: &[Root]) -> Result<(), CopyError> {
        let kept = self.state().roots.clone();
        for root in roots {
            let digest = root.descriptor.digest;
            let Some((descriptor, bytes)) = kept.iter().find(|(own, _)| own.digest == digest) else { continue };
            let own = [digest.to_string()];
            let names = if root.names.is_empty() { own.as_slice() } else { &root.names };
            names.iter().try_for_each(|name| self.put(name, descriptor, bytes))?;
        }
        Ok(())
    }

    fn missing(&self) -> Result<Vec<Descriptor>, CopyError> {
        let mut state = self.state();
        if !std::mem::take(&mut state.missing) {
            return Ok(Vec::new());
        }
        let believed: Vec<Descriptor> = std::mem::take(&mut state.believed).into_values().collect();
        drop(state);
        let there = self.ask(&believed)?;
        let gone: Vec<Descriptor> = believed.into_iter().filter(|blob| !there.contains(&blob.digest)).collect();
        if let Some(memory) = &self.memory {
            memory.blobs(&there);
            memory.gone(gone.iter().map(|blob| &blob.digest));
            // A mount that was no mount is not tried again.
            let mounted = std::mem::take(&mut self.state().mounted);
            let elsewhere = gone.iter().filter(|blob| !mounted.contains(&blob.digest));
            let elsewhere = elsewhere.map(|blob| (blob.digest, memory.elsewhere(&blob.digest)));
            let elsewhere = elsewhere.filter_map(|(digest, from)| Some((digest, from?.to_owned())));
            self.state().mounts.extend(elsewhere);
        }
        Ok(gone)
    }

    fn finish(self: Box<Self>, _: &[Root]) -> Result<(), CopyError> {
        if let Some(memory) = &self.memory {
            memory.manifests(&self.state().whole);
        }
        Ok(())
    }
}
