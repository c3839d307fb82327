//! Files of ours: where they may be written, and how.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::problem::Problem;

/// Makes a folder and says what to do where that, or writing into it, is not allowed.
pub fn make_writable(folder: &Path) -> Result<(), Problem> {
    let result = fs::create_dir_all(folder).and_then(|()| {
        let probe = folder.join(format!(".kimg-{}", std::process::id()));
        File::create(&probe).and_then(|_| fs::remove_file(&probe))
    });
    result.map_err(|error| unwritable(folder, &error))
}

/// The problem of a folder that this user may not write to.
pub fn unwritable(folder: &Path, error: &io::Error) -> Problem {
    let (user, group) = ids();
    let shown = folder.display();
    Problem::new(
        shown.to_string(),
        format!("user {user} with group {group} cannot write to it: {error}"),
        format!(
            "`chown -R {user}:{group}` the volume that is mounted there (in Kubernetes, set `fsGroup: {group}`), or mount it writable"
        ),
    )
}

/// The first of these folders that can be written to.
pub fn first_writable(folders: &[PathBuf]) -> Result<PathBuf, Problem> {
    let mut last = None;
    for folder in folders {
        match make_writable(folder) {
            Ok(()) => return Ok(folder.clone()),
            Err(problem) => last = Some(problem),
        }
    }
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let why = last.map_or_else(|| "there is none".to_owned(), |problem| problem.why);
    Err(Problem::new(
        names.join(", "),
        format!("the configuration can be written to none of them: {why}"),
        "mount an emptyDir or tmpfs at /tmp",
    ))
}

/// Writes a whole file beside, syncs it, and gives it its name: whoever reads it sees all of it or the one before.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let beside = path.with_extension("new");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| unwritable(path.parent().unwrap_or(path), &error))
}

/// The effective user and group, as the kernel tells them.
fn ids() -> (String, String) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let second = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.split_whitespace().nth(1).unwrap_or("?").to_owned()
    };
    (second("Uid:"), second("Gid:"))
}
