//! TLS with one host that is not as with all others.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder};

use super::client::told;
use super::error::NetError;

/// What is special about TLS with a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM files of certificate authorities trusted besides the platform's.
    pub authorities: Vec<PathBuf>,
    /// Who to be, where the host asks for a certificate (mutual TLS).
    pub identity: Option<Identity>,
    /// Whether any certificate of the host will do, because the user said so.
    pub unverified: bool,
}

/// PEM files of a client's certificate, with those between it and its authority behind it, and of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Tls {
    /// Whether it is as with all others.
    pub fn is_usual(&self) -> bool {
        *self == Tls::default()
    }

    /// Makes a client that way.
    pub(super) fn apply(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, NetError> {
        let mut authorities = Vec::new();
        for file in &self.authorities {
            authorities.extend(read_authorities(file)?);
        }
        builder = builder.tls_certs_merge(authorities);
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.read()?);
        }
        Ok(if self.unverified { builder.tls_danger_accept_invalid_certs(true) } else { builder })
    }
}

impl Identity {
    fn read(&self) -> Result<reqwest::Identity, NetError> {
        let read = |file: &Path| {
            let failed = |error: std::io::Error| NetError::Identity { file: file.to_owned(), why: error.to_string() };
            fs::read(file).map_err(failed)
        };
        let mut pem = read(&self.certificate)?;
        pem.push(b'\n');
        pem.extend(read(&self.key)?);
        // What is wrong with a key is nobody's business.
        let wrong = |_| NetError::Identity {
            file: self.certificate.clone(),
            why: "it and its key are no certificate and key in PEM".to_owned(),
        };
        reqwest::Identity::from_pem(&pem).map_err(wrong)
    }
}

/// The certificates of a file, of which there must be one.
pub(super) fn read_authorities(file: &Path) -> Result<Vec<Certificate>, NetError> {
    let wrong = |why: String| NetError::Authority { file: file.to_owned(), why };
    let pem = fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(told(error)))?;
    if certificates.is_empty() {
        return Err(wrong("no certificate in it".to_owned()));
    }
    Ok(certificates)
}
