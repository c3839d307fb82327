//! What the broker logs, and how: the image's file, the user's own, or one that is made of both and of variables.

use std::fs;
use std::path::{Path, PathBuf};

use super::given::JvmOption;
use super::levels::{self, Levels};
use crate::container::Container;
use crate::kafka::{Dialect, Layout};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// Where the broker's log is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logging {
    /// By files that are there.
    Options(Vec<JvmOption>),
    /// By a file that is written beside server.properties.
    Written(Written),
}

/// A file of log4j's that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub text: String,
    /// The variables that it was made for.
    pub origin: String,
    /// Options beside the one that names it.
    pub options: Vec<JvmOption>,
    /// Whether its log becomes JSON outside of Java.
    pub json_log: bool,
}

impl Written {
    /// The option that names the file in this folder.
    pub fn option(&self, folder: &Path) -> JvmOption {
        let path = folder.join(self.name);
        let text = match self.name {
            WRITTEN_OLD => format!("-Dlog4j.configuration=file:{}", path.display()),
            _ => format!("-Dlog4j2.configurationFile={}", path.display()),
        };
        JvmOption::new(text, self.origin.clone())
    }
}

// Names of their own: the folder may be one with a file of the user's.
const WRITTEN_OLD: &str = "kimg-log4j.properties";
const WRITTEN_NEW: &str = "kimg-log4j2.properties";
const OLD: &str = "log4j.properties";
const OLD_OF_TOOLS: &str = "tools-log4j.properties";
const NEW: &str = "log4j2.properties";

/// Folders of other images to which people mount a file of log4j's.
const FAMILIES: [&str; 6] = [
    "/mnt/shared/config",
    "/bitnami/kafka/config",
    "/opt/bitnami/kafka/config",
    "/etc/kafka",
    "/usr/local/kafka/config",
    "/kafka/config",
];

const FORMAT: &str = "KIMG_LOG_FORMAT";

/// Decides by the options that the user gave (those of `KAFKA_LOG4J_OPTS`, and those that come last), by files that are
/// mounted, and by the variables that set levels.
pub fn decide(
    container: &Container,
    layout: &Layout,
    dialect: Dialect,
    own: &[JvmOption],
    last: &[JvmOption],
    findings: &mut Findings,
) -> Logging {
    let levels = levels::read(container, dialect, findings);
    let json = wants_json(container, findings);
    if let Some(names) = own.iter().chain(last).find(|option| names_file(layout, option)) {
        warn_unused(&names.origin, &levels, json, findings);
        return Logging::Options(of_user(container, layout, own, names));
    }
    let mounted = mounted(container, layout);
    if levels.is_empty() && !json {
        let mut options = own.to_vec();
        match mounted {
            Some(path) => {
                options.push(logs_folder(container));
                options.push(file_option(layout, &path, "the file that is mounted there"));
                options.extend(compatibility(layout, &options));
            }
            None => options.push(file_option(layout, &of_image(layout), "default")),
        }
        return Logging::Options(options);
    }
    let origin = levels.origins(json.then_some(FORMAT));
    let mut options = own.to_vec();
    let (name, text) = if layout.log4j2 {
        if let Some(path) = &mounted {
            let why = format!("{} is left out for the levels of {origin}", path.display());
            let hint = "set the levels in that file and leave those variables out";
            findings.warn(Problem::new(path.display().to_string(), why, hint));
        }
        (WRITTEN_NEW, levels.to_log4j2(json))
    } else {
        options.extend(mounted.iter().map(|_| logs_folder(container)));
        let base = container.read(mounted.unwrap_or_else(|| of_image(layout))).unwrap_or_default();
        (WRITTEN_OLD, levels.over_log4j1(Properties::parse(&base, OLD), json).to_text())
    };
    Logging::Written(Written { name, text, origin, options, json_log: json && !layout.log4j2 })
}

/// The options of a tool, whose level alone is a variable: a system property that the image's file reads.
pub fn of_tool(container: &Container, layout: &Layout, own: &[JvmOption]) -> Vec<JvmOption> {
    if let Some(names) = own.iter().find(|option| names_file(layout, option)) {
        return of_user(container, layout, own, names);
    }
    let name = if layout.log4j2 { "tools-log4j2.yaml" } else { OLD_OF_TOOLS };
    let file = layout.home.join("config").join(name);
    let mut options = own.to_vec();
    let mounted = first_of(container, &[name], &file);
    options.push(file_option(layout, mounted.as_ref().unwrap_or(&file), "default"));
    let name = "KAFKA_TOOLS_LOG4J_LOGLEVEL";
    if let Some(level) = container.environment.get(name).filter(|level| levels::is_level(level)) {
        options.push(JvmOption::new(format!("-Dkimg.tools.level={}", level.to_uppercase()), name));
    }
    options
}

fn of_image(layout: &Layout) -> PathBuf {
    layout.home.join(if layout.log4j2 { "config/log4j2.yaml" } else { "config/log4j.properties" })
}

/// Whether the log4j of this version reads the option. Kafka 3 has slf4j with log4j 1 behind it.
fn names_file(layout: &Layout, option: &JvmOption) -> bool {
    let names = ["-Dlog4j.configuration=", "-Dlog4j2.configurationFile=", "-Dlog4j.configurationFile="];
    names[..if layout.log4j2 { 3 } else { 1 }].iter().any(|name| option.text.starts_with(name))
}

/// The user's own options: what upstream's files name, a folder for logs, is set too.
fn of_user(container: &Container, layout: &Layout, own: &[JvmOption], names: &JvmOption) -> Vec<JvmOption> {
    let mut options = vec![logs_folder(container)];
    options.extend(own.iter().cloned());
    options.extend(compatibility(layout, std::slice::from_ref(names)));
    options
}

/// A file of log4j 1 is read by log4j 2 when asked to, as upstream's script does.
fn compatibility(layout: &Layout, options: &[JvmOption]) -> Option<JvmOption> {
    let old = options.iter().find(|option| option.text.starts_with("-Dlog4j.configuration="))?;
    layout.log4j2.then(|| JvmOption::new("-Dlog4j1.compatibility=true", old.origin.clone()))
}

/// Upstream's own files write into `${kafka.logs.dir}`, which kafka-run-class.sh sets.
fn logs_folder(container: &Container) -> JvmOption {
    let (folder, origin) = match container.environment.get("LOG_DIR") {
        Some(folder) => (folder, "LOG_DIR"),
        None => ("/tmp/kimg/logs", "default"),
    };
    JvmOption::new(format!("-Dkafka.logs.dir={folder}"), origin)
}

fn file_option(layout: &Layout, path: &Path, origin: &str) -> JvmOption {
    let is_old = path.file_name().is_some_and(|name| name == OLD || name == OLD_OF_TOOLS);
    match layout.log4j2 && !is_old {
        true => JvmOption::new(format!("-Dlog4j2.configurationFile={}", path.display()), origin),
        false => JvmOption::new(format!("-Dlog4j.configuration=file:{}", path.display()), origin),
    }
}

/// The first file in a folder of another image, where it is not the image's own by another name.
fn mounted(container: &Container, layout: &Layout) -> Option<PathBuf> {
    let names: &[&str] = match layout.log4j2 {
        true => &["log4j2.yaml", "log4j2.yml", "log4j2.xml", NEW, OLD],
        false => &[OLD],
    };
    first_of(container, names, &of_image(layout))
}

fn first_of(container: &Container, names: &[&str], own: &Path) -> Option<PathBuf> {
    let own = fs::canonicalize(container.path(own)).ok();
    let files = FAMILIES.iter().flat_map(|folder| names.iter().map(|name| Path::new(folder).join(name)));
    let mut there = files.filter(|file| container.path(file).is_file());
    there.find(|file| fs::canonicalize(container.path(file)).ok() != own)
}

fn wants_json(container: &Container, findings: &mut Findings) -> bool {
    match container.environment.get(FORMAT) {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => {
            findings.refuse(Problem::new(FORMAT, "there is no such format", "set `text` or `json`").with_value(other));
            false
        }
    }
}

/// Levels beside a file that the user names count for nothing, as in upstream's scripts.
fn warn_unused(by: &str, levels: &Levels, json: bool, findings: &mut Findings) {
    if levels.is_empty() && !json {
        return;
    }
    let origin = levels.origins(json.then_some(FORMAT));
    let why = format!("it counts for nothing, for {by} names a file of log4j's");
    findings.warn(Problem::new(origin, why, format!("set it in that file, or leave {by} out")));
}
