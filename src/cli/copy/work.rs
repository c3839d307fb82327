use std::sync::Arc;

use tokio::runtime::Handle;

use super::report::{self, Report};
use super::{Options, dry, names};
use crate::cli::interrupt::Going;
use crate::cli::places::Ends;
use crate::cli::registry::RegistryFlags;
use crate::cli::values::Location;
use crate::cli::{CliError, Environment, Failure, Session};
use crate::copy::{self, Choice, Execution, Plan, Root, Sink};
use crate::digest::Digest;
use crate::net::{Client, Settings};
use crate::store::Store;

/// A copy with all that it needs, before anything was asked.
pub(super) struct Work {
    source: Location,
    target: Location,
    choice: Choice,
    dry_run: bool,
    execution: Execution,
    store: Store,
    network: Settings,
    registry: RegistryFlags,
    environment: Environment,
}

impl Work {
    /// Reads flags, environment and configuration.
    pub(super) fn new(
        source: Location,
        target: Location,
        options: &Options,
        session: &Session,
    ) -> Result<Work, Failure> {
        let settings = session.settings(Vec::new())?;
        let mut network = settings.network;
        if let Some(retry) = options.retry {
            network.tries = retry.saturating_add(1);
        }
        Ok(Work {
            source,
            target,
            choice: options.choice(),
            dry_run: options.dry_run,
            execution: Execution { jobs: options.jobs, ..Execution::new(session.story.events()) },
            store: Store::open(&settings.store)?,
            network,
            registry: options.registry.clone(),
            environment: session.environment.clone(),
        })
    }

    /// What the copy goes on with: dropped, it ends.
    pub(super) fn going(&self) -> Going {
        Going(self.execution.stop.clone())
    }

    /// Copies, or tells what it would copy. Blocks.
    pub(super) fn run(self, runtime: Handle) -> Result<Report, Failure> {
        let Work { source, target, execution, .. } = self;
        let client = Arc::new(Client::new(self.network, execution.events.clone()));
        let ends = Ends { store: self.store, client, registry: self.registry, environment: self.environment, runtime };
        let _lease = ends.store.lease()?;
        let (from, descriptor) = ends.source(&source)?;
        let sink = if self.dry_run { dry::sink(&ends, &target)? } else { ends.sink(&target)? };
        let root = Root { descriptor, names: names::names(&source, &target) };
        let plan = copy::plan(from.as_ref(), sink.as_ref(), &[root], &self.choice)?;
        let digest = digest(&plan, sink.as_ref())?;
        if let Some(asked) = names::asked(&target).filter(|asked| *asked != digest) {
            let (asked, digest) = (asked.to_string(), digest.to_string());
            return Err(CliError::OtherDigest { place: target.place(), asked, digest }.into());
        }
        let mut report = report::report(&plan, digest, (&source, &target));
        execution.events.detail(report::summary(&report));
        if !self.dry_run {
            report.done(copy::execute(&plan, from.as_ref(), sink, &execution)?);
        }
        Ok(report)
    }
}

/// What the target knows the image by: where it takes manifests, the digest of the manifest or index, else that of the
/// configuration, which is what Docker calls an image's id.
fn digest(plan: &Plan, sink: &dyn Sink) -> Result<Digest, Failure> {
    let image = plan.images.first().map(|image| image.config.digest);
    let root = plan.roots.iter().chain(&plan.there).next().map(|root| root.descriptor.digest);
    let found = image.or(root);
    found.ok_or_else(|| CliError::Worker(format!("the plan for {} has no image", sink.describe())).into())
}
