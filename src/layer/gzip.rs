//! Gzip (RFC 1952) as one member of chunks that are compressed on their own: the same bytes on any number of threads.
//!
//! Two traps of zlib-rs are avoided (both seen): an encoder that is reset leaks state of the chunk before, so each chunk
//! has a fresh one; and the output depends on the size of the output buffer, so each chunk is compressed by one call
//! into a buffer of one size. Stored blocks are written here, not by level 0, whose output depends on the buffer most.

use zlib_rs::{Deflate, DeflateFlush, Status};

use super::LayerError;

/// Bytes of tar in a chunk.
pub(super) const CHUNK: usize = 1 << 20;

/// The level of the epoch.
pub(super) const LEVEL: u32 = 3;

/// Deflate's expansion is far below an eighth; see zlib's deflateBound.
const BUFFER: usize = CHUNK + CHUNK / 8 + 4096;

/// RFC 1952: no name, no time, and an unknown operating system.
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A last block, empty, of fixed codes.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// What follows the chunks.
pub(super) fn trailer(crc: u32, size: u64) -> Vec<u8> {
    // RFC 1952: the size modulo 2^32.
    let size = (size & u64::from(u32::MAX)) as u32;
    [&LAST_BLOCK[..], &crc.to_le_bytes(), &size.to_le_bytes()].concat()
}

/// One chunk as whole bytes of deflate blocks, none of them the last. `room` is a buffer that is used again.
pub(super) fn chunk(bytes: &[u8], level: u32, room: &mut Vec<u8>) -> Result<Vec<u8>, LayerError> {
    if room.len() != BUFFER {
        *room = vec![0; BUFFER];
    }
    if !looks_compressible(bytes, room)? {
        return Ok(stored(bytes));
    }
    let length = deflate(bytes, level, room)?;
    Ok(if length < bytes.len() { room[..length].to_vec() } else { stored(bytes) })
}

/// Fills the buffer's start, and returns the length.
fn deflate(bytes: &[u8], level: u32, buffer: &mut [u8]) -> Result<usize, LayerError> {
    let mut encoder = Deflate::new(i32::try_from(level).unwrap_or(9), false, 15);
    let status = encoder
        .compress(bytes, buffer, DeflateFlush::SyncFlush)
        .map_err(|error| LayerError::Encoder(format!("{error:?}")))?;
    if status != Status::Ok || encoder.total_in() != bytes.len() as u64 {
        return Err(LayerError::Encoder(format!("a chunk of {} bytes ended as {status:?}", bytes.len())));
    }
    Ok(usize::try_from(encoder.total_out()).unwrap_or(buffer.len()))
}

/// Samples of a chunk tell whether compressing it is worth the time: jars are compressed already.
const SAMPLE: usize = 16 << 10;
const SAMPLES: usize = 4;

/// A sample that keeps more than this share of its size, in percent, is not compressible.
const WORTH: usize = 95;

fn looks_compressible(bytes: &[u8], room: &mut [u8]) -> Result<bool, LayerError> {
    if bytes.len() <= SAMPLE * SAMPLES {
        return Ok(true);
    }
    let stride = (bytes.len() - SAMPLE) / (SAMPLES - 1);
    let mut kept = 0;
    for index in 0..SAMPLES {
        let start = index * stride;
        kept += deflate(&bytes[start..start + SAMPLE], 1, &mut room[..SAMPLE * 2])?;
    }
    Ok(kept * 100 <= SAMPLE * SAMPLES * WORTH)
}

/// Stored blocks (RFC 1951, 3.2.4) of at most 65,535 bytes; they begin at a byte because every chunk ends at one.
fn stored(bytes: &[u8]) -> Vec<u8> {
    const LONGEST: usize = 65_535;
    let mut output = Vec::with_capacity(bytes.len() + 5 * bytes.len().div_ceil(LONGEST));
    for block in bytes.chunks(LONGEST) {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        output.push(0);
        output.extend_from_slice(&length.to_le_bytes());
        output.extend_from_slice(&(!length).to_le_bytes());
        output.extend_from_slice(block);
    }
    output
}
