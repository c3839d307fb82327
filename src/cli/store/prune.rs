use serde::Serialize;

use super::{Failure, Session, answer, interrupt};
use crate::store::PruneOptions;
use crate::ui::size;

const EXAMPLES: &str = "\
Examples:
  kimg store prune --dry-run
  kimg store prune --downloads";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Remove downloaded inputs too; they are fetched again when a layer is built anew
    #[arg(long)]
    downloads: bool,
    /// Only tell what would go
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The answer of `--json`; docs/output.md.
#[derive(Serialize)]
struct Answer {
    version: u32,
    dry_run: bool,
    blobs: u64,
    downloads: u64,
    leftovers: u64,
    bytes: u64,
}

/// Removes what no image in the store needs.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let store = session.store()?;
    let options = PruneOptions { downloads: args.downloads, dry_run: args.dry_run };
    let pruned = interrupt::run_blocking(move || Ok(store.prune(options)?))?;
    if args.json {
        return answer::print_json(&Answer {
            version: 1,
            dry_run: args.dry_run,
            blobs: pruned.blobs,
            downloads: pruned.downloads,
            leftovers: pruned.leftovers,
            bytes: pruned.bytes,
        });
    }
    let verb = if args.dry_run { "would remove" } else { "removed" };
    let what = [count(pruned.blobs, "blob"), count(pruned.downloads, "download"), count(pruned.leftovers, "leftover")];
    answer::print(&format!("{verb} {}: {}\n", what.join(", "), size(pruned.bytes)))
}

fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}
