//! How a layer's tar is cut and encoded.

use super::LayerError;
use super::gzip;

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// One gzip member of chunks at the epoch's level, or another (1 to 9).
    Gzip(Option<u32>),
    /// Zstandard at this level (1 to 19), the epoch's where absent. Each chunk is a frame of its own (RFC 8878, 3.1),
    /// so that all cores compress and the number of threads does not show.
    Zstd(Option<i32>),
}

/// zstd loses little at frames of this size, and all cores of a small layer have work.
const ZSTD_CHUNK: usize = 4 << 20;

/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

impl Compression {
    /// Bytes of tar in a chunk.
    pub(super) fn chunk_size(self) -> usize {
        match self {
            Compression::None | Compression::Gzip(_) => gzip::CHUNK,
            Compression::Zstd(_) => ZSTD_CHUNK,
        }
    }

    /// What comes before the chunks.
    pub(super) fn header(self) -> &'static [u8] {
        match self {
            Compression::Gzip(_) => &gzip::HEADER,
            Compression::None | Compression::Zstd(_) => &[],
        }
    }

    /// A chunk, encoded; depends on nothing but its bytes. `room` is there for a buffer that is used again.
    pub(super) fn encode(self, bytes: &[u8], room: &mut Vec<u8>) -> Result<Vec<u8>, LayerError> {
        match self {
            Compression::None => Ok(bytes.to_vec()),
            Compression::Gzip(level) => gzip::chunk(bytes, level.unwrap_or(gzip::LEVEL), room),
            Compression::Zstd(level) => {
                let most = zstd::zstd_safe::compress_bound(ZSTD_CHUNK);
                if room.len() != most {
                    *room = vec![0; most];
                }
                zstd::bulk::compress_to_buffer(bytes, room.as_mut_slice(), level.unwrap_or(ZSTD_LEVEL))
                    .map(|length| room[..length].to_vec())
                    .map_err(|error| LayerError::Encoder(error.to_string()))
            }
        }
    }

    /// What comes after the chunks of a tar of `size` bytes with this CRC-32.
    pub(super) fn trailer(self, crc: u32, size: u64) -> Vec<u8> {
        match self {
            Compression::Gzip(_) => gzip::trailer(crc, size),
            Compression::None | Compression::Zstd(_) => Vec::new(),
        }
    }
}
