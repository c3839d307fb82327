//! What the build embeds (temporary).
/// Files below `images/`.
pub static FILES: &[(&str, &[u8])] = &[];
/// The program inside images.
pub static ENTRYPOINT: &[u8] = b"";
/// Its digest.
pub const ENTRYPOINT_SHA256: &str = "";
/// The hash of src/layer and src/build.
pub const ASSEMBLY_HASH: &str = "";
