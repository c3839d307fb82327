use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Args;
use super::request::requests;
use crate::build::Request;
use crate::cli::CliError;
use crate::cli::values::Location;

/// A resolved command line: all that can be known to be wrong before the work is found here.
#[derive(Debug)]
pub(super) struct Order {
    /// One for each image.
    pub(super) requests: Vec<Request>,
    /// Where each goes besides the store.
    pub(super) outputs: Vec<Location>,
    /// Where the metadata go.
    pub(super) metadata_file: Option<PathBuf>,
    /// Where the image's id goes.
    pub(super) iidfile: Option<PathBuf>,
}

impl Order {
    /// Resolves the flags.
    pub(super) fn resolve(args: &Args) -> Result<Order, CliError> {
        check_one_image(args)?;
        check_one_platform(args)?;
        for addition in &args.changes.add {
            fs::symlink_metadata(&addition.from).map_err(read_error(&addition.from))?;
        }
        for authority in &args.changes.ca {
            File::open(authority).map_err(read_error(authority))?;
        }
        for file in args.metadata_file.iter().chain(&args.iidfile) {
            check_folder(file)?;
        }
        Ok(Order {
            requests: requests(args),
            outputs: args.output.clone(),
            metadata_file: args.metadata_file.clone(),
            iidfile: args.iidfile.clone(),
        })
    }
}

/// What names one image cannot be given to several.
fn check_one_image(args: &Args) -> Result<(), CliError> {
    let count = args.images.len();
    let named = |location: &Location| matches!(location, Location::Layout { name: Some(_), .. });
    let flag = match () {
        () if !args.tags.is_empty() => "--tag",
        () if args.iidfile.is_some() => "--iidfile",
        () if args.output.iter().any(named) => "--output with a name",
        () => return Ok(()),
    };
    match count {
        1 => Ok(()),
        count => Err(CliError::Flags {
            flag,
            why: format!("it is for one image, and {count} are to be built"),
            hint: "build them one by one; layers that they share are made once".to_owned(),
        }),
    }
}

/// Docker's id of an image is the digest of a configuration, of which several platforms have several.
fn check_one_platform(args: &Args) -> Result<(), CliError> {
    let others = args.platform.iter().skip(1).filter(|platform| **platform != args.platform[0]).count();
    match (&args.iidfile, others) {
        (Some(_), 1..) => Err(CliError::Flags {
            flag: "--iidfile",
            why: "an image of several platforms has several ids".to_owned(),
            hint: "use --metadata-file, which has the digest of the index".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn check_folder(file: &Path) -> Result<(), CliError> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let failed = |source| CliError::Write { path: file.to_owned(), source };
    match fs::metadata(folder).map_err(failed)?.is_dir() {
        true => Ok(()),
        false => Err(failed(std::io::ErrorKind::NotADirectory.into())),
    }
}

fn read_error(path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    move |source| CliError::Read { path: path.to_owned(), source }
}
