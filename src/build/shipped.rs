//! What kimg itself puts into an image: the definition's files, the entrypoint, and the names it answers to.

use std::io::Write;

use super::BuildError;
use super::assemble::Assembly;
use super::recipe::Step;
use crate::definition::{Launchers, embedded, parse_mode};

/// Adds what the layer's definition ships.
pub(super) fn add<W: Write + Send>(assembly: &mut Assembly<'_, W>) -> Result<(), BuildError> {
    let layer = assembly.step.layer;
    for file in layer.files.iter().filter(|file| file.is_for(&assembly.step.part.version)) {
        let bytes = shipped(assembly.step, &file.from)?;
        let mode = parse_mode(&file.mode).unwrap_or(0o644);
        assembly.file(&file.to, mode, bytes, "definition", "files")?;
    }
    if let Some(path) = &layer.entrypoint {
        let platform = assembly.step.platform;
        let entrypoint = embedded::entrypoint(&platform.architecture)
            .ok_or_else(|| BuildError::no_entrypoint(&layer.name, platform))?;
        assembly.file(path, 0o755, entrypoint.program, "entrypoint", "entrypoint")?;
        if let Some(launchers) = &layer.launchers {
            add_launchers(assembly, launchers, path)?;
        }
    }
    Ok(())
}

fn add_launchers<W: Write + Send>(
    assembly: &mut Assembly<'_, W>,
    launchers: &Launchers,
    entrypoint: &str,
) -> Result<(), BuildError> {
    let table = shipped(assembly.step, &launchers.table)?;
    assembly.file(&launchers.to, 0o644, table, "definition", "launchers")?;
    let text = String::from_utf8_lossy(table);
    let names = launcher_names(&text);
    let target = |folder: &str| format!("{}{entrypoint}", "../".repeat(folder.split('/').count()));
    for name in &names {
        assembly.link(&format!("{}/{name}", launchers.into), &target(&launchers.into), "launchers")?;
    }
    if let Some(short) = &launchers.short {
        for name in names.iter().filter_map(|name| name.strip_suffix(short.without.as_str())) {
            assembly.link(&format!("{}/{name}", short.into), &target(&short.into), "launchers")?;
        }
    }
    Ok(())
}

/// The first word of each line that is neither empty nor a comment.
fn launcher_names(table: &str) -> Vec<&str> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let mut names: Vec<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn shipped<'a>(step: Step<'a>, from: &str) -> Result<&'a [u8], BuildError> {
    let missing = || BuildError::MissingFile { of: format!("layer `{}`", step.layer.name), file: from.to_owned() };
    step.part.family.file(&step.part.version, from).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::launcher_names;

    #[test]
    fn names_are_the_first_words() {
        let table = "# a table\nb.sh x.Main\n\na.sh y.Main z\nb.sh again\nc m.Main\n";
        assert_eq!(launcher_names(table), ["a.sh", "b.sh", "c"]);
    }
}
