//! The program: all of it is `kimg::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kimg::cli::main()
}
