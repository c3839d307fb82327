//! Bytes of tar in, bytes of a blob out: cut into chunks, encoded by the pool, hashed and written in order.

use std::collections::VecDeque;
use std::io::Write;

use super::pool::Running;
use super::{Compression, LayerError, Pool};
use crate::digest::{Algorithm, Digest, Hasher};

type Encoded = Running<Result<Vec<u8>, LayerError>>;

pub(super) struct Pipeline<W> {
    out: W,
    compression: Compression,
    pool: Pool,
    /// The chunk that is being filled, of full length, and how much of it is.
    chunk: Vec<u8>,
    filled: usize,
    /// Chunks under way, in order; bounded, so memory is.
    pending: VecDeque<Encoded>,
    tar: Hasher,
    tar_size: u64,
    crc: u32,
    blob: Hasher,
    blob_size: u64,
    progress: Box<dyn FnMut(u64) + Send>,
}

/// Digests and sizes of a tar and its blob.
pub(super) struct Sums {
    pub diff_id: Digest,
    pub tar_size: u64,
    pub digest: Digest,
    pub size: u64,
}

impl<W: Write> Pipeline<W> {
    pub(super) fn new(
        out: W,
        compression: Compression,
        pool: &Pool,
        progress: Box<dyn FnMut(u64) + Send>,
    ) -> Result<Pipeline<W>, LayerError> {
        let mut pipeline = Pipeline {
            out,
            compression,
            pool: pool.clone(),
            chunk: pool.chunk(compression.chunk_size()),
            filled: 0,
            pending: VecDeque::new(),
            tar: Hasher::new(Algorithm::Sha256),
            tar_size: 0,
            crc: 0,
            blob: Hasher::new(Algorithm::Sha256),
            blob_size: 0,
            progress,
        };
        pipeline.put(compression.header())?;
        Ok(pipeline)
    }

    /// Takes bytes of tar.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), LayerError> {
        while !bytes.is_empty() {
            let room = self.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            self.fill(count)?;
        }
        Ok(())
    }

    /// Where the next bytes of tar go, at least one: [`Pipeline::fill`] tells how many came.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.chunk[self.filled..]
    }

    /// Takes so many bytes that lie in the room.
    pub(super) fn fill(&mut self, count: usize) -> Result<(), LayerError> {
        self.filled += count;
        if self.filled == self.chunk.len() { self.submit() } else { Ok(()) }
    }

    fn submit(&mut self) -> Result<(), LayerError> {
        let filled = std::mem::take(&mut self.filled);
        let chunk = std::mem::replace(&mut self.chunk, self.pool.chunk(self.compression.chunk_size()));
        self.tar.update(&chunk[..filled]);
        self.crc = zlib_rs::crc32::crc32(self.crc, &chunk[..filled]);
        self.tar_size += filled as u64;
        (self.progress)(self.tar_size);
        let (compression, pool) = (self.compression, self.pool.clone());
        self.pending.push_back(self.pool.run(move |room| {
            let encoded = compression.encode(&chunk[..filled], room);
            pool.give_back(chunk);
            encoded
        }));
        while self.pool.is_ahead(self.pending.len()) {
            self.take_one()?;
        }
        Ok(())
    }

    fn take_one(&mut self) -> Result<(), LayerError> {
        let Some(running) = self.pending.pop_front() else { return Ok(()) };
        let stopped = |_| LayerError::Encoder("a thread of the pool stopped".to_owned());
        let encoded = running.wait().map_err(stopped)??;
        self.put(&encoded)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), LayerError> {
        self.blob.update(bytes);
        self.blob_size += bytes.len() as u64;
        self.out.write_all(bytes).map_err(LayerError::Output)
    }

    pub(super) fn finish(mut self) -> Result<(Sums, W), LayerError> {
        if self.filled > 0 {
            self.submit()?;
        }
        while !self.pending.is_empty() {
            self.take_one()?;
        }
        self.pool.give_back(std::mem::take(&mut self.chunk));
        self.put(&self.compression.trailer(self.crc, self.tar_size))?;
        self.out.flush().map_err(LayerError::Output)?;
        let sums = Sums {
            diff_id: self.tar.finish(),
            tar_size: self.tar_size,
            digest: self.blob.finish(),
            size: self.blob_size,
        };
        Ok((sums, self.out))
    }
}
