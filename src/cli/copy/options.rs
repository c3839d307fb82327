use std::io::{self, IsTerminal};
use std::path::PathBuf;

use crate::cli::registry::RegistryFlags;
use crate::cli::values::{self, Location};
use crate::cli::{CliError, files};
use crate::copy::Choice;
use crate::oci::Platform;

/// Flags of all commands that copy.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// Copy all platforms of an index; this is what happens without --platform
    #[arg(short, long, visible_alias = "all", conflicts_with = "platform")]
    all_platforms: bool,
    /// Copy these platforms of an index only: of one, its manifest; of several, the same index, which lacks the others
    /// (repeatable)
    #[arg(long, value_name = "OS/ARCH", value_delimiter = ',', value_parser = values::platform)]
    platform: Vec<Platform>,
    /// Write a new index of the platforms that are copied; it has another digest
    #[arg(long, requires = "platform")]
    new_index: bool,
    /// Copy signatures, SBOMs and what else names the image as its subject too
    #[arg(long)]
    referrers: bool,
    /// Copy so many blobs at once, at most
    #[arg(short, long, value_name = "N", default_value_t = 4, allow_negative_numbers = true, value_parser = values::jobs)]
    pub(super) jobs: usize,
    /// Try again so often where a registry fails for a while [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::retries)]
    pub(super) retry: Option<u32>,
    /// Tell what would move and what is there already, and move nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print what was done, or would be, as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Write the digest that the target has to FILE
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(super) digestfile: Option<PathBuf>,
    #[command(flatten)]
    pub(super) registry: RegistryFlags,
}

impl Options {
    /// What of the image is copied.
    pub(super) fn choice(&self) -> Choice {
        Choice { platforms: self.platform.clone(), new_index: self.new_index, referrers: self.referrers }
    }

    /// Finds what can be known to be wrong before the work.
    pub(super) fn check(&self, target: &Location) -> Result<(), CliError> {
        if let Some(path) = &self.digestfile {
            files::check_folder(path)?;
        }
        if !target.is_stdout() || self.dry_run {
            return Ok(());
        }
        let wrong =
            |flag, why: &str, hint: &str| Err(CliError::Flags { flag, why: why.to_owned(), hint: hint.to_owned() });
        if io::stdout().is_terminal() {
            return wrong(
                "DST",
                "standard output is a terminal, and an archive is not text",
                "pipe it into what reads it, such as `docker load`, or write `> FILE`",
            );
        }
        if self.json {
            return wrong("--json", "standard output is the archive", "write the archive into a file");
        }
        Ok(())
    }
}
