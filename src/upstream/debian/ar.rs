//! The outer archive of a .deb: ar as deb(5) has it, without the extensions for long names, in which a crate for it panicked.

use std::io::{self, Read};

/// What the archive begins with.
const MAGIC: &[u8] = b"!<arch>\n";

/// A member's header: name (16 bytes), time (12), owner and group (6 each), mode (8), size (10), and two that end it.
const HEADER: usize = 60;

/// The archive, read from its start to its end.
pub(super) struct Archive<R> {
    inner: R,
    /// What is left of the member that was handed out, with the byte that pads it to an even number.
    left: u64,
    padding: u64,
    begun: bool,
}

/// A member; what is not read of it is skipped. A .deb that ends before its member does is an error.
pub(super) struct Member<'a, R> {
    /// `data.tar.xz`.
    pub(super) name: String,
    archive: &'a mut Archive<R>,
}

impl<R: Read> Archive<R> {
    pub(super) fn new(inner: R) -> Archive<R> {
        Archive { inner, left: 0, padding: 0, begun: false }
    }

    /// The next member; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Member<'_, R>>> {
        if !self.begun {
            let mut magic = [0; MAGIC.len()];
            self.inner.read_exact(&mut magic).map_err(|_| wrong("it is no ar archive"))?;
            if magic != MAGIC {
                return Err(wrong("it is no ar archive"));
            }
            self.begun = true;
        }
        self.skip()?;
        let mut header = [0; HEADER];
        match self.inner.read(&mut header)? {
            0 => return Ok(None),
            count => self.inner.read_exact(&mut header[count..]).map_err(cut)?,
        }
        if &header[58..] != b"`\n" {
            return Err(wrong("a header in it does not end as it should"));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches(' ').to_owned();
        // GNU's ar ends names with a slash.
        let name = text(&header[..16]).trim_end_matches('/').to_owned();
        let size = text(&header[48..58]);
        let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
        self.left = size.parse().ok().filter(|_| digits).ok_or_else(|| wrong("a member of it has no size"))?;
        self.padding = self.left % 2;
        Ok(Some(Member { name, archive: self }))
    }

    fn skip(&mut self) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.inner).take(self.left), &mut io::sink())?;
        if skipped < self.left {
            return Err(cut(io::ErrorKind::UnexpectedEof.into()));
        }
        // The last member's padding is left out by some programs.
        io::copy(&mut (&mut self.inner).take(self.padding), &mut io::sink())?;
        (self.left, self.padding) = (0, 0);
        Ok(())
    }
}

impl<R: Read> Read for Member<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let archive = &mut *self.archive;
        let most = usize::try_from(archive.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = archive.inner.read(&mut buffer[..most])?;
        if count == 0 && most > 0 {
            return Err(cut(io::ErrorKind::UnexpectedEof.into()));
        }
        archive.left -= count as u64;
        Ok(count)
    }
}

fn cut(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the .deb ends before its member does"),
        _ => error,
    }
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
