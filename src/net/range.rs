//! How the body of an answer continues what is there (RFC 9110, 14.4 and 15.3.7).

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap};

/// What the body of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// It begins at our offset and ends before byte `until`.
    Continues {
        /// The first byte that is not in it.
        until: u64,
    },
    /// The whole file, from its start.
    Whole,
    /// Something else of the file, or nothing: what is there can't be continued.
    Astray,
    /// It is of a file of another size.
    Size(u64),
    /// The status means nothing here.
    Strange,
}

/// Judges the answer to a request for a file of `size` bytes from byte `offset` on.
pub(super) fn judge(status: u16, headers: &HeaderMap, offset: u64, size: u64) -> Body {
    match status {
        // 203 is a 200 that a proxy says it changed; the digest will tell.
        200 | 203 => match number(headers) {
            Some(length) if length != size => Body::Size(length),
            _ => Body::Whole,
        },
        206 => match content_range(headers) {
            Some((_, _, Some(total))) if total != size => Body::Size(total),
            Some((first, last, _)) if first == offset && last < size => Body::Continues { until: last + 1 },
            _ => Body::Astray,
        },
        416 => Body::Astray,
        _ => Body::Strange,
    }
}

fn number(headers: &HeaderMap) -> Option<u64> {
    digits(headers.get(CONTENT_LENGTH)?.to_str().ok()?)
}

/// First and last byte and the whole size of `bytes FIRST-LAST/SIZE`, where the size may be `*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, total) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (digits(first)?, digits(last)?);
    let total = if total == "*" { None } else { Some(digits(total)?) };
    (unit.eq_ignore_ascii_case("bytes") && first <= last).then_some((first, last, total))
}

/// A number without the sign that `parse` would take.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn range(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_RANGE, HeaderValue::from_str(text).unwrap())])
    }

    fn length(length: u64) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from(length))])
    }

    #[test]
    fn only_what_continues_exactly_is_continued() {
        let judge = |text: &str| judge(206, &range(text), 10, 100);
        assert_eq!(judge("bytes 10-99/100"), Body::Continues { until: 100 });
        assert_eq!(judge("Bytes 10-19/*"), Body::Continues { until: 20 });
        assert_eq!(judge("bytes 10-99/101"), Body::Size(101));
        for astray in ["bytes 9-99/100", "bytes 11-99/100", "bytes 0-99/100", "bytes 10-100/*", "bytes 12-10/100"] {
            assert_eq!(judge(astray), Body::Astray, "{astray}");
        }
        for senseless in ["", "bytes", "bytes */100", "10-99/100", "items 10-99/100", "bytes +10-99/100", "bytes 10-99"]
        {
            assert_eq!(judge(senseless), Body::Astray, "{senseless}");
        }
    }

    #[test]
    fn a_whole_must_have_the_size() {
        assert_eq!(judge(200, &length(100), 10, 100), Body::Whole);
        assert_eq!(judge(200, &HeaderMap::new(), 0, 100), Body::Whole);
        assert_eq!(judge(200, &length(99), 0, 100), Body::Size(99));
        assert_eq!(judge(206, &HeaderMap::new(), 10, 100), Body::Astray);
        assert_eq!(judge(416, &HeaderMap::new(), 10, 100), Body::Astray);
        assert_eq!(judge(204, &HeaderMap::new(), 0, 100), Body::Strange);
    }

    proptest! {
        #[test]
        fn nothing_but_our_offset_continues(text in "(bytes )?[0-9*/ -]{0,30}", offset in 0u64..40, size in 1u64..40) {
            if let Body::Continues { until } = judge(206, &range(&text), offset, size) {
                prop_assert!(until > offset && until <= size);
                let begin = format!("bytes {offset}-");
                prop_assert!(text.trim().starts_with(&begin) || text.contains(&format!("0{offset}-")), "{}", text);
            }
        }

        #[test]
        fn a_correct_range_continues(offset in 0u64..1000, more in 1u64..1000, rest in 0u64..1000) {
            let (until, size) = (offset + more, offset + more + rest);
            let text = format!("bytes {offset}-{}/{size}", until - 1);
            prop_assert_eq!(judge(206, &range(&text), offset, size), Body::Continues { until });
        }
    }
}
