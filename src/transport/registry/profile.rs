//! What is known of particular registries, beyond what they tell themselves.

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
