//! What the build embeds, made by `build.rs`: the programs inside images, and every file below `images/`.

/// A program inside images.
#[derive(Debug)]
pub struct Entrypoint {
    /// The architecture it runs on, in OCI's words.
    pub architecture: &'static str,
    /// Its bytes.
    pub program: &'static [u8],
    /// Their SHA-256 digest.
    pub sha256: &'static str,
    /// `pinned`: the project's bytes for that compiler; or `own build`.
    pub kind: &'static str,
    /// Its line in `images/entrypoint/pins.txt`: digest, target, compiler.
    pub build: &'static str,
}

/// The program for an architecture; `None` where this kimg was compiled without one.
pub fn entrypoint(architecture: &str) -> Option<&'static Entrypoint> {
    ENTRYPOINTS.iter().find(|entrypoint| entrypoint.architecture == architecture)
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
