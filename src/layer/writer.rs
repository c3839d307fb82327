use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use super::header::{self, BLOCK};
use super::pipeline::Pipeline;
use super::tree::{Tree, Verdict};
use super::{Compression, Entry, EntryKind, EntryPath, EntryRecord, LayerError, Origin, Pool};
use crate::digest::{Algorithm, Digest, Hasher};

/// Writes one layer: entries in, tar, chunks, compression by the pool, hashes, out; one pass, bounded memory.
///
/// It makes missing parent folders (mode 0755, owner 0, rule `parent`), skips a folder or an equal symbolic link that is
/// there already, and refuses: anything else at one path twice, a path through a link or a file, a hard link to what is
/// not a file of this layer, `.wh.` names. Setuid and setgid bits of files are stripped and listed.
pub struct LayerWriter<W: Write> {
    pipeline: Pipeline<W>,
    tree: Tree,
    mtime: u64,
    entries: Vec<EntryRecord>,
    stripped: Vec<EntryPath>,
}

/// What a finished layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of the tar.
    pub diff_id: Digest,
    /// The tar's size in bytes.
    pub tar_size: u64,
    /// The digest of the blob.
    pub digest: Digest,
    /// The blob's size in bytes.
    pub size: u64,
    /// Every entry in order.
    pub entries: Vec<EntryRecord>,
    /// Paths that lost setuid or setgid bits.
    pub stripped: Vec<EntryPath>,
}

impl<W: Write + Send> LayerWriter<W> {
    /// A layer into `out`, whose entries all have the time `mtime` (seconds since 1970). `progress` is called with the
    /// bytes of tar written so far, about once a chunk.
    pub fn new(
        out: W,
        compression: Compression,
        mtime: u64,
        pool: &Pool,
        progress: Box<dyn FnMut(u64) + Send>,
    ) -> Result<LayerWriter<W>, LayerError> {
        Ok(LayerWriter {
            pipeline: Pipeline::new(out, compression, pool, progress)?,
            tree: Tree::default(),
            mtime,
            entries: Vec::new(),
            stripped: Vec::new(),
        })
    }

    /// Adds an entry; `content` has exactly the bytes that [`EntryKind::File`] declares.
    pub fn add(&mut self, mut entry: Entry, content: &mut dyn Read) -> Result<(), LayerError> {
        let Verdict::New(missing) = self.tree.admit(&entry)? else { return Ok(()) };
        for folder in missing {
            let origin = Origin { input: entry.origin.input.clone(), rule: Arc::from("parent") };
            let path = EntryPath::new(&folder)?;
            self.write(
                Entry { path, kind: EntryKind::Directory, mode: 0o755, uid: 0, gid: 0, origin },
                &mut io::empty(),
            )?;
        }
        if matches!(entry.kind, EntryKind::File { .. } | EntryKind::Hardlink { .. }) && entry.mode & 0o6000 != 0 {
            entry.mode &= !0o6000;
            self.stripped.push(entry.path.clone());
        }
        self.write(entry, content)
    }

    fn write(&mut self, entry: Entry, content: &mut dyn Read) -> Result<(), LayerError> {
        self.pipeline.write(&header::encode(&entry, self.mtime))?;
        let crc = match entry.kind {
            EntryKind::File { size } => self.copy(&entry, size, content)?,
            _ => 0,
        };
        self.entries.push(EntryRecord { digest: fingerprint(&entry, crc), path: entry.path, origin: entry.origin });
        Ok(())
    }

    /// Copies exactly `size` bytes and the padding; returns their CRC-32.
    fn copy(&mut self, entry: &Entry, size: u64, content: &mut dyn Read) -> Result<u32, LayerError> {
        let (path, input) = (|| entry.path.to_string(), || entry.origin.to_string());
        let failed = |source| LayerError::Content { path: path(), input: input(), source };
        let wrong = |found| LayerError::Size { path: path(), input: input(), found, declared: size };
        let (mut left, mut crc) = (size, 0);
        while left > 0 {
            let room = self.pipeline.room();
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
            let count = read_some(content, &mut room[..want]).map_err(failed)?;
            if count == 0 {
                return Err(wrong("shorter"));
            }
            crc = zlib_rs::crc32::crc32(crc, &room[..count]);
            self.pipeline.fill(count)?;
            left -= count as u64;
        }
        if read_some(content, &mut [0]).map_err(failed)? != 0 {
            return Err(wrong("longer"));
        }
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        self.pipeline.write(&[0; BLOCK][..usize::try_from(padding).unwrap_or(0)])?;
        Ok(crc)
    }

    /// Ends the tar (two zero blocks) and the compression; gives `out` back for its commit.
    pub fn finish(mut self) -> Result<(Layer, W), LayerError> {
        self.pipeline.write(&[0; 2 * BLOCK])?;
        let (sums, out) = self.pipeline.finish()?;
        let layer = Layer {
            diff_id: sums.diff_id,
            tar_size: sums.tar_size,
            digest: sums.digest,
            size: sums.size,
            entries: self.entries,
            stripped: self.stripped,
        };
        Ok((layer, out))
    }
}

fn read_some(content: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match content.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn fingerprint(entry: &Entry, crc: u32) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let (kind, size, target) = match &entry.kind {
        EntryKind::Directory => (b'd', 0, &[][..]),
        EntryKind::File { size } => (b'f', *size, &[][..]),
        EntryKind::Symlink { target } => (b'l', 0, target.as_slice()),
        EntryKind::Hardlink { target } => (b'h', 0, target.as_bytes()),
    };
    for part in [&[kind][..], entry.path.as_bytes(), target] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    for number in [u64::from(entry.mode), u64::from(entry.uid), u64::from(entry.gid), size, u64::from(crc)] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.finish()
}

impl<W: Write> fmt::Debug for LayerWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerWriter").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}
