use std::cmp::Ordering;

/// Compares two versions as Debian Policy 5.6.12 says: epoch, upstream version, revision; runs of non-digits with `~`
/// before the end and letters before the rest, and runs of digits by their value.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a_epoch, a) = epoch(a);
    let (b_epoch, b) = epoch(b);
    let ((a_upstream, a_revision), (b_upstream, b_revision)) = (revision(a), revision(b));
    number(a_epoch, b_epoch).then_with(|| part(a_upstream, b_upstream)).then_with(|| part(a_revision, b_revision))
}

fn epoch(version: &str) -> (&[u8], &[u8]) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    (epoch.as_bytes(), rest.as_bytes())
}

fn revision(version: &[u8]) -> (&[u8], &[u8]) {
    match version.iter().rposition(|byte| *byte == b'-') {
        Some(at) => (&version[..at], &version[at + 1..]),
        None => (version, b"0"),
    }
}

fn part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (a_text, a_rest) = run(a, |byte| !byte.is_ascii_digit());
        let (b_text, b_rest) = run(b, |byte| !byte.is_ascii_digit());
        let (a_digits, a_next) = run(a_rest, |byte| byte.is_ascii_digit());
        let (b_digits, b_next) = run(b_rest, |byte| byte.is_ascii_digit());
        let order = text(a_text, b_text).then_with(|| number(a_digits, b_digits));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (a_next, b_next);
    }
    Ordering::Equal
}

fn run(bytes: &[u8], of: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().position(|byte| !of(byte)).unwrap_or(bytes.len()))
}

fn text(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    };
    (0..a.len().max(b.len()))
        .map(|at| weight(a.get(at)).cmp(&weight(b.get(at))))
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

/// By value, for numbers of any length.
fn number(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (run(a, |byte| *byte == b'0').1, run(b, |byte| *byte == b'0').1);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_policy_orders_them() {
        for pair in [
            "1.0~rc1 1.0",
            "1.0~~ 1.0~",
            "1.0 1.0+b1",
            "1.0-1 1.0-1+deb12u1",
            "1.0-9 1.0-10",
            "9 1:1",
            "1.0a 1.0+",
            "1.2 1.10",
            "17.0.15+6-1~deb12u1 17.0.16+8-1~deb12u1",
            "12.4+deb12u9 12.4+deb12u11",
            "2.36-9+deb12u10 2.36-9+deb12u13",
        ] {
            let (small, large) = pair.split_once(' ').unwrap();
            assert_eq!(compare(small, large), Ordering::Less, "{pair}");
            assert_eq!(compare(large, small), Ordering::Greater, "{pair}");
        }
        for (a, b) in [("1.0", "0:1.0"), ("1.0", "1.0-0"), ("1.01", "1.1")] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn it_is_an_order(a in "[0-9a-c~+.:-]{0,8}", b in "[0-9a-c~+.:-]{0,8}", c in "[0-9a-c~+.:-]{0,8}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
