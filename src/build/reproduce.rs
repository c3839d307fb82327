//! Whether a layer came out as its lock says, and if not, which file in it differs.

use super::BuildError;
use super::key::LayerRecord;
use super::recipe::Step;
use crate::layer::{Compression, EPOCH, EntryRecord, Origin};
use crate::lock::Output;

/// So many entries are named in an error; more would hide the first.
const NAMED: usize = 3;

/// Whether a layer is what its lock says, where it says something. Only the epoch's own gzip has a digest in locks; any
/// other compression is checked by the diff id.
pub(super) fn fits(step: &Step<'_>, layer: &LayerRecord, compression: Compression) -> bool {
    step.output().is_none_or(|output| is_of(output, layer, compression))
}

fn is_of(output: &Output, layer: &LayerRecord, compression: Compression) -> bool {
    let same_gzip = output.epoch != EPOCH
        || compression != Compression::Gzip(None)
        || (output.gzip, output.size) == (layer.descriptor.digest, layer.descriptor.size);
    output.diff_id == layer.diff_id && same_gzip
}

/// Checks a layer of these entries against its lock.
pub(super) fn check(
    step: &Step<'_>,
    layer: &LayerRecord,
    entries: &[EntryRecord],
    compression: Compression,
    image: &str,
) -> Result<(), BuildError> {
    let Some(output) = step.output().filter(|output| !is_of(output, layer, compression)) else { return Ok(()) };
    let (expected, found) = if output.diff_id == layer.diff_id {
        (format!("the blob {}", output.gzip), format!("{}", layer.descriptor.digest))
    } else {
        (format!("the diff id {}", output.diff_id), format!("{}", layer.diff_id))
    };
    let family = &step.part.family;
    let first = family.entries(&step.part.version).map(|text| differing(&text, step, entries)).unwrap_or_default();
    Err(BuildError::NotReproduced { image: image.to_owned(), layer: step.layer.name.clone(), first, expected, found })
}

/// The lines that `kimg lock` writes beside a lock: layer (with `/VARIANT`, where that differs) and platform (`all`, where
/// none differs), the first 16 digits of the entry's digest, and its path, escaped.
pub(super) fn entry_lines(step: &Step<'_>, entries: &[EntryRecord]) -> String {
    entries.iter().map(|entry| format!("{} {}\n", prefix(step), line(entry))).collect()
}

fn prefix(step: &Step<'_>) -> String {
    let variant = step.variant.map(|variant| format!("/{variant}")).unwrap_or_default();
    let platform = step.own_platform().map_or_else(|| "all".to_owned(), ToString::to_string);
    format!("{}{variant} {platform}", step.layer.name)
}

fn line(entry: &EntryRecord) -> String {
    format!("{} {}", &entry.digest.hex()[..16], entry.path)
}

/// The path with its origin.
fn name(entry: &EntryRecord) -> String {
    let Origin { input, rule } = &entry.origin;
    format!("{} (from {}, rule {rule})", entry.path, input.escape_debug())
}

fn differing(text: &str, step: &Step<'_>, found: &[EntryRecord]) -> Vec<String> {
    let prefix = format!("{} ", prefix(step));
    let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).collect();
    if expected.is_empty() {
        // Nothing is known of this layer's entries, so none can be said to differ.
        return Vec::new();
    }
    let found: Vec<(String, String)> = found.iter().map(|entry| (line(entry), name(entry))).collect();
    let path = |line: &str| line.split_once(' ').map_or(line, |(_, path)| path).to_owned();
    let new = found.iter().filter(|(line, _)| !expected.contains(&line.as_str())).map(|(_, name)| name.clone());
    let gone = expected
        .iter()
        .filter(|line| !found.iter().any(|(other, _)| path(other) == path(line)))
        .map(|line| format!("{} (absent now)", path(line)));
    let named: Vec<String> = new.chain(gone).take(NAMED).collect();
    match named.is_empty() {
        true => first_moved(&expected, &found),
        false => named,
    }
}

/// All entries are the same: their order is not.
fn first_moved(expected: &[&str], found: &[(String, String)]) -> Vec<String> {
    let moved = expected.iter().zip(found).find(|(expected, (found, _))| *expected != found);
    moved.map(|(_, (_, name))| format!("the place of {name}")).into_iter().collect()
}
