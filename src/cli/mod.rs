//! The command line: one file a command.

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    todo!()
}
