use serde::Serialize;

use super::arguments::Definitions;
use super::catalog::catalog;
use super::table::table;
use super::{Failure, answer};
use crate::definition::Family;
use crate::ui::escape;

const EXAMPLES: &str = "\
Examples:
  kimg images
  kimg images --json | jq -r '.images[] | select(.default) | .name'";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    definitions: Definitions,
}

/// The answer of `--json`; docs/output.md.
#[derive(Serialize)]
struct Answer {
    version: u32,
    images: Vec<Image>,
}

#[derive(Serialize)]
struct Image {
    name: String,
    version: String,
    default: bool,
    title: String,
    description: String,
    support: String,
    platforms: Vec<String>,
}

/// Lists what can be built.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let families = catalog(args.definitions.images.as_deref())?.families()?;
    let images: Vec<Image> = families.iter().filter(|family| family.is_offered()).flat_map(images_of).collect();
    if args.json {
        return answer::print_json(&Answer { version: 1, images });
    }
    let row = |image: &Image| {
        let default = if image.default { "default" } else { "" };
        [image.name.as_str(), &image.version, default, &image.support].map(|cell| escape(cell).into_owned())
    };
    let rows: Vec<[String; 4]> = images.iter().map(row).collect();
    answer::print(&table(["NAME", "VERSION", "DEFAULT", "SUPPORT"], &rows))
}

fn images_of(family: &Family) -> impl Iterator<Item = Image> {
    let definition = &family.definition;
    family.versions().into_iter().map(move |version| Image {
        name: definition.name.clone(),
        version: version.to_owned(),
        default: version == definition.default,
        title: definition.title.clone(),
        description: definition.description.clone(),
        support: definition.versions.get(version).map(|known| known.support.clone()).unwrap_or_default(),
        platforms: definition.platforms.clone(),
    })
}
