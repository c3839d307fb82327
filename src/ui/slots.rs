use std::cmp::Reverse;

use crate::event::TaskKind;

use super::tasks::Running;

/// Which of many running tasks are drawn: a few, layers first, then the biggest; and one that is drawn stays until it
/// ends, so that nothing jumps.
#[derive(Debug)]
pub(super) struct Slots {
    limit: usize,
    shown: Vec<u64>,
}

impl Slots {
    pub(super) fn new(limit: usize) -> Slots {
        Slots { limit, shown: Vec::new() }
    }

    /// Fills the free places; the tasks that now get one.
    pub(super) fn fill<'a>(&mut self, running: impl Iterator<Item = (u64, &'a Running)>) -> Vec<u64> {
        let free = self.limit.saturating_sub(self.shown.len());
        if free == 0 {
            return Vec::new();
        }
        let mut waiting: Vec<(Reverse<(bool, u64)>, u64)> = running
            .filter(|(id, _)| !self.shown.contains(id))
            .map(|(id, task)| (Reverse((task.kind == TaskKind::Layer, task.weight())), id))
            .collect();
        waiting.sort();
        let chosen: Vec<u64> = waiting.into_iter().take(free).map(|(_, id)| id).collect();
        self.shown.extend(&chosen);
        chosen
    }

    /// Frees the place of a task that ended.
    pub(super) fn free(&mut self, id: u64) {
        self.shown.retain(|shown| *shown != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(kind: TaskKind, total: u64) -> Running {
        Running { kind, name: String::new(), total: Some(total), done: 0 }
    }

    #[test]
    fn layers_and_big_ones_first_and_what_is_shown_stays() {
        let mut tasks = vec![
            (1, running(TaskKind::Fetch, 5)),
            (2, running(TaskKind::Fetch, 50)),
            (3, running(TaskKind::Layer, 1)),
            (4, running(TaskKind::Fetch, 20)),
        ];
        let mut slots = Slots::new(2);
        assert_eq!(slots.fill(tasks.iter().map(|(id, task)| (*id, task))), [3, 2]);
        tasks.push((5, running(TaskKind::Fetch, 500)));
        assert_eq!(slots.fill(tasks.iter().map(|(id, task)| (*id, task))), [0_u64; 0]);
        slots.free(3);
        tasks.remove(2);
        assert_eq!(slots.fill(tasks.iter().map(|(id, task)| (*id, task))), [5]);
    }
}
