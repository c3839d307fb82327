use std::io::{self, BufReader, Read};

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;

use super::DebianError;
use super::ar::{Archive, Member};
use crate::layer::{Entry, EntryKind, Limits, read_tar};

/// The largest control archive seen has 40 KB.
const CONTROL: Limits = Limits { entries: 1000, bytes: 16 << 20 };

/// No package that a server needs has more.
const DATA: Limits = Limits { entries: 200_000, bytes: 4 << 30 };

/// `xz -9` needs 65 MiB to decompress.
const MOST_MEMORY: u64 = 256 << 20;

/// Tars are padded to a block of 10 KiB, or of some more; what is longer is no padding.
const PADDING: u64 = 1 << 20;

/// What the control archive of a .deb says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The control stanza as it stands in the package.
    pub stanza: String,
    /// The lines of `md5sums`: digest and path.
    pub md5sums: Vec<(String, Vec<u8>)>,
}

/// Reads a .deb (already verified; deb(5)): the control archive first, then each entry of the data archive as
/// [`read_tar`] hands them over, with the .deb's own mode and owner. Both members may be uncompressed, gzip, xz or zstd;
/// each is read to its end, so that one that was cut is never taken for a whole one. `name` is the package, for errors
/// and origins.
pub fn read_deb<R: Read, E: From<DebianError>>(
    deb: R,
    name: &str,
    control: impl FnOnce(Control) -> Result<(), E>,
    entry: impl FnMut(Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let damaged = |why: String| DebianError::Deb { package: name.to_owned(), why };
    let mut archive = Archive::new(deb);
    let mut version = String::new();
    next(&mut archive, "debian-binary", name)?
        .take(16)
        .read_to_string(&mut version)
        .map_err(|error| damaged(error.to_string()))?;
    if version != "2.0\n" {
        return Err(damaged(format!("its format is `{}`, not 2.0", version.escape_debug())).into());
    }
    {
        let bytes = next(&mut archive, "control.tar", name)?;
        let member = bytes.name.clone();
        let mut tar = decoder(&member, bytes).map_err(damaged)?;
        let found = read_control(&mut tar, name)?;
        read_padding(tar, &member).map_err(damaged)?;
        control(found)?;
    }
    {
        let bytes = next(&mut archive, "data.tar", name)?;
        let member = bytes.name.clone();
        let mut tar = decoder(&member, bytes).map_err(damaged)?;
        read_data(&mut tar, name, entry)?;
        read_padding(tar, &member).map_err(damaged)?;
    }
    match archive.next().map_err(|error| damaged(error.to_string()))? {
        None => Ok(()),
        Some(_) => Err(damaged("it has members after data.tar".to_owned()).into()),
    }
}

/// Errors of two floors meet here: the tar's and the caller's.
enum Either<E> {
    Ours(DebianError),
    Theirs(E),
}

impl<E> From<crate::layer::LayerError> for Either<E> {
    fn from(error: crate::layer::LayerError) -> Either<E> {
        Either::Ours(error.into())
    }
}

fn read_data<E: From<DebianError>>(
    tar: impl Read,
    name: &str,
    mut entry: impl FnMut(Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let result = read_tar(tar, name, DATA, |found, content| entry(found, content).map_err(Either::Theirs));
    result.map_err(|error| match error {
        Either::Ours(error) => error.into(),
        Either::Theirs(error) => error,
    })
}

/// What stands behind the end of a tar; the decompressor verifies its own checksum at the end.
fn read_padding(tar: impl Read, member: &str) -> Result<(), String> {
    match io::copy(&mut tar.take(PADDING + 1), &mut io::sink()) {
        Ok(count) if count <= PADDING => Ok(()),
        Ok(_) => Err(format!("{member} goes on behind the end of its tar")),
        Err(error) => Err(format!("{member}: {error}")),
    }
}

/// The next member, whose name is `expected` or, for a tar, begins so.
fn next<'a, R: Read>(archive: &'a mut Archive<R>, expected: &str, name: &str) -> Result<Member<'a, R>, DebianError> {
    let damaged = |why: String| DebianError::Deb { package: name.to_owned(), why };
    let member = archive.next().map_err(|error| damaged(error.to_string()))?;
    let member = member.ok_or_else(|| damaged(format!("it has no {expected}")))?;
    let fits = member.name.strip_prefix(expected).is_some_and(|ending| ending.is_empty() || ending.starts_with('.'));
    match fits {
        true => Ok(member),
        false => Err(damaged(format!("it has `{}` where {expected} should be", member.name.escape_debug()))),
    }
}

fn decoder<'a>(member: &str, bytes: impl Read + 'a) -> Result<Box<dyn Read + 'a>, String> {
    let bytes = BufReader::with_capacity(256 << 10, bytes);
    match member.rsplit_once(".tar").map(|(_, ending)| ending) {
        Some("") => Ok(Box::new(bytes)),
        Some(".gz") => Ok(Box::new(flate2::bufread::GzDecoder::new(bytes))),
        Some(".xz") => {
            // One thread: more of them hold whole blocks in memory, and the other cores compress meanwhile.
            let stream = Stream::new_stream_decoder(MOST_MEMORY, 0).map_err(|error| format!("{member}: {error}"))?;
            Ok(Box::new(XzDecoder::new_stream(bytes, stream)))
        }
        Some(".zst") => match zstd::Decoder::with_buffer(bytes) {
            Ok(decoder) => Ok(Box::new(decoder)),
            Err(error) => Err(format!("{member}: {error}")),
        },
        _ => Err(format!("its member `{}` is compressed in a way that is not known", member.escape_debug())),
    }
}

fn read_control(tar: impl Read, name: &str) -> Result<Control, DebianError> {
    let damaged = |why: String| DebianError::Deb { package: name.to_owned(), why };
    let (mut stanza, mut md5sums) = (None, Vec::new());
    read_tar(tar, name, CONTROL, |entry, content| {
        let mut bytes = Vec::new();
        if !matches!(entry.kind, EntryKind::File { .. }) {
            return Ok(());
        }
        match entry.path.as_bytes() {
            b"control" => {
                content.read_to_end(&mut bytes).map_err(|error| damaged(error.to_string()))?;
                let text = String::from_utf8(bytes).map_err(|_| damaged("its control file is not UTF-8".to_owned()))?;
                stanza = Some(text);
            }
            b"md5sums" => {
                content.read_to_end(&mut bytes).map_err(|error| damaged(error.to_string()))?;
                md5sums = bytes.split(|byte| *byte == b'\n').filter_map(md5sum).collect();
            }
            _ => {}
        }
        Ok::<(), DebianError>(())
    })?;
    Ok(Control { stanza: stanza.ok_or_else(|| damaged("it has no control file".to_owned()))?, md5sums })
}

/// `DIGEST  PATH`.
fn md5sum(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let (digest, path) = line.split_at_checked(32)?;
    let digest = std::str::from_utf8(digest).ok()?;
    Some((digest.to_owned(), path.strip_prefix(b"  ")?.to_vec()))
}
