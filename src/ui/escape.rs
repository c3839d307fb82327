use std::borrow::Cow;
use std::fmt::Write as _;

/// Text from outside, made harmless for a terminal: control characters (with them ANSI sequences and line breaks) and
/// the characters that change the direction of text or have no width are written as `\u{…}`; the rest stays.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            harmful if is_harmful(harmful) => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "{}", harmful.escape_unicode());
            }
            harmless => safe.push(harmless),
        }
    }
    Cow::Owned(safe)
}

/// Controls, and the format characters of Unicode's "Trojan Source" (CVE-2021-42574) and their like.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_harm_is_written_out() {
        assert_eq!(escape("kafka-clients-3.5.2.jar"), "kafka-clients-3.5.2.jar");
        assert_eq!(escape("naïve 画"), "naïve 画");
        assert_eq!(escape("\u{1b}[31mred\n"), "\\u{1b}[31mred\\n");
        assert_eq!(escape("a\u{202e}b\u{9b}c"), "a\\u{202e}b\\u{9b}c");
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in any::<String>()) {
            prop_assert!(!escape(&text).chars().any(is_harmful));
        }
    }
}
