//! What all of the store does with files: folders, locks, files under way, and whether others may write.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};

use super::StoreError;

/// Makes a folder and those above it, so that they last through a crash. Only the user may write to them, whatever the
/// umask, which can only take more away.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make_folder(above)?;
    }
    match DirBuilder::new().mode(0o755).create(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(StoreError::io("make the folder", path)(error)),
        Ok(()) => sync_folder(path),
    }
}

/// Refuses a folder of another user, and one that group or others may write to.
pub(super) fn refuse_others(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(StoreError::io("look at", path))?;
    refuse_if_of_others(path, &metadata)
}

/// The same for what was looked at.
pub(super) fn refuse_if_of_others(path: &Path, metadata: &fs::Metadata) -> Result<(), StoreError> {
    let refuse = |why: String| Err(StoreError::Unsafe { path: path.to_owned(), why });
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own {
        return refuse(format!("it belongs to user {}, and this is user {own}", metadata.uid()));
    }
    if metadata.mode() & 0o022 != 0 {
        return refuse(format!("its permissions {:04o} let others write to it", metadata.mode() & 0o7777));
    }
    Ok(())
}

/// Opens a lock file, which is made where it is absent; it is never removed, so all lock the same file.
fn open_lock(path: &Path) -> Result<File, StoreError> {
    let open = || OpenOptions::new().create(true).truncate(false).write(true).mode(0o644).open(path);
    open().map_err(StoreError::io("open the lock file", path))
}

/// Waits for the lock, alone.
pub(super) fn lock_exclusive(path: &Path) -> Result<File, StoreError> {
    lock(path, FlockOperation::LockExclusive)
}

/// Waits for the lock, with others.
pub(super) fn lock_shared(path: &Path) -> Result<File, StoreError> {
    lock(path, FlockOperation::LockShared)
}

fn lock(path: &Path, operation: FlockOperation) -> Result<File, StoreError> {
    let file = open_lock(path)?;
    loop {
        match flock(&file, operation) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.map(|()| file).map_err(|error| StoreError::io("lock", path)(error.into())),
        }
    }
}

/// The lock, alone, if nobody has it; `None` where somebody has.
pub(super) fn try_lock(path: &Path) -> Result<Option<File>, StoreError> {
    let file = open_lock(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(StoreError::io("lock", path)(error.into())),
    }
}

/// How the names of files under way begin: in a layout they lie beside files that are not ours.
const TEMPORARY: &str = ".kimg-";

/// Whether a name is that of a file under way.
pub(super) fn is_temporary(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(TEMPORARY))
}

/// A file under way: it has a name that nobody else makes, its writer holds its lock, and it is removed when dropped
/// unless it was given its final name.
#[derive(Debug)]
pub(super) struct Temporary {
    pub(super) file: File,
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    pub(super) fn create(folder: &Path) -> Result<Temporary, StoreError> {
        Temporary::with_mode(folder, 0o644)
    }

    /// One that nobody may write to once it is closed.
    pub(super) fn sealed(folder: &Path) -> Result<Temporary, StoreError> {
        Temporary::with_mode(folder, 0o444)
    }

    /// One that only the user may read.
    fn secret(folder: &Path) -> Result<Temporary, StoreError> {
        Temporary::with_mode(folder, 0o600)
    }

    fn with_mode(folder: &Path, mode: u32) -> Result<Temporary, StoreError> {
        loop {
            let path = next_name(folder);
            let open = OpenOptions::new().create_new(true).read(true).write(true).mode(mode).open(&path);
            match open {
                Ok(file) => {
                    flock(&file, FlockOperation::LockExclusive)
                        .map_err(|error| StoreError::io("lock", &path)(error.into()))?;
                    // A sweep may have come between, when nobody held the lock yet.
                    if file.metadata().map_err(StoreError::io("look at", &path))?.nlink() > 0 {
                        return Ok(Temporary { file, path, renamed: false });
                    }
                }
                // A process before had our number; `sweep` removes what it left.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("make a file in", folder)(error)),
            }
        }
    }

    /// A further name of `file`, which lies at `from`; `None` where the file system gives none.
    pub(super) fn link(folder: &Path, from: &Path, file: File) -> Option<Temporary> {
        // Before it has the name, so that no sweep takes it; shared, for others may link it at the same time.
        flock(&file, FlockOperation::LockShared).ok()?;
        loop {
            let path = next_name(folder);
            match fs::hard_link(from, &path) {
                Ok(()) => {
                    let link = Temporary { file, path, renamed: false };
                    // Another file may have come to lie there since it was opened.
                    return link.is(&link.path).then_some(link);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(_) => return None,
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether `path` is a name of the same file.
    pub(super) fn is(&self, path: &Path) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs::symlink_metadata(path)) {
            (Ok(own), Ok(other)) => identity(own) == identity(other),
            _ => false,
        }
    }

    /// Syncs it and gives it its final name, in place of what is there.
    pub(super) fn rename(mut self, to: &Path) -> Result<(), StoreError> {
        self.file.sync_data().map_err(StoreError::io("sync", to))?;
        fs::rename(&self.path, to).map_err(StoreError::io("write", to))?;
        self.renamed = true;
        sync_folder(to)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // Its lock goes with it, so a later sweep would remove it too.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A name in a folder that no other process that is alive makes.
fn next_name(folder: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    folder.join(format!("{TEMPORARY}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Makes the name of a file or folder last through a crash.
fn sync_folder(named: &Path) -> Result<(), StoreError> {
    let Some(folder) = named.parent() else { return Ok(()) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync", folder))
}

/// Removes files under way whose writer is gone, or with `dry_run` only looks for them; returns their count and bytes.
pub(super) fn sweep(folder: &Path, dry_run: bool) -> Result<(u64, u64), StoreError> {
    let (mut count, mut bytes) = (0, 0);
    for path in list(folder)?.into_iter().filter(|path| is_temporary(path)) {
        let Ok(file) = File::open(&path) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        if dry_run || fs::remove_file(&path).is_ok() {
            (count, bytes) = (count + 1, bytes + size);
        }
    }
    Ok((count, bytes))
}

/// The paths in a folder, sorted; none where it is absent.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = || StoreError::io("list", folder);
    #[allow(clippy::disallowed_methods, reason = "sorted below")]
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        result => result.map_err(failed())?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed())?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Removes a file, or a folder that lies where only files should be.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(StoreError::io("remove", path))
}

/// Writes a whole small file: beside, synced, renamed.
pub(super) fn write_whole(temporary_folder: &Path, to: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_and_rename(Temporary::create(temporary_folder)?, to, bytes)
}

/// The same for what only the user may read, and which is a help only: it lasts longer than a process that is killed, and
/// whoever reads it takes what a machine that lost its power left of it for none. Two syncs a layer cost more than such a
/// help is worth.
pub(super) fn write_hint(temporary_folder: &Path, to: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut temporary = Temporary::secret(temporary_folder)?;
    io::Write::write_all(&mut temporary.file, bytes).map_err(StoreError::io("write", to))?;
    fs::rename(&temporary.path, to).map_err(StoreError::io("write", to))?;
    temporary.renamed = true;
    Ok(())
}

fn write_and_rename(mut temporary: Temporary, to: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    io::Write::write_all(&mut temporary.file, bytes).map_err(StoreError::io("write", to))?;
    temporary.rename(to)
}
