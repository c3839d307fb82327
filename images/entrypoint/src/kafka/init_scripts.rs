//! Scripts of the user's that run once before the broker starts: bitnami/kafka's `/docker-entrypoint-initdb.d/*.sh`
//! (libkafka.sh, kafka_custom_init_scripts), and wurstmeister/kafka's `CUSTOM_INIT_SCRIPT` (start-kafka.sh), which runs at
//! each start.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::dialect::{Dialect, Rules};
use crate::container::Container;
use crate::life;
use crate::problem::{Findings, Problem};

const FOLDER: &str = "/docker-entrypoint-initdb.d";

const VARIABLE: &str = "CUSTOM_INIT_SCRIPT";

/// Bitnami's mark on a volume whose scripts have run.
const DONE: &str = ".user_scripts_initialized";

/// A script to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    /// A file of the container, run by itself where it is executable, else by a shell.
    File(PathBuf),
    /// Text for a shell.
    Text(String),
}

/// The scripts that will run, in their order. Families that have none get a warning.
pub fn wanted(container: &Container, rules: &Rules, findings: &mut Findings) -> Vec<Script> {
    let is_of = |dialect: Dialect| dialect.rules() == rules;
    let unknown = |subject: &str, dialect: &str| {
        let why = format!("{} does not know it, so it is not run", rules.follows);
        Problem::new(subject, why, format!("set KIMG_DIALECT={dialect}, which runs it"))
    };
    let mut scripts = Vec::new();
    let files = files(container);
    match files.is_empty() || is_of(Dialect::Bitnami) {
        true if !container.path(mark(rules)).exists() => scripts.extend(files.into_iter().map(Script::File)),
        true => {}
        false => findings.warn(unknown(FOLDER, "bitnami")),
    }
    match container.environment.get(VARIABLE) {
        None => {}
        Some(text) if is_of(Dialect::Wurstmeister) => scripts.push(Script::Text(text.to_owned())),
        Some(_) => findings.warn(unknown(VARIABLE, "wurstmeister")),
    }
    scripts
}

/// The scripts of the folder, sorted by name.
#[allow(clippy::disallowed_methods, reason = "sorted below")]
fn files(container: &Container) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(container.path(FOLDER)) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".sh")).collect();
    names.sort();
    names.into_iter().map(|name| Path::new(FOLDER).join(name)).collect()
}

/// It lies beside the data, in the volume.
fn mark(rules: &Rules) -> PathBuf {
    Path::new(rules.data).parent().unwrap_or_else(|| Path::new("/")).join(DONE)
}

/// Runs the scripts; the first that fails keeps the broker from starting, as in the images that have them.
pub fn run(
    scripts: &[Script],
    container: &Container,
    rules: &Rules,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Problem> {
    for script in scripts {
        let (name, mut command) = match script {
            Script::File(file) => (file.display().to_string(), file_command(container, file)?),
            Script::Text(text) => (VARIABLE.to_owned(), shell(container, VARIABLE, &["-c", text])?),
        };
        tell(&format!("running {name}"));
        match life::run_before(&mut command) {
            Ok(0) => {}
            Ok(code) => {
                let why = format!("it ended with {code}");
                return Err(Problem::new(name, why, "see what it wrote above; the broker is not started"));
            }
            Err(error) => return Err(no_start(&name, &error)),
        }
    }
    if scripts.iter().any(|script| matches!(script, Script::File(_))) {
        let mark = mark(rules);
        if let Err(error) = fs::write(container.path(&mark), "") {
            tell(&format!("the scripts run again at the next start: {} cannot be written: {error}", mark.display()));
        }
    }
    Ok(())
}

fn file_command(container: &Container, file: &Path) -> Result<Command, Problem> {
    let path = container.path(file);
    let mode = fs::metadata(&path).map(|data| data.permissions().mode());
    match mode.is_ok_and(|mode| mode & 0o111 != 0) {
        true => Ok(Command::new(path)),
        false => shell(container, &file.display().to_string(), &[&path.display().to_string()]),
    }
}

/// bash where there is one, for that is what the other images have.
fn shell(container: &Container, subject: &str, arguments: &[&str]) -> Result<Command, Problem> {
    let shells = ["/bin/bash", "/usr/bin/bash", "/bin/sh"].map(|shell| container.path(shell));
    let shell = shells.into_iter().find(|shell| shell.exists());
    let mut command = Command::new(shell.ok_or_else(|| no_shell(subject))?);
    command.args(arguments);
    Ok(command)
}

fn no_shell(subject: &str) -> Problem {
    Problem::new(subject, "it needs a shell, and this image has none", "use an image of kimg's that has one")
}

/// A script whose first line names a shell that there is not fails as if it were not there itself.
fn no_start(name: &str, error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound => no_shell(name),
        _ => Problem::new(name, format!("it cannot be started: {error}"), "make it a script that this user may run"),
    }
}
