//! Taking an image into repositories of registries. What is there already is neither fetched, made nor sent.

use std::collections::BTreeSet;

use super::repositories::Repository;
use crate::build::Outline;
use crate::cli::places::Ends;
use crate::cli::values::Location;
use crate::cli::{CliError, Failure};
use crate::copy::{self, Choice, CopyError, Execution, Have, Plan, Root, Sink, Source};
use crate::digest::Digest;
use crate::event::Events;
use crate::ui::size;

/// Blobs at once.
const JOBS: usize = 4;

/// Takes an image into each of the repositories, under the tags that it gets there.
pub(super) async fn push(
    outline: &mut Outline,
    repositories: &[Repository],
    ends: &Ends,
    events: &Events,
) -> Result<(), Failure> {
    for repository in repositories {
        let mut absent = Absent::None;
        while let Some(error) = send(outline, repository, ends, events, &absent).await? {
            // What it says is older than what it has. Each of these blobs is made and sent once.
            if !absent.add(&error) {
                return Err(error.into());
            }
            events.note(format!("{error}; they are made and sent"));
        }
    }
    Ok(())
}

/// Blobs that a repository has not, whatever it says when it is asked.
enum Absent {
    None,
    These(BTreeSet<Digest>),
    All,
}

impl Absent {
    fn has(&self, digest: &Digest) -> bool {
        match self {
            Absent::None => false,
            Absent::These(blobs) => blobs.contains(digest),
            Absent::All => true,
        }
    }

    /// Takes note of what was told; whether that is new.
    fn add(&mut self, error: &CopyError) -> bool {
        let CopyError::Incomplete { blobs, .. } = error else { return false };
        if blobs.iter().all(|blob| self.has(blob)) {
            // Which ones is not told, or those that were sent are not there either.
            let is_new = blobs.is_empty() && !matches!(self, Absent::All);
            *self = Absent::All;
            return is_new;
        }
        let told = blobs.iter().copied();
        match self {
            Absent::These(known) => known.extend(told),
            Absent::None => *self = Absent::These(told.collect()),
            Absent::All => {}
        }
        true
    }
}

/// Sends what the repository lacks, and makes that before where it is not here. With `absent` these blobs are lacking,
/// whatever the repository says. Gives the error of blobs that are not there after all.
async fn send(
    outline: &mut Outline,
    repository: &Repository,
    ends: &Ends,
    events: &Events,
    absent: &Absent,
) -> Result<Option<CopyError>, Failure> {
    let location = Location::Registry { reference: repository.reference.clone(), name: None };
    let root = Root { descriptor: outline.built().manifest.clone(), names: repository.tags.clone() };
    let (source, planning) = (outline.source()?, ends.clone());
    let (sink, mut plan) = blocking(move || {
        let sink = planning.sink(&location)?;
        let plan = copy::plan(&source, sink.as_ref(), &[root], &Choice::default())?;
        Ok((sink, plan))
    })
    .await?;
    plan.blobs.iter_mut().filter(|blob| absent.has(&blob.descriptor.digest)).for_each(|blob| blob.have = Have::Absent);
    let lacking = |have: Have| matches!(have, Have::Absent | Have::PartAt(_));
    let wanted = plan.blobs.iter().filter(|blob| lacking(blob.have)).map(|blob| blob.descriptor.digest);
    let wanted: BTreeSet<Digest> = wanted.collect();
    outline.make(|layer| wanted.contains(&layer.digest)).await?;
    tell(&plan, sink.as_ref(), events);
    let execution = Execution { jobs: JOBS, ..Execution::new(events.clone()) };
    let going = execution.stop.when_dropped();
    let source = outline.source()?;
    let sent = blocking(move || Ok(execute(&plan, &source, sink, &execution))).await?;
    drop(going);
    match sent {
        Ok(()) => Ok(None),
        Err(error @ CopyError::Incomplete { .. }) => Ok(Some(error)),
        Err(error) => Err(error.into()),
    }
}

fn execute(plan: &Plan, source: &dyn Source, sink: Box<dyn Sink>, execution: &Execution) -> Result<(), CopyError> {
    copy::execute(plan, source, sink, execution).map(drop)
}

fn tell(plan: &Plan, sink: &dyn Sink, events: &Events) {
    let place = sink.describe();
    if plan.roots.is_empty() {
        return events.note(format!("{place}: it is there already"));
    }
    let there = plan.blobs.iter().filter(|blob| matches!(blob.have, Have::Present | Have::Mountable)).count();
    events.note(format!("{place}: {there} of {} blobs are there, {} to send", plan.blobs.len(), size(plan.bytes())));
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?
}
