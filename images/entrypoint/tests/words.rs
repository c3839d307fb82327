//! Words of variables with options.

#[path = "support/java.rs"]
mod support;

use kimg_entrypoint::java::split;
use support::Numbers;

#[test]
fn any_words_are_found_again_where_they_are_quoted() {
    let letters: Vec<char> = "-ab= \t\n\"\\$é'".chars().collect();
    let mut numbers = Numbers::new(3);
    for _ in 0..3000 {
        let words: Vec<String> = (0..numbers.below(4)).map(|_| format!("-{}", numbers.text(&letters))).collect();
        // Each part between double quotes is quoted by single ones, and the other way round.
        let quoted = words.iter().map(|word| {
            let parts = word.split('"').map(|part| format!("\"{part}\""));
            format!("-D={}", parts.collect::<Vec<_>>().join("'\"'"))
        });
        let text = quoted.collect::<Vec<_>>().join([" ", "\n", " \t "][numbers.below(3)]);
        let expected: Vec<String> = words.iter().map(|word| format!("-D={word}")).collect();
        assert_eq!(split(&text), (expected, None), "{text}");
    }
}

#[test]
fn words_without_quotes_are_those_of_the_shell() {
    let letters: Vec<char> = "-ab= \t\n\\$é:".chars().collect();
    let mut numbers = Numbers::new(8);
    for _ in 0..3000 {
        let text = numbers.text(&letters);
        assert_eq!(split(&text).0, text.split_whitespace().collect::<Vec<_>>(), "{text:?}");
    }
}
