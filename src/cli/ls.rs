use serde::Serialize;

use super::registry::{RegistryFlags, Side};
use super::values::{self, ArchiveFile, ArchiveKind, Location};
use super::{CliError, Failure, Session, answer, places};
use crate::copy::Source;
use crate::oci::Descriptor;
use crate::transport::registry::tags;
use crate::transport::{LayoutSource, OciArchiveSource, StoreSource, name_of};
use crate::ui::escape;

const EXAMPLES: &str = "\
Examples:
  kimg ls registry.example/team/kafka
  kimg ls docker://registry.example/team/kafka --json | jq -r '.images[].name'
  kimg ls oci:out
  kimg ls store:

One name a line, as it is written in a location: a tag of a repository, a name of the others.
What has no name is listed by its digest.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// A repository, as REPO or docker://REPO; or oci:DIR, oci-archive:FILE or store:
    #[arg(value_name = "REPO", value_parser = values::list)]
    place: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    registry: RegistryFlags,
}

/// The answer of `--json`; docs/output.md.
#[derive(Serialize)]
struct Answer {
    version: u32,
    place: String,
    images: Vec<Image>,
}

#[derive(Serialize)]
struct Image {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Registries list none.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// Lists the tags of a repository, or the names of a layout.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let place = args.place.clone();
    let images = places::with(&args.registry, session, move |ends| {
        let source: Box<dyn Source> = match &place {
            Location::Registry { reference, .. } => {
                let tags = tags(&ends.session(reference, Side::Source)?, &ends.runtime)?;
                return Ok(tags.into_iter().map(|tag| Image { name: Some(tag), digest: None }).collect());
            }
            Location::Layout { folder, .. } => Box::new(LayoutSource::open(folder)?),
            Location::Store { .. } => Box::new(StoreSource::open(ends.store.clone())?),
            Location::Archive { kind: ArchiveKind::Oci, file: ArchiveFile::Path(path), .. } => {
                Box::new(OciArchiveSource::open(path)?)
            }
            Location::Archive { .. } | Location::Daemon { .. } => {
                return Err(CliError::Flags {
                    flag: "REPO",
                    why: format!("kimg does not list the names in {}", place.place()),
                    hint: "`docker images` lists those of a daemon, `kimg inspect` shows one image".to_owned(),
                }
                .into());
            }
        };
        Ok(source.list()?.into_iter().map(image).collect::<Vec<_>>())
    })?;
    if args.json {
        return answer::print_json(&Answer { version: 1, place: args.place.to_string(), images });
    }
    let line = |image: &Image| {
        let digest = image.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{}\n", escape(image.name.as_deref().unwrap_or(&digest)))
    };
    answer::print(&images.iter().map(line).collect::<String>())
}

fn image(descriptor: Descriptor) -> Image {
    Image { name: name_of(&descriptor), digest: Some(descriptor.digest.to_string()) }
}
