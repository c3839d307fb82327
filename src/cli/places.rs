//! The ends of a copy: what a location is as a source, and as a sink.

use std::io::{self, IsTerminal, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;

use super::build::docker_host;
use super::configuration::Registries;
use super::registry::{RegistryFlags, Side, Surroundings};
use super::values::{ArchiveFile, ArchiveKind, Location};
use super::{CliError, Environment, Failure};
use crate::copy::{CopyError, Execution, Sink, Source};
use crate::layer::Pool;
use crate::net::Client;
use crate::oci::{Descriptor, Reference};
use crate::store::Store;
use crate::transport::registry::{RegistrySink, RegistrySource, Repository, Session};
use crate::transport::{
    Daemon, DockerArchiveSink, Import, LayoutSink, LayoutSource, OciArchiveSink, OciArchiveSource, StoreSource,
    open_archive,
};

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
    let registries = settings.registries;
    super::interrupt::run(async {
        let ends = Ends { store, client, registry, environment, registries, runtime: Handle::current() };
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
    /// Whether all of it lies in the store, where it was verified as it came.
    pub(super) in_store: bool,
}

impl Ends {
    /// A location as a source. What can be read once only goes into the store on the way; `execution` says how.
    pub(super) fn source(&self, location: &Location, execution: &Execution) -> Result<Opened, Failure> {
        let (source, descriptor): (Box<dyn Source>, _) = match location {
            Location::Registry { reference, name } => {
                let source = RegistrySource::new(self.session(reference, Side::Source)?, self.runtime.clone());
                let descriptor = source.resolve(name.as_deref().unwrap_or("latest"))?;
                (Box::new(source), descriptor)
            }
            Location::Layout { folder, name } => {
                let source = LayoutSource::open(folder)?;
                let descriptor = source.find(name.as_deref())?;
                (Box::new(source), descriptor)
            }
            Location::Archive { kind: ArchiveKind::Oci, file: ArchiveFile::Path(path), name } if !is_pipe(path) => {
                let source = OciArchiveSource::open(path)?;
                let descriptor = source.find(name.as_deref())?;
                (Box::new(source), descriptor)
            }
            Location::Store { name } => {
                let source = StoreSource::open(self.store.clone())?;
                let descriptor = source.resolve(name.as_deref().unwrap_or_default())?;
                return Ok(Opened { source: Box::new(source), descriptor, in_store: true });
            }
            Location::Archive { kind, file, name } => {
                let place = location.place();
                let tar: Box<dyn Read + Send> = match file {
                    ArchiveFile::Path(path) => Box::new(open_archive(&place, path)?),
                    ArchiveFile::Stdout if io::stdin().is_terminal() => return Err(nothing_piped().into()),
                    ArchiveFile::Stdout => Box::new(io::stdin()),
                };
                return self.imported(execution, |import| match kind {
                    ArchiveKind::Oci => import.oci(&place, tar)?.find(name.as_deref()),
                    ArchiveKind::Docker => import.docker(&place, tar)?.find(name.as_deref()),
                });
            }
            Location::Daemon { name } => {
                let daemon = self.daemon()?;
                let name = name.as_deref().unwrap_or_default();
                return self.imported(execution, |import| daemon.import(import, name)?.find(None));
            }
        };
        Ok(Opened { source, descriptor, in_store: false })
    }

    /// The Docker daemon, which answers.
    pub(super) fn daemon(&self) -> Result<Daemon, Failure> {
        Ok(Daemon::connect(&docker_host(&self.environment)?)?)
    }

    fn imported(
        &self,
        execution: &Execution,
        read: impl FnOnce(&Import) -> Result<Descriptor, CopyError>,
    ) -> Result<Opened, Failure> {
        let source = StoreSource::open(self.store.clone())?;
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let import = Import {
            store: self.store.clone(),
            pool: Pool::new(threads),
            events: execution.events.clone(),
            stop: execution.stop.clone(),
        };
        let descriptor = read(&import)?;
        Ok(Opened { source: Box::new(source), descriptor, in_store: true })
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
                return Err(CliError::Worker("a daemon is no sink of its own".to_owned()).into());
            }
        })
    }

    /// A session with a repository.
    pub(super) fn session(&self, reference: &Reference, side: Side) -> Result<Session, Failure> {
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

fn nothing_piped() -> CliError {
    CliError::Flags {
        flag: "SRC",
        why: "`-` is standard input, and that is a terminal".to_owned(),
        hint: "pipe an archive into it: `docker save IMAGE | kimg copy docker-archive:- DST`".to_owned(),
    }
}

/// Whether it is there and cannot be read twice.
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}
