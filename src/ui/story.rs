use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressDrawTarget;

use super::{Bars, Json, Lines, Out, Plain, Style, Verbosity, escape};
use crate::event::{Event, Events, Listener};

/// All that is told on standard error: events while the work goes on, and the failure that ends it.
#[derive(Debug, Clone)]
pub struct Story {
    out: Out,
    style: Style,
    color: bool,
    teller: Teller,
}

#[derive(Debug, Clone)]
enum Teller {
    Bars(Arc<Bars>),
    Plain(Arc<Plain>),
    Json(Arc<Json>),
}

/// The failure that ends the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `WHAT: WHY`.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The exit code of the process.
    pub exit_code: u8,
}

impl Story {
    /// A story told in that style to `out`; with `color`, the labels of errors and warnings have some. Bars draw on the
    /// terminal of standard error whatever `out` is.
    pub fn new(out: Out, style: Style, verbosity: Verbosity, color: bool) -> Story {
        let lines = Lines::new(style, verbosity);
        let teller = match style {
            Style::Json => Teller::Json(Arc::new(Json::new(out.clone(), verbosity, Duration::from_secs(1)))),
            Style::Bars if verbosity > Verbosity::Quiet => {
                Teller::Bars(Arc::new(Bars::new(ProgressDrawTarget::stderr_with_hz(12), lines, color)))
            }
            _ => Teller::Plain(Arc::new(Plain::new(out.clone(), lines, color))),
        };
        Story { out, style, color, teller }
    }

    /// Where to tell what happens.
    pub fn events(&self) -> Events {
        Events::new(self.teller.clone())
    }

    /// Takes the bars off the terminal; to be called before anything else is written there.
    pub fn end(&self) {
        if let Teller::Bars(bars) = &self.teller {
            bars.clear();
        }
    }

    /// Tells of the failure that ends the program.
    pub fn fail(&self, report: &Report) {
        self.end();
        if self.style == Style::Json {
            return Json::report(&self.out, report);
        }
        self.out.line(&format!("{} {}", self.label("error:", "1;31"), escape(&report.message)));
        if let Some(hint) = &report.hint {
            self.out.line(&format!("{} {}", self.label("hint:", "1;36"), escape(hint)));
        }
    }

    /// Tells that the user ended the program.
    pub fn interrupted(&self, report: &Report) {
        self.end();
        match self.style {
            Style::Json => Json::report(&self.out, report),
            _ => self.out.line(&report.message),
        }
    }

    fn label(&self, label: &str, style: &str) -> String {
        if self.color { format!("\u{1b}[{style}m{label}\u{1b}[0m") } else { label.to_owned() }
    }
}

impl Listener for Teller {
    fn on(&self, event: Event) {
        match self {
            Teller::Bars(bars) => bars.on(event),
            Teller::Plain(plain) => plain.on(event),
            Teller::Json(json) => json.on(event),
        }
    }
}
