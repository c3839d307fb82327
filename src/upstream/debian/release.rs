use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use super::{DebianError, stanza};
use crate::digest::Digest;

/// A Release file, out of the signed text of an InRelease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// `bookworm-security`.
    pub codename: String,
    /// When it was made, seconds since 1970.
    pub date: u64,
    /// Until when it holds, seconds since 1970.
    pub valid_until: Option<u64>,
    /// Whether files can be asked for by their digest, so that they never change under a reader.
    pub by_hash: bool,
    /// Digest and size of each file, by its path below the suite's folder.
    pub files: BTreeMap<String, (Digest, u64)>,
}

impl Release {
    /// Reads the signed text; `file` names it in errors.
    pub fn parse(text: &str, file: &str) -> Result<Release, DebianError> {
        let malformed = |why: String| DebianError::Malformed { file: file.to_owned(), why };
        let fields = stanza::fields(text);
        let field = |name: &str| stanza::get(&fields, name);
        let time = |name: &str| field(name).map(|text| seconds(text).ok_or(text)).transpose();
        let date = time("Date").map_err(|text| malformed(format!("its Date `{}` is no time", text.escape_debug())))?;
        let valid_until = time("Valid-Until")
            .map_err(|text| malformed(format!("its Valid-Until `{}` is no time", text.escape_debug())))?;
        let list = field("SHA256").ok_or_else(|| malformed("it has no SHA256 list".to_owned()))?;
        let mut files = BTreeMap::new();
        for line in list.lines().filter(|line| !line.is_empty()) {
            let (path, entry) =
                entry(line).ok_or_else(|| malformed(format!("line `{}` of its SHA256 list", line.escape_debug())))?;
            files.insert(path, entry);
        }
        Ok(Release {
            codename: field("Codename").unwrap_or_default().to_owned(),
            date: date.ok_or_else(|| malformed("it has no Date".to_owned()))?,
            valid_until,
            by_hash: field("Acquire-By-Hash") == Some("yes"),
            files,
        })
    }
}

fn entry(line: &str) -> Option<(String, (Digest, u64))> {
    let mut words = line.split_whitespace();
    let digest = format!("sha256:{}", words.next()?).parse().ok()?;
    let size = words.next()?.parse().ok()?;
    let path = words.next()?.to_owned();
    words.next().is_none().then_some((path, (digest, size)))
}

/// `Sat, 22 Nov 2026 08:12:34 UTC` (Debian Policy 5.6.17, RFC 5322), which is HTTP's form with another name of the zone.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim_end_matches("UTC").trim_end_matches("+0000").trim_end().to_owned();
    // HTTP wants two digits of the day.
    let text = match text.split_once(", ") {
        Some((weekday, rest)) if rest.find(' ') == Some(1) => format!("{weekday}, 0{rest}"),
        _ => text,
    };
    let time = httpdate::parse_http_date(&format!("{text} GMT")).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "Origin: Debian\nCodename: bookworm\nDate: Sat, 21 Nov 2026 08:12:34 UTC\nAcquire-By-Hash: yes\n\
        MD5Sum:\n 00 1 x\nSHA256:\n e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages\n";

    #[test]
    fn fields_are_read() {
        let release = Release::parse(TEXT, "InRelease").unwrap();
        assert_eq!((release.codename.as_str(), release.by_hash, release.valid_until), ("bookworm", true, None));
        assert_eq!(crate::lock::rfc3339(release.date), "2026-11-21T08:12:34Z");
        assert_eq!(release.files["main/binary-amd64/Packages"], (Digest::of(b""), 0));
        assert_eq!(seconds("Sat, 1 Nov 2026 08:12:34 UTC"), seconds("Sat, 01 Nov 2026 08:12:34 UTC"));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (right, wrong, says) in [
            ("Date", "Dote", "it has no Date"),
            ("08:12:34", "8 o'clock", "is no time"),
            ("SHA256:", "SHA1:", "it has no SHA256 list"),
            (" 0 main", " main", "of its SHA256 list"),
        ] {
            let error = Release::parse(&TEXT.replace(right, wrong), "InRelease").unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), at in 0..TEXT.len()) {
            let _ = Release::parse(&text, "InRelease");
            let _ = Release::parse(&format!("{}{text}{}", &TEXT[..at], &TEXT[at..]), "InRelease");
        }
    }
}
