use std::fs::{self, File};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::Args;
use super::inputs::folders;
use super::repositories::{Repository, repositories};
use super::request::requests;
use crate::build::{Request, Reuse};
use crate::cli::files::check_folder;
use crate::cli::values::{ArchiveFile, Location};
use crate::cli::{CliError, Environment};
use crate::transport::DockerHost;

/// A resolved command line: all that can be known to be wrong before the work is found here.
#[derive(Debug)]
pub(super) struct Order {
    /// One for each image.
    pub(super) requests: Vec<Request>,
    /// Folders of inputs.
    pub(super) folders: Vec<PathBuf>,
    /// Where each goes besides the store, and besides registries.
    pub(super) outputs: Vec<Location>,
    /// The repositories of registries that the one image goes into.
    pub(super) repositories: Vec<Repository>,
    /// What may stay where it is in these.
    pub(super) reuse: Reuse,
    /// Where the Docker daemon listens, if images go into one.
    pub(super) docker_host: Option<DockerHost>,
    /// Where the metadata go.
    pub(super) metadata_file: Option<PathBuf>,
    /// Where the image's id goes.
    pub(super) iidfile: Option<PathBuf>,
}

impl Order {
    /// Whether the images go nowhere else.
    pub(super) fn is_for_the_store(&self) -> bool {
        self.outputs.is_empty() && self.repositories.is_empty()
    }

    /// Resolves the flags.
    pub(super) fn resolve(args: &Args, images: &[String], environment: &Environment) -> Result<Order, CliError> {
        check_one_image(args, images.len())?;
        let mut outputs = args.output.clone();
        outputs.extend(args.load.then_some(Location::Daemon { name: None }));
        let repositories = repositories(args)?;
        outputs.retain(|output| !matches!(output, Location::Registry { .. }));
        check_outputs(&outputs)?;
        check_archives(&outputs)?;
        check_one_platform(args, &outputs)?;
        for addition in &args.changes.add {
            fs::symlink_metadata(&addition.from).map_err(read_error(&addition.from))?;
        }
        for authority in &args.changes.ca {
            File::open(authority).map_err(read_error(authority))?;
        }
        let folders = folders(&args.inputs);
        for folder in &folders {
            let metadata = fs::metadata(folder).map_err(read_error(folder))?;
            if !metadata.is_dir() {
                return Err(read_error(folder)(std::io::ErrorKind::NotADirectory.into()));
            }
        }
        for file in args.metadata_file.iter().chain(&args.iidfile) {
            check_folder(file)?;
        }
        Ok(Order {
            requests: requests(args, images),
            folders,
            docker_host: match outputs.iter().any(Location::is_daemon) {
                true => Some(docker_host(environment)?),
                false => None,
            },
            reuse: match (repositories.is_empty() || !outputs.is_empty(), args.trust_lock_outputs) {
                (true, _) => Reuse::Nothing,
                (false, false) => Reuse::Known,
                (false, true) => Reuse::AllLocks,
            },
            repositories,
            outputs,
            metadata_file: args.metadata_file.clone(),
            iidfile: args.iidfile.clone(),
        })
    }
}

/// What names one image cannot be given to several.
fn check_one_image(args: &Args, count: usize) -> Result<(), CliError> {
    let named = |location: &Location| location.name().is_some() || matches!(location, Location::Registry { .. });
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

/// Docker's own format knows no images of several platforms, and its id of an image is the digest of one configuration.
fn check_one_platform(args: &Args, outputs: &[Location]) -> Result<(), CliError> {
    let others = args.platform.iter().skip(1).filter(|platform| **platform != args.platform[0]).count();
    if others == 0 {
        return Ok(());
    }
    if let Some(output) = outputs.iter().find(|output| output.holds_one_platform()) {
        return Err(CliError::Flags {
            flag: "--platform",
            why: format!("{} holds images of one platform, and {} are named", output.place(), others + 1),
            hint: "name one, or write oci:DIR or oci-archive:FILE".to_owned(),
        });
    }
    match args.iidfile {
        Some(_) => Err(CliError::Flags {
            flag: "--iidfile",
            why: "an image of several platforms has several ids".to_owned(),
            hint: "use --metadata-file, which has the digest of the index".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The store has every image, under its own names.
fn check_outputs(outputs: &[Location]) -> Result<(), CliError> {
    match outputs.iter().find(|output| matches!(output, Location::Store { .. })) {
        None => Ok(()),
        Some(output) => Err(CliError::Flags {
            flag: "--output",
            why: format!("{}: images lie in the store anyway", output.place()),
            hint: "name it with --tag".to_owned(),
        }),
    }
}

/// Each archive is a file of its own, and none is for a terminal.
fn check_archives(outputs: &[Location]) -> Result<(), CliError> {
    let flag = "--output";
    let mut seen = Vec::new();
    for output in outputs {
        let Location::Archive { file, .. } = output else { continue };
        if seen.contains(&file) {
            return Err(CliError::Flags {
                flag,
                why: format!("two archives are to be written to {file}"),
                hint: "give each a file of its own; all images of the command go into each".to_owned(),
            });
        }
        seen.push(file);
        match file {
            ArchiveFile::Path(path) => check_folder(path)?,
            ArchiveFile::Stdout if io::stdout().is_terminal() => {
                return Err(CliError::Flags {
                    flag,
                    why: "standard output is a terminal, and an archive is not text".to_owned(),
                    hint: "pipe it into what reads it, such as `docker load`, or write `> FILE`".to_owned(),
                });
            }
            ArchiveFile::Stdout => {}
        }
    }
    Ok(())
}

/// What `DOCKER_HOST` says, or else where Docker's own programs look.
pub(in crate::cli) fn docker_host(environment: &Environment) -> Result<DockerHost, CliError> {
    let variable = |name: &str, why: String, hint: &str| CliError::Variable {
        name: name.to_owned(),
        why,
        hint: Some(hint.to_owned()),
    };
    let Some(text) = environment.text("DOCKER_HOST")? else { return Ok(DockerHost::default()) };
    let host: DockerHost = text.parse().map_err(|error: crate::transport::InvalidDockerHost| {
        variable("DOCKER_HOST", error.to_string(), "write unix:///PATH or tcp://HOST:PORT; ssh can forward a socket")
    })?;
    // What the user wants encrypted is not sent in the clear.
    let wants_tls = environment.has("DOCKER_TLS_VERIFY") || environment.has("DOCKER_TLS");
    match &host {
        DockerHost::Tcp(_) if wants_tls => Err(variable(
            "DOCKER_TLS_VERIFY",
            "kimg speaks to Docker daemons without TLS".to_owned(),
            "forward the daemon's socket by ssh, or write -o docker-archive:- and pipe it into `docker load`",
        )),
        _ => Ok(host),
    }
}

fn read_error(path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    move |source| CliError::Read { path: path.to_owned(), source }
}
