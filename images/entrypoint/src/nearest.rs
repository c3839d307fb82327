//! Did you mean?

/// How many letters may differ.
const FAR: usize = 3;

/// The name that is nearest to a misspelt one, where one is near; the first of them, where several are.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let ranked = names.into_iter().map(|name| (distance(wrong, name), name)).min_by_key(|(rank, _)| *rank)?;
    (ranked.0 <= FAR).then_some(ranked.1)
}

/// The letters to change, to add, to leave out, or to exchange with their neighbour (optimal string alignment).
pub fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for row in 1..=one.len() {
        let mut current = vec![row];
        for column in 1..=other.len() {
            let change = usize::from(one[row - 1] != other[column - 1]);
            let mut least = (last[column - 1] + change).min(last[column] + 1).min(current[column - 1] + 1);
            let exchanged =
                row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1];
            if exchanged {
                least = least.min(before[column - 2] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, expected) in
            [("", "abc", 3), ("abc", "abc", 0), ("ploicy", "policy", 1), ("abcd", "acd", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!((distance(one, other), distance(other, one)), (expected, expected), "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_is_near() {
        for (wrong, near) in [("--explian", Some("--explain")), ("--root", Some("--root")), ("--anything", None)] {
            assert_eq!(nearest(wrong, ["--explain", "--root"]), near, "{wrong}");
        }
    }
}
