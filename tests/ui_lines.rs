//! The story in a pipe: plain lines and JSON.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use kimg::event::{Events, Outcome, Share, TaskKind, Transfer};
use kimg::ui::{Out, Report, Story, Style, Verbosity, ascii_json};
use serde_json::Value;

/// A writer whose bytes can be looked at.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a small build tells.
fn tell(events: &Events) {
    let jar = events.task(TaskKind::Fetch, "kafka-clients-3.5.2.jar", Some(4_900_000));
    let big = events.task(TaskKind::Fetch, "openjdk-17.deb", Some(38_000_000));
    for done in 0..1000 {
        big.progress(done * 38_000);
    }
    big.progress(38_000_000);
    big.finish(Outcome::Done);
    jar.finish(Outcome::Done);
    events.task(TaskKind::Fetch, "there.jar", Some(5)).finish(Outcome::Present);
    let layer = events.task(TaskKind::Layer, "java", Some(38_000_000));
    layer.progress(165_000_000);
    layer.finish(Outcome::Done);
    drop(events.task(TaskKind::Fetch, "broken\u{1b}[31m.jar", Some(7)));
    copy(events);
    events.detail("a detail\u{202e}");
    events.note("a note");
    events.warning("a warning\nof two lines");
}

/// What a copy of four blobs tells.
fn copy(events: &Events) {
    let all = Share { blobs: 4, bytes: 60_000_000 };
    let mut copying = events.copying("docker://registry.example/x:1", Transfer { all, ..Transfer::default() });
    for (name, bytes, outcome) in [
        ("sha256:1", 20_000_000, Outcome::Present),
        ("sha256:2", 10_000_000, Outcome::Mounted),
        ("sha256:3", 25_000_000, Outcome::Resumed { from: 15_000_000 }),
        ("sha256:4", 5_000_000, Outcome::Done),
    ] {
        let blob = events.task(TaskKind::Copy, name, Some(bytes));
        blob.progress(bytes);
        blob.finish(outcome);
        copying.count(bytes, outcome);
    }
    copying.finish(Outcome::Done);
    events.copying("docker://registry.example/x:2", Transfer::default()).finish(Outcome::Present);
    drop(events.copying("docker://registry.example/\u{1b}[31m", Transfer { all, ..Transfer::default() }));
}

fn story(style: Style, verbosity: Verbosity, color: bool) -> String {
    let memory = Memory::default();
    let story = Story::new(Out::new(memory.clone()), style, verbosity, color);
    tell(&story.events());
    let hint = Some("do this".to_owned());
    story.fail(&Report { message: "jar\u{7}: it is broken".to_owned(), hint, exit_code: 3 });
    let bytes = memory.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn plain_lines() {
    insta::assert_snapshot!(story(Style::Plain, Verbosity::Normal, false));
}

#[test]
fn plain_lines_with_details_and_color() {
    insta::assert_snapshot!(story(Style::Plain, Verbosity::Verbose, true).replace('\u{1b}', "ESC"));
}

#[test]
fn without_progress_and_quietly() {
    insta::assert_snapshot!(
        [
            story(Style::None, Verbosity::Normal, false),
            story(Style::Plain, Verbosity::Quiet, false),
            story(Style::Bars, Verbosity::Quiet, false),
        ]
        .join("---\n")
    );
}

#[test]
fn json_lines_have_a_schema_and_are_not_many() {
    let text = story(Style::Json, Verbosity::Verbose, false);
    assert!(text.is_ascii());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["version"] == 1));
    // A thousand steps within a second are not a thousand lines.
    assert!(lines.iter().filter(|line| line["event"] == "progress").count() < 100);
    let mut shown = String::new();
    for line in lines.iter().filter(|line| line["event"] != "progress") {
        let mut line = line.clone();
        // Tasks are numbered in the whole process, and other tests have tasks too.
        if let Some(id) = line.get_mut("id") {
            assert!(id.is_u64());
            *id = "ID".into();
        }
        shown.push_str(&ascii_json(&format!("{line}\n")));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn json_quietly_is_errors_only() {
    let text = story(Style::Json, Verbosity::Quiet, false);
    insta::assert_snapshot!(text);
}

#[test]
fn nobody_needs_to_listen() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    for style in [Style::Plain, Style::Json, Style::None] {
        tell(&Story::new(Out::new(Closed), style, Verbosity::Verbose, false).events());
    }
}
