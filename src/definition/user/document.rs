//! A user's definition as it is written: its keys, and the rules that need nothing but the text.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{Archive, ArchiveUrl, Artifact, LocalFile, OwnLayer, Place, Placed};
use crate::definition::Healthcheck;
use crate::definition::parse::{DefinitionError, is_clean, is_word, parse_mode, read_toml};
use crate::digest::Digest;

/// A user's definition, read and checked as far as its text goes. What it stands on is not looked up yet.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file, as the user named it.
    pub(super) file: String,
    pub(super) name: Placed<String>,
    pub(super) from: Placed<String>,
    pub(super) version: Option<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) licenses: Option<String>,
    pub(super) source: Option<String>,
    pub(super) layers: Vec<OwnLayer>,
    pub(super) run: OwnRun,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    name: Spanned<String>,
    from: Spanned<String>,
    version: Option<Spanned<String>>,
    title: Option<String>,
    description: Option<String>,
    licenses: Option<String>,
    source: Option<String>,
    #[serde(rename = "layer", default)]
    layers: Vec<LayerKeys>,
    #[serde(default)]
    run: OwnRun,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerKeys {
    name: Spanned<String>,
    history: Option<String>,
    #[serde(default)]
    maven: Vec<Spanned<String>>,
    into: Option<Spanned<String>>,
    #[serde(rename = "archive", default)]
    archives: Vec<ArchiveKeys>,
    #[serde(default)]
    packages: Vec<Spanned<String>>,
    #[serde(default)]
    files: Vec<FileKeys>,
    #[serde(default)]
    ca: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchiveKeys {
    url: Spanned<String>,
    sha256: Spanned<String>,
    #[serde(default)]
    strip: u32,
    into: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKeys {
    from: Spanned<String>,
    to: Spanned<String>,
    mode: Option<Spanned<String>>,
}

/// What changes in how the image runs; what is absent stays as it is below.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OwnRun {
    pub user: Option<String>,
    pub env: BTreeMap<String, String>,
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    pub folder: Option<String>,
    pub volumes: Option<Vec<String>>,
    pub ports: Option<Vec<String>>,
    pub stop_signal: Option<String>,
    pub healthcheck: Option<Healthcheck>,
}

/// Keys of kimg's own definitions, which have no meaning here.
const NOT_HERE: [(&str, &str); 18] = [
    ("base", "write `from`"),
    ("suites", "packages come from the suites of the image below"),
    ("platforms", "the image is made for the platforms of the one below"),
    ("keys", "packages are signed by the keys of the image below"),
    ("default", "a definition of yours has one version: write `version`"),
    ("versions", "a definition of yours has one version: write `version`"),
    ("variants", "variants are those of the image below"),
    ("signed", "Maven's files are pinned by their digests"),
    ("without", "leave the package out"),
    ("drop", "what is left out of packages is the same as in the image below"),
    ("keep", "what is left out of packages is the same as in the image below"),
    ("usrmerge", "it is done as in the image below"),
    ("links", "put the link into a folder, and name that in `files`"),
    ("folders", "put a file into the folder, and name it in `files`"),
    ("generate", "name a file that you made in `files`"),
    ("extract", "name a file that you took out in `files`"),
    ("entrypoint", "the image below has it; what it starts is in [run]"),
    ("launchers", "they belong to the image below"),
];

/// Reads a user's definition; `file` names it in errors.
pub fn parse(text: &str, file: &str) -> Result<Document, DefinitionError> {
    let keys: Keys = read_toml(text, file).map_err(explain)?;
    let reader = Reader { text, file };
    let layers = reader.layers(keys.layers)?;
    let name = reader.placed(keys.name);
    if !is_word(&name.value) {
        return Err(reader.wrong(name.place, "name: must be lower-case letters, digits and `-`", None));
    }
    let version = keys.version.map(|version| reader.placed(version));
    if let Some(version) = version.as_ref().filter(|version| !is_version(&version.value)) {
        let message = "version: must be letters, digits, `.`, `_` and `-`, as a tag has them, and 100 at most";
        return Err(reader.wrong(version.place, message, None));
    }
    Ok(Document {
        file: file.to_owned(),
        name,
        from: reader.placed(keys.from),
        version: version.map(|version| version.value),
        title: keys.title,
        description: keys.description,
        licenses: keys.licenses,
        source: keys.source,
        layers,
        run: keys.run,
    })
}

/// Says more of keys that have a meaning elsewhere, or must be there.
fn explain(error: DefinitionError) -> DefinitionError {
    let DefinitionError::Syntax { file, line, column, message, meant } = error else { return error };
    let of = |start: &str| message.strip_prefix(start)?.split('`').next().map(str::to_owned);
    let unknown = of("unknown field `").and_then(|key| NOT_HERE.into_iter().find(|(own, _)| **own == key));
    let hint = match (unknown, of("missing field `").as_deref()) {
        (Some((key, instead)), _) => {
            let message = format!("`{key}` is a key of kimg's own definitions only");
            return DefinitionError::At { file, line, column, message, hint: Some(instead.to_owned()), absent: false };
        }
        (None, Some("from")) => "name the image that yours stands on: from = \"NAME:VERSION\"; `kimg images` lists all",
        (None, Some("sha256")) => "nothing else vouches for an archive: write the digest that `sha256sum` prints of it",
        (None, Some("into")) => "name the folder in the image that it is unpacked to",
        _ => return DefinitionError::Syntax { file, line, column, message, meant },
    };
    DefinitionError::At { file, line, column, message, hint: Some(hint.to_owned()), absent: false }
}

/// A tag of an image, with room for a variant.
fn is_version(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=100).contains(&text.len()) && text.bytes().all(word) && !text.starts_with(['.', '-'])
}

struct Reader<'a> {
    text: &'a str,
    file: &'a str,
}

impl Reader<'_> {
    fn layers(&self, all: Vec<LayerKeys>) -> Result<Vec<OwnLayer>, DefinitionError> {
        let mut layers: Vec<OwnLayer> = Vec::new();
        for keys in all {
            let layer = self.layer(keys)?;
            if let Some(other) = layers.iter().find(|other| other.name.value == layer.name.value) {
                let message =
                    format!("layer `{}`: line {} has one of that name", layer.name.value, other.name.place.line);
                return Err(self.wrong(layer.name.place, &message, Some("give each layer a name of its own")));
            }
            layers.push(layer);
        }
        Ok(layers)
    }

    fn layer(&self, keys: LayerKeys) -> Result<OwnLayer, DefinitionError> {
        let name = self.placed(keys.name);
        let wrong = |message: &str, hint| {
            self.wrong(name.place, &format!("layer `{}`: {message}", name.value.escape_debug()), Some(hint))
        };
        if !is_word(&name.value) {
            return Err(wrong("its name must be lower-case letters, digits and `-`", "give it another name"));
        }
        let locked = !keys.maven.is_empty() || !keys.archives.is_empty() || !keys.packages.is_empty();
        let local = !keys.files.is_empty() || !keys.ca.is_empty();
        match (locked, local) {
            (false, false) => {
                return Err(wrong("nothing is in it", "name its `maven`, `archive`, `packages`, `files` or `ca`"));
            }
            (true, true) => {
                return Err(wrong(
                    "files of yours stand in no lock, and what is fetched does",
                    "put `files` and `ca` into a layer of their own",
                ));
            }
            _ => {}
        }
        let into = keys.into.map(|into| self.path(into, "into")).transpose()?;
        match (&into, keys.maven.is_empty()) {
            (None, false) => {
                return Err(wrong("`maven` needs `into`", "name the folder in the image: into = \"opt/NAME\""));
            }
            (Some(into), true) => {
                return Err(self.wrong(into.place, "into: it is for `maven`, which is not there", None));
            }
            _ => {}
        }
        Ok(OwnLayer {
            history: keys.history,
            maven: self.artifacts(keys.maven)?,
            into: into.map(|into| into.value),
            archives: keys.archives.into_iter().map(|keys| self.archive(keys)).collect::<Result<_, _>>()?,
            packages: self.packages(keys.packages)?,
            files: keys.files.into_iter().map(|keys| self.local(keys)).collect::<Result<_, _>>()?,
            authorities: keys.ca.into_iter().map(|path| self.here(path, "ca")).collect::<Result<_, _>>()?,
            name,
        })
    }

    fn artifacts(&self, all: Vec<Spanned<String>>) -> Result<Vec<Placed<Artifact>>, DefinitionError> {
        let mut found: Vec<Placed<Artifact>> = Vec::new();
        for text in all {
            let text = self.placed(text);
            let artifact: Artifact = text.value.parse().map_err(|error: super::InvalidArtifact| {
                self.wrong(
                    text.place,
                    &format!("maven: {error}"),
                    Some("no ranges and no -SNAPSHOT: one version, whose bytes stay"),
                )
            })?;
            if found.iter().any(|other| other.value.file_name() == artifact.file_name()) {
                let message = format!("maven: {} stands there twice", artifact.file_name());
                return Err(self.wrong(text.place, &message, None));
            }
            found.push(Placed { value: artifact, place: text.place });
        }
        Ok(found)
    }

    fn archive(&self, keys: ArchiveKeys) -> Result<Placed<Archive>, DefinitionError> {
        let (text, sha256) = (self.placed(keys.url), self.placed(keys.sha256));
        let url: ArchiveUrl = text.value.parse().map_err(|error: super::InvalidArchiveUrl| {
            let hint = match error {
                super::InvalidArchiveUrl::Credentials => "write them into netrc, which is asked for that host",
                _ => "write https://HOST/PATH, the whole URL of the file",
            };
            self.wrong(text.place, &format!("url: {error}"), Some(hint))
        })?;
        if url.packing().is_none() {
            let message = format!("url: `{}` is no archive of a kind that kimg unpacks", url.file_name());
            return Err(self.wrong(text.place, &message, Some("its name must end with .tar, .tar.gz, .tgz or .zip")));
        }
        let Ok(digest @ Digest::Sha256(_)) = format!("sha256:{}", sha256.value).parse() else {
            let message = "sha256: it must be 64 lower-case hexadecimal digits";
            return Err(self.wrong(sha256.place, message, Some("`sha256sum FILE` prints it")));
        };
        let into = self.path(keys.into, "into")?.value;
        Ok(Placed {
            value: Archive { url: url.to_string(), sha256: digest, strip: keys.strip, into },
            place: text.place,
        })
    }

    fn packages(&self, all: Vec<Spanned<String>>) -> Result<Vec<Placed<String>>, DefinitionError> {
        let mut found: Vec<Placed<String>> = Vec::new();
        for name in all {
            let name = self.placed(name);
            // Debian Policy 5.6.1.
            let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
            if name.value.len() < 2 || !name.value.bytes().all(word) || name.value.starts_with(['+', '-', '.']) {
                let message = format!("packages: `{}` is no name of a Debian package", name.value.escape_debug());
                return Err(self.wrong(
                    name.place,
                    &message,
                    Some("name it alone: the version is that of the archive"),
                ));
            }
            if found.iter().any(|other| other.value == name.value) {
                return Err(self.wrong(name.place, &format!("packages: {} stands there twice", name.value), None));
            }
            found.push(name);
        }
        Ok(found)
    }

    fn local(&self, keys: FileKeys) -> Result<Placed<LocalFile>, DefinitionError> {
        let from = self.here(keys.from, "files.from")?;
        let to = self.path(keys.to, "files.to")?.value;
        let mode = match keys.mode.map(|mode| self.placed(mode)) {
            None => None,
            Some(mode) => Some(parse_mode(&mode.value).filter(|mode| mode & 0o6000 == 0).ok_or_else(|| {
                let message = format!("files.mode: `{}` are no octal permissions of a file", mode.value.escape_debug());
                self.wrong(mode.place, &message, Some("write \"0644\"; kimg makes no setuid or setgid files"))
            })?),
        };
        Ok(Placed { value: LocalFile { from: from.value, to, mode }, place: from.place })
    }

    /// A path in the image.
    fn path(&self, text: Spanned<String>, key: &str) -> Result<Placed<String>, DefinitionError> {
        let path = self.placed(text);
        if !is_clean(&path.value) {
            let message = format!("{key}: `{}` is not a path in the image", path.value.escape_debug());
            return Err(self.wrong(
                path.place,
                &message,
                Some("write it without `/` at its begin and end, and without `..`"),
            ));
        }
        Ok(path)
    }

    /// A path beside the definition.
    fn here(&self, text: Spanned<String>, key: &str) -> Result<Placed<String>, DefinitionError> {
        let path = self.placed(text);
        let parts = || path.value.split('/').filter(|part| !matches!(*part, "" | "."));
        if path.value.starts_with('/') || path.value.contains('\0') || parts().any(|part| part == "..") {
            let message = format!("{key}: `{}` lies outside the folder of the definition", path.value.escape_debug());
            return Err(self.wrong(path.place, &message, Some("copy it beside the definition, or use --add")));
        }
        if parts().next().is_none() {
            return Err(self.wrong(
                path.place,
                &format!("{key}: it names no file in the folder of the definition"),
                None,
            ));
        }
        Ok(path)
    }

    fn placed(&self, text: Spanned<String>) -> Placed<String> {
        let place = self.place(text.span());
        Placed { value: text.into_inner(), place }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let (line, column) = crate::definition::parse::position(self.text, span.start);
        Place { line, column }
    }

    fn wrong(&self, place: Place, message: &str, hint: Option<&str>) -> DefinitionError {
        place.wrong(self.file, message, hint.map(str::to_owned))
    }
}
