use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar};

use super::bars::{shorten, style};
use super::size;
use crate::event::Transfer;

/// The bars of images that are copied: one an image, with a line below it of what became of its bytes.
#[derive(Debug, Default)]
pub(super) struct Transfers(BTreeMap<u64, Shown>);

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    transfer: Transfer,
    begun: Instant,
}

impl Transfers {
    /// Draws how far the copy is, anew or as another bar.
    pub(super) fn tell(&mut self, multi: &MultiProgress, id: u64, name: &str, transfer: Transfer, color: bool) {
        let shown = self.0.entry(id).or_insert_with(|| {
            let paint = if color { ".cyan" } else { "" };
            let template =
                format!("copy   {{prefix:28!}} {{done:>8}} of {{all:8}} {{wide_bar{paint}}}\n       {{msg}}");
            let bar = multi.add(ProgressBar::new(transfer.all.bytes).with_style(style(&template)));
            bar.set_prefix(shorten(name));
            #[allow(clippy::disallowed_methods, reason = "the speed that is shown is no result")]
            Shown { bar, transfer, begun: Instant::now() }
        });
        shown.transfer = transfer;
    }

    /// Counts the bytes of the blobs that are under way. They are one copy's: images are copied one after the other.
    pub(super) fn progress(&self, running: u64) {
        for shown in self.0.values() {
            let transfer = &shown.transfer;
            shown.bar.set_position(transfer.done().saturating_add(running));
            let moved = transfer.moved().saturating_add(running);
            shown.bar.set_message(parts(transfer, moved, shown.begun.elapsed()));
        }
    }

    /// Whether some are drawn.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the bar of a copy that ended off the terminal.
    pub(super) fn end(&mut self, multi: &MultiProgress, id: u64) {
        if let Some(shown) = self.0.remove(&id) {
            shown.bar.finish_and_clear();
            multi.remove(&shown.bar);
        }
    }

    /// Takes all off the terminal.
    pub(super) fn clear(&mut self, multi: &MultiProgress) {
        let ids: Vec<u64> = self.0.keys().copied().collect();
        ids.into_iter().for_each(|id| self.end(multi, id));
    }
}

/// `sent 40 MB (12 MB/s), resumed 3.0 MB, mounted 60 MB, there 110 MB`.
fn parts(transfer: &Transfer, moved: u64, time: Duration) -> String {
    // A speed of the first moments is none.
    let speed = match u64::try_from(time.as_millis()) {
        Ok(millis) if millis >= 1000 => format!(" ({}/s)", size(moved.saturating_mul(1000) / millis)),
        _ => String::new(),
    };
    let mut text = format!("sent {}{speed}", size(moved));
    for (word, bytes) in
        [("resumed", transfer.resumed), ("mounted", transfer.mounted.bytes), ("there", transfer.present.bytes)]
    {
        if bytes > 0 {
            text.push_str(&format!(", {word} {}", size(bytes)));
        }
    }
    text
}
