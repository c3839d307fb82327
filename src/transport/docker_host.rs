use std::fmt;
use std::str::FromStr;

/// Where a Docker daemon listens, as `DOCKER_HOST` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerHost {
    /// `unix://PATH`.
    Unix(String),
    /// `tcp://HOST:PORT`, without TLS.
    Tcp(String),
}

impl Default for DockerHost {
    fn default() -> DockerHost {
        DockerHost::Unix("/var/run/docker.sock".to_owned())
    }
}

impl fmt::Display for DockerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DockerHost::Unix(path) => write!(f, "unix://{path}"),
            DockerHost::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

/// Text that is no place of a daemon that kimg can ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no place where kimg can ask a Docker daemon", .0.escape_debug())]
pub struct InvalidDockerHost(pub String);

impl FromStr for DockerHost {
    type Err = InvalidDockerHost;

    fn from_str(text: &str) -> Result<DockerHost, InvalidDockerHost> {
        let invalid = || InvalidDockerHost(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(DockerHost::Unix(rest.to_owned())),
            "tcp" | "http" => {
                let address = rest.trim_end_matches('/');
                let (host, port) = address.rsplit_once(':').ok_or_else(invalid)?;
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
                match !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok() {
                    true => Ok(DockerHost::Tcp(address.to_owned())),
                    false => Err(invalid()),
                }
            }
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_accepted_is_written_as_it_was(scheme in "unix|tcp|http|ssh|npipe", rest in "[-a-z0-9/.:@\\[\\] ]{0,20}") {
            if let Ok(host) = format!("{scheme}://{rest}").parse::<DockerHost>() {
                prop_assert_eq!(host.to_string().parse::<DockerHost>(), Ok(host.clone()));
            }
        }
    }

    #[test]
    fn sockets_and_ports() {
        for text in ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "tcp://[::1]:2375"] {
            assert_eq!(text.parse::<DockerHost>().unwrap().to_string(), text);
        }
        assert_eq!("http://localhost:1/".parse(), Ok(DockerHost::Tcp("localhost:1".to_owned())));
        for wrong in ["", "/var/run/docker.sock", "unix://docker.sock", "tcp://127.0.0.1", "tcp://:1", "ssh://me@a"] {
            assert!(wrong.parse::<DockerHost>().is_err(), "{wrong}");
        }
    }
}
