use super::copy::{Options, copy};
use super::values::{self, Location};
use super::{Failure, Session};

const EXAMPLES: &str = "\
Examples:
  kimg pull registry.example/team/app:1
  kimg pull registry.example/team/app:1 --digestfile digest

The image gets its whole name in the store. Standard output has the digest.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// The repository, and tag or digest
    #[arg(value_name = "REF", value_parser = values::reference)]
    source: Location,
    #[command(flatten)]
    options: Options,
}

/// Copies an image of a registry into the store.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let name = match &args.source {
        Location::Registry { reference, .. } => match (&reference.tag, reference.digest) {
            (Some(tag), _) => Some(format!("{}:{tag}", reference.repository)),
            (None, Some(digest)) => Some(format!("{}@{digest}", reference.repository)),
            (None, None) => Some(format!("{}:latest", reference.repository)),
        },
        other => other.name().cloned(),
    };
    copy(args.source.clone(), Location::Store { name }, &args.options, session)
}
