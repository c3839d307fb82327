use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    Failure, build, catalog, completions, copy, fetch, images, inspect, lock, login, logout, ls, pull, push, store,
};
use crate::definition::Catalog;
use crate::definition::embedded::LONG_VERSION;

const EXAMPLES: &str = "\
Examples:
  kimg images                            what can be built
  kimg build kafka:3.5.2                 build it into the store
  kimg build kafka zookeeper -o oci:out  two images as an OCI layout
  kimg build -f image.toml               an image of your own on top of one of these
  kimg store ls                          what was built
  kimg push kafka:3.5.2 REGISTRY/kafka:3.5.2
  kimg copy docker://a.example/x:1 oci:out  any image from anywhere to anywhere

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 verification failed, 4 refused or unreachable, 5 not found,
130 interrupted.";

/// Builds verified, reproducible container images, and moves them anywhere.
#[derive(Debug, Parser)]
#[command(name = "kimg", version, long_version = LONG_VERSION, after_long_help = EXAMPLES, arg_required_else_help = true, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// How progress is shown on standard error
    #[arg(long, global = true, value_name = "STYLE", default_value = "auto")]
    pub(super) progress: Progress,
    /// Tell details too
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Tell of errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Read this configuration file instead of the user's
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// The values of `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Progress {
    /// Bars on a terminal, plain lines elsewhere
    Auto,
    /// One line for each thing that ended
    Plain,
    /// One JSON document a line
    Json,
    /// Notes, warnings and errors only
    None,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Build images into the store
    Build(Box<build::Args>),
    /// Download every input of images into a folder
    Fetch(fetch::Args),
    /// List what can be built
    Images(images::Args),
    /// Look an image's packages up anew and write its lock
    Lock(lock::Args),
    /// Copy an image from one place to another
    Copy(copy::Args),
    /// Copy an image of the store into a registry
    Push(push::Args),
    /// Copy an image of a registry into the store
    Pull(pull::Args),
    /// Log in at a registry
    Login(login::Args),
    /// Forget the credentials for a registry
    Logout(logout::Args),
    /// Show what an image is: platforms, layers, how it runs
    Inspect(inspect::Args),
    /// List the tags of a repository, or the names in a layout
    Ls(ls::Args),
    /// Look after the store
    Store(store::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
}

/// Where definitions and locks come from.
#[derive(Debug, Args)]
pub(super) struct Definitions {
    /// Definitions, locks and keys in DIR, laid out as kimg's own `images/`, instead of those built in
    #[arg(long, value_name = "DIR")]
    pub(super) images: Option<PathBuf>,
}

impl Definitions {
    /// All of them.
    pub(super) fn catalog(&self) -> Result<Catalog, Failure> {
        catalog::catalog(self.images.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_examples() {
        fn visit(command: &clap::Command) {
            let examples = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("Examples:\n  "), "{}", command.get_name());
            command.get_subcommands().for_each(visit);
        }
        let command = Arguments::command();
        command.clone().debug_assert();
        visit(&command);
    }
}
