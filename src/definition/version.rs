//! Version numbers: their order, and the lines that they belong to.

use std::cmp::Ordering;

/// Compares versions part by part: numbers by value and before words, words by their letters. What is not numbers all
/// through, such as the name of a Debian release, is compared too, and only equal texts are equal.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let keys = |text: &str| -> Vec<(bool, u64, String)> {
        let key = |part: &str| match part.parse() {
            Ok(number) => (false, number, String::new()),
            Err(_) => (true, 0, part.to_owned()),
        };
        text.split('.').map(key).collect()
    };
    keys(one).cmp(&keys(other)).then_with(|| one.cmp(other))
}

/// A version and what is left of it without its last numbers: `4.3.0`, `4.3`, `4`.
pub(super) fn lines(version: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(version), |line| line.rsplit_once('.').map(|(line, _)| line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        let mut versions = vec!["bookworm", "3.10.0", "3.8.6", "3.4.10", "3.8.4", "4.0.0"];
        versions.sort_by(|one, other| compare(one, other));
        assert_eq!(versions, ["3.4.10", "3.8.4", "3.8.6", "3.10.0", "4.0.0", "bookworm"]);
        assert_eq!(compare("1.0", "1.00"), Ordering::Less);
    }

    #[test]
    fn lines_of_a_version() {
        assert_eq!(lines("4.3.0").collect::<Vec<_>>(), ["4.3.0", "4.3", "4"]);
        assert_eq!(lines("bookworm").collect::<Vec<_>>(), ["bookworm"]);
    }
}
