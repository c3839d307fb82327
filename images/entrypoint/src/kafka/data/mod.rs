//! Where the messages are, and whose they are.

pub mod contents;
pub mod families;
mod volumes;

use std::path::{Path, PathBuf};

use super::dialect::Rules;
use super::{Layout, Mode, mode, release, storage};
use crate::container::Container;
use crate::places;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;
use contents::Contents;

/// The log folders, as inside the container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// The folders of `log.dirs`, and of `metadata.log.dir` where it is another.
    pub folders: Vec<PathBuf>,
    /// What the first of them that is formatted says of its node.
    pub found: Option<Found>,
    /// The same of each that is formatted.
    pub formatted: Vec<Found>,
    /// What each folder holds, in their order.
    pub contents: Vec<Contents>,
    /// The folder of KRaft's own log: `metadata.log.dir`, else the first.
    pub metadata: PathBuf,
    /// Kafka's data on other volumes that are mounted.
    pub elsewhere: Vec<PathBuf>,
    /// The variable that says where the data is, or what else told it.
    pub origin: String,
}

/// What `meta.properties` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The folder that has it.
    pub folder: PathBuf,
    /// `node.id`, or `broker.id`.
    pub id: Option<String>,
    /// `cluster.id`.
    pub cluster_id: Option<String>,
    /// Whether it was written in ZooKeeper mode (version 0, which is also meant where there is none).
    pub of_zookeeper: bool,
}

/// Decides where the data is, and sets `log.dirs` where it is not set: data that is there beats the default. What the
/// folders hold is looked at, and never changed.
pub fn decide(
    container: &Container,
    properties: &mut Properties,
    layout: &Layout,
    rules: &Rules,
    findings: &mut Findings,
) -> Data {
    let (mut folders, origin) = asked(properties, findings).unwrap_or_else(|| {
        let (folder, origin) = choose(container, layout, rules, findings);
        properties.set("log.dirs", folder.display().to_string(), origin.clone());
        (vec![folder], origin)
    });
    let own = properties.get("metadata.log.dir").map(str::trim).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let metadata = own.or_else(|| folders.first().cloned()).unwrap_or_default();
    check_names(container, &folders, &origin, findings);
    // A controller reads none of the partitions, and a broker none in the folder of KRaft's log alone.
    let is_broker = properties.get("process.roles").map(str::trim) != Some("controller");
    let number_loaded = if is_broker { folders.len() } else { 0 };
    if !folders.contains(&metadata) {
        folders.push(metadata.clone());
    }
    let contents: Vec<Contents> = folders.iter().map(|folder| look(container, folder, findings)).collect();
    for (folder, contents) in folders.iter().zip(&contents).take(number_loaded) {
        check_contents(folder, contents, findings);
        if !contents.stray.is_empty() && release::of(container, layout) < (3, 6) {
            let why = format!("it holds {}, which Kafka takes for no partition before 3.6", first_few(&contents.stray));
            let hint =
                "go back to the version that wrote it; it sets aside partitions that are not this broker's any more";
            findings.refuse(Problem::new(folder.display().to_string(), why, hint));
        }
    }
    let formatted: Vec<Found> = folders.iter().filter_map(|folder| read(container, folder, findings)).collect();
    check_agreement(&formatted, findings);
    let elsewhere = volumes::data_elsewhere(container, &folders);
    tell_of_volumes(container, &folders, &origin, layout, findings);
    let found = formatted.iter().find(|found| found.id.is_some() || found.cluster_id.is_some()).cloned();
    Data { folders, found, formatted, contents, metadata, elsewhere, origin }
}

/// The folders that the user asked for. Kafka takes `log.dir` only where there is no `log.dirs`.
fn asked(properties: &mut Properties, findings: &mut Findings) -> Option<(Vec<PathBuf>, String)> {
    for name in ["log.dirs", "log.dir", "metadata.log.dir"] {
        if properties.get(name).is_some_and(|text| split(text).is_empty()) {
            properties.remove(name);
        }
    }
    let all = |name: &str| properties.get(name).map(split);
    let origin = |name: &str| properties.origin(name).unwrap_or(name).to_owned();
    let (many, one) = (all("log.dirs"), all("log.dir"));
    if let (Some(many), Some(one)) = (&many, &one)
        && many != one
    {
        let why = format!("log.dirs is set too ({}), so Kafka never reads log.dir", origin("log.dirs"));
        let hint = "leave out one of them: a volume at the folder of log.dir stays empty";
        findings.warn(Problem::new(origin("log.dir"), why, hint).with_value(join(one)));
    }
    many.map(|folders| (folders, origin("log.dirs"))).or_else(|| one.map(|folders| (folders, origin("log.dir"))))
}

fn split(text: &str) -> Vec<PathBuf> {
    text.split(',').map(str::trim).filter(|folder| !folder.is_empty()).map(PathBuf::from).collect()
}

fn join(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Where the data is, or will be, if nothing says so: the one folder of any image that is formatted, else the
/// dialect's.
fn choose(container: &Container, layout: &Layout, rules: &Rules, findings: &mut Findings) -> (PathBuf, String) {
    let default = PathBuf::from(rules.data.replace("$HOSTNAME", &container.host));
    let mut found = families::formatted(container, &default);
    // Of a folder that has the name of the host there is one for each container that ever was.
    if rules.data.contains("$HOSTNAME") && found.contains(&default) {
        found.retain(|folder| *folder == default);
    }
    match found.as_slice() {
        [] => {
            let may_write = |folder: &Path| !container.is_live() || places::ask(&container.path(folder)).is_ok();
            let folder = volumes::for_new_data(container, &default, &layout.data, may_write);
            if folder != default {
                let (folder, default) = (folder.display(), default.display());
                findings
                    .note(format!("log.dirs: {folder} (no volume is mounted at {default}, and it cannot be written)"));
            }
            (folder.to_owned(), "default".to_owned())
        }
        [one] if *one == default => (default, "default".to_owned()),
        [one] => {
            findings.note(format!("log.dirs: {} (there is Kafka's data, and nothing says otherwise)", one.display()));
            (one.clone(), "found data".to_owned())
        }
        several => {
            let variable = format!("{}LOG_DIRS", rules.prefixes.last().unwrap_or(&"KAFKA_"));
            let why = format!("it is not set, and there is Kafka's data in {}", join(several));
            let hint = "set it to the folder of this broker; to several, parted by commas, if all are of one broker";
            findings.refuse(Problem::new(variable, why, hint));
            (several[0].clone(), "found data".to_owned())
        }
    }
}

/// What Kafka refuses, or finds elsewhere than it is meant.
fn check_names(container: &Container, folders: &[PathBuf], origin: &str, findings: &mut Findings) {
    let mut seen = Vec::new();
    for folder in folders {
        let shown = folder.display().to_string();
        if !folder.is_absolute() {
            let why = "it is no absolute path, and depends on where the process starts";
            findings.refuse(Problem::new(origin, why, format!("write /{shown}")).with_value(&shown));
        }
        if !families::is_new(&mut seen, &container.path(folder)) {
            let why = "it is there twice, maybe under two names; Kafka refuses that";
            findings.refuse(Problem::new(origin, why, "name each folder once").with_value(shown));
        }
    }
}

/// Looks into a folder. Whether this user may write to it is known in the container itself only.
fn look(container: &Container, folder: &Path, findings: &mut Findings) -> Contents {
    let path = container.path(folder);
    let contents = contents::read(&path);
    let denied = match &contents {
        Err(error) => Some(places::unwritable(&path, error)),
        Ok(_) if container.is_live() => places::ask(&path).err(),
        Ok(_) => None,
    };
    if let Some(problem) = denied {
        findings.refuse(Problem { subject: folder.display().to_string(), ..problem });
    }
    contents.unwrap_or_default()
}

/// Tells of what stops Kafka when it loads the partitions of a folder.
fn check_contents(folder: &Path, contents: &Contents, findings: &mut Findings) {
    let shown = folder.display();
    if let [first, ..] = contents.foreign.as_slice() {
        let names = first_few(&contents.foreign);
        let why = format!("it holds {names}, and Kafka does not start where a folder in it is no partition");
        let hint = match first.as_str() {
            "lost+found" | ".snapshot" => format!(
                "it belongs to the file system of the volume: mount the volume one folder above, or with a `subPath` in \
                 Kubernetes, so that {shown} is a folder in it"
            ),
            _ => {
                format!("move it away if it is nobody's, or set log.dirs to a folder in {shown} that is Kafka's alone")
            }
        };
        findings.refuse(Problem::new(shown.to_string(), why, hint));
    }
    if !contents.kept_by_nfs.is_empty() {
        let names = first_few(&contents.kept_by_nfs);
        let why = format!("it holds {names}: NFS keeps files that are deleted while a process has them open");
        let hint = "see that no other broker uses this volume; deleting topics on NFS can take a log folder offline";
        findings.warn(Problem::new(shown.to_string(), why, hint));
    }
}

/// The first names of a list that may be long.
fn first_few(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("`{}`", name.escape_debug())).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What a folder says of itself.
fn read(container: &Container, folder: &Path, findings: &mut Findings) -> Option<Found> {
    let meta = match storage::meta(&container.path(folder)) {
        Ok(meta) => meta?,
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return None,
        Err(error) => {
            let file = folder.join(storage::FILE).display().to_string();
            let problem = places::unwritable(&container.path(folder), &error);
            findings.refuse(Problem::new(file, format!("it cannot be read: {error}"), problem.hint));
            return None;
        }
    };
    let own = |name: &str| meta.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Found {
        folder: folder.to_owned(),
        id: own("node.id").or_else(|| own("broker.id")),
        cluster_id: own("cluster.id"),
        of_zookeeper: own("version").is_none_or(|version| version == "0"),
    })
}

/// Folders of one broker are of one node and of one cluster.
fn check_agreement(all: &[Found], findings: &mut Findings) {
    for (what, value) in
        [("id", (|found| &found.id) as fn(&Found) -> &Option<String>), ("cluster id", |found| &found.cluster_id)]
    {
        let mut with = all.iter().filter_map(|found| Some((&found.folder, value(found).as_ref()?)));
        let Some((first, expected)) = with.next() else { continue };
        for (folder, other) in with.filter(|(_, other)| *other != expected) {
            let why = format!("its data has the {what} {other}, and that in {} has {expected}", first.display());
            let hint = "mount the volumes of one broker, or leave the folder of the other out of log.dirs";
            findings.refuse(Problem::new(folder.display().to_string(), why, hint));
        }
    }
}

/// Volumes that nothing is written to, and data that is on none.
fn tell_of_volumes(container: &Container, folders: &[PathBuf], origin: &str, layout: &Layout, findings: &mut Findings) {
    let own = layout.data.parent().unwrap_or(&layout.data);
    for volume in volumes::unused(container, folders, own) {
        let why = format!("a volume is mounted there, and nothing is written to it: log.dirs is {}", join(folders));
        let hint = format!("mount it at {}, or change log.dirs ({origin})", folders[0].display());
        findings.warn(Problem::new(volume.display().to_string(), why, hint));
    }
    for folder in folders {
        if let Some(why) = volumes::why_lost(container, folder) {
            findings.note(format!("data in {} is lost with the container: {why}", folder.display()));
        }
    }
}

/// Refuses data that does not fit the mode, before anything is formatted.
pub fn check(data: &Data, properties: &Properties, mode: Mode, layout: &Layout, findings: &mut Findings) {
    if mode == Mode::ZooKeeper {
        check_without_kraft(data, properties, findings);
    } else {
        check_with_kraft(data, properties, mode, layout, findings);
    }
    let has_owner = |found: &&Found| found.id.is_some() || found.cluster_id.is_some();
    let is_new = data.formatted.iter().filter(has_owner).count() < data.folders.len();
    if is_new && !data.elsewhere.is_empty() {
        let elsewhere = join(&data.elsewhere);
        let why = format!("it would be new, and another volume holds Kafka's data: {elsewhere}");
        let hint = format!("set log.dirs to {elsewhere} if that is this broker's, else do not mount it here");
        findings.refuse(Problem::new(join(&data.folders), why, hint));
    }
}

fn check_without_kraft(data: &Data, properties: &Properties, findings: &mut Findings) {
    let migrates = mode::migrates(properties);
    if let Some(found) = data.formatted.iter().find(|found| !found.of_zookeeper && !migrates) {
        let why = "its data is of KRaft, and this broker would ask ZooKeeper for its topics";
        let hint = "set KAFKA_PROCESS_ROLES and KAFKA_CONTROLLER_QUORUM_VOTERS instead of KAFKA_ZOOKEEPER_CONNECT, or mount \
                    another volume";
        findings.refuse(Problem::new(found.folder.display().to_string(), why, hint));
    }
}

fn check_with_kraft(data: &Data, properties: &Properties, mode: Mode, layout: &Layout, findings: &mut Findings) {
    // A new cluster on the data of a broker with ZooKeeper would know none of its topics, and remove them. A broker that
    // moved to KRaft has such data too, but its controllers are others.
    let has_metadata = data.contents.iter().any(|contents| contents.has_metadata);
    let roles = properties.get("process.roles").unwrap_or_default();
    let is_combined = mode == Mode::KraftSingle || (roles.contains("broker") && roles.contains("controller"));
    let old = data.found.as_ref().filter(|found| found.of_zookeeper && is_combined && !has_metadata);
    if let Some(found) = old {
        let hint = match layout.kraft {
            true => "go back to the version that wrote it; a cluster with ZooKeeper moves to KRaft with Kafka 3.9",
            false => "set KAFKA_ZOOKEEPER_CONNECT, or mount another volume",
        };
        let why = "its data is of a broker with ZooKeeper, and this would be a new cluster without it";
        findings.refuse(Problem::new(found.folder.display().to_string(), why, hint));
    }
    for (folder, contents) in data.folders.iter().zip(&data.contents) {
        let shown = folder.display().to_string();
        let found = data.formatted.iter().find(|found| found.folder == *folder);
        let is_whole = found.is_some_and(|found| found.id.is_some() && found.cluster_id.is_some());
        if contents.has_partitions && !is_whole {
            let why = match found {
                None => format!("it has partitions and no {}, so it is not formatted", storage::FILE),
                Some(_) => format!("its {} lacks the node's or the cluster's id", storage::FILE),
            };
            let hint =
                "restore that file from another log folder of this broker, or mount the volume that belongs to it";
            findings.refuse(Problem::new(&shown, why, hint));
        }
        if contents.has_metadata && *folder != data.metadata {
            let why = format!(
                "it has KRaft's log ({}), which Kafka expects in {}",
                contents::METADATA,
                data.metadata.display()
            );
            let hint = format!("set KAFKA_METADATA_LOG_DIR to {shown}, or name that folder first in log.dirs");
            findings.refuse(Problem::new(&shown, why, hint));
        }
    }
}
