use std::io::{BufReader, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::LayerError;

/// One member of a zip (a jar), at most `limit` bytes; `None` where there is none of that name. `input` names the zip in
/// errors.
pub fn zip_member<R: Read + Seek>(zip: R, input: &str, name: &str, limit: u64) -> Result<Option<Vec<u8>>, LayerError> {
    let damaged = |why: String| LayerError::Damaged { input: input.to_owned(), why };
    let mut archive = ZipArchive::new(BufReader::new(zip)).map_err(|error| damaged(error.to_string()))?;
    let member = match archive.by_name(name) {
        Ok(member) => member,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(damaged(format!("{name}: {error}"))),
    };
    let mut bytes = Vec::new();
    member.take(limit + 1).read_to_end(&mut bytes).map_err(|error| damaged(format!("{name}: {error}")))?;
    match bytes.len() as u64 > limit {
        true => Err(LayerError::Bomb { input: format!("{input}: {name}"), limit, what: "bytes" }),
        false => Ok(Some(bytes)),
    }
}

/// The names of a zip's members, in its own order. `input` names the zip in errors.
pub fn zip_names<R: Read + Seek>(zip: R, input: &str) -> Result<Vec<String>, LayerError> {
    let damaged = |why: String| LayerError::Damaged { input: input.to_owned(), why };
    let archive = ZipArchive::new(BufReader::new(zip)).map_err(|error| damaged(error.to_string()))?;
    Ok(archive.file_names().map(str::to_owned).collect())
}
