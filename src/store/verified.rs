use std::io::{self, Read};

use crate::digest::{Digest, Hasher};

/// A reader that verifies: the read that would return the end of the stream fails with [`io::ErrorKind::InvalidData`]
/// where size or digest do not fit, and so does the first byte too many. So nobody can forget to check.
pub struct Verified<R> {
    inner: R,
    hasher: Option<Hasher>,
    expected: Digest,
    left: u64,
    size: u64,
}

impl<R: Read> Verified<R> {
    /// Expects `size` bytes with that digest.
    pub fn new(inner: R, expected: Digest, size: u64) -> Verified<R> {
        Verified { inner, hasher: Some(Hasher::new(expected.algorithm())), expected, left: size, size }
    }

    fn wrong(&self, why: &str) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("expected {} of {} bytes, found {why}", self.expected, self.size),
        )
    }

    fn end(&mut self) -> io::Result<usize> {
        if self.left > 0 {
            return Err(self.wrong(&format!("{} bytes", self.size - self.left)));
        }
        match self.hasher.take().map(Hasher::finish) {
            Some(found) if found != self.expected => {
                // Every further read fails too.
                self.left = u64::MAX;
                Err(self.wrong(&found.to_string()))
            }
            _ => Ok(0),
        }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.hasher.is_none() && self.left > 0 {
            return Err(self.wrong("other bytes"));
        }
        let count = self.inner.read(buffer)?;
        if count == 0 {
            return self.end();
        }
        if count as u64 > self.left {
            // Every further read fails too, though the bytes before may have been right.
            (self.hasher, self.left) = (None, u64::MAX);
            return Err(self.wrong("more bytes"));
        }
        self.left -= count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        Ok(count)
    }
}

impl<R> std::fmt::Debug for Verified<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified").field("expected", &self.expected).field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], of: &[u8], size: u64) -> io::Result<Vec<u8>> {
        let mut found = Vec::new();
        Verified::new(bytes, Digest::of(of), size).read_to_end(&mut found).map(|_| found)
    }

    proptest! {
        #[test]
        fn only_the_very_bytes_come_to_an_end(right in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
            let size = right.len() as u64;
            prop_assert_eq!(read(&right, &right, size).unwrap(), right.clone());
            prop_assert_eq!(read(&other, &right, size).is_ok(), other == right);
            prop_assert!(read(&right, &right, size + 1).is_err());
        }
    }

    #[test]
    fn after_a_failure_every_read_fails() {
        for wrong in ["abd", "ab", "abcd"] {
            let mut reader = Verified::new(wrong.as_bytes(), Digest::of(b"abc"), 3);
            let mut byte = [0];
            while reader.read(&mut byte).is_ok_and(|count| count > 0) {}
            assert!(reader.read(&mut byte).is_err(), "{wrong}");
        }
    }
}
