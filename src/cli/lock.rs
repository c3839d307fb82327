use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::arguments::Definitions;
use super::files::write_whole;
use super::workshop::Means;
use super::{CliError, Environment, Failure, Session, answer, interrupt, values};
use crate::build::{self, Locked};

const EXAMPLES: &str = "\
Examples:
  kimg lock kafka:3.5.2                           print the lock as it would be now
  kimg lock --images images kafka:3.5.2           write images/kafka/3.5.2.lock.toml and 3.5.2.entries

Debian packages are looked up as the archive has them now; other inputs stay as the lock before has them.
SOURCE_DATE_EPOCH, where set, is taken for the time of now.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// What to lock
    #[arg(value_name = "FAMILY[:VERSION]", value_parser = values::image)]
    image: String,
    /// Trust the OpenPGP keys of FILE too when a release is locked that has no lock yet (repeatable)
    #[arg(long, value_name = "FILE")]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    definitions: Definitions,
    #[command(flatten)]
    means: Means,
}

/// Writes the lock into the folder of the definitions, and prints which files; or prints the lock, where the
/// definitions are built in.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let now = now(&session.environment)?;
    let folder = args.definitions.images.as_deref();
    let workshop = args.means.workshop(folder, session)?;
    let keys = keys(&args.keys)?;
    let locked = interrupt::run(async { Ok(build::lock(&args.image, &keys, &workshop, now).await?) })?;
    let Some(folder) = folder else { return answer::print(&locked.lock) };
    for (path, text) in files(&locked) {
        let path = folder.join(path);
        write_whole(&path, text.as_bytes())?;
        answer::print(&format!("{}\n", crate::ui::escape(&path.display().to_string())))?;
    }
    Ok(())
}

/// The text of all files of keys.
fn keys(files: &[PathBuf]) -> Result<Vec<u8>, CliError> {
    let mut all = Vec::new();
    for path in files {
        all.extend(fs::read(path).map_err(|source| CliError::Read { path: path.clone(), source })?);
        all.push(b'\n');
    }
    Ok(all)
}

/// The files of a lock, below the folder of the definitions.
fn files(locked: &Locked) -> [(PathBuf, &str); 2] {
    let (family, version) = locked.image.split_once(':').unwrap_or((&locked.image, ""));
    let path = |ending: &str| PathBuf::from(format!("{family}/{version}.{ending}"));
    [(path("entries"), &locked.entries), (path("lock.toml"), &locked.lock)]
}

/// Seconds since 1970.
#[allow(clippy::disallowed_methods, reason = "this is where the time is passed in from")]
fn now(environment: &Environment) -> Result<u64, CliError> {
    const NAME: &str = "SOURCE_DATE_EPOCH";
    if let Some(text) = environment.text(NAME)? {
        return text.parse().map_err(|_| CliError::Variable {
            name: NAME.to_owned(),
            why: "is no number of seconds since 1970".to_owned(),
            hint: Some(format!("unset {NAME}, or set it to what `date +%s` prints")),
        });
    }
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()))
}
