use crate::oci::Platform;

/// What of an image is copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The platforms of an index; empty for all. One makes its manifest the root; of several the index stays as it is,
    /// sparse in the sink.
    pub platforms: Vec<Platform>,
    /// Several platforms get an index of their own instead, which is another one.
    pub new_index: bool,
    /// What names the manifests as its subject comes along.
    pub referrers: bool,
}
