use clap::CommandFactory;
use clap_complete::Shell;

use super::arguments::Arguments;
use super::{Failure, answer};

const EXAMPLES: &str = "\
Examples:
  source <(kimg completions bash)                                  for this bash
  kimg completions zsh > ~/.zfunc/_kimg                            for every zsh
  kimg completions fish > ~/.config/fish/completions/kimg.fish     for every fish";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the completions of a shell.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    // clap_complete stops the program where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "kimg", &mut script);
    answer::print(&String::from_utf8_lossy(&script))
}
