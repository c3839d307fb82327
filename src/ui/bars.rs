use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::slots::Slots;
use super::tasks::{Running, Tasks};
use super::transfers::Transfers;
use super::{Lines, escape, size};
use crate::event::{Event, Listener, Outcome, TaskKind, Transfer};

/// Bars drawn at once, besides the line of totals: few enough for a small window.
const MOST: usize = 6;

/// A name's place in a bar, in characters.
const NAME_WIDTH: usize = 28;

/// Bars on a terminal: one for each of the most important running tasks, and below them a line of totals. Downloads that
/// ended leave nothing behind but the total; layers leave a line. An image that is copied has one bar for all its blobs,
/// and leaves a line.
pub struct Bars {
    multi: MultiProgress,
    lines: Lines,
    color: bool,
    drawing: Mutex<Drawing>,
}

struct Drawing {
    tasks: Tasks,
    slots: Slots,
    shown: BTreeMap<u64, ProgressBar>,
    transfers: Transfers,
    totals: Option<ProgressBar>,
    ended: bool,
}

impl Bars {
    /// Bars drawn on `target`.
    pub fn new(target: ProgressDrawTarget, lines: Lines, color: bool) -> Bars {
        let drawing = Drawing {
            tasks: Tasks::default(),
            slots: Slots::new(MOST),
            shown: BTreeMap::new(),
            transfers: Transfers::default(),
            totals: None,
            ended: false,
        };
        let multi = MultiProgress::with_draw_target(target);
        Bars { multi, lines, color, drawing: Mutex::new(drawing) }
    }

    /// Takes all bars off the terminal, for good.
    pub fn clear(&self) {
        let mut drawing = self.drawing();
        drawing.ended = true;
        for bar in std::mem::take(&mut drawing.shown).into_values().chain(drawing.totals.take()) {
            bar.finish_and_clear();
        }
        drawing.transfers.clear(&self.multi);
        let _ = self.multi.clear();
    }

    fn drawing(&self) -> MutexGuard<'_, Drawing> {
        self.drawing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self, line: Option<String>) {
        if let Some(line) = line {
            let _ = self.multi.println(line);
        }
    }

    fn start(&self, id: u64, kind: TaskKind, name: String, total: Option<u64>) {
        let mut drawing = self.drawing();
        drawing.tasks.start(id, kind, name, total);
        self.fill(&mut drawing);
        self.total(&mut drawing);
    }

    fn progress(&self, id: u64, done: u64) {
        let mut drawing = self.drawing();
        if drawing.tasks.progress(id, done).is_none() {
            return;
        }
        if let Some(bar) = drawing.shown.get(&id) {
            bar.set_position(done);
        }
        self.total(&mut drawing);
        drawing.transfers.progress(drawing.tasks.copied_bytes());
    }

    fn finish(&self, id: u64, outcome: Outcome) {
        let mut drawing = self.drawing();
        let Some(task) = drawing.tasks.finish(id, outcome) else { return };
        if let Some(bar) = drawing.shown.remove(&id) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
            drawing.slots.free(id);
        }
        let leaves_a_line = match task.kind {
            TaskKind::Fetch => false,
            TaskKind::Copy => drawing.transfers.is_empty(),
            TaskKind::Layer | TaskKind::Check => true,
        };
        if leaves_a_line && !drawing.ended {
            self.print(self.lines.finished(&task, outcome));
        }
        self.fill(&mut drawing);
        self.total(&mut drawing);
    }

    /// Gives the free places to the tasks that should have them.
    fn fill(&self, drawing: &mut Drawing) {
        if drawing.ended {
            return;
        }
        let Drawing { tasks, slots, shown, transfers, totals, .. } = drawing;
        // The blobs of an image have its bar.
        let own = |task: &Running| task.kind != TaskKind::Copy || transfers.is_empty();
        for id in slots.fill(tasks.running().filter(|(_, task)| own(task))) {
            let Some((_, task)) = tasks.running().find(|(other, _)| *other == id) else { continue };
            let bar = new_bar(task, self.color);
            let bar = match totals {
                Some(totals) => self.multi.insert_before(totals, bar),
                None => self.multi.add(bar),
            };
            bar.set_position(task.done);
            shown.insert(id, bar);
        }
    }

    fn transfer(&self, id: u64, name: &str, transfer: Transfer, outcome: Option<Outcome>) {
        let mut drawing = self.drawing();
        match outcome {
            Some(outcome) => {
                drawing.transfers.end(&self.multi, id);
                if !drawing.ended {
                    self.print(self.lines.transferred(name, &transfer, outcome));
                }
            }
            None if drawing.ended => {}
            None => {
                drawing.transfers.tell(&self.multi, id, name, transfer, self.color);
                drawing.transfers.progress(drawing.tasks.copied_bytes());
            }
        }
    }

    /// Draws the line of totals while downloads are under way.
    fn total(&self, drawing: &mut Drawing) {
        if drawing.ended || drawing.tasks.fetches == 0 {
            return;
        }
        let (done, total) = drawing.tasks.fetch_bytes();
        let Drawing { tasks, totals, .. } = drawing;
        let bar = totals.get_or_insert_with(|| self.multi.add(new_totals(self.color)));
        bar.set_length(total);
        bar.set_position(done);
        let mut text = format!("fetched {} of {}", tasks.fetched, tasks.fetches);
        if tasks.layers > 0 {
            text.push_str(&format!(", built {} of {} layers", tasks.layers_done, tasks.layers));
        }
        if bar.message() != text {
            bar.set_message(text);
        }
    }
}

impl Listener for Bars {
    fn on(&self, event: Event) {
        match event {
            Event::Started { id, kind, name, total } => self.start(id, kind, name, total),
            Event::Progress { id, done } => self.progress(id, done),
            Event::Finished { id, outcome } => self.finish(id, outcome),
            Event::Transfer { id, name, transfer, outcome } => self.transfer(id, &name, transfer, outcome),
            Event::Detail(text) => self.print(self.lines.detail(&text)),
            Event::Note(text) => self.print(self.lines.note(&text)),
            Event::Warning(text) => self.print(self.lines.warning(&text, self.color)),
        }
    }
}

impl fmt::Debug for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bars")
    }
}

fn new_bar(task: &Running, color: bool) -> ProgressBar {
    let paint = if color { ".cyan" } else { "" };
    let (bar, template) = match (task.kind, task.total) {
        // What a layer is done of is more than the bytes of its inputs: they are unpacked.
        (TaskKind::Layer, _) | (_, None) => (ProgressBar::no_length(), "{prefix:6} {msg:28!} {done:>8}".to_owned()),
        (_, Some(total)) => {
            (ProgressBar::new(total), format!("{{prefix:6}} {{msg:28!}} {{done:>8}} of {{all:8}} {{wide_bar{paint}}}"))
        }
    };
    bar.with_style(style(&template)).with_prefix(verb(task.kind)).with_message(shorten(&task.name))
}

fn new_totals(color: bool) -> ProgressBar {
    let paint = if color { ".green" } else { "" };
    let template = format!("{{msg}} {{done:>8}} of {{all:8}} {{speed:>10}} {{wide_bar{paint}}}");
    ProgressBar::new(0).with_style(style(&template))
}

fn verb(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Fetch => "fetch",
        TaskKind::Layer => "layer",
        TaskKind::Copy => "copy",
        TaskKind::Check => "check",
    }
}

/// The end of a name tells more than its beginning: `…mmon-3.5.2.jar`.
pub(super) fn shorten(name: &str) -> String {
    let name = escape(name);
    let length = name.chars().count();
    if length <= NAME_WIDTH {
        return name.into_owned();
    }
    let tail: String = name.chars().skip(length - (NAME_WIDTH - 1)).collect();
    format!("…{tail}")
}

/// A wrong template is a mistake of this file, which the tests find; the bar would still be drawn.
pub(super) fn style(template: &str) -> ProgressStyle {
    let write_size = |bytes: u64, to: &mut dyn fmt::Write| {
        let _ = to.write_str(&size(bytes));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
        .with_key("done", move |state: &ProgressState, to: &mut dyn fmt::Write| write_size(state.pos(), to))
        .with_key("all", move |state: &ProgressState, to: &mut dyn fmt::Write| {
            write_size(state.len().unwrap_or(0), to);
        })
        .with_key("speed", |state: &ProgressState, to: &mut dyn fmt::Write| {
            let _ = write!(to, "{}/s", size(state.per_sec() as u64));
        })
}
