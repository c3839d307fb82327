use super::copy::{Options, copy};
use super::values::{self, Location};
use super::{CliError, Failure, Session};

const EXAMPLES: &str = "\
Examples:
  kimg push kafka:3.5.2 localhost:5000/kafka:3.5.2
  kimg push registry.example/team/kafka:3.5.2
  kimg push kafka:3.5.2 registry.example/team/kafka:3.5.2 --authfile auth.json

Standard output has the digest.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// An image of the store; `kimg store ls` lists them
    #[arg(value_name = "IMAGE", value_parser = values::stored)]
    image: Location,
    /// The repository and tag; without it, those that the image's own name is
    #[arg(value_name = "REF", value_parser = values::reference)]
    target: Option<Location>,
    #[command(flatten)]
    options: Options,
}

/// Copies an image of the store into a registry.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let target = match &args.target {
        Some(target) => target.clone(),
        None => own(&args.image)?,
    };
    copy(args.image.clone(), target, &args.options, session)
}

/// The repository that an image's own name is, where it names a host: an image that is named `kafka:3.5.2` must not go to
/// Docker Hub unasked.
fn own(image: &Location) -> Result<Location, CliError> {
    let name = image.name().and_then(|name| name.split('@').next()).unwrap_or_default();
    let host = name.split_once('/').map(|(host, _)| host).unwrap_or_default();
    let found = (host.contains(['.', ':']) || host == "localhost").then(|| values::reference(name).ok()).flatten();
    found.ok_or_else(|| CliError::Flags {
        flag: "REF",
        why: format!("it is missing, and the name `{name}` has no host to push to"),
        hint: format!("write `kimg push {image} HOST/PATH:TAG`", image = image.name().map_or("IMAGE", String::as_str)),
    })
}
