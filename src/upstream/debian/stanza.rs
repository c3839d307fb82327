//! Stanzas of control files (Debian Policy 5.1): `Field: value` lines, continuation lines that begin with a blank.

/// The stanzas of a document, as text.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(|stanza| stanza.trim_matches('\n')).filter(|stanza| !stanza.is_empty())
}

/// The fields of a stanza, each with its continuation lines.
pub(super) fn fields(stanza: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for line in stanza.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name, value.trim().to_owned()));
        }
    }
    found
}

/// A field's value; names are compared without case.
pub(super) fn get<'a>(fields: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
