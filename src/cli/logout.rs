use std::path::PathBuf;

use super::registry::{AccessFlags, RegistryName, registry_name};
use super::{CliError, Failure, Session};

const EXAMPLES: &str = "\
Examples:
  kimg logout registry.example
  kimg logout --all

The credentials are removed wherever kimg finds them: in the files of podman and of Docker, and by their helpers.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// The registry, or a path below one
    #[arg(value_name = "REGISTRY", value_parser = registry_name, required_unless_present = "all")]
    registry: Option<RegistryName>,
    /// Forget the credentials for all registries
    #[arg(long, conflicts_with = "registry")]
    all: bool,
    /// The file of credentials [default: those of podman and of Docker]
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
}

/// Forgets credentials.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let access = AccessFlags { authfile: args.authfile.clone(), ..AccessFlags::default() };
    let places = access.files(&session.environment).forget(args.registry.as_ref())?;
    let name = args.registry.as_ref().map_or("all registries".to_owned(), ToString::to_string);
    if places.is_empty() {
        return Err(CliError::NotLoggedIn { registry: name }.into());
    }
    let events = session.story.events();
    places.iter().for_each(|place| events.note(format!("{name}: credentials removed from {place}")));
    Ok(())
}
