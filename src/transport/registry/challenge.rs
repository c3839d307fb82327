//! `WWW-Authenticate`: how a registry wants to be told who asks (RFC 9110, 11.6.1).

use std::collections::BTreeMap;

/// One way to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    /// `bearer`, `basic`, in lower case.
    pub scheme: String,
    /// Its parameters, with names in lower case: `realm`, `service`, `scope`.
    pub parameters: BTreeMap<String, String>,
}

/// The challenges of a header. Some registries leave quotes out, put blanks around `=`, or commas behind the last
/// parameter; all of that is read, and what is neither is left out.
pub fn challenges(header: &str) -> Vec<Challenge> {
    let mut all: Vec<Challenge> = Vec::new();
    let mut rest = header;
    while let Some((word, after)) = word(rest) {
        let equals = after.trim_start();
        match (equals.strip_prefix('='), all.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, next) = value_of(value.trim_start());
                challenge.parameters.entry(word.to_ascii_lowercase()).or_insert(value);
                rest = next;
            }
            _ => {
                all.push(Challenge { scheme: word.to_ascii_lowercase(), ..Challenge::default() });
                rest = after;
            }
        }
    }
    all
}

/// The next word, and what is behind it; what can be in no word is skipped.
fn word(text: &str) -> Option<(&str, &str)> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c);
    let start = text.find(is_letter)?;
    let text = &text[start..];
    let end = text.find(|c| !is_letter(c)).unwrap_or(text.len());
    Some((&text[..end], &text[end..]))
}

/// A value, quoted or not, and what is behind it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            letter => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(header: &str) -> String {
        let each = |challenge: Challenge| format!("{}{:?}", challenge.scheme, challenge.parameters);
        challenges(header).into_iter().map(each).collect::<Vec<_>>().join(";")
    }

    #[test]
    fn as_registries_write_them() {
        let hub =
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let expected = r#"bearer{"realm": "https://auth.example/token", "scope": "repository:a/b:pull,push", "service": "registry.example"}"#;
        assert_eq!(shown(hub), expected);
        assert_eq!(shown("BASIC realm=registry"), r#"basic{"realm": "registry"}"#);
        assert_eq!(shown(r#"Bearer Realm = "a\"b" , service=x,"#), r#"bearer{"realm": "a\"b", "service": "x"}"#);
        assert_eq!(shown(r#"Negotiate, Basic realm="x""#), r#"negotiate{};basic{"realm": "x"}"#);
        assert_eq!(shown(r#"Bearer realm="unended"#), r#"bearer{"realm": "unended"}"#);
        assert_eq!((shown(""), shown(", ,=")), (String::new(), String::new()));
    }

    proptest! {
        #[test]
        fn any_text_comes_to_an_end(text in ".{0,80}") {
            let _ = challenges(&text);
        }
    }
}
