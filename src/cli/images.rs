use std::collections::BTreeMap;

use serde::Serialize;

use super::arguments::Definitions;
use super::table::table;
use super::{Failure, answer};
use crate::definition::{DefinitionError, Family};
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
    variants: BTreeMap<String, String>,
}

/// Lists what can be built.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let families = args.definitions.catalog()?.families()?;
    let mut images = Vec::new();
    for family in families.iter().filter(|family| family.is_offered()) {
        images.extend(images_of(family)?);
    }
    if args.json {
        return answer::print_json(&Answer { version: 1, images });
    }
    let row = |image: &Image| {
        let default = if image.default { "default" } else { "" };
        let variants = image.variants.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        [image.name.as_str(), &image.version, default, &variants, &image.support].map(|cell| escape(cell).into_owned())
    };
    let rows: Vec<[String; 5]> = images.iter().map(row).collect();
    answer::print(&table(["NAME", "VERSION", "DEFAULT", "VARIANTS", "SUPPORT"], &rows))
}

fn images_of(family: &Family) -> Result<Vec<Image>, DefinitionError> {
    let definition = &family.definition;
    let image = |version: &str| Image {
        name: definition.name.clone(),
        version: version.to_owned(),
        default: version == definition.default,
        title: definition.title.clone(),
        description: definition.description.clone(),
        support: definition.versions.get(version).map(|known| known.support.clone()).unwrap_or_default(),
        platforms: definition.platforms.clone(),
        variants: BTreeMap::new(),
    };
    let versions = family.versions().into_iter();
    versions.map(|version| Ok(Image { variants: family.variants(version)?, ..image(version) })).collect()
}
