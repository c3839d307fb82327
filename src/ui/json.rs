use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Out, Report, Verbosity};
use crate::event::{Event, Listener, Outcome, TaskKind};

/// The version of the lines' schema (docs/output.md): counts up when a field goes or changes its meaning.
const VERSION: u32 = 1;

/// One JSON document a line, for programs.
#[derive(Debug)]
pub struct Json {
    out: Out,
    verbosity: Verbosity,
    every: Duration,
    told: Mutex<BTreeMap<u64, Instant>>,
}

/// A line; docs/output.md says what each field means.
#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
enum Body<'a> {
    Started {
        id: u64,
        kind: &'static str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    Progress {
        id: u64,
        done: u64,
    },
    Finished {
        id: u64,
        outcome: &'static str,
    },
    Detail {
        text: &'a str,
    },
    Note {
        text: &'a str,
    },
    Warning {
        text: &'a str,
    },
    Error {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
        exit_code: u8,
    },
}

impl Json {
    /// Lines that go to `out`; the progress of one task is told at most once in `every`.
    pub fn new(out: Out, verbosity: Verbosity, every: Duration) -> Json {
        Json { out, verbosity, every, told: Mutex::default() }
    }

    /// Tells of the failure that ends the program.
    pub(super) fn report(out: &Out, report: &Report) {
        write(out, Body::Error { message: &report.message, hint: report.hint.as_deref(), exit_code: report.exit_code });
    }

    fn is_due(&self, id: u64) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match told.get(&id) {
            Some(last) if now.duration_since(*last) < self.every => false,
            _ => {
                told.insert(id, now);
                true
            }
        }
    }
}

impl Listener for Json {
    fn on(&self, event: Event) {
        let least = match &event {
            Event::Detail(_) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        if self.verbosity < least {
            return;
        }
        let body = match &event {
            Event::Started { id, kind, name, total } => {
                Body::Started { id: *id, kind: kind_name(*kind), name, total: *total }
            }
            Event::Progress { id, done } if self.is_due(*id) => Body::Progress { id: *id, done: *done },
            Event::Progress { .. } => return,
            Event::Finished { id, outcome } => {
                self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
                Body::Finished { id: *id, outcome: outcome_name(*outcome) }
            }
            Event::Detail(text) => Body::Detail { text },
            Event::Note(text) => Body::Note { text },
            Event::Warning(text) => Body::Warning { text },
        };
        write(&self.out, body);
    }
}

fn kind_name(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Fetch => "fetch",
        TaskKind::Layer => "layer",
        TaskKind::Copy => "copy",
        TaskKind::Check => "check",
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Present => "present",
        Outcome::Failed => "failed",
    }
}

fn write(out: &Out, body: Body<'_>) {
    // Plain structs with text keys: serializing them cannot fail.
    if let Ok(text) = serde_json::to_string(&Line { version: VERSION, body }) {
        out.line(&ascii(&text));
    }
}

/// JSON in ASCII only, for it may be read on a terminal: outside ASCII there is text in strings only, where JSON allows
/// `\uXXXX` for every character.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if (' '..='~').contains(&character) {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ascii_json_means_the_same(text in any::<String>()) {
            let json = ascii(&serde_json::to_string(&text).unwrap());
            prop_assert!(json.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
