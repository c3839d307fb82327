//! Taking what was built to where it is wanted.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::order::Order;
use crate::build::{Built, Workshop};
use crate::cli::values::{ArchiveFile, ArchiveKind, Location};
use crate::cli::{CliError, Failure};
use crate::copy::{self, CopyError, Root, Sink, Source};
use crate::oci::Descriptor;
use crate::store::BlobFile;
use crate::transport::{Archive, Daemon, DockerArchiveSink, LayoutSink, OciArchiveSink, StoreSource};

/// The Docker daemon, where images are to go into one: whether it is there is known before the work.
pub(super) async fn daemon(order: &Order) -> Result<Option<Daemon>, Failure> {
    let Some(host) = order.docker_host.clone() else { return Ok(None) };
    let connected = tokio::task::spawn_blocking(move || Daemon::connect(&host)).await;
    let daemon = connected.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?;
    Ok(Some(daemon?))
}

/// Copies all images to all outputs, each under the name that the output asks for or else its own. When this is dropped,
/// the copy under way ends and leaves nothing.
pub(super) async fn deliver(
    built: &[(Built, Vec<String>)],
    order: &Order,
    daemon: Option<Daemon>,
    workshop: &Workshop,
) -> Result<(), Failure> {
    let (outputs, workshop) = (order.outputs.clone(), workshop.clone());
    let roots = outputs.iter().map(|output| roots(built, output)).collect::<Vec<_>>();
    let going = Going::default();
    let ended = going.0.clone();
    let work = move || {
        let store = StoreSource::open(workshop.store.clone())?;
        let source = Ending { source: store, ended };
        for (output, roots) in outputs.iter().zip(&roots) {
            to(output, roots, &source, daemon.as_ref(), &workshop)?;
        }
        Ok(())
    };
    let done = tokio::task::spawn_blocking(work).await;
    drop(going);
    done.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?
}

/// The images, with the names that they get there.
fn roots(built: &[(Built, Vec<String>)], output: &Location) -> Vec<Root> {
    let names = |built: &Built, tags: &[String]| match (output.name(), tags) {
        (Some(name), _) => vec![name.clone()],
        (None, []) => vec![built.name.clone()],
        (None, tags) => tags.to_vec(),
    };
    built.iter().map(|(built, tags)| Root { descriptor: built.manifest.clone(), names: names(built, tags) }).collect()
}

fn to(
    output: &Location,
    roots: &[Root],
    source: &dyn Source,
    daemon: Option<&Daemon>,
    workshop: &Workshop,
) -> Result<(), Failure> {
    let sink: Box<dyn Sink> = match output {
        Location::Layout { folder, .. } => Box::new(LayoutSink::open(folder)?),
        Location::Archive { kind, file, .. } => {
            let archive = archive(file, &output.place())?;
            match kind {
                ArchiveKind::Oci => Box::new(OciArchiveSink::new(archive)),
                ArchiveKind::Docker => Box::new(DockerArchiveSink::new(archive)),
            }
        }
        Location::Daemon { .. } => {
            let daemon = daemon.ok_or_else(|| CliError::Worker("nobody asked for the daemon".to_owned()))?;
            return Ok(daemon.load(source, roots, &workshop.events)?);
        }
    };
    let plan = copy::plan(source, sink.as_ref(), roots)?;
    Ok(copy::execute(&plan, source, sink, &workshop.events)?)
}

fn archive(file: &ArchiveFile, place: &str) -> Result<Archive, Failure> {
    match file {
        ArchiveFile::Path(path) => Ok(Archive::at(place, path)?),
        // Not through the buffer of lines that answers have.
        ArchiveFile::Stdout => {
            let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(CliError::Answer)?;
            Ok(Archive::to(place, std::fs::File::from(stdout)))
        }
    }
}

/// Copies go on while it lives.
#[derive(Default)]
struct Going(Arc<AtomicBool>);

impl Drop for Going {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A source that fails once nobody waits for the copy any more.
struct Ending {
    source: StoreSource,
    ended: Arc<AtomicBool>,
}

struct EndingRead<'a> {
    content: Box<dyn Read + 'a>,
    ended: &'a AtomicBool,
}

impl Source for Ending {
    fn describe(&self) -> String {
        self.source.describe()
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        self.source.resolve(name)
    }

    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + '_>, CopyError> {
        Ok(Box::new(EndingRead { content: self.source.open(descriptor)?, ended: &self.ended }))
    }

    fn file(&self, blob: &Descriptor) -> Option<BlobFile> {
        self.source.file(blob)
    }

    fn tar_size(&self, layer: &Descriptor) -> Option<u64> {
        self.source.tar_size(layer)
    }
}

impl Read for EndingRead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.ended.load(Ordering::Relaxed) {
            true => Err(io::Error::other("the copy ended")),
            false => self.content.read(buffer),
        }
    }
}
