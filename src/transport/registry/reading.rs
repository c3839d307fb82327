use std::io::{self, Read};

use tokio::runtime::Handle;

use super::Session;
use super::redirect::{self, PAGE, is_page, refused, wrong};
use crate::copy::CopyError;
use crate::net::{Answer, Tries};
use crate::oci::Descriptor;

/// A blob as it comes, not verified. Where it breaks off it goes on by Range; a registry that knows no ranges sends again
/// what came already, and that is left out.
pub(super) struct Reading {
    session: Session,
    runtime: Handle,
    url: String,
    name: String,
    size: u64,
    /// What the reader has, or finds in `piece`.
    offset: u64,
    /// Bytes of the answer that the reader has already.
    skip: u64,
    /// Whether ranges are worth a try.
    ranges: bool,
    etag: Option<String>,
    tries: Tries,
    /// Bytes since the last failure.
    gained: u64,
    answer: Option<Answer>,
    piece: io::Cursor<Vec<u8>>,
}

impl Reading {
    pub(super) fn new(session: Session, runtime: Handle, blob: &Descriptor, offset: u64) -> Reading {
        let name = blob.digest.to_string();
        Reading {
            url: session.url(&format!("blobs/{name}")),
            name,
            size: blob.size,
            offset,
            skip: 0,
            ranges: true,
            etag: None,
            tries: session.client().tries(),
            gained: 0,
            answer: None,
            piece: io::Cursor::new(Vec::new()),
            session,
            runtime,
        }
    }

    /// Whether there is another piece.
    async fn next(&mut self) -> Result<bool, CopyError> {
        loop {
            let Some(mut answer) = self.answer.take() else {
                if self.offset >= self.size {
                    return Ok(false);
                }
                self.answer = self.begin().await?;
                continue;
            };
            match answer.piece().await {
                Ok(Some(piece)) => {
                    self.answer = Some(answer);
                    if self.take(piece)? {
                        return Ok(true);
                    }
                }
                // All of it came, however the connection ended.
                _ if self.offset == self.size && self.skip == 0 => return Ok(false),
                Ok(None) => self.again(format!("it ends after {} of {} bytes", self.offset, self.size)).await?,
                Err(failure) => self.again(failure.to_string()).await?,
            }
        }
    }

    /// Takes what came; whether there is anything new in it.
    fn take(&mut self, mut piece: Vec<u8>) -> Result<bool, CopyError> {
        let known = self.skip.min(piece.len() as u64);
        self.skip -= known;
        let new = piece.split_off(usize::try_from(known).unwrap_or_default());
        if new.len() as u64 > self.size - self.offset {
            return Err(wrong(&self.session, &self.name, format!("it has more than its {} bytes", self.size)));
        }
        self.offset += new.len() as u64;
        self.gained += new.len() as u64;
        let is_new = !new.is_empty();
        self.piece = io::Cursor::new(new);
        Ok(is_new)
    }

    /// Asks for what is missing. `None` where it is to be asked for otherwise.
    async fn begin(&mut self) -> Result<Option<Answer>, CopyError> {
        let mut headers: Vec<(&'static str, String)> = Vec::new();
        let ranged = self.offset > 0 && self.ranges;
        if ranged {
            headers.push(("range", format!("bytes={}-", self.offset)));
            headers.extend(self.etag.clone().map(|etag| ("if-range", etag)));
        }
        let answer = redirect::read(&self.session, &self.name, &self.url, &headers).await?;
        match answer.status {
            200 => {
                self.is_whole(&answer)?;
                self.skip = self.offset;
            }
            206 if continues(answer.header("content-range"), self.offset, self.size) => self.skip = 0,
            // The range is not what was asked for, or it is told that there is none: the whole tells more.
            206 | 416 if ranged => {
                self.ranges = false;
                return Ok(None);
            }
            206 => return Err(refused(&self.session, &self.name, "it sends a part that was not asked for".to_owned())),
            _ => return Err(self.session.refused(&self.name, answer).await),
        }
        // A weak one says nothing about bytes (RFC 9110, 13.1.5).
        let strong = |etag: &&str| etag.starts_with('"');
        self.etag = answer.header("etag").filter(strong).map(str::to_owned);
        Ok(Some(answer))
    }

    /// Whether an answer may be the whole blob.
    fn is_whole(&self, answer: &Answer) -> Result<(), CopyError> {
        let length: Option<u64> = answer.header("content-length").and_then(|text| text.parse().ok());
        match length {
            Some(length) if length != self.size && is_page(answer) => {
                Err(refused(&self.session, &self.name, PAGE.to_owned()))
            }
            Some(length) if length != self.size => {
                let why = format!("it has {length} bytes there, and {} in its manifest", self.size);
                Err(wrong(&self.session, &self.name, why))
            }
            _ => Ok(()),
        }
    }

    /// Waits for another try, where there is one.
    async fn again(&mut self, why: String) -> Result<(), CopyError> {
        match self.tries.failed(std::mem::take(&mut self.gained), None) {
            Some(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => Err(refused(&self.session, &self.name, why)),
        }
    }
}

/// Whether a Content-Range is what is missing, or its beginning (RFC 9110, 14.4).
fn continues(range: Option<&str>, offset: u64, size: u64) -> bool {
    let digits =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let parse = || {
        let (part, total) = range?.trim().strip_prefix("bytes ")?.trim().split_once('/')?;
        let (first, last) = part.split_once('-')?;
        let total = if total == "*" { size } else { digits(total)? };
        Some((digits(first)?, digits(last)?, total))
    };
    parse().is_some_and(|(first, last, total)| first == offset && (first..size).contains(&last) && total == size)
}

impl Read for Reading {
    /// A failure carries its [`CopyError`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let runtime = self.runtime.clone();
            if !runtime.block_on(self.next())? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_continues_exactly_is_continued() {
        let continues = |text: &str| continues(Some(text), 10, 100);
        assert!(continues("bytes 10-99/100") && continues("bytes 10-19/*"));
        for wrong in
            ["", "bytes", "bytes */100", "bytes 9-99/100", "bytes 10-100/*", "bytes 10-99/101", "bytes 10-9/100"]
        {
            assert!(!continues(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_range_is_read(text in "[ -~]{0,40}", offset: u64, size: u64) {
            let _ = continues(Some(&text), offset, size);
        }
    }
}
