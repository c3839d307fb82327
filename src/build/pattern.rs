//! Patterns of paths in definitions: `*` stays within a component, `**` crosses them. A pattern that matches a folder
//! matches all below it.

/// Whether `path` or one of the folders above it matches `pattern`.
pub(super) fn matches(pattern: &str, path: &[u8]) -> bool {
    let folders = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at]);
    whole(pattern.as_bytes(), path) || folders.into_iter().any(|folder| whole(pattern.as_bytes(), folder))
}

/// Whether one of `patterns` matches.
pub(super) fn any(patterns: &[String], path: &[u8]) -> bool {
    patterns.iter().any(|pattern| matches(pattern, path))
}

fn whole(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        // `**/` may stand for no folder at all.
        [b'*', b'*', b'/', rest @ ..] if whole(rest, path) => true,
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|at| whole(rest, &path[at..])),
        [b'*', rest @ ..] => {
            let component = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=component).any(|at| whole(rest, &path[at..]))
        }
        [first, rest @ ..] => path.first() == Some(first) && whole(rest, &path[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        for (pattern, path) in [
            ("usr/share/doc", "usr/share/doc/bash/copyright"),
            ("usr/share/doc/*/copyright", "usr/share/doc/bash/copyright"),
            ("usr/lib/*/gconv", "usr/lib/x86_64-linux-gnu/gconv/IBM.so"),
            ("certs/**/*.crt", "certs/mozilla/a.crt"),
            ("certs/**/*.crt", "certs/a.crt"),
            ("libawt*.so", "libawt_headless.so"),
        ] {
            assert!(matches(pattern, path.as_bytes()), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("usr/share/doc", "usr/share/docs"),
            ("usr/share/doc/*/copyright", "usr/share/doc/a/b/copyright"),
            ("usr/*/gconv", "usr/lib/x86_64-linux-gnu/gconv"),
            ("libawt*.so", "libawt.so.1"),
            ("a", ""),
        ] {
            assert!(!matches(pattern, path.as_bytes()), "{pattern} {path}");
        }
    }
}
