use serde::Serialize;

use super::{CliError, Failure, Session, answer, interrupt};
use crate::event::{Outcome, TaskKind};
use crate::store::Finding;
use crate::ui::escape;

const EXAMPLES: &str = "\
Examples:
  kimg store check
  kimg store check --repair

Exit code 3 means that something is damaged or missing.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Remove damaged files; they are made or fetched again when they are needed
    #[arg(long)]
    repair: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The answer of `--json`; docs/output.md.
#[derive(Serialize)]
struct Answer {
    version: u32,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    path: String,
    what: String,
    mended: bool,
}

/// Hashes everything in the store again.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let store = session.store()?;
    let (path, repair, events) = (store.root().to_owned(), args.repair, session.story.events());
    let findings = interrupt::run_blocking(move || {
        let task = events.task(TaskKind::Check, "the store", None);
        let findings = store.check(repair, &mut |done| task.progress(done))?;
        task.finish(Outcome::Done);
        Ok(findings)
    })?;
    tell(&findings, args.json)?;
    let left: Vec<&Finding> = findings.iter().filter(|finding| !finding.mended).collect();
    match left.len() {
        0 => Ok(()),
        count => {
            let gone = left.iter().all(|finding| !finding.path.exists());
            Err(CliError::Damaged { path, count, gone }.into())
        }
    }
}

fn tell(findings: &[Finding], json: bool) -> Result<(), Failure> {
    if !json {
        let lines: String = findings.iter().map(|finding| format!("{}\n", escape(&finding.to_string()))).collect();
        return answer::print(&lines);
    }
    let found = |finding: &Finding| Found {
        path: finding.path.display().to_string(),
        what: finding.what.clone(),
        mended: finding.mended,
    };
    answer::print_json(&Answer { version: 1, findings: findings.iter().map(found).collect() })
}
