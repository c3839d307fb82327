//! The ends of a copy: what a location is as a source, and as a sink.

use std::io::{self, IsTerminal, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::build::docker_host;
use super::registry::RegistryFlags;
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
    pub(super) runtime: Handle,
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
                let source = RegistrySource::new(self.session(reference)?, self.runtime.clone());
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
                return Err(CliError::Worker("a daemon is no sink of its own".to_owned()).into());
            }
        })
    }

    fn session(&self, reference: &Reference) -> Result<Session, Failure> {
        let trust = self.registry.trust(reference, &self.environment)?;
        Ok(Session::new((*self.client).clone(), Repository::of(reference), trust))
    }
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
