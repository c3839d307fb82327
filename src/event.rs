//! What happens while kimg works, told to whoever draws or logs it. Logic emits events; only `ui` prints.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a task does, so that a listener can group tasks and word them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskKind {
    /// An input comes over the network.
    Fetch,
    /// A layer is assembled and compressed.
    Layer,
    /// A blob or manifest moves to its target.
    Copy,
    /// What is kept is hashed again.
    Check,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was done.
    Done,
    /// Nothing had to be done: it was there.
    Present,
    /// It failed; the error is reported by the command.
    Failed,
}

/// One thing that happened. Names may hold text from outside: a listener escapes them before printing.
#[derive(Debug, Clone)]
pub enum Event {
    /// A task began; `total` is its size in bytes, where known.
    Started {
        /// Names the task in later events.
        id: u64,
        /// What it does.
        kind: TaskKind,
        /// What it is done to: a file, a layer.
        name: String,
        /// Its size in bytes, where known.
        total: Option<u64>,
    },
    /// A task has got so far.
    Progress {
        /// The task.
        id: u64,
        /// Bytes done since its start; may fall when a download starts over.
        done: u64,
    },
    /// A task ended.
    Finished {
        /// The task.
        id: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// Worth telling with `-v` only.
    Detail(String),
    /// Worth telling always.
    Note(String),
    /// Something the user should change, though the work goes on.
    Warning(String),
}

/// Receives events; called from any thread, so it must be quick and must not block on the network or the disk.
pub trait Listener: Send + Sync {
    /// Takes one event.
    fn on(&self, event: Event);
}

/// A handle to the listener, cheap to clone and pass down.
#[derive(Clone)]
pub struct Events(Arc<dyn Listener>);

impl Events {
    /// Events that go to `listener`.
    pub fn new(listener: impl Listener + 'static) -> Events {
        Events(Arc::new(listener))
    }

    /// Events that nobody hears.
    pub fn silent() -> Events {
        struct Silent;
        impl Listener for Silent {
            fn on(&self, _: Event) {}
        }
        Events::new(Silent)
    }

    /// Tells of something with `-v`.
    pub fn detail(&self, text: impl Into<String>) {
        self.0.on(Event::Detail(text.into()));
    }

    /// Tells of something.
    pub fn note(&self, text: impl Into<String>) {
        self.0.on(Event::Note(text.into()));
    }

    /// Warns of something.
    pub fn warning(&self, text: impl Into<String>) {
        self.0.on(Event::Warning(text.into()));
    }

    /// Starts a task of `total` bytes.
    pub fn task(&self, kind: TaskKind, name: impl Into<String>, total: Option<u64>) -> Task {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.0.on(Event::Started { id, kind, name: name.into(), total });
        Task { events: self.clone(), id, ended: false }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

/// A task under way. Dropped without [`Task::finish`], it has failed.
#[derive(Debug)]
pub struct Task {
    events: Events,
    id: u64,
    ended: bool,
}

impl Task {
    /// Tells that `done` bytes are done.
    pub fn progress(&self, done: u64) {
        self.events.0.on(Event::Progress { id: self.id, done });
    }

    /// Ends the task.
    pub fn finish(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        self.ended = true;
        self.events.0.on(Event::Finished { id: self.id, outcome });
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Outcome::Failed);
        }
    }
}
