//! `kimg store`.

mod check;
mod ls;
mod prune;

use super::{CliError, Failure, Session, answer, interrupt, table};

const EXAMPLES: &str = "\
Examples:
  kimg store ls               what was built
  kimg store prune --dry-run  how much could go
  kimg store check --repair   hash everything again

The store is the folder that KIMG_HOME names, or else ~/.local/share/kimg. It is an OCI layout.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, arg_required_else_help = true, disable_help_subcommand = true)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the images in the store
    Ls(ls::Args),
    /// Remove what no image in the store needs
    Prune(prune::Args),
    /// Hash everything in the store again
    Check(check::Args),
}

/// Runs a command of the store.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    match &args.command {
        Command::Ls(args) => ls::run(args, session),
        Command::Prune(args) => prune::run(args, session),
        Command::Check(args) => check::run(args, session),
    }
}
