//! JSON for a log that cannot write it: log4j 1 has no layout that escapes. It parts an event by control characters
//! instead, Java's output goes through this program, which stays beside it, and here it becomes a line of JSON each.

use std::io::{self, PipeWriter, Read, Write};
use std::process::Command;
use std::thread::{self, JoinHandle};

use crate::java::Java;
use crate::json::Json;

/// A layout of log4j 1 (EnhancedPatternLayout) whose events are read here: record separator, fields parted by unit
/// separators, group separator and line end.
pub const PATTERN: &str =
    "\u{1e}%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}\u{1f}%p\u{1f}%c\u{1f}%t\u{1f}%m\u{1f}%throwable\u{1d}%n";

/// The names of its fields, as in the JSON of log4j 2.
const FIELDS: [&str; 6] = ["time", "level", "logger", "thread", "message", "exception"];

const START: u8 = 0x1e;
const FIELD: char = '\u{1f}';
const END: &[u8] = b"\x1d\n";

/// What is longer is cut into several: an event that never ends must not take all memory.
const LONGEST: usize = 1 << 20;

/// The thread that turns the output of a Java into JSON.
#[derive(Debug)]
pub struct JsonLog(JoinHandle<()>);

impl JsonLog {
    /// Where the log of this Java is to be JSON, sends the output of its command through here. The command holds the other
    /// end: it must be dropped once it has started, and the log ends with the program.
    pub fn of(java: &Java, command: &mut Command) -> io::Result<Option<JsonLog>> {
        if !java.json_log {
            return Ok(None);
        }
        let (input, output): (_, PipeWriter) = io::pipe()?;
        command.stdout(output);
        let thread = thread::Builder::new().spawn(move || convert(input, io::stdout()))?;
        Ok(Some(JsonLog(thread)))
    }

    /// Waits until all that the program wrote is written.
    pub fn finish(self) {
        let _ = self.0.join();
    }
}

/// Turns events and other lines into lines of JSON, each as soon as it is whole.
pub fn convert(mut input: impl Read, mut output: impl Write) {
    let (mut held, mut chunk) = (Vec::new(), [0; 16384]);
    // How much of what is held has no end in it, so that a long line is not searched again and again.
    let mut searched = 0;
    loop {
        let count = match input.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        held.extend_from_slice(&chunk[..count]);
        let (mut text, mut used) = (String::new(), 0);
        while let Some(length) = first(&held[used..], searched, count == 0) {
            if let Some(event) = event(&held[used..used + length]) {
                text.push_str(&format!("{event}\n"));
            }
            used += length;
            searched = 0;
        }
        held.drain(..used);
        searched = held.len();
        // Whoever closed the output does not want to know, and Java must not be stopped by it.
        let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
        if count == 0 {
            return;
        }
    }
}

/// The length of the first event or line that is whole, with its end; `None` where more must come.
fn first(bytes: &[u8], searched: usize, is_last: bool) -> Option<usize> {
    let is_event = *bytes.first()? == START;
    let end = if is_event { END } else { b"\n" };
    // The end may begin with the last byte that was searched; the first byte ends nothing that it begins.
    let from = searched.saturating_sub(1).max(usize::from(is_event));
    let rest = bytes.get(from..).unwrap_or_default();
    let whole = rest.windows(end.len()).position(|window| window == end).map(|at| from + at + end.len());
    // What another event cuts off ends there.
    let cut = rest.iter().position(|byte| *byte == START).map(|at| from + at);
    let too_long = (bytes.len() >= LONGEST || is_last).then_some(bytes.len().min(LONGEST));
    whole.into_iter().chain(cut).min().filter(|end| *end <= LONGEST).or(too_long)
}

/// An event with its fields; a line of another kind (of the JVM itself, say) is a message alone.
fn event(bytes: &[u8]) -> Option<Json> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let Some(fields) = text.strip_prefix(char::from(START)) else {
        let text = text.strip_suffix('\r').unwrap_or(text);
        return (!text.is_empty()).then(|| Json::object([("message", Json::text(text))]));
    };
    let fields = fields.strip_suffix('\u{1d}').unwrap_or(fields);
    let values = fields.splitn(FIELDS.len(), FIELD).map(Json::text);
    Some(Json::object(FIELDS.into_iter().zip(values)))
}
