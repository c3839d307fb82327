use std::fmt;

use super::LayerError;

/// Linux's PATH_MAX; no container runtime could make a longer path in one call.
const LONGEST: usize = 4096;

/// A path in an image: relative, without `.`, `..`, empty components or NUL; bytes, for names need not be UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryPath(Vec<u8>);

impl EntryPath {
    /// Normalises a path from outside: a leading `./`, `.` components and trailing `/` are dropped; an absolute path,
    /// `..`, NUL, the empty path, and more than 4096 bytes are refused.
    pub fn new(bytes: &[u8]) -> Result<EntryPath, LayerError> {
        let refuse = |why| Err(LayerError::Path { path: bytes.escape_ascii().to_string(), why });
        if bytes.first() == Some(&b'/') {
            return refuse("it is absolute");
        }
        if bytes.contains(&0) {
            return refuse("it holds a NUL byte");
        }
        let parts = || bytes.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
        if parts().any(|part| part == b"..") {
            return refuse("it climbs by `..`");
        }
        let clean = parts().collect::<Vec<_>>().join(&b'/');
        match clean.len() {
            0 => refuse("it is empty"),
            length if length > LONGEST => refuse("it is longer than 4096 bytes"),
            _ => Ok(EntryPath(clean)),
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The folders above it, the topmost first.
    pub(super) fn ancestors(&self) -> impl Iterator<Item = &[u8]> {
        let slashes = self.0.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes.map(|(at, _)| &self.0[..at])
    }

    /// Whether a symbolic link at this path with this target stays inside the image's root. An absolute target is
    /// resolved inside the root, so it does.
    pub(super) fn holds_link(&self, target: &[u8]) -> bool {
        if target.first() == Some(&b'/') {
            return true;
        }
        let mut depth = self.ancestors().count();
        for part in target.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." if depth == 0 => return false,
                b".." => depth -= 1,
                _ => depth += 1,
            }
        }
        true
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for EntryPath {
    /// Escaped, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_dropped_and_what_is_refused() {
        assert_eq!(EntryPath::new(b"./usr//bin/./x/").unwrap().as_bytes(), b"usr/bin/x");
        for wrong in [&b"/etc"[..], b"", ".".as_bytes(), b"./", b"a/../b", b"..", b"a\0b", &[b'a'; 4097]] {
            assert!(EntryPath::new(wrong).is_err(), "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn links_that_leave_the_root() {
        let path = EntryPath::new(b"usr/lib/x").unwrap();
        for (target, inside) in
            [("../../etc/x", true), ("../../../etc", false), ("/etc", true), ("a/../../../..", false)]
        {
            assert_eq!(path.holds_link(target.as_bytes()), inside, "{target}");
        }
    }

    proptest! {
        #[test]
        fn a_path_is_its_own_normal_form(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(path) = EntryPath::new(&bytes) {
                prop_assert_eq!(EntryPath::new(path.as_bytes()).unwrap(), path);
            }
        }
    }
}
