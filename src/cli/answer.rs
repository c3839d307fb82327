//! Standard output: the answer, and nothing else.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::{CliError, Failure};
use crate::ui::ascii_json;

/// Prints lines of an answer. The text must be escaped where it comes from outside.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// Prints bytes as they are, for who asked for just that.
pub(super) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Unread),
        Err(error) => Err(CliError::Answer(error).into()),
    }
}

/// Prints an answer of `--json`.
pub(super) fn print_json<T: Serialize>(answer: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(answer).map_err(|error| CliError::Answer(error.into()))?;
    print(&format!("{}\n", ascii_json(&text)))
}
