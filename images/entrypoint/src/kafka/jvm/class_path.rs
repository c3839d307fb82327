//! The jars of the class path, in an order that does not change: Java's class-data archives (AppCDS) serve only where the
//! class path begins with the one that they were made from.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::container::Container;
use crate::kafka::Layout;

/// The names of the image's own jars, a line each, where it has such a list.
pub const LIST: &str = "/etc/kimg/class-path";

/// Folders of other images to which people mount a jar of their own.
const FAMILIES: [&str; 6] = [
    "/opt/kafka/libs",
    "/opt/bitnami/kafka/libs",
    "/usr/share/java/kafka",
    "/usr/share/java/cp-base-new",
    "/usr/local/kafka/libs",
    "/kafka/libs",
];

/// The user's `CLASSPATH` first, as in upstream's scripts; then the image's jars: those of its list in its order, else all
/// of its folder sorted by name; then what else is there: files mounted into that folder, and jars in the folders of other
/// images. Empty where the image's jars are not there.
pub fn decide(container: &Container, layout: &Layout) -> Vec<PathBuf> {
    let libs = layout.home.join("libs");
    let mut jars = jars(container, &libs);
    if jars.is_empty() {
        return Vec::new();
    }
    let list = container.read(LIST).unwrap_or_default();
    let listed: Vec<PathBuf> =
        list.lines().map(|name| libs.join(name.trim())).filter(|jar| jars.contains(jar)).collect();
    // A list does not know a jar that a derived image adds, and a mount tells itself.
    let is_own = |jar: &PathBuf| if listed.is_empty() { !container.mounts.contains(jar) } else { listed.contains(jar) };
    let added: Vec<PathBuf> = jars.iter().filter(|jar| !is_own(jar)).cloned().collect();
    jars.retain(is_own);
    let own = if listed.is_empty() { jars } else { listed };
    let user = container.environment.get("CLASSPATH").unwrap_or_default().split(':').filter(|path| !path.is_empty());
    let mut all: Vec<PathBuf> = user.map(PathBuf::from).collect();
    all.extend(own);
    all.extend(added);
    all.extend(foreign(container, &libs));
    all
}

/// Jars in folders of other images; a folder that is a link to the image's own is the same.
fn foreign(container: &Container, libs: &Path) -> Vec<PathBuf> {
    let real = |folder: &Path| fs::canonicalize(container.path(folder)).ok();
    let mut seen: BTreeSet<PathBuf> = real(libs).into_iter().collect();
    let folders = FAMILIES.iter().map(Path::new);
    let others = folders.filter(|folder| real(folder).is_some_and(|real| seen.insert(real)));
    others.flat_map(|folder| jars(container, folder)).collect()
}

/// The jars of a folder as inside the container, sorted; without those that upstream's scripts leave out.
#[allow(clippy::disallowed_methods, reason = "sorted below")]
fn jars(container: &Container, folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(container.path(folder)).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let left_out = ["-test.jar", "-test-sources.jar", "-src.jar", "-scaladoc.jar", "-javadoc.jar"];
    let jars = names.filter(|name| name.ends_with(".jar") && !left_out.iter().any(|ending| name.ends_with(ending)));
    let mut jars: Vec<PathBuf> = jars.map(|name| folder.join(name)).collect();
    jars.sort();
    jars
}
