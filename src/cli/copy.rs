use std::path::PathBuf;

use super::places::Ends;
use super::registry::RegistryFlags;
use super::transfer::transfer;
use super::values::{self, Location};
use super::{Failure, Session, answer, files, interrupt};
use crate::copy::{Choice, Execution, Have, Plan};
use crate::net::Client;
use crate::store::Store;
use crate::ui::size;

const EXAMPLES: &str = "\
Examples:
  kimg copy docker://registry.example/kafka:3.5.2 oci:out
  kimg copy store:kafka:3.5.2 docker://localhost:5000/kafka:3.5.2
  kimg copy oci:out:kafka:3.5.2 oci-archive:kafka.tar
  kimg copy docker://a.example/x:1 docker://b.example/x:1 --dry-run

All platforms of an index are copied. Standard output has the digest that the target now has.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Where the image is: docker://REF, oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF], docker-daemon:REF or store:REF
    #[arg(value_name = "SRC", value_parser = values::source)]
    source: Location,
    /// Where it goes: docker://REF, oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF], docker-daemon:REF or store:REF
    #[arg(value_name = "DST", value_parser = values::location)]
    destination: Location,
    #[command(flatten)]
    options: Options,
}

/// Flags of all commands that copy.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// Tell what would move, and move nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the digest that the target has to FILE
    #[arg(long, value_name = "FILE")]
    digestfile: Option<PathBuf>,
    #[command(flatten)]
    registry: RegistryFlags,
}

/// Copies an image.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    copy(args.source.clone(), args.destination.clone(), &args.options, session)
}

/// Copies from one location to another, and prints the digest that the target has.
pub(in crate::cli) fn copy(
    source: Location,
    destination: Location,
    options: &Options,
    session: &Session,
) -> Result<(), Failure> {
    let settings = session.settings(Vec::new())?;
    let events = session.story.events();
    let store = Store::open(&settings.store)?;
    let client = std::sync::Arc::new(Client::new(settings.network, events.clone()));
    let (registry, environment) = (options.registry.clone(), session.environment.clone());
    let registries = settings.registries;
    let (dry_run, is_stdout) = (options.dry_run, destination.is_stdout());
    let digest = interrupt::run(async move {
        let runtime = tokio::runtime::Handle::current();
        let ends = Ends { store, client, registry, environment, registries, runtime };
        let work = move || -> Result<String, Failure> {
            let _lease = ends.store.lease()?;
            let planned = |plan: &Plan| {
                let there = plan.blobs.iter().filter(|blob| blob.have == Have::Present).count();
                events.note(format!(
                    "{}: {} of {} blobs {}, {}",
                    destination.place(),
                    plan.blobs.len() - there,
                    plan.blobs.len(),
                    if dry_run { "would move" } else { "move" },
                    size(plan.bytes())
                ));
            };
            let execution = Execution { jobs: 4, ..Execution::new(events.clone()) };
            let ways = (&source, &destination);
            let done = transfer(&ends, ways, &Choice::default(), &execution, dry_run, &planned)?;
            if !done.plan.foreign.is_empty() {
                let count = done.plan.foreign.len();
                events.note(format!("{count} layers stay where their publisher has them, who alone gives them out"));
            }
            if !dry_run {
                events.detail(format!("{} blobs sent, {}", done.moved.blobs, size(done.moved.bytes)));
            }
            Ok(done.root.descriptor.digest.to_string())
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Failure::from(super::CliError::Worker(error.to_string())))?
    })?;
    if let Some(path) = &options.digestfile {
        files::write_whole(path, format!("{digest}\n").as_bytes())?;
    }
    // An archive on standard output is all that is there.
    if is_stdout { Ok(()) } else { answer::print(&format!("{digest}\n")) }
}
