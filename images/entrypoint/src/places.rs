//! Files of ours: where they may be written, and how.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::problem::Problem;

/// Makes a folder and says what to do where that, or writing into it, is not allowed.
pub fn make_writable(folder: &Path) -> Result<(), Problem> {
    let result = fs::create_dir_all(folder).and_then(|()| probe(folder));
    result.map_err(|error| unwritable(folder, &error))
}

/// Writes into a folder, and leaves nothing behind.
fn probe(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".kimg-{}", std::process::id()));
    let result = File::create(&probe).and_then(|mut file| file.write_all(b"\n"));
    let removed = fs::remove_file(&probe);
    result.and(removed)
}

/// `O_TMPFILE` of open(2): a file without a name, which is gone when it is closed.
const UNNAMED: Option<i32> = if cfg!(target_arch = "x86_64") {
    Some(0o20_200_000)
} else if cfg!(target_arch = "aarch64") {
    Some(0o20_040_000)
} else {
    None
};

/// Asks whether a folder can be written to, or made, and leaves it as it is. Where a file system does not know how to
/// answer, only the start tells.
pub fn ask(folder: &Path) -> Result<(), Problem> {
    let Some(existing) = folder.ancestors().find(|path| path.is_dir()) else { return Ok(()) };
    let Some(unnamed) = UNNAMED else { return Ok(()) };
    match OpenOptions::new().write(true).custom_flags(unnamed).open(existing) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull
            ) =>
        {
            Err(unwritable(folder, &error))
        }
        _ => Ok(()),
    }
}

/// How many entries of a folder are looked at: an owner that was not changed is that of most of them.
const LOOKED_AT: usize = 100;

/// Whether the folders in this one, and the file that Kafka locks it by, can be written to: after a `chown` without `-R`
/// they cannot. Only what the bits of a mode let doubt is tried.
#[allow(clippy::disallowed_methods, reason = "the first of those that cannot be written is told")]
pub fn check_below(folder: &Path, process: &Process) -> Result<(), Problem> {
    let entries = fs::read_dir(folder).map_err(|error| unwritable(folder, &error))?;
    for entry in entries.take(LOOKED_AT).filter_map(Result::ok) {
        let Ok(metadata) = entry.metadata() else { continue };
        if process.may_write(&metadata) {
            continue;
        }
        let path = entry.path();
        let result = match metadata.is_dir() {
            true => probe(&path),
            false if entry.file_name() == ".lock" => OpenOptions::new().write(true).open(&path).map(drop),
            false => Ok(()),
        };
        result.map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

/// Who this process is, to a file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// The effective user.
    pub user: u32,
    /// The effective group.
    pub group: u32,
    /// The other groups.
    pub groups: Vec<u32>,
}

impl Process {
    /// This one, as the kernel tells it (proc(5), status).
    pub fn this() -> Process {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let numbers = |key: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
            line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
        };
        let effective = |key: &str| numbers(key).get(1).copied().unwrap_or_default();
        Process { user: effective("Uid:"), group: effective("Gid:"), groups: numbers("Groups:") }
    }

    /// Whether the bits of a mode let this process write.
    fn may_write(&self, metadata: &fs::Metadata) -> bool {
        let mode = metadata.mode();
        if self.user == 0 {
            true
        } else if metadata.uid() == self.user {
            mode & 0o200 != 0
        } else if metadata.gid() == self.group || self.groups.contains(&metadata.gid()) {
            mode & 0o020 != 0
        } else {
            mode & 0o002 != 0
        }
    }
}

/// A folder that could not be written to, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The folder.
    pub folder: PathBuf,
    /// What the kernel said.
    pub kind: io::ErrorKind,
    /// The same, as text.
    pub error: String,
    /// Who was denied.
    pub process: Process,
    /// Where the file system of the folder is mounted.
    pub mount: PathBuf,
    /// The nearest folder that exists: its path, user, group and mode.
    pub owner: Option<(PathBuf, u32, u32, u32)>,
    /// A folder above that may not be passed.
    pub closed: Option<PathBuf>,
}

impl Denied {
    /// Looks at what surrounds the folder.
    pub fn of(folder: &Path, error: &io::Error) -> Denied {
        let mut closed = None;
        let mut owner = None;
        for path in folder.ancestors() {
            match fs::metadata(path) {
                Ok(metadata) => {
                    owner = Some((path.to_owned(), metadata.uid(), metadata.gid(), metadata.mode() & 0o7777));
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    closed = path.parent().map(Path::to_owned);
                }
                Err(_) => {}
            }
        }
        let existing = owner.as_ref().map_or(folder, |(path, ..)| path);
        let real = existing.canonicalize().unwrap_or_else(|_| existing.to_owned());
        let table = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mounts = table.lines().filter_map(|line| line.split(' ').nth(1)).map(|point| point.replace("\\040", " "));
        let above = mounts.map(PathBuf::from).filter(|mount| real.starts_with(mount));
        let mount = above.max_by_key(|mount| mount.components().count()).unwrap_or_else(|| PathBuf::from("/"));
        let (folder, process) = (folder.to_owned(), Process::this());
        Denied { folder, kind: error.kind(), error: error.to_string(), process, mount, owner, closed }
    }

    /// What is wrong, and what helps: another thing for each reason.
    pub fn problem(&self) -> Problem {
        let Process { user, group, .. } = self.process;
        let (mount, is_own) = (self.mount.display(), self.mount == Path::new("/"));
        let shown = self.folder.display().to_string();
        let (why, hint) = match self.kind {
            io::ErrorKind::ReadOnlyFilesystem if is_own => (
                "the container's own file system is read-only".to_owned(),
                format!("mount a volume at {shown} (or a tmpfs, for what may be lost)"),
            ),
            io::ErrorKind::ReadOnlyFilesystem => (
                format!("what is mounted at {mount} is read-only"),
                "mount it without `:ro` (in Kubernetes, without `readOnly: true`)".to_owned(),
            ),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
                format!("no room is left on what is mounted at {mount}: {}", self.error),
                "make the volume larger, or remove what is not Kafka's; its own files are never deleted by hand"
                    .to_owned(),
            ),
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => (
                format!("a file is where a folder should be: {}", self.error),
                "mount a folder there, or name another".to_owned(),
            ),
            io::ErrorKind::PermissionDenied => self.permission(user, group),
            _ => (
                format!("user {user} with group {group} cannot write to it: {}", self.error),
                format!("see what is mounted at {mount}"),
            ),
        };
        Problem::new(shown, why, hint)
    }

    fn permission(&self, user: u32, group: u32) -> (String, String) {
        let mount = self.mount.display();
        let denied = format!("user {user} with group {group} cannot write to it: {}", self.error);
        if let Some(closed) = &self.closed {
            let closed = closed.display();
            return (format!("{denied}; {closed} may not be passed"), format!("as root, `chmod a+x {closed}`"));
        }
        let Some((path, owner, its_group, mode)) = &self.owner else { return (denied, format!("see {mount}")) };
        let why = format!("{denied}; {} belongs to {owner}:{its_group} with mode {mode:04o}", path.display());
        if self.mount == Path::new("/") {
            let hint = format!("mount a volume at {}: it is in the image's own file system", self.folder.display());
            return (why, hint);
        }
        if user == 0 {
            let hint = format!(
                "root has no rights there, as on NFS with root_squash: run as its owner, `--user {owner}:{its_group}` \
                 (`runAsUser: {owner}`)"
            );
            return (why, hint);
        }
        let mut hint = format!(
            "as root, `chown -R {user}:{group} {mount}`, where the volume is mounted (in Kubernetes, set `fsGroup: {group}` \
             in the pod's securityContext)"
        );
        if *owner != 0 && *owner != user {
            hint.push_str(&format!(", or run as its owner: `--user {owner}:{its_group}` (`runAsUser: {owner}`)"));
        }
        (why, hint)
    }
}

/// The problem of a folder that this user may not write to.
pub fn unwritable(folder: &Path, error: &io::Error) -> Problem {
    Denied::of(folder, error).problem()
}

/// The first of these folders that can be written to.
pub fn first_writable(folders: &[PathBuf]) -> Result<PathBuf, Problem> {
    let mut reasons = Vec::new();
    for folder in folders {
        match make_writable(folder) {
            Ok(()) => return Ok(folder.clone()),
            Err(problem) => reasons.push(format!("{}: {}", problem.subject, problem.why)),
        }
    }
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let why = format!("the configuration can be written to none of them ({})", reasons.join("; "));
    Err(Problem::new(names.join(", "), why, "mount an emptyDir or tmpfs at /tmp"))
}

/// Writes a whole file beside, syncs it, and gives it its name: whoever reads it sees all of it or the one before.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    write(path, bytes, 0o666, true)
}

/// The same, for this user's eyes only, and for this start: a configuration may hold passwords, and is written anew by the
/// next one, so the disk need not be waited for.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    write(path, bytes, 0o600, false)
}

fn write(path: &Path, bytes: &[u8], mode: u32, lasting: bool) -> Result<(), Problem> {
    let beside = path.with_extension("new");
    let folder = path.parent().unwrap_or(path);
    let write = || {
        // One that was left by another process may have another owner and another mode.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.write_all(bytes)?;
        if lasting {
            file.sync_all()?;
        }
        fs::rename(&beside, path)?;
        if lasting {
            // The name, too, is to outlast a loss of power; some file systems cannot be told.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    };
    let result = write();
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result.map_err(|error: io::Error| unwritable(folder, &error))
}
