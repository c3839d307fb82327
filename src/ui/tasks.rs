use std::collections::BTreeMap;

use crate::event::{Outcome, TaskKind};

/// The tasks under way, and sums over all that began.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    running: BTreeMap<u64, Running>,
    /// Downloads that began.
    pub(super) fetches: u64,
    /// Downloads that ended well.
    pub(super) fetched: u64,
    /// Bytes of the downloads that ended well.
    fetched_bytes: u64,
    /// Layers that began.
    pub(super) layers: u64,
    /// Layers that ended well.
    pub(super) layers_done: u64,
}

/// A task under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) kind: TaskKind,
    pub(super) name: String,
    pub(super) total: Option<u64>,
    pub(super) done: u64,
}

impl Running {
    /// How many bytes it is, as far as is known.
    pub(super) fn weight(&self) -> u64 {
        self.total.unwrap_or(0).max(self.done)
    }
}

impl Tasks {
    pub(super) fn start(&mut self, id: u64, kind: TaskKind, name: String, total: Option<u64>) {
        match kind {
            TaskKind::Fetch => self.fetches += 1,
            TaskKind::Layer => self.layers += 1,
            TaskKind::Copy | TaskKind::Check => {}
        }
        self.running.insert(id, Running { kind, name, total, done: 0 });
    }

    pub(super) fn progress(&mut self, id: u64, done: u64) -> Option<&Running> {
        let task = self.running.get_mut(&id)?;
        task.done = done;
        Some(task)
    }

    pub(super) fn finish(&mut self, id: u64, outcome: Outcome) -> Option<Running> {
        let task = self.running.remove(&id)?;
        match (task.kind, outcome) {
            (TaskKind::Fetch, Outcome::Done) => {
                self.fetched += 1;
                self.fetched_bytes += task.weight();
            }
            (TaskKind::Layer, Outcome::Done) => self.layers_done += 1,
            // None was work: the sums tell of work only.
            (TaskKind::Fetch, _) => self.fetches -= 1,
            (TaskKind::Layer, _) => self.layers -= 1,
            (TaskKind::Copy | TaskKind::Check, _) => {}
        }
        Some(task)
    }

    pub(super) fn running(&self) -> impl Iterator<Item = (u64, &Running)> {
        self.running.iter().map(|(id, task)| (*id, task))
    }

    /// Bytes of the blobs that move at this moment.
    pub(super) fn copied_bytes(&self) -> u64 {
        let copies = self.running.values().filter(|task| task.kind == TaskKind::Copy);
        copies.map(|task| task.done).fold(0, u64::saturating_add)
    }

    /// Bytes of downloads done and known to come.
    pub(super) fn fetch_bytes(&self) -> (u64, u64) {
        let fetches = || self.running.values().filter(|task| task.kind == TaskKind::Fetch);
        let done: u64 = fetches().map(|task| task.done).sum();
        let total: u64 = fetches().map(Running::weight).sum();
        (self.fetched_bytes + done, self.fetched_bytes + total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_follow_the_tasks() {
        let mut tasks = Tasks::default();
        tasks.start(1, TaskKind::Fetch, "a".to_owned(), Some(100));
        tasks.start(2, TaskKind::Fetch, "b".to_owned(), Some(50));
        tasks.progress(1, 40);
        assert_eq!(tasks.fetch_bytes(), (40, 150));
        tasks.progress(1, 100);
        tasks.finish(1, Outcome::Done);
        tasks.finish(2, Outcome::Present);
        assert_eq!(tasks.fetch_bytes(), (100, 100));
        assert_eq!((tasks.fetches, tasks.fetched), (1, 1));
        assert_eq!(tasks.finish(2, Outcome::Done), None);
    }
}
