use serde::de::DeserializeOwned;

use super::{Definition, Generate, Link, nearest, version};
use crate::error::{Category, Diagnose};
use crate::oci::Platform;

/// A definition, lock or configuration file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// It is not TOML, or its keys or values are not those of the format.
    #[error("{file}:{line}:{column}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// A key that may be meant.
        meant: Option<String>,
    },
    /// What stands at a place makes no sense.
    #[error("{file}:{line}:{column}: {message}")]
    At {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
        /// Whether it names something that is nowhere.
        absent: bool,
    },
    /// Its values make no sense together.
    #[error("{file}: {key}: {message}")]
    Rule {
        /// The file.
        file: String,
        /// The key concerned.
        key: String,
        /// What is wrong.
        message: String,
    },
}

impl Diagnose for DefinitionError {
    fn category(&self) -> Category {
        match self {
            DefinitionError::At { absent: true, .. } => Category::NotFound,
            _ => Category::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            DefinitionError::Syntax { meant: Some(meant), .. } => Some(format!("did you mean `{meant}`?")),
            DefinitionError::At { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}

/// Reads a definition; `file` names it in errors.
pub fn parse(text: &str, file: &str) -> Result<Definition, DefinitionError> {
    let definition: Definition = read_toml(text, file)?;
    check(&definition).map_err(|(key, message)| DefinitionError::Rule { file: file.to_owned(), key, message })?;
    Ok(definition)
}

/// Reads any TOML document of ours; an error names file, line, column and the nearest known key.
pub(crate) fn read_toml<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, DefinitionError> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        DefinitionError::Syntax {
            file: file.to_owned(),
            line,
            column,
            message: error.message().replace('\n', " "),
            meant: meant(error.message()),
        }
    })
}

/// Line and column of a byte, from 1.
pub(super) fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte.min(text.len())).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Serde says: unknown field `x`, expected one of `a`, `b`.
fn meant(message: &str) -> Option<String> {
    let mut words = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let wrong = words.next()?;
    nearest(wrong, words).first().map(|name| (*name).to_owned())
}

type Broken = (String, String);

fn check(definition: &Definition) -> Result<(), Broken> {
    let broken = |key: &str, message: String| Err((key.to_owned(), message));
    if !is_word(&definition.name) {
        return broken("name", "must be lower-case letters, digits and `-`".to_owned());
    }
    if !definition.versions.contains_key(&definition.default) {
        return broken("default", format!("`{}` is not among the versions", definition.default.escape_debug()));
    }
    if definition.base.as_ref().is_some_and(|base| !base.contains(':')) {
        return broken("base", "must be FAMILY:VERSION".to_owned());
    }
    for path in definition.archive.iter().flat_map(|archive| [&archive.path, &archive.jars]) {
        if !is_clean(path) {
            return broken("archive", format!("`{}` must have no leading `/` and no `..`", path.escape_debug()));
        }
    }
    for rule in definition.archive.iter().flat_map(|archive| &archive.rules) {
        let is_layer =
            |name: &String| definition.layers.iter().any(|layer| layer.name == *name && layer.into.is_some());
        let good = match (&rule.layer, &rule.absent) {
            (Some(layer), None) => is_layer(layer),
            (None, Some(why)) => !why.is_empty() && rule.group.is_none(),
            _ => false,
        };
        if !good {
            let message = "must name a layer that has `into`, or say why the jars are `absent`".to_owned();
            return Err((format!("archive.rule `{}`", rule.name.escape_debug()), message));
        }
    }
    check_platforms(&definition.platforms).map_err(|message| ("platforms".to_owned(), message))?;
    if let Some(name) = definition.variants.keys().find(|name| !is_word(name)) {
        let message = format!("`{}` must be lower-case letters, digits and `-`", name.escape_debug());
        return broken("variants", message);
    }
    if let Some(dialects) = &definition.dialects {
        let is_good = !dialects.variable.is_empty() && !dialects.names.is_empty();
        if !is_good || !dialects.names.iter().all(|name| is_word(name)) {
            return broken(
                "dialects",
                "must name a variable, and dialects of lower-case letters, digits and `-`".to_owned(),
            );
        }
    }
    for (index, layer) in definition.layers.iter().enumerate() {
        let key = format!("layer `{}`", layer.name.escape_debug());
        if !is_word(&layer.name) || definition.layers[..index].iter().any(|other| other.name == layer.name) {
            return Err((key, "its name must be unique, of lower-case letters, digits and `-`".to_owned()));
        }
        check_layer(layer).and_then(|()| check_choices(layer, definition)).map_err(|message| (key.clone(), message))?;
        let lines = layer.files.iter().flat_map(|file| &file.versions);
        let known =
            |line: &&String| definition.versions.keys().any(|version| version::lines(version).any(|own| own == *line));
        if let Some(line) = lines.into_iter().find(|line| !known(line)) {
            return Err((key, format!("a file is for `{}`, and no version begins so", line.escape_debug())));
        }
    }
    Ok(())
}

fn check_platforms(platforms: &[String]) -> Result<(), String> {
    for (index, platform) in platforms.iter().enumerate() {
        platform.parse::<Platform>().map_err(|error| error.to_string())?;
        if platforms[..index].contains(platform) {
            return Err(format!("`{platform}` stands there twice"));
        }
    }
    match platforms {
        [] => Err("at least one is needed".to_owned()),
        _ => Ok(()),
    }
}

/// What a layer has on some platforms or in some variants only.
fn check_choices(layer: &super::Layer, definition: &Definition) -> Result<(), String> {
    for link in layer.links.values() {
        let Link::On { platforms, .. } = link else { continue };
        if let Some(platform) = platforms.iter().find(|platform| !definition.platforms.contains(platform)) {
            return Err(format!("`{}` is not among the platforms", platform.escape_debug()));
        }
    }
    if let Some(variant) =
        layer.variants.iter().chain(layer.without.keys()).find(|name| !definition.variants.contains_key(*name))
    {
        return Err(format!("`{}` is not among the variants", variant.escape_debug()));
    }
    let known = |name: &&String| layer.packages.contains(name) || layer.links.contains_key(*name);
    match layer.without.values().flatten().find(|name| !known(name)) {
        Some(name) => Err(format!("`{}` is left out, and is neither a package nor a link of it", name.escape_debug())),
        None => Ok(()),
    }
}

fn check_layer(layer: &super::Layer) -> Result<(), String> {
    let generated = layer.generate.iter().map(Generate::to);
    let paths = generated
        .chain(layer.into.as_deref())
        .chain(layer.links.keys().map(String::as_str))
        .chain(layer.folders.keys().map(String::as_str))
        .chain(layer.extract.iter().map(|extract| extract.to.as_str()))
        .chain(layer.files.iter().map(|file| file.to.as_str()))
        .chain(layer.entrypoint.as_deref())
        .chain(layer.launchers.iter().flat_map(|launchers| [launchers.into.as_str(), launchers.to.as_str()]))
        .chain(layer.usrmerge.iter().map(String::as_str));
    for path in paths {
        if !is_clean(path) {
            return Err(format!(
                "`{}` is not a path in the image, which has no leading `/` and no `..`",
                path.escape_debug()
            ));
        }
    }
    let modes = layer.folders.values().map(|folder| &folder.mode).chain(layer.files.iter().map(|file| &file.mode));
    for mode in modes {
        if parse_mode(mode).is_none() {
            return Err(format!("`{}` are not octal permissions", mode.escape_debug()));
        }
    }
    for text in &layer.maven {
        text.parse::<super::user::Artifact>().map_err(|error| error.to_string())?;
    }
    match layer.maven.is_empty() || layer.into.is_some() {
        true => Ok(()),
        false => Err("`maven` needs `into`, the folder in the image".to_owned()),
    }
}

/// Octal permissions as text: `0644`, `1777`.
pub(crate) fn parse_mode(text: &str) -> Option<u32> {
    let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    digits.then(|| u32::from_str_radix(text, 8).ok()).flatten()
}

pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

pub(super) fn is_clean(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

impl Generate {
    /// The path of the result.
    pub fn to(&self) -> &str {
        match self {
            Generate::CaBundle { to, .. }
            | Generate::JavaTruststore { to, .. }
            | Generate::Accounts { to, .. }
            | Generate::Copy { to, .. }
            | Generate::Text { to, .. }
            | Generate::PackageStatus { to } => to,
        }
    }

    /// The pattern of the paths in packages whose contents it is made of.
    pub fn from(&self) -> Option<&str> {
        match self {
            Generate::CaBundle { from, .. }
            | Generate::JavaTruststore { from, .. }
            | Generate::Accounts { from, .. }
            | Generate::Copy { from, .. } => Some(from),
            Generate::Text { .. } | Generate::PackageStatus { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
name = "small"
title = "Small"
description = "A small one"
licenses = "Apache-2.0"
default = "1"
versions = { 1 = { support = "yes" } }
[[layer]]
name = "only"
history = "all of it"
into = "opt/small"
"#;

    #[test]
    fn a_small_definition() {
        let definition = parse(SMALL, "image.toml").unwrap();
        assert!(definition.layers[0].is_locked());
    }

    #[test]
    fn a_wrong_key_is_named_with_line_and_suggestion() {
        let error = parse(&SMALL.replace("history", "histroy"), "image.toml").unwrap_err();
        assert!(error.to_string().starts_with("image.toml:10:1: unknown field `histroy`"), "{error}");
        assert_eq!(error.hint().as_deref(), Some("did you mean `history`?"));
    }

    #[test]
    fn values_that_make_no_sense() {
        for (right, wrong, says) in [
            ("default = \"1\"", "default = \"2\"", "default: `2` is not among the versions"),
            ("opt/small", "/opt/small", "not a path in the image"),
            ("opt/small", "opt/../small", "not a path in the image"),
            ("\"only\"", "\"On ly\"", "its name must be unique"),
            ("into = \"opt/small\"", "maven = [\"a.b:c:1\"]", "`maven` needs `into`"),
            ("into", "maven = [\"a.b:c\"]\ninto", "`a.b:c` are no Maven coordinates"),
            ("into", "files = [{ from = \"a\", to = \"a\", versions = [\"2\"] }]\ninto", "no version begins so"),
        ] {
            let error = parse(&SMALL.replace(right, wrong), "image.toml").unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
