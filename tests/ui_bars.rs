//! Bars, drawn on a terminal in memory.

#[path = "support/screen.rs"]
mod screen;

use indicatif::ProgressDrawTarget;
use kimg::event::{Event, Listener, Outcome, Share, TaskKind, Transfer};
use kimg::ui::{Bars, Lines, Style, Verbosity};
use screen::Screen;

fn bars(screen: &Screen, color: bool) -> Bars {
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    Bars::new(target, Lines::new(Style::Bars, Verbosity::Normal), color)
}

fn start(bars: &Bars, id: u64, kind: TaskKind, name: &str, total: Option<u64>) {
    bars.on(Event::Started { id, kind, name: name.to_owned(), total });
}

#[test]
fn downloads_and_layers_are_drawn_and_leave_what_is_worth_it() {
    let screen = Screen::new(100);
    let bars = bars(&screen, false);
    start(&bars, 1, TaskKind::Fetch, "kafka-clients-3.5.2.jar", Some(4_900_000));
    start(&bars, 2, TaskKind::Fetch, "a-name-that-is-longer-than-its-place-1.0.jar", Some(20_000_000));
    start(&bars, 3, TaskKind::Layer, "java", Some(60_000_000));
    bars.on(Event::Progress { id: 2, done: 5_000_000 });
    bars.on(Event::Progress { id: 3, done: 83_000_000 });
    let rows = screen.rows();
    assert!(rows[0].starts_with("fetch  kafka-clients-3.5.2.jar           0 B of 4.9 MB   ──"), "{rows:#?}");
    assert!(rows[1].starts_with("fetch  …nger-than-its-place-1.0.jar   5.0 MB of 20 MB    ━━"), "{rows:#?}");
    assert_eq!(rows[2], "layer  java                            83 MB");
    assert!(rows[3].starts_with("fetched 0 of 2, built 0 of 1 layers   5.0 MB of 24 MB"), "{rows:#?}");
    assert!(rows[3].contains("/s ") && rows.len() == 4, "{rows:#?}");

    bars.on(Event::Finished { id: 2, outcome: Outcome::Done });
    bars.on(Event::Finished { id: 3, outcome: Outcome::Done });
    bars.on(Event::Note("a note".to_owned()));
    let rows = screen.rows();
    assert_eq!(rows[..2], ["layer java: built (83 MB)", "a note"], "{rows:#?}");
    assert_eq!(rows.len(), 4, "{rows:#?}");
    bars.clear();
    assert_eq!(screen.rows(), ["layer java: built (83 MB)", "a note"]);
}

#[test]
fn a_hundred_downloads_need_seven_rows() {
    let screen = Screen::new(80);
    let bars = bars(&screen, false);
    for id in 0..100 {
        start(&bars, id, TaskKind::Fetch, &format!("{id}.deb"), Some(1000 * (id + 1)));
    }
    for id in 0..100 {
        bars.on(Event::Progress { id, done: 500 });
        bars.on(Event::Finished { id, outcome: Outcome::Done });
    }
    assert_eq!(screen.most_rows(), 7);
    let rows = screen.rows();
    assert!(rows[0].starts_with("fetched 100 of 100   5.0 MB of 5.0 MB"), "{rows:#?}");
    bars.clear();
    assert_eq!(screen.rows(), [""; 0]);
}

#[test]
fn names_cannot_draw_and_without_color_there_is_none() {
    let screen = Screen::new(100);
    let bars = bars(&screen, false);
    start(&bars, 1, TaskKind::Fetch, "\u{1b}[2J\n.jar", Some(10));
    bars.on(Event::Warning("\u{1b}]0;title\u{7}".to_owned()));
    bars.clear();
    start(&bars, 2, TaskKind::Layer, "late", None);
    bars.on(Event::Finished { id: 2, outcome: Outcome::Failed });
    let rows = screen.rows();
    assert_eq!(rows, ["warning: \\u{1b}]0;title\\u{7}"]);
    assert!(!rows.iter().any(|row| row.contains('\u{1b}')), "{rows:#?}");
}

#[test]
fn an_image_has_one_bar_that_tells_what_became_of_its_bytes() {
    let screen = Screen::new(100);
    let bars = bars(&screen, false);
    let transfer = Transfer {
        all: Share { blobs: 5, bytes: 100_000_000 },
        mounted: Share { blobs: 1, bytes: 10_000_000 },
        present: Share { blobs: 2, bytes: 20_000_000 },
        ..Transfer::default()
    };
    let tell = |transfer, outcome| {
        let name = "docker://registry.example/team/app:1".to_owned();
        bars.on(Event::Transfer { id: 1, name, transfer, outcome });
    };
    tell(transfer, None);
    start(&bars, 2, TaskKind::Copy, "sha256:1", Some(40_000_000));
    start(&bars, 3, TaskKind::Copy, "sha256:2", Some(30_000_000));
    bars.on(Event::Progress { id: 2, done: 12_000_000 });
    bars.on(Event::Progress { id: 3, done: 8_000_000 });
    let rows = screen.rows();
    assert!(rows[0].starts_with("copy   …registry.example/team/app:1    50 MB of 100 MB   ━━"), "{rows:#?}");
    assert!(rows[1].starts_with("       sent 20 MB") && rows[1].ends_with(", mounted 10 MB, there 20 MB"), "{rows:#?}");
    assert_eq!(rows.len(), 2, "{rows:#?}");

    bars.on(Event::Finished { id: 3, outcome: Outcome::Resumed { from: 6_000_000 } });
    let sent = Share { blobs: 1, bytes: 30_000_000 };
    tell(Transfer { sent, resumed: 6_000_000, ..transfer }, None);
    let rows = screen.rows();
    assert!(rows[0].contains("72 MB of 100 MB") && rows.len() == 2, "{rows:#?}");
    assert!(rows[1].contains(", resumed 6.0 MB, mounted"), "{rows:#?}");
    bars.on(Event::Finished { id: 2, outcome: Outcome::Done });
    let sent = Share { blobs: 2, bytes: 70_000_000 };
    tell(Transfer { sent, resumed: 6_000_000, ..transfer }, Some(Outcome::Done));
    let line = "docker://registry.example/team/app:1: 5 blobs: 2 sent (64 MB, 6.0 MB were there), 1 mounted (10 MB), \
                2 there (20 MB)";
    assert_eq!(screen.rows().concat(), line);
}
