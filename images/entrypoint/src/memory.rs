//! The memory that a container may use: the limit of its cgroup.

use std::path::{Path, PathBuf};

use crate::container::Container;

const MIB: u64 = 1024 * 1024;

/// A limit, and the file that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// How much.
    pub bytes: u64,
    /// Where it stands.
    pub file: PathBuf,
}

/// The least of the limits of the process' own cgroup and of those above it, of version 2, 1, or both; `None` where there
/// is none.
pub fn limit(container: &Container) -> Option<Limit> {
    let own = container.read("/proc/self/cgroup").unwrap_or_default();
    let mut files = Vec::new();
    // `0::/path` is of version 2, `4:cpu,memory:/path` of version 1; a hybrid host has both.
    for line in own.lines() {
        let parts: Vec<&str> = line.splitn(3, ':').collect();
        let [number, controllers, path] = parts[..] else { continue };
        if number == "0" && controllers.is_empty() {
            files.extend(up("/sys/fs/cgroup", path, "memory.max"));
        } else if controllers.split(',').any(|controller| controller == "memory") {
            files.extend(up("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"));
        }
    }
    // Without a cgroup namespace the path is the host's, and what is mounted is the own cgroup.
    files.push(PathBuf::from("/sys/fs/cgroup/memory.max"));
    files.push(PathBuf::from("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    let limits = files.into_iter().filter_map(|file| Some(Limit { bytes: parse(&container.read(&file)?)?, file }));
    limits.min_by_key(|limit| limit.bytes)
}

/// The file of a cgroup, and those of the cgroups above it.
fn up(mount: &str, path: &str, name: &str) -> Vec<PathBuf> {
    // A path of `/../…` is outside of the namespace, and cannot be seen.
    let parts = Path::new(path.trim_start_matches('/'));
    let is_inside = parts.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let folders = if is_inside { parts.ancestors().collect() } else { Vec::new() };
    folders.into_iter().map(|folder| Path::new(mount).join(folder).join(name)).collect()
}

/// `max` is no limit, and version 1 says so by the largest number of whole pages.
fn parse(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < 1 << 60)
}

/// The memory of the machine.
pub fn of_machine(container: &Container) -> Option<u64> {
    let text = container.read("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A number of bytes for people: `512 MiB`, rounded down.
pub fn shown(bytes: u64) -> String {
    format!("{} MiB", bytes / MIB)
}
