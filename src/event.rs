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
    /// The rest of it was done; so many bytes of it were there from an earlier run.
    Resumed {
        /// How many bytes were there.
        from: u64,
    },
    /// A registry took it from another of its repositories, so that nothing was sent.
    Mounted,
    /// Nothing had to be done: it was there.
    Present,
    /// It failed; the error is reported by the command.
    Failed,
}

/// How far the copy of an image is, in blobs and in bytes of blobs. What is not counted as one of these moves still.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transfer {
    /// All that the image consists of.
    pub all: Share,
    /// What was sent; of blobs that went on where an earlier run ended, with the bytes that were there.
    pub sent: Share,
    /// Bytes of `sent` that were there from an earlier run.
    pub resumed: u64,
    /// What the registry took from another of its repositories.
    pub mounted: Share,
    /// What was there before.
    pub present: Share,
}

impl Transfer {
    /// Bytes of the blobs that need no more work.
    pub fn done(&self) -> u64 {
        [self.sent.bytes, self.mounted.bytes, self.present.bytes].into_iter().fold(0, u64::saturating_add)
    }

    /// Bytes that went over the line.
    pub fn moved(&self) -> u64 {
        self.sent.bytes.saturating_sub(self.resumed)
    }
}

/// Some blobs of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Share {
    /// Counts one more.
    pub fn add(&mut self, bytes: u64) {
        self.blobs += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
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
    /// The copy of an image has got so far: told when it begins, whenever a blob of it ended (which is a task of its
    /// own), and when it ended.
    Transfer {
        /// Names the copy.
        id: u64,
        /// What it is: `docker://HOST/PATH:TAG`.
        name: String,
        /// How far it is.
        transfer: Transfer,
        /// How it ended, once it has.
        outcome: Option<Outcome>,
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
        let id = next_id();
        self.0.on(Event::Started { id, kind, name: name.into(), total });
        Task { events: self.clone(), id, ended: false }
    }
}

impl Events {
    /// Starts to tell of the copy of an image.
    pub fn copying(&self, name: impl Into<String>, transfer: Transfer) -> Copying {
        let copying = Copying { events: self.clone(), id: next_id(), name: name.into(), transfer, ended: false };
        copying.tell(None);
        copying
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
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

/// The copy of an image under way. Dropped without [`Copying::finish`], it has failed.
#[derive(Debug)]
pub struct Copying {
    events: Events,
    id: u64,
    name: String,
    transfer: Transfer,
    ended: bool,
}

impl Copying {
    /// Counts a blob of so many bytes that ended.
    pub fn count(&mut self, bytes: u64, outcome: Outcome) {
        let transfer = &mut self.transfer;
        match outcome {
            Outcome::Done => transfer.sent.add(bytes),
            Outcome::Resumed { from } => {
                transfer.sent.add(bytes);
                transfer.resumed = transfer.resumed.saturating_add(from.min(bytes));
            }
            Outcome::Mounted => transfer.mounted.add(bytes),
            Outcome::Present => transfer.present.add(bytes),
            Outcome::Failed => return,
        }
        self.tell(None);
    }

    /// Takes back that a blob of so many bytes was there: it was not, and moves after all.
    pub fn absent(&mut self, bytes: u64) {
        let present = &mut self.transfer.present;
        present.blobs = present.blobs.saturating_sub(1);
        present.bytes = present.bytes.saturating_sub(bytes);
        self.tell(None);
    }

    /// Ends it: [`Outcome::Present`] where nothing was to be done.
    pub fn finish(mut self, outcome: Outcome) {
        self.ended = true;
        self.tell(Some(outcome));
    }

    fn tell(&self, outcome: Option<Outcome>) {
        let (id, name, transfer) = (self.id, self.name.clone(), self.transfer);
        self.events.0.on(Event::Transfer { id, name, transfer, outcome });
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(Some(Outcome::Failed));
        }
    }
}
