//! A variable's value as the property's.

use crate::kafka::dialect::{Empty, Rules};
use crate::kafka::known::{self, Kind};
use crate::problem::{Findings, Problem};

/// Properties for which an empty text is as good as none: the images' scripts test for it, or Kafka could not start.
const UNSET_WHEN_EMPTY: [&str; 13] = [
    "advertised.listeners",
    "broker.id",
    "control.plane.listener.name",
    "controller.listener.names",
    "controller.quorum.voters",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.dirs",
    "node.id",
    "process.roles",
    "security.inter.broker.protocol",
    "zookeeper.connect",
];

/// The value that Kafka gets; `None` where the variable is as good as not set.
pub(super) fn read(
    property: &str,
    given: &str,
    variable: &str,
    rules: &Rules,
    findings: &mut Findings,
) -> Option<String> {
    let kind = known::find(property).map_or(Kind::Text, |(kind, _)| kind);
    // A line end at the end is of the YAML block or the env file, never of the value.
    let value = unescape(given).trim_end_matches(['\r', '\n']).to_owned();
    if value.trim().is_empty() {
        return empty(property, kind, variable, rules, findings);
    }
    if let Some(letter) = lost_backslash(given) {
        let why = format!("the backslash before `{letter}` is dropped, as from a properties file");
        findings.warn(Problem::new(variable, why, "write two backslashes where one is meant"));
    }
    if kind != Kind::Password {
        warn_of_shell(&value, variable, findings);
        warn_of_quotes(&value, variable, findings);
    }
    Some(match kind {
        Kind::Boolean => boolean(value, variable, findings),
        Kind::List => members(value, variable, findings),
        _ => value,
    })
}

/// The images write a value as it is into a file that Java reads (java.util.Properties.load), where a backslash joins
/// lines and begins `\n` and the like. What people wrote for them is meant so: a JAAS text over several lines, a PEM
/// text in one. Line ends without one break those files; here they belong to the value.
fn unescape(value: &str) -> String {
    let mut text = String::new();
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('f') => text.push('\u{c}'),
            Some('u') => {
                let digits: String = letters.clone().take(4).collect();
                match u16::from_str_radix(&digits, 16).ok().and_then(|unit| char::from_u32(u32::from(unit))) {
                    Some(letter) if digits.len() == 4 => {
                        text.push(letter);
                        letters.by_ref().take(4).for_each(drop);
                    }
                    _ => text.push_str("\\u"),
                }
            }
            Some(end @ ('\n' | '\r')) => {
                if end == '\r' {
                    letters.next_if_eq(&'\n');
                }
                while letters.next_if(|letter| matches!(letter, ' ' | '\t' | '\u{c}')).is_some() {}
            }
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}

/// The letter before which a backslash means nothing, and is lost.
fn lost_backslash(value: &str) -> Option<char> {
    const MEANT: &str = "\\nrtfu\n\r=:#! \"'";
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        let after = if letter == '\\' { letters.next() } else { None };
        if after.is_some_and(|next| !MEANT.contains(next)) {
            return after;
        }
    }
    None
}

/// An env file, and a list of `NAME="value"` in a compose file, keep the quotes.
fn warn_of_quotes(value: &str, variable: &str, findings: &mut Findings) {
    let text = value.trim();
    let is_quoted = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if is_quoted('"') || is_quoted('\'') {
        let why = "the quotes around it are part of the value";
        findings.warn(Problem::new(variable, why, "leave them out").with_value(value));
    }
}

fn empty(property: &str, kind: Kind, variable: &str, rules: &Rules, findings: &mut Findings) -> Option<String> {
    if kind.needs_text() || UNSET_WHEN_EMPTY.contains(&property) {
        let why = format!("it is empty, so {property} counts as not set");
        findings.warn(Problem::new(variable, why, "leave it out, or give it a value"));
        return None;
    }
    (rules.empty == Empty::Set).then(String::new)
}

/// YAML's other words for true and false arrive as text, and Kafka takes only two.
fn boolean(value: String, variable: &str, findings: &mut Findings) -> String {
    let word = value.trim().to_lowercase();
    let meant = match word.as_str() {
        "yes" | "y" | "on" | "1" => "true",
        "no" | "n" | "off" | "0" => "false",
        _ => return value,
    };
    let why = format!("Kafka takes only `true` or `false`; `{meant}` is used");
    findings.warn(Problem::new(variable, why, format!("write `{meant}`, in quotes")).with_value(value));
    meant.to_owned()
}

/// A list with empty members: Kafka would look for a class or a mechanism without a name.
fn members(value: String, variable: &str, findings: &mut Findings) -> String {
    let (kept, empty): (Vec<&str>, Vec<&str>) = value.split(',').map(str::trim).partition(|member| !member.is_empty());
    if empty.is_empty() {
        return value;
    }
    let joined = kept.join(",");
    let why = format!("the list has empty members; `{joined}` is used");
    findings.warn(
        Problem::new(variable, why, "write one comma between two members, and none at the end").with_value(value),
    );
    joined
}

/// What a shell or Kubernetes would have replaced, and nobody did.
fn warn_of_shell(value: &str, variable: &str, findings: &mut Findings) {
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
    };
    let within = |open: &str, close: char| -> Vec<String> {
        let parts = value.split(open).skip(1).filter_map(|rest| rest.split_once(close));
        parts.map(|(name, _)| name.to_owned()).collect()
    };
    // `${file:/path:key}` belongs to Kafka's config.providers, and has a colon; the shell's `${A:-b}` has one too.
    let is_shells = |text: &String| {
        let end = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).unwrap_or(text.len());
        let operators = ["#", "%", ":-", ":=", ":?", ":+", "-", "/", "^", ","];
        end > 0 && (end == text.len() || operators.iter().any(|operator| text[end..].starts_with(operator)))
    };
    if let Some(name) = within("$(", ')').into_iter().find(|name| is_name(name)) {
        let why = format!("Kubernetes did not replace $({name})");
        let hint = format!("define {name} above it in the same list `env`");
        findings.warn(Problem::new(variable, why, hint).with_value(value));
    } else if let Some(text) = within("${", '}').into_iter().find(is_shells) {
        let why = format!("no shell replaces ${{{text}}}");
        let hint = "leave the id out: it follows from the pod's name; for addresses, see KIMG_ADVERTISE";
        findings.warn(Problem::new(variable, why, hint).with_value(value));
    } else if value.contains("$((") || within("$(", ')').iter().any(|command| command.contains(' ')) {
        let hint = "write the value itself, or KIMG_ADVERTISE for addresses";
        findings.warn(Problem::new(variable, "no shell replaces what it has in $(…)", hint).with_value(value));
    }
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn backslashes_mean_what_they_mean_in_a_file() {
        for (given, meant) in [
            ("plain # = : text", "plain # = : text"),
            ("one\\\n   two", "onetwo"),
            ("one \\\r\n\ttwo", "one two"),
            ("real\nline", "real\nline"),
            ("-----BEGIN-----\\nMII\\n", "-----BEGIN-----\nMII\n"),
            ("a\\\\b\\.c\\", "a\\b.c\\"),
            ("\\u00e4\\uZZ", "ä\\uZZ"),
        ] {
            assert_eq!(unescape(given), meant, "{given}");
        }
    }
}
