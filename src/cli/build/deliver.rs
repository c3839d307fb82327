//! Taking what was built to where it is wanted.

use super::order::Order;
use crate::build::{Built, Workshop};
use crate::cli::values::{ArchiveKind, Location};
use crate::cli::{CliError, Failure, files};
use crate::copy::{self, Choice, Execution, Root, Sink, Source};
use crate::transport::{Daemon, DockerArchiveSink, LayoutSink, OciArchiveSink, StoreSource};

/// The Docker daemon, where images are to go into one: whether it is there is known before the work.
pub(super) async fn daemon(order: &Order) -> Result<Option<Daemon>, Failure> {
    let Some(host) = order.docker_host.clone() else { return Ok(None) };
    let connected = tokio::task::spawn_blocking(move || Daemon::connect(&host)).await;
    let daemon = connected.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?;
    Ok(Some(daemon?))
}

/// Copies all images to all outputs, each under the name that the output asks for or else its own. When this is dropped,
/// the copy under way ends and leaves nothing.
pub(super) async fn deliver(
    built: &[(Built, Vec<String>)],
    order: &Order,
    daemon: Option<Daemon>,
    workshop: &Workshop,
) -> Result<(), Failure> {
    let (outputs, workshop) = (order.outputs.clone(), workshop.clone());
    let roots = outputs.iter().map(|output| roots(built, output)).collect::<Vec<_>>();
    let execution = Execution::new(workshop.events.clone());
    let going = execution.stop.when_dropped();
    let work = move || {
        let source = StoreSource::open(workshop.store.clone())?;
        for (output, roots) in outputs.iter().zip(&roots) {
            to(output, roots, &source, daemon.as_ref(), &execution)?;
        }
        Ok(())
    };
    let done = tokio::task::spawn_blocking(work).await;
    drop(going);
    done.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?
}

/// The images, with the names that they get there.
fn roots(built: &[(Built, Vec<String>)], output: &Location) -> Vec<Root> {
    let names = |built: &Built, tags: &[String]| match (output.name(), tags) {
        (Some(name), _) => vec![name.clone()],
        (None, []) => vec![built.name.clone()],
        (None, tags) => tags.to_vec(),
    };
    built.iter().map(|(built, tags)| Root { descriptor: built.manifest.clone(), names: names(built, tags) }).collect()
}

fn to(
    output: &Location,
    roots: &[Root],
    source: &dyn Source,
    daemon: Option<&Daemon>,
    execution: &Execution,
) -> Result<(), Failure> {
    let sink: Box<dyn Sink> = match output {
        Location::Layout { folder, .. } => Box::new(LayoutSink::open(folder)?),
        Location::Archive { kind, file, .. } => {
            let archive = files::archive(file, &output.place())?;
            match kind {
                ArchiveKind::Oci => Box::new(OciArchiveSink::new(archive)),
                ArchiveKind::Docker => Box::new(DockerArchiveSink::new(archive)),
            }
        }
        Location::Daemon { .. } => {
            let daemon = daemon.ok_or_else(|| CliError::Worker("nobody asked for the daemon".to_owned()))?;
            return Ok(daemon.load(source, roots, execution)?);
        }
        Location::Registry { .. } | Location::Store { .. } => {
            return Err(CliError::Worker("it is written to in another way".to_owned()).into());
        }
    };
    let plan = copy::plan(source, sink.as_ref(), roots, &Choice::default())?;
    copy::execute(&plan, source, sink, execution)?;
    Ok(())
}
