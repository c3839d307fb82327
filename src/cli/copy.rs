use std::path::PathBuf;

use super::places::Ends;
use super::registry::RegistryFlags;
use super::values::{self, Location};
use super::{Failure, Session, answer, files, interrupt};
use crate::copy::{self, Choice, Execution, Have, Root};
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
    /// Where the image is: docker://REF, oci:DIR[:REF] or store:REF
    #[arg(value_name = "SRC", value_parser = values::location)]
    source: Location,
    /// Where it goes: docker://REF, oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF] or store:REF
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
    options.registry.check(source.registry().as_deref(), destination.registry().as_deref())?;
    let settings = session.settings(Vec::new())?;
    let events = session.story.events();
    let store = Store::open(&settings.store)?;
    let client = std::sync::Arc::new(Client::new(settings.network, events.clone()));
    let (registry, environment) = (options.registry.clone(), session.environment.clone());
    let registries = settings.registries;
    let dry_run = options.dry_run;
    let digest = interrupt::run(async move {
        let runtime = tokio::runtime::Handle::current();
        let ends = Ends { store, client, registry, environment, registries, runtime };
        let work = move || -> Result<String, Failure> {
            let _lease = ends.store.lease()?;
            let (from, descriptor) = ends.source(&source)?;
            let sink = ends.sink(&destination)?;
            let own = source.name().filter(|_| destination.name().is_none()).cloned();
            let names = destination.name().cloned().or(own).into_iter().filter(|name| !name.contains("sha256:"));
            let root = Root { descriptor: descriptor.clone(), names: names.collect() };
            let plan = copy::plan(from.as_ref(), sink.as_ref(), &[root], &Choice::default())?;
            let there = plan.blobs.iter().filter(|blob| blob.have == Have::Present).count();
            events.note(format!(
                "{}: {} of {} blobs {}, {}",
                destination.place(),
                plan.blobs.len() - there,
                plan.blobs.len(),
                if dry_run { "would move" } else { "move" },
                size(plan.bytes())
            ));
            if !dry_run {
                copy::execute(&plan, from.as_ref(), sink, &Execution { jobs: 4, ..Execution::new(events) })?;
            }
            Ok(descriptor.digest.to_string())
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Failure::from(super::CliError::Worker(error.to_string())))?
    })?;
    if let Some(path) = &options.digestfile {
        files::write_whole(path, format!("{digest}\n").as_bytes())?;
    }
    answer::print(&format!("{digest}\n"))
}
