use super::escape::escape;
use super::size::size;
use super::tasks::Running;
use super::{Style, Verbosity};
use crate::event::{Outcome, Share, TaskKind, Transfer};

/// A download from this size on is told of when it begins too: the silence until its end would be long.
const LONG: u64 = 10_000_000;

/// The words for what happens, the same on a terminal and in a pipe. `None`: not worth a line.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    verbosity: Verbosity,
    tasks: bool,
}

impl Lines {
    /// The words at that verbosity.
    pub fn new(style: Style, verbosity: Verbosity) -> Lines {
        Lines { verbosity, tasks: style != Style::None && verbosity >= Verbosity::Normal }
    }

    pub(super) fn started(&self, kind: TaskKind, name: &str, total: Option<u64>) -> Option<String> {
        let name = escape(name);
        match (kind, total) {
            _ if !self.tasks => None,
            (TaskKind::Fetch, Some(total)) if total >= LONG => Some(format!("fetching {name} ({})", size(total))),
            (TaskKind::Layer, _) => Some(format!("layer {name}: building")),
            (TaskKind::Check, _) => Some(format!("checking {name}")),
            _ => None,
        }
    }

    pub(super) fn finished(&self, task: &Running, outcome: Outcome) -> Option<String> {
        let (name, bytes) = (escape(&task.name), size(task.weight()));
        match (outcome, task.kind) {
            _ if !self.tasks => None,
            (Outcome::Done, TaskKind::Fetch) => Some(format!("fetched {name} ({bytes})")),
            (Outcome::Done, TaskKind::Layer) if task.done > 0 => {
                Some(format!("layer {name}: built ({})", size(task.done)))
            }
            (Outcome::Done, TaskKind::Layer) => Some(format!("layer {name}: built")),
            (Outcome::Done, TaskKind::Copy) => Some(format!("sent {name} ({bytes})")),
            (Outcome::Resumed { from }, _) => Some(format!("sent {name} ({bytes}), resumed at {}", size(from))),
            (Outcome::Mounted, _) => Some(format!("mounted {name} ({bytes})")),
            (Outcome::Present, TaskKind::Copy) => Some(format!("there already: {name} ({bytes})")),
            (Outcome::Done, TaskKind::Check) => Some(format!("checked {name} ({bytes})")),
            // One failure ends all tasks, and its error names the one that counts.
            (Outcome::Failed, _) => self.detail(&format!("{name}: stopped at {}", size(task.done))),
            (Outcome::Present, _) => self.detail(&format!("{name}: already there")),
        }
    }

    /// What became of an image's blobs: `oci:out:a: 6 blobs: 2 sent (40 MB), 1 mounted (7.0 kB), 3 there`.
    pub(super) fn transferred(&self, name: &str, transfer: &Transfer, outcome: Outcome) -> Option<String> {
        if !self.tasks {
            return None;
        }
        let Transfer { all, sent, resumed, mounted, present } = *transfer;
        match outcome {
            Outcome::Failed => {
                return self.detail(&format!("{name}: stopped at {} of {}", size(transfer.done()), size(all.bytes)));
            }
            Outcome::Present => return Some(format!("{}: there already", escape(name))),
            _ => {}
        }
        let mut parts = Vec::new();
        if sent.blobs > 0 {
            let rest = if resumed > 0 { format!(", {} were there", size(resumed)) } else { String::new() };
            parts.push(format!("{} sent ({}{rest})", sent.blobs, size(transfer.moved())));
        }
        let share = |share: Share, word: &str| format!("{} {word} ({})", share.blobs, size(share.bytes));
        parts.extend((mounted.blobs > 0).then(|| share(mounted, "mounted")));
        parts.extend((present.blobs > 0).then(|| share(present, "there")));
        let (blobs, plural) = (all.blobs, if all.blobs == 1 { "" } else { "s" });
        let colon = if parts.is_empty() { "" } else { ": " };
        Some(format!("{}: {blobs} blob{plural}{colon}{}", escape(name), parts.join(", ")))
    }

    pub(super) fn detail(&self, text: &str) -> Option<String> {
        (self.verbosity >= Verbosity::Verbose).then(|| escape(text).into_owned())
    }

    pub(super) fn note(&self, text: &str) -> Option<String> {
        (self.verbosity >= Verbosity::Normal).then(|| escape(text).into_owned())
    }

    pub(super) fn warning(&self, text: &str, color: bool) -> Option<String> {
        let label = if color { "\u{1b}[1;33mwarning:\u{1b}[0m" } else { "warning:" };
        (self.verbosity >= Verbosity::Normal).then(|| format!("{label} {}", escape(text)))
    }
}
