//! Layers: entries, each with its origin, become a deterministic tar, compressed by all cores, in one pass.
//!
//! Nothing here reads a clock, an environment, a folder's order or the machine's number of cores into the bytes.

mod chunk;
mod entry;
mod error;
mod extension;
mod gzip;
mod header;
mod members;
mod outside;
mod pack;
mod path;
mod pipeline;
mod pool;
mod scan;
mod tree;
mod unpacked;
mod writer;
mod zip_archive;
mod zip_member;

pub use chunk::Compression;
pub use entry::{Entry, EntryKind, EntryRecord, Origin};
pub use error::LayerError;
pub use header::encode as tar_header;
pub use members::{Member, Members, Passing, pass_members};
pub use outside::{Limits, read_tar};
pub use pack::{Packed, pack};
pub use path::EntryPath;
pub use pool::Pool;
pub use unpacked::unpacked;
pub use writer::{Layer, LayerWriter};
pub use zip_archive::read_zip;
pub use zip_member::{zip_member, zip_names};

/// The version of all that shapes a layer's bytes: the tar writer, the chunks, the encoders. A change of any of it is a
/// new epoch.
pub const EPOCH: u32 = 1;
