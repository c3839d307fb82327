use std::fmt::Write as _;

/// The same JSON in ASCII only, for it may be read on a terminal: outside ASCII there is text in strings only, where
/// JSON allows `\uXXXX` for every character. Line breaks between values stay.
pub fn ascii_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if (' '..='~').contains(&character) || character == '\n' {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ascii_json_means_the_same(text in any::<String>()) {
            let json = ascii_json(&serde_json::to_string(&text).unwrap());
            prop_assert!(json.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
