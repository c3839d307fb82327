//! Properties: what Java reads, and where each came from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::problem::one_line;

/// Properties with their origins, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, (String, String)>);

impl Properties {
    /// Sets a property; `origin` says where it came from: a variable, `default`.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>, origin: impl Into<String>) {
        self.0.insert(name.into(), (value.into(), origin.into()));
    }

    /// Sets a property that is not set yet.
    pub fn set_default(&mut self, name: &str, value: impl Into<String>, origin: &str) {
        if !self.0.contains_key(name) {
            self.set(name, value, origin);
        }
    }

    /// A property's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(value, _)| value.as_str())
    }

    /// Where a property came from.
    pub fn origin(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(_, origin)| origin.as_str())
    }

    /// Removes a property.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Each property: name, value, origin; sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().map(|(name, (value, origin))| (name.as_str(), value.as_str(), origin.as_str()))
    }

    /// The text of a properties file.
    pub fn to_text(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (name, (value, _))| {
            let _ = writeln!(text, "{}={}", escape(name, true), escape(value, false));
            text
        })
    }

    /// Each property and its origin, a line each; secrets are not shown.
    pub fn explain(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (name, (value, origin))| {
            let value = if is_secret(name) { "***" } else { value };
            let _ = writeln!(text, "{}", one_line(&format!("{name}={value}    # {origin}")));
            text
        })
    }

    /// The properties of a text, as java.util.Properties.load reads it; of a name that comes twice the last counts.
    pub fn parse(text: &str, origin: &str) -> Properties {
        let mut properties = Properties::default();
        for line in logical_lines(text) {
            let (name, value) = split(&line);
            properties.set(unescape(name), unescape(value), origin);
        }
        properties
    }
}

const BLANKS: [char; 3] = [' ', '\t', '\u{c}'];

/// Lines without comments and empty ones, each with those that an odd number of backslashes at its end joins to it.
fn logical_lines(text: &str) -> Vec<String> {
    let (mut lines, mut open) = (Vec::new(), None::<String>);
    for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
        let line = line.trim_start_matches(BLANKS);
        if open.is_none() && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        let continues = backslashes % 2 == 1;
        open.get_or_insert_default().push_str(if continues { &line[..line.len() - 1] } else { line });
        if !continues {
            lines.extend(open.take());
        }
    }
    lines.extend(open.filter(|line| !line.is_empty()));
    lines
}

/// The name ends at the first `=`, `:` or blank that is not escaped.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|letter: char| {
        let ends = !escaped && (['=', ':'].contains(&letter) || BLANKS.contains(&letter));
        escaped = letter == '\\' && !escaped;
        ends
    });
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start_matches(BLANKS);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (name, value.trim_start_matches(BLANKS))
}

/// Without backslashes; `\uXXXX` are units of UTF-16.
fn unescape(text: &str) -> String {
    let (mut units, mut letters) = (Vec::new(), text.chars());
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\\' => match letters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = letters.clone().take(4).filter(char::is_ascii_hexdigit).collect();
                    match u16::from_str_radix(&digits, 16) {
                        Ok(unit) if digits.len() == 4 => {
                            units.push(unit);
                            letters.nth(3);
                            continue;
                        }
                        _ => 'u',
                    }
                }
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16_lossy(&units)
}

/// Names whose values are nobody's business, of properties and of variables; `sasl.jaas.config` holds passwords too.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('_', ".");
    let holds = ["password", "secret", "jaas", "credential"].iter().any(|word| name.contains(word));
    // password.encoder.iterations, delegation.token.secret… are no secrets in all their parts.
    let describes = [".ms", ".iterations", ".length", ".algorithm"].iter().any(|ending| name.ends_with(ending));
    (holds && !describes) || name.ends_with(".key") || name.ends_with("token")
}

/// java.util.Properties.load: backslashes and line ends are escaped, leading blanks of values, and of names also what
/// would end them; what is not Latin-1 is written as `\uXXXX`.
fn escape(text: &str, is_name: bool) -> String {
    let mut escaped = String::new();
    for (index, letter) in text.chars().enumerate() {
        match letter {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            ' ' if index == 0 || is_name => escaped.push_str("\\ "),
            '=' | ':' | '#' | '!' if is_name => {
                escaped.push('\\');
                escaped.push(letter);
            }
            ' '..='~' => escaped.push(letter),
            _ => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    let _ = write!(escaped, "\\u{unit:04X}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_for_java() {
        let mut properties = Properties::default();
        properties.set("a", " x\\y\nz:=#", "test");
        properties.set("b c", "ü€😀", "test");
        assert_eq!(properties.to_text(), "a=\\ x\\\\y\\nz:=#\nb\\ c=\\u00FC\\u20AC\\uD83D\\uDE00\n");
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut properties = Properties::default();
        properties.set("ssl.key.password", "hidden", "KAFKA_SSL_KEY_PASSWORD");
        properties.set("num.partitions", "3", "KAFKA_NUM_PARTITIONS");
        let text = properties.explain();
        assert_eq!(
            text,
            "num.partitions=3    # KAFKA_NUM_PARTITIONS\nssl.key.password=***    # KAFKA_SSL_KEY_PASSWORD\n"
        );
    }

    #[test]
    fn a_file_is_read_back() {
        let properties = Properties::parse("# comment\nversion=1\nnode.id = 2\n", "meta.properties");
        assert_eq!((properties.get("version"), properties.get("node.id")), (Some("1"), Some("2")));
        assert_eq!(properties.origin("version"), Some("meta.properties"));
    }
}
