//! The flags of a server's command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::nearest::nearest;
use crate::problem::Problem;

/// What a user asks for beside the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// Print what the configuration comes to, and end.
    pub explain: bool,
    /// That as JSON.
    pub json: bool,
    /// Check it and end.
    pub check: bool,
    /// Print the flags.
    pub help: bool,
    /// The folder that stands for `/`.
    pub root: Option<PathBuf>,
}

/// All flags of `kafka`.
pub const OF_KAFKA: [&str; 5] = ["--explain", "--json", "--check", "--root", "--help"];
/// All flags of `zookeeper`.
pub const OF_ZOOKEEPER: [&str; 3] = ["--explain", "--check", "--help"];

/// Reads the arguments of a command that has these flags.
pub fn parse(arguments: &[OsString], known: &[&str]) -> Result<Flags, Problem> {
    let mut flags = Flags::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        let (name, value) = match text.split_once('=') {
            Some((name, value)) if name == "--root" => (name, Some(OsString::from(value))),
            _ => (&*text, None),
        };
        match name {
            "-h" => flags.help = true,
            _ if !known.contains(&name) => return Err(unknown(name, known)),
            "--explain" => flags.explain = true,
            "--json" => flags.json = true,
            "--check" => flags.check = true,
            "--help" => flags.help = true,
            _ => flags.root = Some(folder(value.or_else(|| rest.next().cloned()))?),
        }
    }
    if flags.json && !flags.explain {
        return Err(Problem::new("--json", "it is a form of --explain, which is not given", "add --explain"));
    }
    if flags.root.is_some() && !flags.explain && !flags.check && !flags.help {
        let why = "nothing is started below another root";
        return Err(Problem::new("--root", why, "add --explain or --check"));
    }
    Ok(flags)
}

fn folder(value: Option<OsString>) -> Result<PathBuf, Problem> {
    let hint = "name the folder that stands for `/`: that of an unpacked image, or an empty one with your mounts";
    let path = PathBuf::from(value.ok_or_else(|| Problem::new("--root", "it needs a folder", hint))?);
    match path.is_dir() {
        // The root of this machine, by a name that says that it is only looked at.
        true if path.canonicalize().is_ok_and(|real| real == Path::new("/")) => Ok(PathBuf::from("/proc/self/root")),
        true => Ok(path),
        false => Err(Problem::new("--root", "it is no folder", hint).with_value(path.display().to_string())),
    }
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let hint = match nearest(name, known.iter().copied()) {
        Some(flag) => format!("did you mean {flag}?"),
        None => format!("there are {}", known.join(", ")),
    };
    Problem::new(name, "there is no such flag", hint)
}
