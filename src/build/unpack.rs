//! Archives that a user's definition unpacks into a layer.

use std::io::{BufReader, Read, Write};

use flate2::read::MultiGzDecoder;

use super::BuildError;
use super::assemble::Assembly;
use crate::definition::user::{Archive, ArchiveUrl, InvalidArchiveUrl, Packing};
use crate::layer::{Entry, EntryPath, Limits, read_tar, read_zip, unpacked};
use crate::lock::Input;

/// The largest archives of plug-ins have some thousand files.
const LIMITS: Limits = Limits { entries: 1_000_000, bytes: 64 << 30 };

/// Adds what is in an archive. Its bytes were compared with its digest as a whole before the first of them is read.
pub(super) fn add<W: Write + Send>(
    assembly: &mut Assembly<'_, W>,
    archive: &Archive,
    input: &Input,
) -> Result<(), BuildError> {
    let wrong = |why: String| BuildError::BadUserFile { path: input.name.clone(), why };
    let url: ArchiveUrl = archive.url.parse().map_err(|error: InvalidArchiveUrl| wrong(error.to_string()))?;
    let packing = url.packing().ok_or_else(|| wrong("is packed in a way that kimg does not know".to_owned()))?;
    let file = assembly.downloads.open(&input.sha256.into(), input.size)?;
    let into = EntryPath::new(archive.into.as_bytes())?;
    let mut found = false;
    let take = |entry: Entry, content: &mut dyn Read| match unpacked(entry, archive.strip, &into)? {
        Some(entry) => {
            found = true;
            assembly.add(entry, content)
        }
        None => Ok(()),
    };
    let file = BufReader::with_capacity(256 << 10, file);
    match packing {
        Packing::Tar => read_tar(file, &input.name, LIMITS, take),
        Packing::TarGzip => read_tar(MultiGzDecoder::new(file), &input.name, LIMITS, take),
        Packing::Zip => read_zip(file, &input.name, LIMITS, take),
    }?;
    match found {
        true => Ok(()),
        false => Err(wrong(format!("nothing is left of it without {} leading components (`strip`)", archive.strip))),
    }
}
