use std::sync::Arc;

use tokio::runtime::Handle;

use super::Options;
use super::report::{self, Report};
use crate::cli::configuration::Registries;
use crate::cli::places::Ends;
use crate::cli::registry::RegistryFlags;
use crate::cli::transfer::transfer;
use crate::cli::values::Location;
use crate::cli::{Environment, Failure, Session};
use crate::copy::{Choice, Execution, Going, Plan};
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
    registries: Registries,
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
        options.registry.check(source.registry().as_deref(), target.registry().as_deref())?;
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
            registries: settings.registries,
            environment: session.environment.clone(),
        })
    }

    /// What the copy goes on with: dropped, it ends.
    pub(super) fn going(&self) -> Going {
        self.execution.stop.when_dropped()
    }

    /// Copies, or tells what it would copy. Blocks.
    pub(super) fn run(self, runtime: Handle) -> Result<Report, Failure> {
        let Work { source, target, execution, .. } = self;
        let client = Arc::new(Client::new(self.network, execution.events.clone()));
        let ends = Ends {
            store: self.store,
            client,
            registry: self.registry,
            environment: self.environment,
            registries: self.registries,
            runtime,
        };
        let _lease = ends.store.lease()?;
        let events = &execution.events;
        let told = |plan: &Plan| events.detail(report::summary(&report::report(plan, (&source, &target))));
        let done = transfer(&ends, (&source, &target), &self.choice, &execution, self.dry_run, &told)?;
        if self.choice.new_index && self.choice.platforms.len() > 1 {
            events.note(format!("a new index was made of the platforms: {}", done.root.descriptor.digest));
        }
        if !done.plan.foreign.is_empty() {
            let count = done.plan.foreign.len();
            events.note(format!("{count} layers stay where their publisher has them, who alone gives them out"));
        }
        let mut report = report::report(&done.plan, (&source, &target));
        if !self.dry_run {
            report.done(&done.root, done.moved);
        }
        Ok(report)
    }
}
