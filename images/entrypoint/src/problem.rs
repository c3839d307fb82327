//! What is wrong with a configuration: all of it at once, each with the variable's name and what to do.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable, file or folder concerned.
    pub subject: String,
    /// What is wrong with it.
    pub why: String,
    /// What to do.
    pub hint: String,
}

impl Problem {
    /// A problem.
    pub fn new(subject: impl Into<String>, why: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { subject: subject.into(), why: why.into(), hint: hint.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}: {}\nhint: {}", self.subject, self.why, self.hint)
    }
}
