//! The properties that Kafka knows, and those that it lost.

mod lost;
mod nearest;

use super::Layout;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

pub use lost::forget;

/// Every property, a line each: name, type, versions.
const TABLE: &str = include_str!("properties.txt");

/// What a property's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number of 16 bits.
    Short,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A number.
    Number,
    /// Any text.
    Text,
    /// Texts, parted by commas.
    List,
    /// A secret.
    Password,
    /// The name of a class.
    Class,
}

impl Kind {
    /// Whether an empty text is no value of it.
    pub fn needs_text(self) -> bool {
        matches!(self, Kind::Boolean | Kind::Short | Kind::Int | Kind::Long | Kind::Number)
    }
}

/// The versions that know a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// All that this program configures.
    All,
    /// Those before 4.0.
    Three,
    /// Those from 4.0.
    Four,
}

/// A line of the table: name, type, versions.
fn row(line: &'static str) -> Option<(&'static str, Kind, Versions)> {
    let (name, marks) = line.split_once(' ').filter(|_| !line.starts_with('#'))?;
    let kind = match marks.as_bytes().first()? {
        b'b' => Kind::Boolean,
        b'h' => Kind::Short,
        b'i' => Kind::Int,
        b'w' => Kind::Long,
        b'd' => Kind::Number,
        b'l' => Kind::List,
        b'p' => Kind::Password,
        b'c' => Kind::Class,
        _ => Kind::Text,
    };
    let versions = match marks.as_bytes().get(1) {
        Some(b'3') => Versions::Three,
        Some(b'4') => Versions::Four,
        _ => Versions::All,
    };
    Some((name, kind, versions))
}

fn names() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter_map(row).map(|(name, ..)| name)
}

/// Looks a name up in the table, which is sorted: by halves of its text, for the whole program has 10 ms.
fn look_up(name: &str) -> Option<(Kind, Versions)> {
    let mut text = TABLE;
    loop {
        let middle = text.floor_char_boundary(text.len() / 2);
        let start = text[..middle].rfind('\n').map_or(0, |end| end + 1);
        let end = text[middle..].find('\n').map_or(text.len(), |end| middle + end + 1);
        if text.is_empty() {
            return None;
        }
        text = match row(text[start..end].trim_end()) {
            Some((own, kind, versions)) if own == name => return Some((kind, versions)),
            Some((own, ..)) if name < own => &text[..start],
            // Comments are at the beginning, before all names.
            _ => &text[end..],
        };
    }
}

/// What a property is: one of the table, or a form of it for one listener (`listener.name.NAME.ssl.client.auth`,
/// `listener.name.NAME.MECHANISM.sasl.jaas.config`).
pub fn find(property: &str) -> Option<(Kind, Versions)> {
    match property.strip_prefix("listener.name.").and_then(|rest| rest.split_once('.')) {
        None => look_up(property),
        Some((_, own)) => look_up(own).or_else(|| look_up(own.split_once('.')?.1)),
    }
}

/// Names that a plug-in reads which Kafka itself hands them to.
const OF_PLUGINS: [&str; 5] =
    ["config.providers.", "rsm.config.", "rlmm.config.", "authorizer.zookeeper.", "kafka.csv.metrics."];

/// Warns of names that no broker knows (with the nearest that it does), and refuses what this version lost: classes,
/// properties that were translated into others; and values that are not of the property's type, on which Kafka would
/// end.
pub fn check(properties: &Properties, layout: &Layout, findings: &mut Findings) {
    for (name, value, origin) in properties.iter() {
        if OF_PLUGINS.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        // The variable is what the user wrote; of a file, it is the property.
        let subject = if origin.starts_with('/') { format!("{name} in {origin}") } else { subject(name, origin) };
        match find(name) {
            Some((kind, versions)) => {
                if let Some(warning) = lost::of_version(name, versions, layout, &subject) {
                    findings.warn(warning);
                }
                check_value(&subject, kind, value, findings);
            }
            None => findings.warn(unknown(name, &subject)),
        }
    }
    lost::check_classes(properties, layout, findings);
}

fn subject(name: &str, origin: &str) -> String {
    let is_variable = origin.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if is_variable && !origin.is_empty() { origin.to_owned() } else { name.to_owned() }
}

fn unknown(name: &str, subject: &str) -> Problem {
    if let Some((why, hint)) = lost::replaced(name) {
        return Problem::new(subject, why, hint);
    }
    let why = format!("Kafka has no property {name}; a plug-in may read it");
    if name.strip_suffix(".file").is_some_and(|name| find(name).is_some()) {
        let hint = "values are not read from files so; Kafka's own way is config.providers and ${file:PATH:KEY}";
        return Problem::new(subject, why, hint);
    }
    match nearest::nearest(name, names()) {
        Some(near) => Problem::new(subject, why, format!("did you mean {near}?")),
        None => Problem::new(subject, why, "leave it out, unless a plug-in of yours reads it"),
    }
}

/// ConfigDef.parseType: blanks around a value do not count, and a value of `${provider:…}` is read elsewhere.
fn check_value(subject: &str, kind: Kind, value: &str, findings: &mut Findings) {
    let trimmed = value.trim();
    if trimmed.starts_with("${") {
        return;
    }
    const DIGITS: &str = "write digits only, without a unit";
    let whole = |least: i64, most: i64| {
        let is_within = trimmed.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number));
        (is_within, format!("it is no whole number up to {most}"), DIGITS)
    };
    let (good, why, hint) = match kind {
        Kind::Boolean => {
            let good = ["true", "false"].iter().any(|word| trimmed.eq_ignore_ascii_case(word));
            (good, "Kafka takes `true` or `false` here".to_owned(), "write `true` or `false`")
        }
        Kind::Short => whole(i64::from(i16::MIN), i64::from(i16::MAX)),
        Kind::Int => whole(i64::from(i32::MIN), i64::from(i32::MAX)),
        Kind::Long => whole(i64::MIN, i64::MAX),
        Kind::Number => (trimmed.parse::<f64>().is_ok(), "it is no number".to_owned(), "write a number: 0.5"),
        _ => return,
    };
    // Ids and addresses were looked at before, more closely.
    let is_told = findings.problems.iter().any(|problem| problem.subject == subject);
    if !good && !is_told {
        findings.refuse(Problem::new(subject, why, hint).with_value(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_row_is_read() {
        let names: Vec<&str> = names().collect();
        assert!(names.is_sorted_by(|one, other| one < other));
        assert_eq!(names.len(), TABLE.lines().filter(|line| !line.starts_with('#')).count());
        assert!(names.len() > 400);
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (name, kind, versions) = row(line).unwrap();
            assert_eq!(look_up(name), Some((kind, versions)), "{name}");
            assert_eq!((look_up(&format!("{name}~")), look_up(&name.to_uppercase())), (None, None), "{name}");
        }
        assert_eq!((look_up(""), look_up("#"), look_up("zzz"), look_up("a")), (None, None, None, None));
    }

    #[test]
    fn forms_for_a_listener_are_known() {
        for (name, kind) in [
            ("num.partitions", Some(Kind::Int)),
            ("listener.name.external.ssl.client.auth", Some(Kind::Text)),
            ("listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config", Some(Kind::Password)),
            ("listener.name.external", None),
            ("listener.name.external.nonsense", None),
            ("log.cleanup.ploicy", None),
        ] {
            assert_eq!(find(name).map(|(kind, _)| kind), kind, "{name}");
        }
    }
}
