//! The command line: one file a command, each an `Args` struct and one function.
//!
//! A command resolves its flags, the environment and the configuration file into plain values before any work begins;
//! its answer goes to standard output, all else through [`Story`] to standard error.

mod answer;
mod arguments;
mod build;
mod catalog;
mod completions;
mod configuration;
mod copy;
mod definition;
mod environment;
mod error;
mod failure;
mod fetch;
mod files;
mod images;
mod inspect;
mod interrupt;
mod lock;
mod login;
mod logout;
mod ls;
mod places;
mod pull;
mod push;
mod registry;
mod session;
mod settings;
mod store;
mod table;
mod terminal;
mod transfer;
mod usage;
mod values;
mod workshop;

use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Command};
use self::environment::Environment;
use self::error::CliError;
use self::failure::Failure;
use self::session::Session;
use crate::ui::Story;

/// Runs the program.
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::end(error, &environment),
    };
    let story = terminal::story(&arguments.global, &environment);
    let session = Session { environment, global: arguments.global, story: story.clone() };
    let result = run(arguments.command, &session);
    story.end();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(failure, &story),
    }
}

fn run(command: Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Build(args) => build::run(args, session),
        Command::Fetch(args) => fetch::run(&args, session),
        Command::Images(args) => images::run(&args),
        Command::Lock(args) => lock::run(&args, session),
        Command::Copy(args) => copy::run(&args, session),
        Command::Push(args) => push::run(&args, session),
        Command::Pull(args) => pull::run(&args, session),
        Command::Login(args) => login::run(&args, session),
        Command::Logout(args) => logout::run(&args, session),
        Command::Inspect(args) => inspect::run(&args, session),
        Command::Ls(args) => ls::run(&args, session),
        Command::Store(args) => store::run(&args, session),
        Command::Completions(args) => completions::run(&args),
    }
}

/// Tells of the failure, and gives its exit code (docs/exit-codes.md).
fn end(failure: Failure, story: &Story) -> ExitCode {
    match failure {
        Failure::Unread => return ExitCode::SUCCESS,
        Failure::Interrupted => story.interrupted(&failure.report()),
        Failure::Told(_) => story.fail(&failure.report()),
    }
    ExitCode::from(failure.report().exit_code)
}
