use crate::oci::Reference;

/// How a registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// By TLS; without it only on this machine itself (`localhost`, 127.0.0.0/8, `::1`).
    Tls,
    /// By TLS, on this machine too: the user said so, or has put certificates there for it.
    TlsOnly,
    /// Without TLS, because the user said so.
    Plain,
    /// By TLS with any certificate, else without, because the user said so: [`super::reach`] finds out.
    Either,
}

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// `HOST[:PORT]` as people write it: `docker.io`.
    pub registry: String,
    /// The path: `library/alpine`.
    pub name: String,
}

/// The registry of names without a host, as skopeo and Docker have it.
const DOCKER_HUB: &str = "docker.io";

impl Repository {
    /// That of a reference. A name without a host is Docker Hub's, and one without a folder there is `library/`'s.
    pub fn of(reference: &Reference) -> Repository {
        let text = &reference.repository;
        let (registry, name) = match text.split_once('/') {
            Some((host, name)) if host.contains(['.', ':']) || host == "localhost" => (host, name),
            _ => (DOCKER_HUB, text.as_str()),
        };
        let is_hub = matches!(registry, DOCKER_HUB | "index.docker.io" | "registry-1.docker.io");
        Repository {
            registry: if is_hub { DOCKER_HUB.to_owned() } else { registry.to_owned() },
            name: if is_hub && !name.contains('/') { format!("library/{name}") } else { name.to_owned() },
        }
    }

    /// The root of its registry's API: `https://HOST/v2/`.
    pub fn root(&self, transport: Transport) -> String {
        // Docker Hub's API has a host of its own.
        let host = if self.registry == DOCKER_HUB { "registry-1.docker.io" } else { &self.registry };
        let is_plain = match transport {
            Transport::Plain => true,
            Transport::TlsOnly | Transport::Either => false,
            Transport::Tls => is_this_machine(host),
        };
        format!("{}://{host}/v2/", if is_plain { "http" } else { "https" })
    }

    /// What messages call it: `docker://HOST/NAME`, or `docker://HOST` for the registry itself.
    pub(super) fn place(&self) -> String {
        format!("docker://{}", self.full_name().trim_end_matches('/'))
    }

    /// `HOST/NAME`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_skopeo_reads_them() {
        let full = |text: &str| Repository::of(&text.parse().unwrap()).full_name();
        assert_eq!(full("alpine:3"), "docker.io/library/alpine");
        assert_eq!(full("team/app"), "docker.io/team/app");
        assert_eq!(full("index.docker.io/alpine"), "docker.io/library/alpine");
        assert_eq!(full("localhost/app"), "localhost/app");
        assert_eq!(full("registry.example:5000/a/b"), "registry.example:5000/a/b");
    }

    #[test]
    fn without_tls_on_this_machine_only() {
        let root = |text: &str, transport| Repository::of(&text.parse().unwrap()).root(transport);
        assert_eq!(root("alpine", Transport::Tls), "https://registry-1.docker.io/v2/");
        for plain in ["localhost:5000/a", "127.0.0.1:5000/a", "127.8.9.1/a", "[::1]:5000/a"] {
            assert!(root(plain, Transport::Tls).starts_with("http://"), "{plain}");
        }
        for tls in ["localhost.example/a", "127.0.0.1.example/a", "10.0.0.1:5000/a"] {
            assert!(root(tls, Transport::Tls).starts_with("https://"), "{tls}");
        }
        assert_eq!(root("localhost:5000/a", Transport::TlsOnly), "https://localhost:5000/v2/");
        assert_eq!(root("10.0.0.1:5000/a", Transport::Plain), "http://10.0.0.1:5000/v2/");
    }
}
