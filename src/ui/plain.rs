use std::sync::{Mutex, PoisonError};

use super::tasks::Tasks;
use super::{Lines, Out};
use crate::event::{Event, Listener};

/// Plain lines: one for each thing that ended, for pipes and logs.
#[derive(Debug)]
pub struct Plain {
    out: Out,
    lines: Lines,
    color: bool,
    tasks: Mutex<Tasks>,
}

impl Plain {
    /// Lines that go to `out`.
    pub fn new(out: Out, lines: Lines, color: bool) -> Plain {
        Plain { out, lines, color, tasks: Mutex::default() }
    }

    fn word(&self, event: Event) -> Option<String> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Started { id, kind, name, total } => {
                let line = self.lines.started(kind, &name, total);
                tasks.start(id, kind, name, total);
                line
            }
            Event::Progress { id, done } => {
                tasks.progress(id, done);
                None
            }
            Event::Finished { id, outcome } => self.lines.finished(&tasks.finish(id, outcome)?, outcome),
            Event::Transfer { name, transfer, outcome, .. } => self.lines.transferred(&name, &transfer, outcome?),
            Event::Detail(text) => self.lines.detail(&text),
            Event::Note(text) => self.lines.note(&text),
            Event::Warning(text) => self.lines.warning(&text, self.color),
        }
    }
}

impl Listener for Plain {
    fn on(&self, event: Event) {
        if let Some(line) = self.word(event) {
            self.out.line(&line);
        }
    }
}
