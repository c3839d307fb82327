//! Taking an image into repositories of registries. What is there already is neither fetched, made nor sent.

use std::collections::BTreeSet;

use super::doubted::{Absent, Doubted};
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
        let mut absent = Absent::none();
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
    let absent = absent.clone();
    let (sink, plan) = blocking(move || {
        let sink = Doubted::of(planning.sink(&location)?, absent);
        let plan = copy::plan(&source, sink.as_ref(), &[root], &Choice::default())?;
        Ok((sink, plan))
    })
    .await?;
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
