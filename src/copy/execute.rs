use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Blob, CopyError, Have, Plan, PlannedBlob, Sink, Source, Stop, Taken};
use crate::digest::Digest;
use crate::event::{Copying, Events, Outcome, Share, TaskKind, Transfer};

/// How a plan is done.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Blobs at once, at most.
    pub jobs: usize,
    /// Where to tell of it.
    pub events: Events,
    /// Ends it.
    pub stop: Stop,
}

impl Execution {
    /// One blob after the other.
    pub fn new(events: Events) -> Execution {
        Execution { jobs: 1, events, stop: Stop::default() }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Blobs sent.
    pub blobs: usize,
    /// Bytes of blobs sent.
    pub bytes: u64,
    /// Bytes that were there of blobs of which the rest was sent.
    pub resumed: u64,
    /// Blobs mounted.
    pub mounted: usize,
    /// Blobs that were there.
    pub present: usize,
}

/// Does what the plan says.
pub fn execute(
    plan: &Plan,
    source: &dyn Source,
    mut sink: Box<dyn Sink>,
    execution: &Execution,
) -> Result<Moved, CopyError> {
    let mut copying = begin(plan, &sink.describe(), &execution.events);
    sink.begin(plan)?;
    let mut moved = blobs(&plan.blobs, source, sink.as_ref(), execution, &mut copying)?;
    if let Err(error) = manifests(plan, sink.as_ref()) {
        let missing: BTreeSet<Digest> = sink.missing()?.into_iter().map(|blob| blob.digest).collect();
        if missing.is_empty() {
            return Err(error);
        }
        let lost = plan.blobs.iter().filter(|blob| missing.contains(&blob.descriptor.digest));
        let lost: Vec<PlannedBlob> = lost.map(|blob| PlannedBlob { have: Have::Absent, ..blob.clone() }).collect();
        lost.iter().for_each(|blob| copying.absent(blob.descriptor.size));
        moved.again(blobs(&lost, source, sink.as_ref(), execution, &mut copying)?);
        manifests(plan, sink.as_ref())?;
    }
    ended(sink.as_ref(), &execution.stop)?;
    sink.finish(&plan.roots)?;
    let is_nothing = plan.roots.is_empty() && plan.blobs.is_empty() && plan.manifests.is_empty();
    copying.finish(if is_nothing { Outcome::Present } else { Outcome::Done });
    Ok(moved)
}

fn manifests(plan: &Plan, sink: &dyn Sink) -> Result<(), CopyError> {
    plan.manifests.iter().try_for_each(|(descriptor, bytes)| sink.take_manifest(descriptor, bytes))?;
    sink.name(&plan.roots)
}

/// Tells what is copied, and which blobs of it are there.
fn begin(plan: &Plan, place: &str, events: &Events) -> Copying {
    let mut all = Share::default();
    plan.blobs.iter().for_each(|blob| all.add(blob.descriptor.size));
    let mut copying = events.copying(title(plan, place), Transfer { all, ..Transfer::default() });
    for PlannedBlob { descriptor, .. } in plan.blobs.iter().filter(|blob| blob.have == Have::Present) {
        let task = events.task(TaskKind::Copy, descriptor.digest.to_string(), Some(descriptor.size));
        task.finish(Outcome::Present);
        copying.count(descriptor.size, Outcome::Present);
    }
    copying
}

/// What is copied, and to where, in a few words.
fn title(plan: &Plan, place: &str) -> String {
    let roots: Vec<_> = plan.there.iter().chain(&plan.roots).collect();
    match roots.as_slice() {
        [one] => match one.names.first() {
            Some(name) => format!("{place}:{name}"),
            None => format!("{place}@{}", one.descriptor.digest),
        },
        [] => place.to_owned(),
        several => format!("{place} ({} images)", several.len()),
    }
}

/// Moves what is not there, biggest first; the first failure ends all.
fn blobs(
    blobs: &[PlannedBlob],
    source: &dyn Source,
    sink: &dyn Sink,
    execution: &Execution,
    copying: &mut Copying,
) -> Result<Moved, CopyError> {
    let moving: Vec<&PlannedBlob> = blobs.iter().filter(|blob| blob.have != Have::Present).collect();
    let moved = Moved { present: blobs.len() - moving.len(), ..Moved::default() };
    let jobs = sink.jobs(execution.jobs).clamp(1, moving.len().max(1));
    let state = Mutex::new((moved, None, copying));
    let next = AtomicUsize::new(0);
    let failed = execution.stop.below();
    let work = || {
        while let Some(planned) = moving.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed.is_set() {
                return;
            }
            let result = one(planned, source, sink, &execution.events, &failed);
            let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match result {
                Ok(taken) => {
                    state.0.count(planned.descriptor.size, taken);
                    state.2.count(planned.descriptor.size, outcome(taken));
                }
                Err(error) => {
                    failed.set();
                    state.1.get_or_insert(error);
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(work);
        }
        work();
    });
    match state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        (_, Some(error), _) => Err(error),
        (moved, None, _) => ended(sink, &execution.stop).map(|()| moved),
    }
}

fn one(
    planned: &PlannedBlob,
    source: &dyn Source,
    sink: &dyn Sink,
    events: &Events,
    stop: &Stop,
) -> Result<Taken, CopyError> {
    let descriptor = &planned.descriptor;
    let task = events.task(TaskKind::Copy, descriptor.digest.to_string(), Some(descriptor.size));
    let taken = sink.take_blob(&Blob::new(source, planned, stop), &|done| task.progress(done))?;
    task.finish(outcome(taken));
    Ok(taken)
}

/// An error where the copy was ended: who saw that before a blob began has none of its own, and what is not whole must get
/// no name.
fn ended(sink: &dyn Sink, stop: &Stop) -> Result<(), CopyError> {
    match stop.is_set() {
        false => Ok(()),
        true => Err(CopyError::Failed {
            place: sink.describe(),
            what: "the copy".to_owned(),
            why: "it was ended".to_owned(),
            category: crate::error::Category::Interrupted,
            hint: None,
        }),
    }
}

fn outcome(taken: Taken) -> Outcome {
    match taken {
        Taken::Sent { from: 0 } => Outcome::Done,
        Taken::Sent { from } => Outcome::Resumed { from },
        Taken::Mounted => Outcome::Mounted,
        Taken::Present => Outcome::Present,
    }
}

impl Moved {
    /// Adds what moved after all, of what was taken to be present.
    fn again(&mut self, more: Moved) {
        self.present = self.present.saturating_sub(more.blobs + more.mounted);
        self.blobs += more.blobs;
        self.bytes += more.bytes;
        self.resumed += more.resumed;
        self.mounted += more.mounted;
    }

    fn count(&mut self, size: u64, taken: Taken) {
        match taken {
            Taken::Sent { from } => {
                self.blobs += 1;
                self.bytes += size - from.min(size);
                self.resumed += from.min(size);
            }
            Taken::Mounted => self.mounted += 1,
            Taken::Present => self.present += 1,
        }
    }
}
