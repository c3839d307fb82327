use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::arguments::Definitions;
use super::definition::OwnDefinition;
use super::files::write_whole;
use super::table::table;
use super::workshop::Means;
use super::{CliError, Environment, Failure, Session, answer, interrupt, values};
use crate::build::{self, Change, Locked, Workshop};
use crate::ui::escape;

const EXAMPLES: &str = "\
Examples:
  kimg lock kafka:3.5.2                           print the lock as it would be now
  kimg lock --images images kafka:3.5.2           write images/kafka/3.5.2.lock.toml and 3.5.2.entries
  kimg lock --update --images images              move all Debian packages to what the archive has now
  kimg lock --check                               tell what that would change, with exit code 1 if anything
  kimg lock -f image.toml                         write image.lock.toml beside your definition
  kimg lock -f image.toml --check                 exit code 1 if that would change it

Debian packages are looked up as the archive has them now; other inputs stay as the lock before has them, or where there
is none are taken from the release: its archive, or a list of coordinates, NAME/VERSION.jars.
SOURCE_DATE_EPOCH, where set, is taken for the time of now.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// What to lock; with --update or --check, those with their bases, or all that have packages
    #[arg(id = "image", value_name = "FAMILY[:VERSION]", value_parser = values::image)]
    #[arg(required_unless_present_any = ["update", "check", "file"])]
    images: Vec<String>,
    #[command(flatten)]
    own: OwnDefinition,
    /// Write locks anew where the Debian archive has other packages, and print which
    #[arg(long, requires = "images", conflicts_with = "file")]
    update: bool,
    /// Print what --update would change and write nothing; exit code 1 if anything would
    #[arg(long, conflicts_with = "update")]
    check: bool,
    /// Trust the OpenPGP keys of FILE too when a release is locked that has no lock yet (repeatable)
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    definitions: Definitions,
    #[command(flatten)]
    means: Means,
}

/// Writes locks into the folder of the definitions, and prints which files; or prints a lock, where the definitions are
/// built in.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let now = now(&session.environment)?;
    let folder = args.definitions.images.as_deref();
    let catalog = args.own.add_to(args.definitions.catalog()?)?;
    let workshop = args.means.workshop(catalog, session)?;
    if workshop.catalog.user().is_some() {
        return interrupt::run(lock_own(args.check, &workshop, now));
    }
    if args.update || args.check {
        return interrupt::run(update(args, &workshop, now));
    }
    let keys = keys(&args.keys)?;
    interrupt::run(async {
        for image in &args.images {
            let locked = build::lock(image, &keys, &workshop, now).await?;
            let Some(folder) = folder else {
                answer::print(&locked.lock)?;
                continue;
            };
            for path in write(&locked, folder)? {
                answer::print(&format!("{}\n", escape(&path)))?;
            }
        }
        Ok(())
    })
}

/// Makes the lock of a definition of the user's and writes it, where it is another; or only tells whether it would be.
async fn lock_own(check: bool, workshop: &Workshop, now: u64) -> Result<(), Failure> {
    let locked = build::lock_user(workshop, now).await?;
    let Some(user) = workshop.catalog.user() else { return Ok(()) };
    let is_same = user.lock.as_ref() == Some(&locked.lock);
    match (is_same, check) {
        (true, _) => workshop.events.note(format!("{}: it is as it would be made now", user.lock_file)),
        (false, true) => {
            return Err(CliError::OutdatedLock { lock: user.lock_file.clone(), file: user.file.clone() }.into());
        }
        (false, false) => write_whole(Path::new(&user.lock_file), locked.lock.as_bytes())?,
    }
    match check {
        true => Ok(()),
        false => answer::print(&format!("{}\n", escape(&user.lock_file))),
    }
}

/// Moves packages to those that the archive has now, or only looks which it would move, and prints them.
async fn update(args: &Args, workshop: &Workshop, now: u64) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut outdated = Vec::new();
    for image in build::with_packages(&workshop.catalog, &args.images)? {
        let changes = if args.check {
            build::changes(&image, workshop, now).await?
        } else {
            let updated = build::update(&image, workshop, now).await?;
            if let (Some((locked, _)), Some(folder)) = (&updated, &args.definitions.images) {
                for path in write(locked, folder)? {
                    workshop.events.note(format!("wrote {path}"));
                }
            }
            updated.map(|(_, changes)| changes).unwrap_or_default()
        };
        if changes.is_empty() {
            workshop.events.note(format!("{image}: its packages are those that the archive has now"));
            continue;
        }
        rows.extend(changes.iter().map(|change| row(&image, change)));
        outdated.push(image);
    }
    if !rows.is_empty() {
        answer::print(&table(["IMAGE", "PACKAGE", "FROM", "TO"], &rows))?;
    }
    match args.check && !outdated.is_empty() {
        true => Err(CliError::Outdated { images: outdated }.into()),
        false => Ok(()),
    }
}

fn row(image: &str, change: &Change) -> [String; 4] {
    let version =
        |version: &Option<String>| version.as_ref().map_or_else(|| "-".to_owned(), |text| escape(text).into());
    [escape(image).into(), escape(&change.package).into(), version(&change.from), version(&change.to)]
}

/// Writes the files of a lock, and returns their paths.
fn write(locked: &Locked, folder: &Path) -> Result<Vec<String>, CliError> {
    let mut paths = Vec::new();
    for (path, text) in files(locked) {
        let path = folder.join(path);
        write_whole(&path, text.as_bytes())?;
        paths.push(path.display().to_string());
    }
    Ok(paths)
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
pub(super) fn now(environment: &Environment) -> Result<u64, CliError> {
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
