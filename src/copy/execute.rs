use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Blob, CopyError, Have, Plan, PlannedBlob, Sink, Source, Stop, Taken};
use crate::digest::Digest;
use crate::event::{Events, Outcome, TaskKind};

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
    sink.begin(plan)?;
    let mut moved = blobs(&plan.blobs, source, sink.as_ref(), execution)?;
    if let Err(error) = manifests(plan, sink.as_ref()) {
        let missing: BTreeSet<Digest> = sink.missing()?.into_iter().map(|blob| blob.digest).collect();
        if missing.is_empty() {
            return Err(error);
        }
        let lost = plan.blobs.iter().filter(|blob| missing.contains(&blob.descriptor.digest));
        let lost: Vec<PlannedBlob> = lost.map(|blob| PlannedBlob { have: Have::Absent, ..blob.clone() }).collect();
        moved.again(blobs(&lost, source, sink.as_ref(), execution)?);
        manifests(plan, sink.as_ref())?;
    }
    sink.finish(&plan.roots)?;
    Ok(moved)
}

fn manifests(plan: &Plan, sink: &dyn Sink) -> Result<(), CopyError> {
    plan.manifests.iter().try_for_each(|(descriptor, bytes)| sink.take_manifest(descriptor, bytes))?;
    sink.name(&plan.roots)
}

/// Moves what is not there, biggest first; the first failure ends all.
fn blobs(
    blobs: &[PlannedBlob],
    source: &dyn Source,
    sink: &dyn Sink,
    execution: &Execution,
) -> Result<Moved, CopyError> {
    let moving: Vec<&PlannedBlob> = blobs.iter().filter(|blob| blob.have != Have::Present).collect();
    let moved = Moved { present: blobs.len() - moving.len(), ..Moved::default() };
    let jobs = sink.jobs(execution.jobs).clamp(1, moving.len().max(1));
    let state = Mutex::new((moved, None));
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
                Ok(taken) => state.0.count(planned.descriptor.size, taken),
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
        (moved, None) => Ok(moved),
        (_, Some(error)) => Err(error),
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
    task.finish(match taken {
        Taken::Sent { .. } => Outcome::Done,
        Taken::Mounted | Taken::Present => Outcome::Present,
    });
    Ok(taken)
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
