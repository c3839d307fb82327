use super::copy::{Options, copy};
use super::values::{self, Location};
use super::{Failure, Session};

const EXAMPLES: &str = "\
Examples:
  kimg push kafka:3.5.2 localhost:5000/kafka:3.5.2
  kimg push kafka:3.5.2 registry.example/team/kafka:3.5.2 --authfile auth.json

Standard output has the digest.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// An image of the store; `kimg store ls` lists them
    #[arg(value_name = "NAME", value_parser = values::tag)]
    image: String,
    /// The repository and tag
    #[arg(value_name = "REF", value_parser = values::reference)]
    target: Location,
    #[command(flatten)]
    options: Options,
}

/// Copies an image of the store into a registry.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    copy(Location::Store { name: Some(args.image.clone()) }, args.target.clone(), &args.options, session)
}
