use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;

use super::places::Ends;
use super::registry::RegistryFlags;
use super::values::Mirror;
use super::{Failure, Session};
use crate::build::{JarSource, Sources, Workshop};
use crate::definition::Catalog;
use crate::net::Client;
use crate::store::Store;

/// Flags of commands that fetch and build.
#[derive(Debug, clap::Args)]
pub(super) struct Means {
    /// Ask this mirror first; KIND is debian, debian-security, maven or apache (repeatable)
    #[arg(long, value_name = "KIND=URL", value_parser = super::values::mirror)]
    mirror: Vec<Mirror>,
    /// Where jars come from: any (the release archive, else Maven), apache or maven
    #[arg(long, value_name = "UPSTREAM", default_value = "any")]
    source: Source,
    /// Compress with N threads; the bytes do not depend on it [default: as many as there are processors]
    #[arg(short = 'j', long, value_name = "N", value_parser = super::values::threads)]
    threads: Option<NonZeroUsize>,
}

/// The values of `--source`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Source {
    /// The release archive, and Maven for what it lacks
    Any,
    /// The release archive only
    Apache,
    /// Maven only
    Maven,
}

impl From<Source> for JarSource {
    fn from(source: Source) -> JarSource {
        match source {
            Source::Any => JarSource::Any,
            Source::Apache => JarSource::Apache,
            Source::Maven => JarSource::Maven,
        }
    }
}

impl Means {
    /// All that builds are made with.
    pub(super) fn workshop(&self, catalog: Catalog, session: &Session) -> Result<Workshop, Failure> {
        let settings = session.settings(self.mirror.clone())?;
        let events = session.story.events();
        let threads = self.threads.or_else(|| thread::available_parallelism().ok());
        Ok(Workshop {
            catalog,
            store: Store::open(&settings.store)?,
            client: Arc::new(Client::new(settings.network, events.clone())),
            machine: Arc::new(settings.machine),
            sources: Sources { jars: self.source.into(), ..Sources::default() },
            events,
            threads: threads.map_or(1, NonZeroUsize::get),
        })
    }
}

/// What the ends of copies are made with, beside a build.
pub(super) fn ends(workshop: &Workshop, registry: &RegistryFlags, session: &Session) -> Result<Ends, Failure> {
    Ok(Ends {
        store: workshop.store.clone(),
        client: workshop.client.clone(),
        registry: registry.clone(),
        environment: session.environment.clone(),
        registries: session.registries()?,
        runtime: Handle::current(),
    })
}
