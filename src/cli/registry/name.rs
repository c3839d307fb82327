use std::fmt;

use crate::cli::values::InvalidValue;
use crate::oci::Reference;
use crate::transport::registry::Repository;

/// A registry, or a path below one that has credentials of its own: `HOST[:PORT][/PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct RegistryName {
    /// As people write it: `docker.io`.
    pub(in crate::cli) host: String,
    /// The path; empty for all of the registry.
    pub(in crate::cli) path: String,
}

impl RegistryName {
    /// The repository that stands for it.
    pub(in crate::cli) fn repository(&self) -> Repository {
        Repository { registry: self.host.clone(), name: self.path.clone() }
    }
}

impl fmt::Display for RegistryName {
    /// As files of credentials name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.host),
            path => write!(f, "{}/{path}", self.host),
        }
    }
}

/// Parses it. As a URL it is taken too, since Docker wants Docker Hub to be written so.
pub(in crate::cli) fn registry_name(text: &str) -> Result<RegistryName, InvalidValue> {
    let invalid = |why: &str| InvalidValue { why: why.to_owned(), hint: Some("write HOST[:PORT][/PATH]".to_owned()) };
    let plain = text.strip_prefix("https://").or_else(|| text.strip_prefix("docker://")).unwrap_or(text);
    let plain = plain.trim_end_matches('/');
    let plain = plain.strip_suffix("/v1").or_else(|| plain.strip_suffix("/v2")).unwrap_or(plain);
    let (host, path) = plain.split_once('/').unwrap_or((plain, ""));
    if host.is_empty() || host.contains('@') {
        return Err(invalid("it is no registry"));
    }
    // The grammar of references knows what hosts and paths are.
    let full = format!("{host}/{}", if path.is_empty() { "x" } else { path });
    let reference: Reference = full.parse().map_err(|error: crate::oci::InvalidReference| invalid(error.why))?;
    if reference.tag.is_some() || reference.digest.is_some() {
        return Err(invalid("it has a tag or digest"));
    }
    let is_hub = matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io");
    if !is_hub && !host.contains(['.', ':']) && host != "localhost" {
        return Err(invalid("it is no host with a dot or a port"));
    }
    let host = if is_hub { "docker.io" } else { host };
    Ok(RegistryName { host: host.to_owned(), path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_paths() {
        let name = |text: &str| registry_name(text).map(|name| name.to_string());
        for (text, expected) in [
            ("registry.example", "registry.example"),
            ("localhost:5000", "localhost:5000"),
            ("registry.example/team/a", "registry.example/team/a"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("docker.io", "docker.io"),
        ] {
            assert_eq!(name(text), Ok(expected.to_owned()));
        }
        for wrong in ["", "kafka", "http://a.example", "a.example/x:1", "u:p@a.example", "a.example/UP", "a.example:x"]
        {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
