use std::path::PathBuf;

use super::arguments::Definitions;
use super::definition::{self, OwnDefinition};
use super::workshop::Means;
use super::{Failure, Session, answer, interrupt, values};
use crate::build;
use crate::ui::{escape, size};

const EXAMPLES: &str = "\
Examples:
  kimg fetch kafka zookeeper -o inputs                   where there is a network
  kimg build kafka zookeeper --offline --inputs inputs   where there is none
  kimg fetch -f image.toml -o inputs                     of a definition of yours

The folder is laid out as the upstreams are, so any web server makes mirrors of it:
  kimg build kafka --mirror debian=http://mirror.example/debian --mirror maven=http://mirror.example/maven";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Whose inputs; without VERSION those of the family's default
    #[arg(id = "image", value_name = "IMAGE[:VERSION]", value_parser = values::image)]
    #[arg(required_unless_present = "file")]
    images: Vec<String>,
    #[command(flatten)]
    own: OwnDefinition,
    /// The folder; what is there already stays
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    means: Means,
    #[command(flatten)]
    definitions: Definitions,
}

/// Downloads every input of images into a folder, and prints one line an image.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let catalog = args.own.add_to(args.definitions.catalog()?)?;
    let images = definition::images(&args.images, &catalog);
    let workshop = args.means.workshop(catalog, session)?;
    interrupt::run(async {
        let workshop = definition::lock_if_absent(workshop, None, &session.environment).await?;
        for image in &images {
            let fetched = build::fetch(image, &args.output, &workshop).await?;
            let files = if fetched.files == 1 { "1 file".to_owned() } else { format!("{} files", fetched.files) };
            answer::print(&format!("{}: {files}, {}\n", escape(&fetched.name), size(fetched.bytes)))?;
        }
        Ok(())
    })
}
