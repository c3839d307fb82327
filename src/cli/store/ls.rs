use serde::Serialize;

use super::{Failure, Session, answer, table};
use crate::digest::Digest;
use crate::store::Named;
use crate::ui::{escape, size};

const EXAMPLES: &str = "\
Examples:
  kimg store ls
  kimg store ls --json | jq -r '.images[].name'";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The answer of `--json`; docs/output.md.
#[derive(Serialize)]
struct Answer<'a> {
    version: u32,
    images: Vec<Image<'a>>,
}

#[derive(Serialize)]
struct Image<'a> {
    name: &'a str,
    digest: Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<&'a str>,
}

/// Lists the images in the store.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let names = session.store()?.names()?;
    if args.json {
        return answer::print_json(&Answer { version: 1, images: names.iter().map(image).collect() });
    }
    let row = |named: &Named| {
        let created = named.created.as_deref().unwrap_or_default();
        let digest = named.descriptor.digest.to_string();
        [escape(&named.name).into_owned(), digest, size(named.size), escape(created).into_owned()]
    };
    let rows: Vec<[String; 4]> = names.iter().map(row).collect();
    answer::print(&table::table(["NAME", "DIGEST", "SIZE", "CREATED"], &rows))
}

fn image(named: &Named) -> Image<'_> {
    Image { name: &named.name, digest: named.descriptor.digest, size: named.size, created: named.created.as_deref() }
}
