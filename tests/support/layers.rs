//! Layers out of synthetic entries, and bytes of every nature that are the same everywhere.

use std::io::{self, Read};
use std::sync::Arc;

use kimg::layer::{Compression, Entry, EntryKind, EntryPath, Layer, LayerError, LayerWriter, Origin, Pool};

/// The time of all entries.
pub const MTIME: u64 = 1_700_000_000;

/// A small generator of our own (xorshift64*), so that no crate's update changes the bytes.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

#[allow(dead_code, reason = "each test program uses a part of this")]
impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Bytes that no encoder makes smaller.
    pub fn noise(&mut self, size: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(size);
        bytes
    }

    /// Lines of words.
    pub fn text(&mut self, size: usize) -> Vec<u8> {
        const WORDS: [&str; 16] = [
            "broker", "log", "segment", "the", "of", "replica", "offset", "0", "=", "listener", "fetch", "true",
            "quorum", "\n", "epoch", "1024",
        ];
        let mut bytes = Vec::with_capacity(size + 16);
        while bytes.len() < size {
            let number = self.next();
            bytes.extend_from_slice(WORDS[(number >> 60) as usize].as_bytes());
            bytes.push(b" .,;-_/\t"[(number >> 32 & 7) as usize]);
        }
        bytes.truncate(size);
        bytes
    }

    /// Runs of text, zeros and noise, as archives of many files have them.
    pub fn mix(&mut self, size: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size + (64 << 10));
        while bytes.len() < size {
            let number = self.next();
            let run = 1 + (number & 0xffff) as usize;
            match number >> 62 {
                0 => bytes.extend(self.noise(run)),
                1 => bytes.resize(bytes.len() + run, 0),
                _ => bytes.extend(self.text(run)),
            }
        }
        bytes.truncate(size);
        bytes
    }
}

/// An entry and its contents.
pub type Item = (Entry, Vec<u8>);

/// An entry of root's, out of the input `test`.
pub fn entry(path: &[u8], kind: EntryKind) -> Entry {
    let mode = if matches!(kind, EntryKind::File { .. }) { 0o644 } else { 0o755 };
    let origin = Origin { input: Arc::from("test"), rule: Arc::from("package") };
    Entry { path: EntryPath::new(path).unwrap(), kind, mode, uid: 0, gid: 0, origin }
}

/// A file.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn file(path: &[u8], bytes: Vec<u8>) -> Item {
    (entry(path, EntryKind::File { size: bytes.len() as u64 }), bytes)
}

/// A folder.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn folder(path: &[u8]) -> Item {
    (entry(path, EntryKind::Directory), Vec::new())
}

/// A symbolic link.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn symlink(path: &[u8], target: &[u8]) -> Item {
    (entry(path, EntryKind::Symlink { target: target.to_vec() }), Vec::new())
}

/// A hard link.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub fn hardlink(path: &[u8], target: &[u8]) -> Item {
    (entry(path, EntryKind::Hardlink { target: EntryPath::new(target).unwrap() }), Vec::new())
}

/// The layer of these entries and its blob.
pub fn write(items: &[Item], compression: Compression, threads: usize) -> Result<(Layer, Vec<u8>), LayerError> {
    write_by(items, compression, threads, |bytes| Box::new(bytes))
}

/// The same; `reader` says how contents are read.
pub fn write_by<'a>(
    items: &'a [Item],
    compression: Compression,
    threads: usize,
    mut reader: impl FnMut(&'a [u8]) -> Box<dyn Read + 'a>,
) -> Result<(Layer, Vec<u8>), LayerError> {
    let mut writer = LayerWriter::new(Vec::new(), compression, MTIME, &Pool::new(threads), Box::new(|_| {}))?;
    for (entry, bytes) in items {
        writer.add(entry.clone(), &mut reader(bytes))?;
    }
    writer.finish()
}

/// A reader that gives as many bytes at once as a generator says, and is interrupted now and then.
#[allow(dead_code, reason = "each test program uses a part of this")]
pub struct Dribble<'a> {
    /// What is left.
    pub bytes: &'a [u8],
    /// Says how many.
    pub random: Random,
    /// At most so many.
    pub most: u64,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let number = self.random.next() >> 8;
        if number.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = usize::try_from(1 + number % self.most).unwrap().min(buffer.len());
        self.bytes.read(&mut buffer[..count])
    }
}
