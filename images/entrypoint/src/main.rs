//! The program inside kimg's images: all of it is `kimg_entrypoint`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kimg_entrypoint::main()
}
