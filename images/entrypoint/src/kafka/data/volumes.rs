//! Volumes: which hold data that is not used, which are not used at all, and data that is on none.

use std::path::{Path, PathBuf};

use super::families;
use crate::container::Container;

/// Mounts of the runtime's own.
const NO_VOLUMES: [&str; 5] = ["/proc", "/sys", "/dev", "/etc", "/run"];

/// The mounts that are none of these folders, nor above or below one.
fn others<'a>(container: &'a Container, folders: &'a [PathBuf]) -> impl Iterator<Item = &'a Path> {
    let all = container.mounts.iter().map(PathBuf::as_path).filter(|mount| *mount != Path::new("/"));
    let all = all.filter(|mount| !NO_VOLUMES.iter().any(|own| mount.starts_with(own)));
    all.filter(|mount| !folders.iter().any(|folder| folder.starts_with(mount) || mount.starts_with(folder)))
}

/// Kafka's data on volumes that are mounted and hold none of these folders, in their root or one level below.
pub fn data_elsewhere(container: &Container, folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = Vec::new();
    for folder in folders {
        families::is_new(&mut seen, &container.path(folder));
    }
    let each = others(container, folders).flat_map(|mount| match families::is_formatted(container, mount) {
        true => vec![mount.to_owned()],
        false => families::formatted_below(container, mount, ""),
    });
    each.filter(|folder| families::is_new(&mut seen, &container.path(folder))).collect()
}

/// The volumes that are mounted where an image keeps its data, and hold none of these folders. `own` is the volume that
/// this image declares: a runtime mounts it always.
pub fn unused(container: &Container, folders: &[PathBuf], own: &Path) -> Vec<PathBuf> {
    let of_data = |mount: &&Path| families::VOLUMES.iter().any(|volume| **mount == *Path::new(volume));
    others(container, folders).filter(of_data).filter(|mount| *mount != own).map(Path::to_owned).collect()
}

/// The folder for new data: the dialect's, unless no volume is mounted there and this user may not write to it, while the
/// volume of this image takes it. People start such images without a volume, and not as root.
pub fn for_new_data<'a>(
    container: &Container,
    default: &'a Path,
    own: &'a Path,
    may_write: impl Fn(&Path) -> bool,
) -> &'a Path {
    let is_mounted = container.mounts.iter().any(|mount| *mount != Path::new("/") && default.starts_with(mount));
    match is_mounted || may_write(default) || !may_write(own) {
        true => default,
        false => own,
    }
}

/// Why data in a folder is lost with the container; `None` where it is not, or nothing is known of the mounts.
pub fn why_lost(container: &Container, folder: &Path) -> Option<String> {
    if container.mounts.is_empty() {
        return None;
    }
    let above = container.mounts.iter().filter(|mount| folder.starts_with(mount));
    let mount = above.max_by_key(|mount| mount.components().count()).map(PathBuf::as_path);
    match mount {
        None => Some("no volume is mounted there".to_owned()),
        Some(mount) if mount == Path::new("/") => Some("no volume is mounted there".to_owned()),
        Some(mount) if is_in_memory(container, mount) => Some(format!("{} is in memory", mount.display())),
        Some(_) => None,
    }
}

/// Whether a mount is a tmpfs.
fn is_in_memory(container: &Container, mount: &Path) -> bool {
    let table = container.read("/proc/self/mounts").unwrap_or_default();
    let mut rows = table.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    rows.rfind(|(point, _)| Path::new(point) == mount).is_some_and(|(_, kind)| kind == "tmpfs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_never_passed_over() {
        let (default, own) = (Path::new("/bitnami/kafka/data"), Path::new("/var/lib/kafka/data"));
        for (mount, writable, expected) in [
            ("/bitnami/kafka", &[own][..], default),
            ("/", &[own], own),
            ("/", &[default, own], default),
            ("/", &[], default),
        ] {
            let container = Container { mounts: vec![PathBuf::from(mount)], ..Container::default() };
            let chosen = for_new_data(&container, default, own, |folder| writable.contains(&folder));
            assert_eq!(chosen, expected, "{mount} {writable:?}");
        }
    }
}
