//! How a registry is reached: by which flags, files, programs and certificates (docs/registries.md).

mod auth_files;
mod certificates;
mod flags;
mod helper;
mod name;

use tokio::runtime::Handle;

use super::configuration::Registries;
use super::{Environment, Failure};
use crate::net::Client;
use crate::transport::registry::{Credentials, Repository, Session, Transport, Trust, reach};

pub(super) use auth_files::{AuthFiles, Saved};
pub(super) use flags::{AccessFlags, RegistryFlags, Side};
pub(super) use name::{RegistryName, registry_name};

/// What sessions are made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) client: &'a Client,
    pub(super) registries: &'a Registries,
    pub(super) environment: &'a Environment,
}

impl RegistryFlags {
    /// A session with the repository on one side of a copy. It blocks: it may ask programs, and the registry whether it
    /// has TLS.
    pub(super) fn session(
        &self,
        side: Side,
        repository: Repository,
        around: &Surroundings<'_>,
        runtime: &Handle,
    ) -> Result<Session, Failure> {
        let access = self.access(side);
        let credentials = match self.credentials(side, around.environment)? {
            Some(credentials) => Some(credentials),
            None => access.files(around.environment).find(&repository)?,
        };
        runtime.block_on(access.session(repository, credentials, around))
    }
}

impl AccessFlags {
    /// A session with a repository as somebody.
    pub(super) async fn session(
        &self,
        repository: Repository,
        credentials: Option<Credentials>,
        around: &Surroundings<'_>,
    ) -> Result<Session, Failure> {
        let rules = around.registries.of(&repository.registry);
        let mut tls = match &self.cert_dir {
            Some(folder) => certificates::of_folder(folder)?,
            None => certificates::find(&repository.registry, around.environment)?,
        };
        let transport = match self.tls_verify {
            _ if self.plain_http => Transport::Plain,
            Some(false) => Transport::Either,
            Some(true) => Transport::TlsOnly,
            None if rules.plain_http => Transport::Plain,
            None if !tls.is_usual() => Transport::TlsOnly,
            None => Transport::Tls,
        };
        tls.unverified = transport == Transport::Either;
        let is_usual = transport == Transport::Plain || tls.is_usual();
        let client = if is_usual { around.client.clone() } else { around.client.special(tls)? };
        let transport = reach(&client, &repository, transport).await;
        let trust = Trust { transport, credentials };
        Ok(Session::trusting(client, repository, trust, rules.token_servers()))
    }

    /// The files of credentials.
    pub(super) fn files(&self, environment: &Environment) -> AuthFiles {
        AuthFiles::new(self.authfile.as_deref(), environment)
    }
}
