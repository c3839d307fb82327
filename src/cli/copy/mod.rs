//! `kimg copy`, and what `push` and `pull` share with it.

mod options;
mod report;
mod work;

use super::values::{self, Location};
use super::{CliError, Failure, Session, answer, files, interrupt};

pub(in crate::cli) use options::Options;
use work::Work;

const EXAMPLES: &str = "\
Examples:
  kimg copy docker://registry.example/kafka:3.5.2 oci:out
  kimg copy store:kafka:3.5.2 docker://localhost:5000/kafka:3.5.2
  kimg copy oci:out:kafka:3.5.2 oci-archive:kafka.tar
  kimg copy docker://a.example/x:1 docker://b.example/x:1 --dry-run
  kimg copy docker://a.example/x:1 docker-archive:- --platform linux/amd64 | docker load
  kimg copy docker://a.example/x:1 docker://b.example/x:1 --referrers -j 8

All platforms of an index are copied, unless --platform picks some. Manifests are never changed.
Standard output has the digest that the target now has, and nothing else.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Where the image is: docker://REF, oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF],
    /// docker-daemon:REF or store:REF; REF is NAME[:TAG][@DIGEST]
    #[arg(value_name = "SRC", value_parser = values::source)]
    source: Location,
    /// Where it goes, written in the same way; `-` as FILE is standard output
    #[arg(value_name = "DST", value_parser = values::location)]
    target: Location,
    #[command(flatten)]
    options: Options,
}

/// Copies an image.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    copy(args.source.clone(), args.target.clone(), &args.options, session)
}

/// Copies from one location to another, and prints the digest that the target has.
pub(in crate::cli) fn copy(
    source: Location,
    target: Location,
    options: &Options,
    session: &Session,
) -> Result<(), Failure> {
    options.check(&target)?;
    let is_stdout = target.is_stdout() && !options.dry_run;
    let (work, events) = (Work::new(source, target, options, session)?, session.story.events());
    let done = interrupt::run(async {
        let runtime = tokio::runtime::Handle::current();
        // Dropped with this future: whatever it has begun ends then.
        let _going = work.going();
        let done = tokio::task::spawn_blocking(move || work.run(runtime)).await;
        done.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?
    })?;
    if let Some(path) = &options.digestfile {
        files::write_whole(path, format!("{}\n", done.digest).as_bytes())?;
    }
    match (options.json, options.dry_run) {
        (true, _) => answer::print_json(&done),
        (false, true) => answer::print(&report::table(&done)),
        (false, false) if is_stdout => {
            // Standard output is an archive.
            events.note(done.digest);
            Ok(())
        }
        (false, false) => answer::print(&format!("{}\n", done.digest)),
    }
}
