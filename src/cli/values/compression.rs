use std::ops::RangeInclusive;
use std::str::FromStr;

use super::InvalidValue;
use crate::layer::Compression;

/// Parses `gzip[:LEVEL]`, `zstd[:LEVEL]` or `none`.
pub(in crate::cli) fn compression(text: &str) -> Result<Compression, InvalidValue> {
    let (kind, given) = match text.split_once(':') {
        Some((kind, given)) => (kind, Some(given)),
        None => (text, None),
    };
    match (kind, given) {
        ("gzip", given) => Ok(Compression::Gzip(given.map(|given| level(given, 1..=9)).transpose()?)),
        ("zstd", given) => Ok(Compression::Zstd(given.map(|given| level(given, 1..=19)).transpose()?)),
        ("none", None) => Ok(Compression::None),
        ("none", Some(_)) => Err(InvalidValue::new("no compression has no level", "write none")),
        _ => Err(InvalidValue::new("there is no such compression", "write gzip[:1-9], zstd[:1-19] or none")),
    }
}

fn level<T: FromStr + PartialOrd + std::fmt::Display>(text: &str, range: RangeInclusive<T>) -> Result<T, InvalidValue> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|level| digits && range.contains(level)).ok_or_else(|| {
        let hint = format!("levels are {} to {}", range.start(), range.end());
        InvalidValue::new("there is no such level", hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_levels() {
        assert_eq!(compression("gzip"), Ok(Compression::Gzip(None)));
        assert_eq!(compression("gzip:9"), Ok(Compression::Gzip(Some(9))));
        assert_eq!(compression("zstd:19"), Ok(Compression::Zstd(Some(19))));
        assert_eq!(compression("none"), Ok(Compression::None));
        for wrong in ["", "gz", "gzip:", "gzip:0", "gzip:10", "gzip:+1", "zstd:20", "zstd:-1", "none:1"] {
            assert!(compression(wrong).is_err(), "{wrong}");
        }
    }
}
