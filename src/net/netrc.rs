//! Credentials by host, as curl, git and apt read them from `~/.netrc`.
//!
//! The format is that of ftp(1): words between white space; `machine NAME` or `default`, then `login`, `password` and
//! `account`, each with a value; `macdef NAME` and the lines up to an empty one are skipped. As in curl, a `#` where a
//! keyword is expected begins a comment, and a word may stand in double quotes with `\"`, `\\`, `\n`, `\r`, `\t`.

use std::iter::Peekable;
use std::str::Chars;

/// What a netrc file says. It has no `Debug`, so that no password reaches a message.
#[derive(Default)]
pub(super) struct Netrc {
    entries: Vec<Entry>,
}

#[derive(Default)]
struct Entry {
    /// `None` is `default`.
    machine: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

impl Netrc {
    /// Reads the text of a netrc file. Words that mean nothing are skipped, as all readers do.
    pub(super) fn parse(text: &str) -> Netrc {
        let mut words = Words { chars: text.chars().peekable() };
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(keyword) = words.keyword() {
            match keyword.as_str() {
                "machine" => {
                    let machine = words.next();
                    if machine.is_some() {
                        entries.push(Entry { machine, ..Entry::default() });
                    }
                }
                "default" => entries.push(Entry::default()),
                "macdef" => words.skip_macro(),
                "login" | "password" | "account" => {
                    let value = words.next();
                    match (keyword.as_str(), entries.last_mut()) {
                        ("login", Some(entry)) => entry.login = value,
                        ("password", Some(entry)) => entry.password = value,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Netrc { entries }
    }

    /// Login and password for a host (without a port): of its first entry, else of the first `default`. An entry
    /// without a login is none.
    pub(super) fn find(&self, host: &str) -> Option<(&str, &str)> {
        let own = |entry: &&Entry| entry.machine.as_deref().is_some_and(|machine| machine.eq_ignore_ascii_case(host));
        let entry =
            self.entries.iter().find(own).or_else(|| self.entries.iter().find(|entry| entry.machine.is_none()))?;
        Some((entry.login.as_deref()?, entry.password.as_deref().unwrap_or_default()))
    }
}

struct Words<'a> {
    chars: Peekable<Chars<'a>>,
}

impl Words<'_> {
    /// The next word where a keyword is expected.
    fn keyword(&mut self) -> Option<String> {
        loop {
            let word = self.next()?;
            if !word.starts_with('#') {
                return Some(word);
            }
            self.skip_line();
        }
    }

    fn next(&mut self) -> Option<String> {
        while self.chars.next_if(|char| char.is_whitespace()).is_some() {}
        self.chars.peek()?;
        if self.chars.next_if_eq(&'"').is_some() {
            return Some(self.quoted());
        }
        let mut word = String::new();
        while let Some(char) = self.chars.next_if(|char| !char.is_whitespace()) {
            word.push(char);
        }
        Some(word)
    }

    /// The rest of a word whose opening quote was read; it ends with its line at the latest.
    fn quoted(&mut self) -> String {
        let mut word = String::new();
        while let Some(char) = self.chars.next_if(|char| *char != '\n') {
            match char {
                '"' => break,
                '\\' => match self.chars.next() {
                    Some('n') => word.push('\n'),
                    Some('r') => word.push('\r'),
                    Some('t') => word.push('\t'),
                    Some(other) => word.push(other),
                    None => {}
                },
                _ => word.push(char),
            }
        }
        word
    }

    fn skip_line(&mut self) {
        while self.chars.next_if(|char| *char != '\n').is_some() {}
    }

    /// Skips a macro's name and its lines up to an empty one.
    fn skip_macro(&mut self) {
        loop {
            self.skip_line();
            self.chars.next();
            self.chars.next_if_eq(&'\r');
            if self.chars.peek().is_none_or(|char| *char == '\n') {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_real_file_is_read() {
        let netrc = Netrc::parse(
            "# mirrors\nmachine a.example login ann password s3cret # not a word\n\
             machine B.example\n\tlogin bob account x\r\n\tpassword #hash\n\
             macdef init\nmachine c.example login mallory password no\nput x\n\n\
             machine quoted.example login \"q u\" password \"a\\\"b\\\\\"\n\
             machine a.example login second password second\n\
             default login anonymous password me@d.example",
        );
        assert_eq!(netrc.find("a.example"), Some(("ann", "s3cret")));
        assert_eq!(netrc.find("b.EXAMPLE"), Some(("bob", "#hash")));
        assert_eq!(netrc.find("c.example"), Some(("anonymous", "me@d.example")));
        assert_eq!(netrc.find("quoted.example"), Some(("q u", "a\"b\\")));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert_eq!(Netrc::parse("").find("a.example"), None);
        assert_eq!(Netrc::parse("machine a.example password only").find("a.example"), None);
        assert_eq!(Netrc::parse("login x password y").find("a.example"), None);
        assert_eq!(Netrc::parse("machine a.example login x").find("a.example"), Some(("x", "")));
        assert_eq!(Netrc::parse("machine a.example login x password y").find("sub.a.example"), None);
        // A host that has an entry never falls back to the default.
        assert_eq!(Netrc::parse("machine a.example default login x password y").find("a.example"), None);
    }

    /// How a value can be written.
    fn written(value: &str, quote: bool) -> String {
        if !quote && !value.starts_with('"') && !value.is_empty() && !value.contains(char::is_whitespace) {
            return value.to_owned();
        }
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("\"{}\"", escaped.replace('\r', "\\r").replace('\t', "\\t"))
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>()) {
            let _ = Netrc::parse(&text).find("a.example");
        }

        #[test]
        fn what_is_written_is_found(
            entries in prop::collection::btree_map("[a-z]{1,8}\\.example", (any::<String>(), any::<String>(), any::<bool>()), 0..6),
            space in "[ \t\r\n]{1,4}",
            comment in "#[^\n]{0,10}\n",
        ) {
            let mut text = String::new();
            for (host, (login, password, quote)) in &entries {
                let words = ["machine", host, "account", "x", "login", &written(login, *quote), "password", &written(password, *quote)];
                text.push_str(&words.join(&space));
                text.push_str("\n\n");
                text.push_str(&comment);
                text.push_str("macdef m\nmachine n.example login a password b\n\n");
            }
            let netrc = Netrc::parse(&text);
            for (host, (login, password, _)) in &entries {
                prop_assert_eq!(netrc.find(host), Some((login.as_str(), password.as_str())));
            }
            prop_assert_eq!(netrc.find("n.example").is_some(), entries.contains_key("n.example"));
        }
    }
}
