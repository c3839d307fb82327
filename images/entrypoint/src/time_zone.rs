//! The time zone of the log's lines. Java finds it by itself: by `TZ`, whose name it looks up in its own table, else by
//! `/etc/localtime`, whose bytes (where it is no link) it compares with those below `/usr/share/zoneinfo`.

use std::fs;
use std::path::Path;

use crate::container::Container;
use crate::problem::{Findings, Problem};

const ZONES: &str = "/usr/share/zoneinfo";
const FILE: &str = "/etc/localtime";

/// Warns of zones that Java does not find: it takes UTC then, or the difference from UTC of the moment, for summer and
/// winter.
pub fn check(container: &Container, findings: &mut Findings) {
    if !container.path(ZONES).is_dir() {
        return;
    }
    match container.environment.get("TZ") {
        Some(name) => check_name(container, name, findings),
        None => check_file(container, findings),
    }
}

fn check_name(container: &Container, value: &str, findings: &mut Findings) {
    let name = value.strip_prefix(':').unwrap_or(value);
    let relative = name.strip_prefix("posix/").unwrap_or(name).trim_start_matches('/');
    let is_path = name.starts_with('/');
    if !is_path && container.path(ZONES).join(relative).is_file() {
        return;
    }
    let hint = "set the name of a zone, such as Europe/Berlin or Asia/Shanghai";
    let (is_rule, has_summer) = rule(name);
    let why = if is_path || has_summer {
        "Java takes today's difference from UTC for all times"
    } else if is_rule {
        return;
    } else {
        "there is no such time zone, and UTC is used"
    };
    findings.warn(Problem::new("TZ", why, hint).with_value(value));
}

/// Whether this is a rule as of POSIX (`CST-8`, `CET-1CEST`, `<+08>-8`), and one with summer time.
fn rule(text: &str) -> (bool, bool) {
    let rest = match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>').map_or("", |(_, rest)| rest),
        None => text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()),
    };
    let is_name = rest.len() + 3 <= text.len();
    let number = rest.trim_start_matches(['+', '-']);
    let is_rule = is_name && number.starts_with(|letter: char| letter.is_ascii_digit());
    let summer = number.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ':');
    (is_rule, is_rule && !summer.is_empty())
}

/// A file of the host that is mounted, in a release of the table that this image does not have.
fn check_file(container: &Container, findings: &mut Findings) {
    let path = container.path(FILE);
    let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    let Some(bytes) = is_file.then(|| fs::read(&path).ok()).flatten() else { return };
    // The last line is the rule of now and later (RFC 8536): with a comma, it has summer time.
    let text = bytes.strip_suffix(b"\n").unwrap_or_default();
    let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    if last.contains(&b',') && !is_below(&container.path(ZONES), &bytes) {
        let why = format!(
            "it equals no zone of this image, and Java takes today's difference from UTC for all times ({})",
            last.escape_ascii()
        );
        findings.warn(Problem::new(FILE, why, "set TZ to the name of the zone, such as Europe/Berlin"));
    }
}

/// Whether a file below a folder has these bytes.
#[allow(clippy::disallowed_methods, reason = "any one will do")]
fn is_below(folder: &Path, bytes: &[u8]) -> bool {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.into_iter().any(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => is_below(&entry.path(), bytes),
        Ok(metadata) => metadata.len() == size && fs::read(entry.path()).is_ok_and(|other| other == bytes),
        Err(_) => false,
    })
}
