//! The ends of a copy: what a location is as a source, and as a sink.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;

use super::configuration::Registries;
use super::registry::{RegistryFlags, Side, Surroundings};
use super::values::{ArchiveKind, Location};
use super::{CliError, Environment, Failure};
use crate::copy::{Sink, Source};
use crate::net::Client;
use crate::oci::{Descriptor, Reference};
use crate::store::Store;
use crate::transport::registry::{RegistrySink, RegistrySource, Repository, Session};
use crate::transport::{DockerArchiveSink, LayoutSink, LayoutSource, OciArchiveSink, StoreSource};

/// What ends are made with.
#[derive(Debug, Clone)]
pub(super) struct Ends {
    pub(super) store: Store,
    pub(super) client: Arc<Client>,
    pub(super) registry: RegistryFlags,
    pub(super) environment: Environment,
    pub(super) registries: Registries,
    pub(super) runtime: Handle,
}

impl Ends {
    /// A location as a source, and what it names there.
    pub(super) fn source(&self, location: &Location) -> Result<(Box<dyn Source>, Descriptor), Failure> {
        match location {
            Location::Registry { reference, name } => {
                let source = RegistrySource::new(self.session(reference, Side::Source)?, self.runtime.clone());
                let descriptor = source.resolve(name.as_deref().unwrap_or("latest"))?;
                Ok((Box::new(source), descriptor))
            }
            Location::Layout { folder, name } => {
                let source = LayoutSource::open(folder)?;
                let descriptor = source.find(name.as_deref())?;
                Ok((Box::new(source), descriptor))
            }
            Location::Store { name } => {
                let source = StoreSource::open(self.store.clone())?;
                let descriptor = source.resolve(name.as_deref().unwrap_or_default())?;
                Ok((Box::new(source), descriptor))
            }
            Location::Archive { .. } | Location::Daemon { .. } => Err(CliError::Flags {
                flag: "SRC",
                why: format!("kimg cannot read {} yet", location.place()),
                hint: "copy it to oci:DIR by `skopeo copy` first".to_owned(),
            }
            .into()),
        }
    }

    /// A location as a sink.
    pub(super) fn sink(&self, location: &Location) -> Result<Box<dyn Sink>, Failure> {
        Ok(match location {
            Location::Registry { reference, .. } => {
                let sink = RegistrySink::new(self.session(reference, Side::Destination)?, self.runtime.clone());
                Box::new(sink.remembering(self.store.clone(), now()))
            }
            Location::Layout { folder, .. } => Box::new(LayoutSink::open(folder)?),
            Location::Store { .. } => Box::new(LayoutSink::of_store(&self.store)),
            Location::Archive { kind, file, .. } => {
                let archive = super::files::archive(file, &location.place())?;
                match kind {
                    ArchiveKind::Oci => Box::new(OciArchiveSink::new(archive)),
                    ArchiveKind::Docker => Box::new(DockerArchiveSink::new(archive)),
                }
            }
            Location::Daemon { .. } => {
                return Err(CliError::Flags {
                    flag: "DST",
                    why: "kimg copies into a Docker daemon what it has built only".to_owned(),
                    hint: "write docker-archive:- and pipe it into `docker load`".to_owned(),
                }
                .into());
            }
        })
    }

    fn session(&self, reference: &Reference, side: Side) -> Result<Session, Failure> {
        let around =
            Surroundings { client: &self.client, registries: &self.registries, environment: &self.environment };
        self.registry.session(side, Repository::of(reference), &around, &self.runtime)
    }
}

/// The time, by which it is judged how long to believe what was true of a registry.
fn now() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "nothing of what is copied depends on it")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
