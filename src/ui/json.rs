use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::ascii::ascii_json;
use super::{Out, Report, Verbosity};
use crate::event::{Event, Listener, Outcome, Share, TaskKind, Transfer};

/// The version of the lines' schema (docs/output.md): counts up when a field goes or changes its meaning.
const VERSION: u32 = 1;

/// One JSON document a line, for programs.
#[derive(Debug)]
pub struct Json {
    out: Out,
    verbosity: Verbosity,
    every: Duration,
    tasks: Mutex<BTreeMap<u64, Told>>,
}

/// What was told of a task under way.
#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    done: u64,
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
        done: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        resumed: Option<u64>,
    },
    Transfer {
        id: u64,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<&'static str>,
        all: Counted,
        sent: Counted,
        resumed: u64,
        mounted: Counted,
        present: Counted,
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

/// Some blobs of an image.
#[derive(Serialize)]
struct Counted {
    blobs: u64,
    bytes: u64,
}

impl From<Share> for Counted {
    fn from(Share { blobs, bytes }: Share) -> Counted {
        Counted { blobs, bytes }
    }
}

impl Json {
    /// Lines that go to `out`; the progress of one task is told at most once in `every`.
    pub fn new(out: Out, verbosity: Verbosity, every: Duration) -> Json {
        Json { out, verbosity, every, tasks: Mutex::default() }
    }

    /// Tells of the failure that ends the program.
    pub(super) fn report(out: &Out, report: &Report) {
        write(out, Body::Error { message: &report.message, hint: report.hint.as_deref(), exit_code: report.exit_code });
    }

    /// Notes how far a task is; whether it is time to tell.
    fn note(&self, id: u64, done: u64) -> bool {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let told = tasks.entry(id).or_default();
        told.done = done;
        #[allow(clippy::disallowed_methods, reason = "how often progress is told is no result")]
        let now = Instant::now();
        let is_due = told.last.is_none_or(|last| now.duration_since(last) >= self.every);
        if is_due {
            told.last = Some(now);
        }
        is_due
    }

    fn forget(&self, id: u64) -> u64 {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.remove(&id).map_or(0, |told| told.done)
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
            Event::Progress { id, done } if self.note(*id, *done) => Body::Progress { id: *id, done: *done },
            Event::Progress { .. } => return,
            Event::Finished { id, outcome } => {
                let resumed = match outcome {
                    Outcome::Resumed { from } => Some(*from),
                    _ => None,
                };
                Body::Finished { id: *id, outcome: outcome_name(*outcome), done: self.forget(*id), resumed }
            }
            Event::Transfer { id, name, transfer, outcome } => {
                let Transfer { all, sent, resumed, mounted, present } = *transfer;
                Body::Transfer {
                    id: *id,
                    name,
                    outcome: outcome.map(outcome_name),
                    all: all.into(),
                    sent: sent.into(),
                    resumed,
                    mounted: mounted.into(),
                    present: present.into(),
                }
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
        Outcome::Resumed { .. } => "resumed",
        Outcome::Mounted => "mounted",
        Outcome::Present => "present",
        Outcome::Failed => "failed",
    }
}

fn write(out: &Out, body: Body<'_>) {
    // Plain structs with text keys: serializing them cannot fail.
    if let Ok(text) = serde_json::to_string(&Line { version: VERSION, body }) {
        out.line(&ascii_json(&text));
    }
}
