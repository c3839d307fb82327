//! From a configuration to the process: what is written, and what is become.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::dialect::Dialect;
use super::{Configuration, Layout, data, storage};
use crate::container::Container;
use crate::java::Java;
use crate::places::{self, Process};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// The configuration that is written, in the first folder that takes it.
pub const FILE: &str = "server.properties";

/// How a file begins that was written here: it is nobody's own, and may be written again.
pub const HEADER: &str = "# Written by kimg-entrypoint at every start, from the variables: changes are lost.\n";

/// Makes the log folders writable, formats the storage of KRaft, writes the configuration, and returns the broker to
/// become. A file of the user's own is used where it is; what it leaves open is given to Kafka beside it.
pub fn prepare(configuration: &Configuration, container: &Container, layout: &Layout) -> Result<Java, Problem> {
    let folders: Vec<PathBuf> = configuration.data.folders.iter().map(|folder| container.path(folder)).collect();
    let process = Process::this();
    let check = |folder: &PathBuf| places::make_writable(folder).and_then(|()| places::check_below(folder, &process));
    let problems: Vec<Problem> = folders.iter().filter_map(|folder| check(folder).err()).collect();
    match together(problems) {
        Some(problem) => Err(problem),
        None => become_broker(configuration, container, layout, &folders),
    }
}

/// One problem of several folders: what is wrong with each, and what helps each.
fn together(problems: Vec<Problem>) -> Option<Problem> {
    let [_, _, ..] = problems.as_slice() else { return problems.into_iter().next() };
    let join = |part: fn(&Problem) -> &str, with: &str| {
        let mut parts: Vec<&str> = Vec::new();
        problems.iter().map(part).for_each(|text| {
            if !parts.contains(&text) {
                parts.push(text)
            }
        });
        parts.join(with)
    };
    let each: Vec<String> = problems.iter().map(|problem| format!("{}: {}", problem.subject, problem.why)).collect();
    Some(Problem::new(join(|problem| &problem.subject, ", "), each.join("; "), join(|problem| &problem.hint, "; ")))
}

fn become_broker(
    configuration: &Configuration,
    container: &Container,
    layout: &Layout,
    folders: &[PathBuf],
) -> Result<Java, Problem> {
    if let Some(cluster_id) = &configuration.cluster_id {
        let bootstrap = container.path(layout.home.join("config").join(storage::BOOTSTRAP));
        storage::format(folders, cluster_id, &configuration.id, &bootstrap)?;
    }
    let places = places_of(configuration, container, layout);
    let (file, arguments) = match &configuration.file {
        Some(file) => (container.path(file), overrides(&configuration.properties, file)),
        None => (write(&configuration.properties, &places)?, Vec::new()),
    };
    configuration.jvm.broker(layout, &places, &file, &arguments)
}

/// Where the configuration may be written, the best first: the family's folders, then those of the image.
fn places_of(configuration: &Configuration, container: &Container, layout: &Layout) -> Vec<PathBuf> {
    let rules = configuration.dialect.dialect.rules();
    // What lies underneath the variables must not become what came of them.
    let is_base = |folder: &Path| rules.base.is_some_and(|base| folder.join(FILE) == *base);
    let of_family = rules.configuration.iter().map(Path::new);
    let of_family = of_family.filter(|folder| !is_base(folder) && is_ours(container, folder));
    let all = of_family.chain(layout.configuration.iter().map(PathBuf::as_path));
    all.map(|folder| container.path(folder)).collect()
}

/// Writes the configuration to the first folder that can be written to.
fn write(properties: &Properties, folders: &[PathBuf]) -> Result<PathBuf, Problem> {
    let file = places::first_writable(folders)?.join(FILE);
    let text = format!("{HEADER}{}", properties.to_text());
    places::write_private(&file, text.as_bytes())?;
    Ok(file)
}

/// The file that Confluent's step `configure` writes, and that scripts give to `kafka-storage format`.
pub const FOR_SCRIPTS: &str = "/etc/kafka/kafka.properties";

/// Writes the configuration for a script of the user's, which does something with it before the start. The start itself
/// does not read it.
pub fn write_for_scripts(configuration: &Configuration, container: &Container) -> Result<(), Problem> {
    let text = format!("{HEADER}{}", configuration.properties.to_text());
    places::write_private(&container.path(FOR_SCRIPTS), text.as_bytes())
}

/// Whether a family's folder may get the configuration: what is mounted there is the user's, and so is a file of that name
/// that was not written here.
fn is_ours(container: &Container, folder: &Path) -> bool {
    let path = container.path(folder);
    let is_mounted = container.mounts.iter().any(|mount| mount != Path::new("/") && folder.starts_with(mount));
    let file = path.join(FILE);
    let is_free = std::fs::read(&file).map_or_else(|_| !file.exists(), |text| text.starts_with(HEADER.as_bytes()));
    path.is_dir() && !is_mounted && is_free
}

/// What was decided beside the user's own file, for Kafka's command line.
fn overrides(properties: &Properties, file: &Path) -> Vec<OsString> {
    let file = file.display().to_string();
    let decided = properties.iter().filter(|(_, _, origin)| !origin.contains(&file));
    decided
        .flat_map(|(name, value, _)| ["--override".to_owned(), format!("{name}={value}")])
        .map(OsString::from)
        .collect()
}

/// What there is to say of the data of a broker that is started with a file of the user's own and
/// `--override NAME=VALUE`. Upstream's script checks nothing, so nothing of it is refused here.
pub fn warnings(container: &Container, layout: &Layout, file: &Path, arguments: &[OsString]) -> Vec<Problem> {
    let Some(mut properties) = properties(container, file, arguments) else { return Vec::new() };
    if properties.get("log.dirs").is_none() {
        properties.set_default("log.dir", "/tmp/kafka-logs", "Kafka's default of log.dir");
    }
    let mut findings = Findings::default();
    data::decide(container, &mut properties, layout, Dialect::Kimg.rules(), &mut findings);
    findings.warnings.append(&mut findings.problems);
    findings.warnings
}

/// The properties of such a broker; `None` where the file cannot be read.
pub fn properties(container: &Container, file: &Path, arguments: &[OsString]) -> Option<Properties> {
    let mut properties = Properties::parse(&container.read(file)?, &file.display().to_string());
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let apart = words.windows(2).filter(|pair| pair[0] == "--override").map(|pair| pair[1]);
    let joined = words.iter().filter_map(|word| word.strip_prefix("--override="));
    for (name, value) in apart.chain(joined).filter_map(|pair| pair.split_once('=')) {
        properties.set(name.trim(), value.trim(), format!("--override {name}"));
    }
    Some(properties)
}
