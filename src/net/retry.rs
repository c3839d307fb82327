//! Which failures pass, and how long to wait for that.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::settings::Settings;

/// A try that brought this many bytes is no failed one: a long file over a poor line is still getting nearer.
const PROGRESS: u64 = 1 << 20;

/// Whether a status means that the same request may do better later (RFC 9110, RFC 6585, RFC 8470).
pub(super) fn passes(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// What Retry-After asks for (RFC 9110, 10.2.3): seconds, or a date, which is taken relative to the answer's own Date,
/// so that neither clock needs to be right.
pub(super) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds is as long as waits get.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?.trim()).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

/// Counts the tries of one file at one place.
#[derive(Debug)]
pub struct Tries {
    left: u32,
    tries: u32,
    wait: Duration,
    first: Duration,
    longest: Duration,
}

impl Tries {
    /// None made yet.
    pub(super) fn new(settings: &Settings) -> Tries {
        let tries = settings.tries.max(1);
        let first = settings.first_wait.min(settings.longest_wait);
        Tries { left: tries, tries, wait: first, first, longest: settings.longest_wait }
    }

    /// Counts a failed try that brought `gained` bytes: how long to wait before the next one, `None` where there is
    /// none. `asked` is what the host asked for.
    pub fn failed(&mut self, gained: u64, asked: Option<Duration>) -> Option<Duration> {
        if gained >= PROGRESS {
            self.left = self.tries;
            self.wait = self.first;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 && gained < PROGRESS {
            return None;
        }
        let wait = self.wait;
        self.wait = wait.saturating_mul(2).min(self.longest);
        Some(asked.map_or(wait, |asked| asked.max(wait)).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn tries(tries: u32) -> Tries {
        let second = Duration::from_secs(1);
        Tries::new(&Settings { tries, first_wait: second, longest_wait: second * 5, ..Settings::default() })
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut tries = tries(6);
        let waits: Vec<_> = std::iter::from_fn(|| tries.failed(0, None)).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn what_the_host_asks_for_counts_up_to_the_longest() {
        let mut tries = tries(5);
        assert_eq!(tries.failed(0, Some(Duration::from_secs(3))), Some(Duration::from_secs(3)));
        assert_eq!(tries.failed(0, Some(Duration::ZERO)), Some(Duration::from_secs(2)));
        assert_eq!(tries.failed(0, Some(Duration::MAX)), Some(Duration::from_secs(5)));
    }

    #[test]
    fn progress_earns_new_tries() {
        let mut tries = tries(1);
        for _ in 0..100 {
            assert_eq!(tries.failed(PROGRESS, None), Some(Duration::from_secs(1)));
        }
        assert_eq!(tries.failed(PROGRESS - 1, None), None);
    }

    fn headers(after: &str, date: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(after).unwrap());
        date.map(|date| headers.insert(DATE, HeaderValue::from_str(date).unwrap()));
        headers
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let date = "Fri, 20 Nov 2026 12:34:56 GMT";
        assert_eq!(asked(&headers("120", None)), Some(Duration::from_secs(120)));
        assert_eq!(asked(&headers("Fri, 20 Nov 2026 12:35:06 GMT", Some(date))), Some(Duration::from_secs(10)));
        assert_eq!(asked(&headers("Fri, 20 Nov 2026 12:00:00 GMT", Some(date))), Some(Duration::ZERO));
        assert_eq!(asked(&headers(date, None)), None);
        assert_eq!(asked(&headers("99999999999999999999", None)), Some(Duration::from_secs(u64::MAX)));
        for wrong in ["", "-1", "+1", "1.5", "soon"] {
            assert_eq!(asked(&headers(wrong, Some(date))), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_ignored(after in "[ -~]{0,40}", date in "[ -~]{0,40}") {
            let _ = asked(&headers(&after, Some(&date)));
        }
    }
}
