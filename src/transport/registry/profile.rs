//! What is known of particular registries, beyond what they tell themselves.

/// How a registry takes blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In one PUT only: an upload that broke off begins again.
    Put,
    /// In one PUT up to so many bytes, in chunks of so many bytes beyond.
    Chunks(u64),
    /// In one PUT. What of it arrived is asked for after a break, and the rest sent by PATCH; where one PUT is refused as
    /// too large, chunks.
    Any,
}

/// What is known of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile {
    /// How it takes blobs.
    pub(super) way: Way,
    /// Whether it mounts blobs from other repositories. Those that are asked and cannot begin an upload instead.
    pub(super) mounts: bool,
}

const MIB: u64 = 1 << 20;

/// Unknown registries, Docker Hub, quay.io, and those that anybody runs.
///
/// - distribution 3 keeps what came of a request that broke off, PATCH or PUT, and tells it (distribution/distribution,
///   `registry/handlers/blobupload.go`: GET needs no matching state, and the writer is flushed); 2.8 forgets the session
///   (seen: its PATCH and GET answer 404 then).
/// - zot takes streamed bodies and chunks (project-zot/zot, `pkg/api/routes.go`, `PatchBlobUpload`).
/// - Quay takes both too, and mounts where `from` is given (quay/quay, `endpoints/v2/blob.py`).
const UNKNOWN: Profile = Profile { way: Way::Any, mounts: true };

/// Registries by the end of their host's name; the first that fits counts. Each with where its rule is written.
const KNOWN: [(&str, Profile); 7] = [
    // "OCI chunked blob upload (PATCH) silently discards data for chunks after the first": aws/containers-roadmap, issue
    // 2831. One PUT of 15 GB was seen to work: kitops-ml/kitops, issue 821. It mounts where the account's setting allows it
    // (Amazon ECR User Guide, "Blob mounting in Amazon ECR"), and else begins an upload.
    (".amazonaws.com", Profile { way: Way::Put, mounts: true }),
    (".amazonaws.com.cn", Profile { way: Way::Put, mounts: true }),
    // Mounts fail: aws/containers-roadmap, issue 1459.
    ("public.ecr.aws", Profile { way: Way::Put, mounts: false }),
    // "the request body is too large and exceeds the maximum permissible limit of 4.00MiB" with 416 for chunks:
    // oras-project/rust-oci-client, issue 35. Other clients send it one PUT: kitops-ml/kitops, pull request 780.
    ("ghcr.io", Profile { way: Way::Put, mounts: true }),
    // "Artifact Registry does not support Docker chunked uploads": Google Cloud, Artifact Registry, "Docker API".
    (".pkg.dev", Profile { way: Way::Put, mounts: true }),
    ("gcr.io", Profile { way: Way::Put, mounts: true }),
    // It was seen to cap one streamed body near 20 MB; chunks are documented (Azure Container Registry REST API, "Blob -
    // Upload").
    (".azurecr.io", Profile { way: Way::Chunks(16 * MIB), mounts: true }),
];

/// What is known of the registry `HOST[:PORT]`.
pub(super) fn profile(registry: &str) -> Profile {
    let host = registry.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let fits = |name: &str| match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    };
    KNOWN.iter().find(|(name, _)| fits(name)).map_or(UNKNOWN, |(_, profile)| *profile)
}

/// Whether the token server of a registry, on another host, is its own: only then does it see credentials. Each pair was
/// read in the registry's documentation.
pub(super) fn has_realm(registry: &str, realm: &str) -> bool {
    const KNOWN: [(&str, &str); 3] = [
        ("docker.io", "auth.docker.io"),
        ("registry.gitlab.com", "gitlab.com"),
        ("registry.redhat.io", "sso.redhat.com"),
    ];
    KNOWN.contains(&(registry, realm))
}

/// What files and programs of credentials call a registry. Docker calls its own so, and reads no other name.
pub fn stored_as(registry: &str) -> &str {
    match registry {
        "docker.io" => "https://index.docker.io/v1/",
        registry => registry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_by_their_whole_last_labels() {
        let way = |registry: &str| profile(registry).way;
        assert_eq!(way("012345678901.dkr.ecr.eu-west-1.amazonaws.com"), Way::Put);
        assert_eq!(way("012345678901.dkr.ecr.cn-north-1.amazonaws.com.cn:443"), Way::Put);
        assert_eq!((way("europe-docker.pkg.dev"), way("eu.gcr.io"), way("GHCR.io")), (Way::Put, Way::Put, Way::Put));
        assert_eq!(way("team.azurecr.io"), Way::Chunks(16 * MIB));
        for other in ["registry.example", "notgcr.io", "azurecr.io.example", "localhost:5000", "[::1]:5000", ""] {
            assert_eq!(way(other), Way::Any, "{other}");
        }
    }
}
