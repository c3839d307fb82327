//! What this program finds around it: the container that it runs in, or one that `--root` shows to it on the host.

use std::fs;
use std::path::{Path, PathBuf};

use crate::environment::Environment;

/// A container, as far as a configuration depends on it. Every file is looked for below `root`, so that a pipeline (or a
/// test) can ask what would happen without a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// The folder that stands for `/`.
    pub root: PathBuf,
    /// The variables.
    pub environment: Environment,
    /// The host name, as the kernel has it; below another root that of the variable `HOSTNAME`.
    pub host: String,
    /// The full name in `/etc/hosts`, where it has one.
    pub full_name: Option<String>,
    /// The paths at which something is mounted, sorted, as inside the container; below another root those of a file
    /// `proc/self/mounts`, where there is one.
    pub mounts: Vec<PathBuf>,
    /// The path under which this program was called: `/entrypoint.sh`, `/etc/confluent/docker/run`. The last part of it
    /// may be a launcher's name.
    pub called: PathBuf,
    /// The table of launchers, which says what sets this version of the server apart.
    pub table: String,
}

/// Where the image has the table of launchers.
const TABLE: &str = "/etc/kimg/launchers";

impl Container {
    /// This container.
    pub fn here(environment: Environment, called: &Path) -> Container {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        Container::with_host(Path::new("/"), environment, host, called)
    }

    /// The container whose files are below `root`.
    pub fn below(root: &Path, environment: Environment, called: &Path) -> Container {
        let host = environment.get("HOSTNAME").unwrap_or_default().to_owned();
        Container::with_host(root, environment, host, called)
    }

    fn with_host(root: &Path, environment: Environment, host: String, called: &Path) -> Container {
        let mut container = Container { root: root.to_owned(), environment, host, ..Container::default() };
        container.full_name = full_name(&container.host, &container.read("/etc/hosts").unwrap_or_default());
        container.mounts = mounts(&container.read("/proc/self/mounts").unwrap_or_default());
        container.table = container.read(TABLE).unwrap_or_default();
        called.clone_into(&mut container.called);
        container
    }

    /// Whether this is the container that the program runs in: only there commands of the user's are run, and only there
    /// anything is written.
    pub fn is_live(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Where a path of the container is: below the root.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        let inside = inside.as_ref();
        self.root.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// The text of a file of the container; `None` where it cannot be read.
    pub fn read(&self, inside: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.path(inside)).ok()
    }

    /// The last part of the path under which this program was called.
    pub fn called_name(&self) -> String {
        self.called.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Whether something is mounted at a folder or below it.
    pub fn has_mount(&self, folder: impl AsRef<Path>) -> bool {
        self.mounts.iter().any(|mount| mount.starts_with(folder.as_ref()))
    }
}

/// Kubernetes writes `10.1.2.3 kafka-0.kafka-hs.default.svc.cluster.local kafka-0`.
fn full_name(host: &str, hosts: &str) -> Option<String> {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut names = lines.flat_map(|line| line.split_whitespace().skip(1));
    let prefix = format!("{host}.");
    names.find(|name| !host.is_empty() && name.starts_with(&prefix)).map(str::to_owned)
}

/// The mount points of a table of mounts (proc(5)), where a blank is `\040`.
fn mounts(table: &str) -> Vec<PathBuf> {
    let points = table.lines().filter_map(|line| line.split(' ').nth(1));
    let mut mounts: Vec<PathBuf> = points
        .map(|point| point.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\"))
        .map(PathBuf::from)
        .collect();
    mounts.sort();
    mounts.dedup();
    mounts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_name_is_the_one_that_begins_with_the_host() {
        let hosts = "127.0.0.1 localhost # kafka-0.comment\n10.1.2.3\tkafka-0.hs.ns.svc.cluster.local\tkafka-0\n";
        assert_eq!(full_name("kafka-0", hosts).as_deref(), Some("kafka-0.hs.ns.svc.cluster.local"));
        assert_eq!((full_name("kafka-1", hosts), full_name("", hosts)), (None, None));
    }

    #[test]
    fn mount_points_are_read_as_the_kernel_writes_them() {
        let table = "overlay / overlay rw 0 0\n/dev/sda /bitnami/kafka ext4 rw 0 0\nx /with\\040blank tmpfs rw 0 0\n";
        let container = Container { mounts: mounts(table), ..Container::default() };
        assert_eq!(container.mounts, ["/", "/bitnami/kafka", "/with blank"].map(PathBuf::from));
        assert!(container.has_mount("/bitnami") && container.has_mount("/bitnami/kafka"));
        assert!(!container.has_mount("/bitnami/kafka/data") && !container.has_mount("/bit"));
    }

    #[test]
    fn paths_are_below_the_root() {
        let container = Container { root: PathBuf::from("/some/root"), ..Container::default() };
        assert_eq!(container.path("/etc/kafka"), Path::new("/some/root/etc/kafka"));
        assert!(!container.is_live());
    }
}
