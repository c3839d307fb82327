use std::io::{self, Read, Seek, SeekFrom};

use crate::copy::CopyError;
use crate::error::{Category, Diagnose};
use crate::layer::LayerError;

/// How compressed files begin, and what unpacks them.
const PACKED: [(&[u8], &str, &str); 4] = [
    (&[0x1f, 0x8b], "gzip", "gunzip"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "unzstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz", "unxz"),
    (b"BZh", "bzip2", "bunzip2"),
];

/// Bytes that tell.
const MAGIC: u64 = 6;

/// Refuses an archive that is compressed as a whole: nothing says beforehand what its bytes should be, and no decompressor
/// of kimg's sees such. The file is at its start afterwards.
pub(super) fn refuse_packed(place: &str, file: &mut (impl Read + Seek)) -> Result<(), CopyError> {
    let mut first = Vec::new();
    let read = Read::take(&mut *file, MAGIC).read_to_end(&mut first);
    read.and_then(|_| file.seek(SeekFrom::Start(0))).map_err(|error| unread(place, &error))?;
    check(place, &first)
}

/// The same for what is read once: the stream again, from its start.
pub(super) fn refuse_packed_stream<'a>(
    place: &str,
    mut stream: Box<dyn Read + Send + 'a>,
) -> Result<Box<dyn Read + Send + 'a>, CopyError> {
    let mut first = Vec::new();
    Read::take(&mut stream, MAGIC).read_to_end(&mut first).map_err(|error| unread(place, &error))?;
    check(place, &first)?;
    Ok(Box::new(io::Cursor::new(first).chain(stream)))
}

fn check(place: &str, first: &[u8]) -> Result<(), CopyError> {
    let Some((_, name, program)) = PACKED.iter().find(|(magic, ..)| first.starts_with(magic)) else { return Ok(()) };
    let kind = place.split(':').next().unwrap_or_default();
    Err(CopyError::Failed {
        place: place.to_owned(),
        what: "cannot be read".to_owned(),
        why: format!("the archive is compressed by {name}, and is read as it is only"),
        category: Category::Failed,
        hint: Some(format!("unpack it first by `{program}`, or pipe it: `{program} -c FILE | kimg copy {kind}:- DST`")),
    })
}

/// What is wrong with the tar of an archive; `input` is what the error calls it.
pub(super) fn no_tar(place: &str, input: &str, error: &LayerError) -> CopyError {
    let text = error.to_string();
    CopyError::Failed {
        place: place.to_owned(),
        what: "cannot be read".to_owned(),
        why: text.strip_prefix(input).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&text).to_owned(),
        category: error.category(),
        hint: match error {
            LayerError::Damaged { .. } => Some("make it again, or fetch it again".to_owned()),
            error => error.hint(),
        },
    }
}

pub(super) fn unread(place: &str, error: &io::Error) -> CopyError {
    CopyError::Failed {
        place: place.to_owned(),
        what: "cannot be read".to_owned(),
        why: error.to_string(),
        category: Category::Failed,
        hint: None,
    }
}
