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
    /// A whole number.
    Whole,
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

fn rows() -> impl Iterator<Item = (&'static str, Kind, Versions)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (name, marks) = line.split_once(' ')?;
        let kind = match marks.as_bytes().first()? {
            b'b' => Kind::Boolean,
            b'i' => Kind::Whole,
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
    })
}

/// What a property is: one of the table, or a form of it for one listener (`listener.name.NAME.ssl.client.auth`,
/// `listener.name.NAME.MECHANISM.sasl.jaas.config`).
pub fn find(property: &str) -> Option<(Kind, Versions)> {
    let name = property.strip_prefix("listener.name.").and_then(|rest| rest.split_once('.'));
    match name {
        None => rows().find(|(name, ..)| *name == property).map(|(_, kind, versions)| (kind, versions)),
        Some((_, own)) => {
            let of_mechanism = own.split_once('.').map_or("", |(_, rest)| rest);
            rows().find(|(name, ..)| *name == own || *name == of_mechanism).map(|(_, kind, versions)| (kind, versions))
        }
    }
}

/// Names that a plug-in reads which Kafka itself hands them to.
const OF_PLUGINS: [&str; 5] =
    ["config.providers.", "rsm.config.", "rlmm.config.", "authorizer.zookeeper.", "kafka.csv.metrics."];

/// Warns of names that no broker knows (with the nearest that it does), and refuses what this version lost: classes,
/// properties that were translated into others; and values that are not of the property's type, on which Kafka would end.
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
    match nearest::nearest(name, rows().map(|(name, ..)| name)) {
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
    let (good, why, hint) = match kind {
        Kind::Boolean => {
            let good = ["true", "false"].iter().any(|word| trimmed.eq_ignore_ascii_case(word));
            (good, "Kafka takes `true` or `false` here", "write `true` or `false`")
        }
        Kind::Whole => (trimmed.parse::<i64>().is_ok(), "it is no whole number", "write digits only: 1073741824"),
        Kind::Number => (trimmed.parse::<f64>().is_ok(), "it is no number", "write a number: 0.5"),
        _ => (true, "", ""),
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
        let names: Vec<&str> = rows().map(|(name, ..)| name).collect();
        assert!(names.is_sorted_by(|one, other| one < other));
        assert_eq!(names.len(), TABLE.lines().filter(|line| !line.starts_with('#')).count());
        assert!(names.len() > 400);
    }

    #[test]
    fn forms_for_a_listener_are_known() {
        for (name, kind) in [
            ("num.partitions", Some(Kind::Whole)),
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
