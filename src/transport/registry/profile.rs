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

/// Unknown registries, and those that anybody runs: distribution 2 and 3, Harbor, Quay, zot, Gitea, GitLab.
///
/// - distribution 3 keeps what came of a request that broke off, PATCH or PUT, and tells it (`registry/handlers/blobupload.go`:
///   GET needs no matching state, and the writer is flushed); 2.8 forgets the session (its PATCH and GET answer 404).
/// - zot takes one PUT and chunks (`pkg/api/routes.go`).
/// - Quay refuses a mount without `from` with 400; kimg never asks for one.
const UNKNOWN: Profile = Profile { way: Way::Any, mounts: true };

/// Registries by the end of their host's name; the first that fits counts. Each with where its rule is written.
const KNOWN: [(&str, Profile); 9] = [
    // "chunked blob upload (PATCH) silently discards data for chunks after the first": github.com/aws/containers-roadmap,
    // issue 2831. One PUT of 15 GB was seen to work: github.com/kitops-ml/kitops, issue 821. It mounts only where the
    // account allows it, and else begins an upload (Amazon ECR User Guide, "Blob mounting").
    (".amazonaws.com", Profile { way: Way::Put, mounts: true }),
    (".amazonaws.com.cn", Profile { way: Way::Put, mounts: true }),
    ("public.ecr.aws", Profile { way: Way::Put, mounts: false }),
    // "the request body is too large and exceeds the maximum permissible limit of 4.00MiB" with 416 for chunks, and none
    // for one PUT: github.com/oras-project/rust-oci-client, issue 35.
    ("ghcr.io", Profile { way: Way::Put, mounts: true }),
    // "Artifact Registry does not support Docker chunked uploads": Google Cloud, Artifact Registry, "Docker API".
    (".pkg.dev", Profile { way: Way::Put, mounts: true }),
    ("gcr.io", Profile { way: Way::Put, mounts: true }),
    // "the maximum size of one request is about 20 MB": Azure Container Registry REST API, "Blob - Upload", and issues of
    // its clients.
    (".azurecr.io", Profile { way: Way::Chunks(16 * MIB), mounts: true }),
    // As distribution; an upload may be answered by another host (Docker Docs, "Registry API").
    ("docker.io", Profile { way: Way::Any, mounts: true }),
    // Project Quay, `endpoints/v2/blob.py`: chunks and one PUT, mounts with `from`.
    ("quay.io", UNKNOWN),
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
