//! Bytes of tar in, bytes of a blob out: cut into chunks, encoded by the pool, hashed and written in order.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::mpsc::Receiver;

use super::{Compression, LayerError, Pool};
use crate::digest::{Algorithm, Digest, Hasher};

type Encoded = Receiver<Result<Vec<u8>, LayerError>>;

pub(super) struct Pipeline<W> {
    out: W,
    compression: Compression,
    pool: Pool,
    chunk: Vec<u8>,
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
            chunk: Vec::with_capacity(compression.chunk_size()),
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
            let room = self.compression.chunk_size() - self.chunk.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
            if self.chunk.len() == self.compression.chunk_size() {
                self.submit()?;
            }
        }
        Ok(())
    }

    fn submit(&mut self) -> Result<(), LayerError> {
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(self.compression.chunk_size()));
        self.tar.update(&chunk);
        self.crc = zlib_rs::crc32::crc32(self.crc, &chunk);
        self.tar_size += chunk.len() as u64;
        (self.progress)(self.tar_size);
        let compression = self.compression;
        self.pending.push_back(self.pool.run(move || compression.encode(chunk)));
        // Enough that the threads have work while this one reads, and no more.
        while self.pending.len() > self.pool.threads() + 1 {
            self.take_one()?;
        }
        Ok(())
    }

    fn take_one(&mut self) -> Result<(), LayerError> {
        let Some(receiver) = self.pending.pop_front() else { return Ok(()) };
        let stopped = |_| LayerError::Encoder("a thread of the pool stopped".to_owned());
        let encoded = receiver.recv().map_err(stopped)??;
        self.put(&encoded)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), LayerError> {
        self.blob.update(bytes);
        self.blob_size += bytes.len() as u64;
        self.out.write_all(bytes).map_err(LayerError::Output)
    }

    pub(super) fn finish(mut self) -> Result<(Sums, W), LayerError> {
        if !self.chunk.is_empty() {
            self.submit()?;
        }
        while !self.pending.is_empty() {
            self.take_one()?;
        }
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
