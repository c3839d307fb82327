use super::{Archive, FORMAT, Input, Lock, Upstream};
use crate::definition::user::{ArchiveUrl, InvalidArchiveUrl};
use crate::definition::{DefinitionError, read_toml};
use crate::error::{Category, Diagnose};
use crate::oci::Platform;

/// A lock that cannot be read or does not fit.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It is not TOML, or its keys or values are not those of the format.
    #[error(transparent)]
    Syntax(#[from] DefinitionError),
    /// Its values make no sense.
    #[error("{file}: {what}: {why}")]
    Rule {
        /// The file.
        file: String,
        /// The entry concerned.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// What a definition of a user's names and its lock has not, as it is now.
    #[error("{file}:{line}:{column}: {lock} was made without {what}")]
    Changed {
        /// The definition.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What it names there.
        what: String,
        /// The lock.
        lock: String,
    },
    /// The lock of a definition of a user's cannot be read.
    #[error("{error}")]
    OfUser {
        /// The definition.
        file: String,
        /// Why not.
        error: Box<LockError>,
    },
    /// The file in the place of a user's lock is that of something else.
    #[error("{lock}: it is not the lock of {file}: {why}")]
    OfAnother {
        /// The lock.
        lock: String,
        /// The definition.
        file: String,
        /// How it is known.
        why: String,
    },
    /// It was made for another definition.
    #[error("the lock of {image} does not fit its definition: {why}")]
    Unfit {
        /// `FAMILY:VERSION`.
        image: String,
        /// What does not fit.
        why: String,
    },
}

impl Diagnose for LockError {
    fn category(&self) -> Category {
        match self {
            LockError::Syntax(error) => error.category(),
            LockError::Rule { .. }
            | LockError::Changed { .. }
            | LockError::OfUser { .. }
            | LockError::OfAnother { .. }
            | LockError::Unfit { .. } => Category::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            LockError::Syntax(error) => error.hint(),
            LockError::Rule { .. } => None,
            LockError::Changed { file, .. } | LockError::OfUser { file, .. } | LockError::OfAnother { file, .. } => {
                Some(format!("make it again with `kimg lock -f {file}`, and look at what changes in it"))
            }
            LockError::Unfit { image, .. } => Some(format!("make it again with `kimg lock {image}`")),
        }
    }
}

/// Reads a lock; `file` names it in errors.
pub fn parse(text: &str, file: &str) -> Result<Lock, LockError> {
    let lock: Lock = read_toml(text, file)?;
    check(&lock).map_err(|(what, why)| LockError::Rule { file: file.to_owned(), what, why })?;
    Ok(lock)
}

fn check(lock: &Lock) -> Result<(), (String, String)> {
    if lock.format != FORMAT {
        return Err(("format".to_owned(), format!("this kimg reads format {FORMAT}, not {}", lock.format)));
    }
    if super::seconds(&lock.created).is_none() {
        return Err(("created".to_owned(), "must be a time like 2026-01-31T00:00:00Z".to_owned()));
    }
    if let Some(archive) = &lock.archive {
        check_archive(archive).map_err(|why| ("archive".to_owned(), why))?;
    }
    for input in &lock.inputs {
        check_member(input, lock).map_err(|why| (format!("input `{}`", input.name.escape_debug()), why))?;
        check_input(input).map_err(|why| (format!("input `{}`", input.name.escape_debug()), why))?;
    }
    if let Some(input) = lock.inputs.iter().find(|input| input.url.is_some() && lock.below.is_none()) {
        let why = "only the lock of a user's definition names URLs".to_owned();
        return Err((format!("input `{}`", input.name.escape_debug()), why));
    }
    for output in &lock.outputs {
        check_platform(output.platform.as_deref())
            .map_err(|why| (format!("output `{}`", output.layer.escape_debug()), why))?;
    }
    Ok(())
}

fn check_input(input: &Input) -> Result<(), String> {
    check_platform(input.platform.as_deref())?;
    match (input.upstream, &input.url) {
        (Upstream::Url, Some(text)) => {
            let url: ArchiveUrl = text.parse().map_err(|error: InvalidArchiveUrl| format!("its URL: {error}"))?;
            if url.place() != input.path {
                return Err(format!("its path must be `{}`, as its URL has it", url.place()));
            }
        }
        (Upstream::Url, None) => return Err("it comes from a URL, and has none".to_owned()),
        (_, Some(_)) => return Err("it has a URL, and comes from elsewhere".to_owned()),
        (_, None) => {}
    }
    let paths = [Some(input.path.as_str()), input.signature.as_ref().map(|signature| signature.path.as_str())];
    for path in paths.into_iter().flatten() {
        if !is_upstream_path(path) {
            return Err(format!("`{}` is not a path below an upstream's root", path.escape_debug()));
        }
    }
    check_signer(input.signature.as_ref().map(|signature| signature.signer.as_str()))
}

fn check_signer(signer: Option<&str>) -> Result<(), String> {
    let fingerprint =
        |text: &str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    match signer {
        Some(signer) if !fingerprint(signer) => {
            Err("its signer must be a fingerprint of 40 upper-case hexadecimal digits".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_archive(archive: &Archive) -> Result<(), String> {
    if !is_upstream_path(&archive.path) {
        return Err(format!("`{}` is not a path below an upstream's root", archive.path.escape_debug()));
    }
    check_signer(archive.signer.as_deref())
}

/// A member needs an archive, and what only the archive has needs a member.
fn check_member(input: &Input, lock: &Lock) -> Result<(), String> {
    match (&input.member, &lock.archive) {
        (Some(member), Some(_)) if !is_upstream_path(member) => {
            Err(format!("`{}` is not a path in an archive", member.escape_debug()))
        }
        (Some(_), None) => Err("it is a member of an archive, and the lock names none".to_owned()),
        (None, _) if input.upstream == Upstream::Apache => {
            Err("only an archive comes from that upstream, so it must say which member of it this is".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether a path leads below an upstream's root and nowhere else, however it is written into a URL.
pub fn is_upstream_path(path: &str) -> bool {
    let clean = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    clean && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\\"%".contains(&byte))
}

fn check_platform(platform: Option<&str>) -> Result<(), String> {
    platform.map_or(Ok(()), |text| text.parse::<Platform>().map(|_| ()).map_err(|error| error.to_string()))
}
