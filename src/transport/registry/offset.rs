//! What the answers to uploads say in their headers (distribution-spec 1.1, "Pushing a blob in chunks").

/// How many bytes of an upload are there, by its `Range: 0-LAST`. `None` where that cannot be known: `0-0` is sent for no
/// byte and for one. Quay writes `bytes=0-COUNT` there, which is one more (quay/quay, `endpoints/v2/blob.py`,
/// `fetch_existing_upload`).
pub(super) fn there(range: &str) -> Option<u64> {
    let range = range.trim();
    let counts = range.strip_prefix("bytes");
    let range = counts.map_or(range, |rest| rest.trim_start_matches([' ', '=']));
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let text = text.trim();
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    match (number(first)?, number(last)?) {
        (0, 0) => None,
        (0, count) if counts.is_some() => Some(count),
        (0, last) => last.checked_add(1),
        _ => None,
    }
}

/// `OCI-Chunk-Min-Length`, where it is a number.
pub(super) fn least_chunk(header: Option<&str>) -> u64 {
    header.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// The location of an upload with the digest that ends it; its own query stays as it is.
pub(super) fn ending(location: &str, digest: &str) -> String {
    let (location, _) = location.split_once('#').unwrap_or((location, ""));
    let separator = match location.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{location}{separator}digest={}", digest.replace(':', "%3A"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_as_registries_write_them() {
        assert_eq!((there("0-99"), there("bytes=0-99"), there(" 0 - 99 ")), (Some(100), Some(99), Some(100)));
        for unknown in
            ["0-0", "bytes=0-0", "1-99", "0-", "-5", "", "99", "0--1", "0-+1", "a-b", "0-99999999999999999999"]
        {
            assert_eq!(there(unknown), None, "{unknown}");
        }
        assert_eq!(there("0-18446744073709551615"), None);
    }

    #[test]
    fn the_digest_is_added_to_what_is_there() {
        let end = |location: &str| ending(location, "sha256:00");
        assert_eq!(end("http://a.example/u/1"), "http://a.example/u/1?digest=sha256%3A00");
        assert_eq!(
            end("http://a.example/u/1?_state=a%3D%3D"),
            "http://a.example/u/1?_state=a%3D%3D&digest=sha256%3A00"
        );
        assert_eq!(end("http://a.example/u/1?"), "http://a.example/u/1?digest=sha256%3A00");
        assert_eq!(end("http://a.example/u/1?a&#x"), "http://a.example/u/1?a&digest=sha256%3A00");
    }

    #[test]
    fn least_chunks() {
        let of = |text| least_chunk(Some(text));
        assert_eq!((of("5242880"), of("-1"), of("many"), least_chunk(None)), (5_242_880, 0, 0, 0));
    }

    proptest! {
        #[test]
        fn what_was_sent_is_what_is_there(count in 2u64..u64::MAX) {
            prop_assert_eq!(there(&format!("0-{}", count - 1)), Some(count));
        }

        #[test]
        fn any_text_is_read_or_not(text in ".{0,40}") {
            prop_assert!(there(&text) != Some(0));
        }

        #[test]
        fn a_query_stays(path in "[a-z0-9/]{0,20}", query in "[a-zA-Z0-9=&%_.-]{0,60}") {
            let location = format!("https://registry.example/{path}?{query}");
            let url = ending(&location, "sha256:00");
            prop_assert!(url.starts_with(&location) && url.ends_with("digest=sha256%3A00"));
            let pairs: Vec<_> = url::Url::parse(&url).unwrap().query_pairs().into_owned().collect();
            prop_assert_eq!(pairs.last().cloned(), Some(("digest".to_owned(), "sha256:00".to_owned())));
        }
    }
}
