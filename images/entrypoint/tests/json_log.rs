//! A log of log4j 1 that becomes JSON.

#[path = "support/java.rs"]
mod support;

use std::io::{self, Read};
use std::process::Command;

use kimg_entrypoint::java::Java;
use kimg_entrypoint::json_log::{JsonLog, convert};
use support::Numbers;
use support::json::{self, Value};

/// Gives its bytes in pieces of these sizes, as a pipe may.
struct Pieces<'a> {
    bytes: &'a [u8],
    numbers: Numbers,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (1 + self.numbers.below(9)).min(self.bytes.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}

/// The events of a log, each as its fields' names and values.
fn events(text: &[u8], seed: u64) -> Vec<Vec<(String, String)>> {
    let mut written = Vec::new();
    convert(Pieces { bytes: text, numbers: Numbers::new(seed) }, &mut written);
    let written = String::from_utf8(written).unwrap();
    let members = |line: &str| match json::read(line).unwrap() {
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, value.text().to_owned())).collect(),
        other => panic!("no object: {other:?}"),
    };
    written.lines().map(members).collect()
}

/// An event as log4j 1 writes it.
fn event(fields: &[&str]) -> String {
    format!("\u{1e}{}\u{1d}\n", fields.join("\u{1f}"))
}

fn named(fields: &[&str]) -> Vec<(String, String)> {
    let names = ["time", "level", "logger", "thread", "message", "exception"];
    names.iter().zip(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn message(text: &str) -> Vec<(String, String)> {
    vec![("message".to_owned(), text.to_owned())]
}

#[test]
fn events_and_lines_of_other_kinds() {
    let first = ["2026-11-24T22:15:15.822+01:00", "INFO", "kafka.\"x\"", "main", "two\n\tlines", ""];
    let second = ["t", "ERROR", "l", "m", "boom", "java.lang.E: q\"\n\tat A.b(A.java:1)\n"];
    let whole = event(&first) + "[0.1s][info][gc] Using G1\r\n\n" + &event(&second) + "no end of line";
    let expected = vec![named(&first), message("[0.1s][info][gc] Using G1"), named(&second), message("no end of line")];
    for seed in 1..50 {
        assert_eq!(events(whole.as_bytes(), seed), expected);
    }
    // What is cut off is not lost, and does not spoil what follows.
    let cut = "\u{1e}t\u{1f}INFO\u{1f}l".to_owned() + &event(&first) + "half of a line" + &event(&second) + "\u{1e}t";
    let expected =
        vec![named(&["t", "INFO", "l"]), named(&first), message("half of a line"), named(&second), named(&["t"])];
    assert_eq!(events(cut.as_bytes(), 3), expected);
    assert_eq!(events(b"", 1), Vec::<Vec<(String, String)>>::new());
    assert_eq!(events(b"\xff\n", 1), [message("\u{fffd}")]);
}

#[test]
fn any_event_is_found_again() {
    let letters: Vec<char> = "ab\"\\\n\r\t\u{0}\u{1b}é😀{}".chars().collect();
    let mut numbers = Numbers::new(21);
    for seed in 0..300 {
        let logged: Vec<Vec<String>> =
            (0..numbers.below(5)).map(|_| (0..6).map(|_| numbers.text(&letters)).collect()).collect();
        let fields = |one: &Vec<String>| one.iter().map(String::as_str).collect::<Vec<_>>().clone().join("\u{1f}");
        let text: String = logged.iter().map(|one| format!("\u{1e}{}\u{1d}\n", fields(one))).collect();
        let expected: Vec<_> =
            logged.iter().map(|one| named(&one.iter().map(String::as_str).collect::<Vec<_>>())).collect();
        assert_eq!(events(text.as_bytes(), seed), expected, "{text:?}");
    }
}

#[test]
fn what_never_ends_is_cut() {
    let mut written = Vec::new();
    convert(io::repeat(b'x').take(3 << 20), &mut written);
    let lines = String::from_utf8(written).unwrap();
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.lines().all(|line| json::read(line).unwrap().get("message").text().len() == 1 << 20));
}

#[test]
fn only_a_log_in_the_pattern_goes_through() {
    let mut command = Command::new("/bin/true");
    assert!(JsonLog::of(&Java::default(), &mut command).unwrap().is_none());
    let log = JsonLog::of(&Java { json_log: true, ..Java::default() }, &mut command).unwrap().unwrap();
    assert!(command.status().unwrap().success());
    drop(command);
    log.finish();
}
