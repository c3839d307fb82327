//! What is wrong with a configuration: all of it at once, each with the variable's name and what to do.

use std::fmt;

use crate::properties::is_secret;

/// One thing that is wrong, or that the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable, file or folder concerned.
    pub subject: String,
    /// The value that it has, where it is a variable or property and that matters; a secret is not shown.
    pub value: Option<String>,
    /// What is wrong with it.
    pub why: String,
    /// What to do, or to write instead.
    pub hint: String,
}

impl Problem {
    /// A problem.
    pub fn new(subject: impl Into<String>, why: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { subject: subject.into(), value: None, why: why.into(), hint: hint.into() }
    }

    /// The same, with the value that the subject has.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Problem {
        self.value = Some(if is_secret(&self.subject) { "***".to_owned() } else { value.into() });
        self
    }

    /// What is wrong, and with which value.
    pub fn reason(&self) -> String {
        match &self.value {
            Some(value) => format!("`{}`: {}", value.escape_debug(), self.why),
            None => self.why.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}: {}\nhint: {}", self.subject, self.reason(), self.hint)
    }
}

/// What came to light while a configuration was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What was decided, a line each: `broker.id: 2 (host name kafka-2)`.
    pub notes: Vec<String>,
    /// What is not as the user may think, though the server can start.
    pub warnings: Vec<Problem>,
    /// What keeps the server from starting.
    pub problems: Vec<Problem>,
}

impl Findings {
    /// Adds a note.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: Problem) {
        self.warnings.push(warning);
    }

    /// Adds a problem.
    pub fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Notes and warnings, as they are said at the start.
    pub fn lines(&self) -> Vec<String> {
        let notes = self.notes.iter().map(|note| format!("kimg: {note}"));
        let warnings = self
            .warnings
            .iter()
            .map(|warning| format!("kimg: warning: {}: {}; {}", warning.subject, warning.reason(), warning.hint));
        notes.chain(warnings).map(|line| one_line(&line)).collect()
    }
}

/// A text from outside as one line: control characters are written as in Rust.
pub fn one_line(text: &str) -> String {
    text.chars().fold(String::new(), |mut line, letter| {
        match letter.is_control() {
            true => line.extend(letter.escape_default()),
            false => line.push(letter),
        }
        line
    })
}
