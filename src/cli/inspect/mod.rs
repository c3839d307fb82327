//! `kimg inspect`.

mod document;
mod read;
mod text;

use super::registry::RegistryFlags;
use super::values::{self, Location};
use super::{Failure, Session, answer, places};
use crate::oci::Platform;

use document::Document;

const EXAMPLES: &str = "\
Examples:
  kimg inspect store:kafka:3.5.2
  kimg inspect docker://registry.example/team/app:1 --platform linux/arm64
  kimg inspect docker://registry.example/team/app:1 --json | jq '.image.layers'
  kimg inspect oci:out --raw | sha256sum

Of an index, its platforms are shown, and the image of the first, or of --platform.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// The image: docker://REF, oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF], docker-daemon:REF or
    /// store:REF
    #[arg(value_name = "LOCATION", value_parser = values::source)]
    location: Location,
    /// Of an index, the image of this platform
    #[arg(long, value_name = "OS/ARCH", value_parser = values::platform)]
    platform: Option<Platform>,
    /// Print JSON
    #[arg(long, conflicts_with_all = ["raw", "configuration"])]
    json: bool,
    /// Print the bytes of the manifest or index as they are; with --platform, of the platform's manifest
    #[arg(long, conflicts_with = "configuration")]
    raw: bool,
    /// Print the bytes of the configuration as they are
    #[arg(long = "image-config")]
    configuration: bool,
    #[command(flatten)]
    registry: RegistryFlags,
}

/// What is asked for.
enum Answer {
    Bytes(Vec<u8>),
    Document(Box<Document>),
}

/// Shows what an image is.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (location, platform) = (args.location.clone(), args.platform.clone());
    let (raw, configuration, events) = (args.raw, args.configuration, session.story.events());
    let answer = places::with(&args.registry, session, move |ends| {
        let opened = ends.source(&location, &crate::copy::Execution::new(events))?;
        let found = read::Found::of(opened.source.as_ref(), opened.descriptor)?;
        Ok(match (raw, configuration) {
            (true, _) if platform.is_none() => Answer::Bytes(found.bytes),
            (true, _) => Answer::Bytes(found.image(platform.as_ref())?.bytes),
            (_, true) => Answer::Bytes(found.image(platform.as_ref())?.configuration()?),
            _ => Answer::Document(Box::new(document::document(&location.to_string(), &found, platform.as_ref())?)),
        })
    })?;
    match answer {
        Answer::Bytes(bytes) => answer::print_bytes(&bytes),
        Answer::Document(document) if args.json => answer::print_json(&document),
        Answer::Document(document) => answer::print(&text::text(&document)),
    }
}
