//! The ends of a copy: what a location is as a source, and as a sink.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::registry::RegistryFlags;
use super::values::{ArchiveKind, Location};
use super::{CliError, Environment, Failure};
use crate::copy::{Execution, Sink, Source};
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
    pub(super) runtime: Handle,
}

/// Asks about places, and copies nothing: in a thread that may wait, until it ends or the user ends it.
pub(super) fn with<T: Send + 'static>(
    registry: &RegistryFlags,
    session: &super::Session,
    work: impl FnOnce(&Ends) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let settings = session.settings(Vec::new())?;
    let store = Store::open(&settings.store)?;
    let client = Arc::new(Client::new(settings.network, session.story.events()));
    let (registry, environment) = (registry.clone(), session.environment.clone());
    super::interrupt::run(async {
        let ends = Ends { store, client, registry, environment, runtime: Handle::current() };
        let done = tokio::task::spawn_blocking(move || {
            let _lease = ends.store.lease()?;
            work(&ends)
        });
        done.await.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?
    })
}

/// A location as a source, and what it names there.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    pub(super) descriptor: Descriptor,
}

impl Ends {
    /// A location as a source.
    pub(super) fn source(&self, location: &Location, _execution: &Execution) -> Result<Opened, Failure> {
        match location {
            Location::Registry { reference, name } => {
                let source = RegistrySource::new(self.session(reference)?, self.runtime.clone());
                let descriptor = source.resolve(name.as_deref().unwrap_or("latest"))?;
                Ok(Opened { source: Box::new(source), descriptor })
            }
            Location::Layout { folder, name } => {
                let source = LayoutSource::open(folder)?;
                let descriptor = source.find(name.as_deref())?;
                Ok(Opened { source: Box::new(source), descriptor })
            }
            Location::Store { name } => {
                let source = StoreSource::open(self.store.clone())?;
                let descriptor = source.resolve(name.as_deref().unwrap_or_default())?;
                Ok(Opened { source: Box::new(source), descriptor })
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
                Box::new(RegistrySink::new(self.session(reference)?, self.runtime.clone()))
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

    /// A session with a repository.
    pub(super) fn session(&self, reference: &Reference) -> Result<Session, Failure> {
        let trust = self.registry.trust(reference, &self.environment)?;
        Ok(Session::new((*self.client).clone(), Repository::of(reference), trust))
    }
}
