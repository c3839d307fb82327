//! Draws events: bars on a terminal, plain lines in a pipe, JSON for programs.
//!
//! All of it goes to one [`Out`], the standard error of the program: standard output is for answers. A failure to write
//! the story is no failure of the work, so it is ignored everywhere here.

mod ascii;
mod bars;
mod escape;
mod json;
mod lines;
mod out;
mod plain;
mod size;
mod slots;
mod story;
mod tasks;
mod transfers;

pub use ascii::ascii_json;
pub use bars::Bars;
pub use escape::escape;
pub use json::Json;
pub use lines::Lines;
pub use out::Out;
pub use plain::Plain;
pub use size::size;
pub use story::{Report, Story};

/// How progress is shown (`--progress`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Bars that are drawn over and over.
    Bars,
    /// One line for each thing that ended.
    Plain,
    /// One JSON document a line.
    Json,
    /// Nothing but notes and warnings.
    None,
}

/// How much is told (`-q`, `-v`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// What was done.
    Normal,
    /// Details too.
    Verbose,
}
