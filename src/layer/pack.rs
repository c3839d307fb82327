use std::io::{self, Read, Write};

use super::pipeline::Pipeline;
use super::{Compression, LayerError, Pool};
use crate::digest::Digest;

/// A layer that was packed from a tar as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The digest of the tar.
    pub diff_id: Digest,
    /// The tar's size in bytes.
    pub tar_size: u64,
    /// The digest of the blob.
    pub digest: Digest,
    /// The blob's size in bytes.
    pub size: u64,
}

/// Packs a tar that others made, and changes nothing of it: the same tar always gives the same blob. Gives `out` back for
/// its commit. `input` names the tar in errors.
pub fn pack<W: Write>(
    tar: &mut dyn Read,
    input: &str,
    out: W,
    compression: Compression,
    pool: &Pool,
    progress: Box<dyn FnMut(u64) + Send>,
) -> Result<(Packed, W), LayerError> {
    let mut pipeline = Pipeline::new(out, compression, pool, progress)?;
    loop {
        match tar.read(pipeline.room()) {
            Ok(0) => break,
            Ok(count) => pipeline.fill(count)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(LayerError::Content { path: "a layer".to_owned(), input: input.to_owned(), source });
            }
        }
    }
    let (sums, out) = pipeline.finish()?;
    let packed = Packed { diff_id: sums.diff_id, tar_size: sums.tar_size, digest: sums.digest, size: sums.size };
    Ok((packed, out))
}
