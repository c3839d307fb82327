//! Options of the JVM that the user gave, each with the variable that has it.

use std::path::Path;

use crate::container::Container;
use crate::java;
use crate::problem::{Findings, Problem};
use crate::properties::{Properties, is_secret};

/// An option of the JVM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JvmOption {
    /// As Java takes it.
    pub text: String,
    /// The variable that it came from, or why it is set.
    pub origin: String,
}

impl JvmOption {
    /// An option.
    pub fn new(text: impl Into<String>, origin: impl Into<String>) -> JvmOption {
        JvmOption { text: text.into(), origin: origin.into() }
    }

    /// For people: the value of a system property that is a secret is not shown.
    pub fn shown(&self) -> String {
        match self.text.strip_prefix("-D").and_then(|rest| rest.split_once('=')) {
            Some((name, _)) if is_secret(name) => format!("-D{name}=***"),
            _ => self.text.clone(),
        }
    }
}

/// Options of `java` whose value is the next word.
const WITH_VALUE: [&str; 12] = [
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--add-modules",
    "--add-opens",
    "--add-exports",
    "--add-reads",
    "--enable-native-access",
    "--upgrade-module-path",
    // Of kafka-run-class.sh, in `EXTRA_ARGS`.
    "-name",
];

/// The options of a variable; what in it is none is a problem, for Java would take it as the class to start.
pub fn read(container: &Container, name: &'static str, findings: &mut Findings) -> Vec<JvmOption> {
    let text = container.environment.get(name).unwrap_or_default();
    let (words, odd) = java::split(text);
    if let Some(why) = odd {
        let hint = "write it without quotes around it; a part with blanks is `-Da=\"b c\"`";
        findings.warn(Problem::new(name, why, hint).with_value(hide(text)));
    }
    let mut before = "";
    for word in &words {
        let is_option = word.starts_with(['-', '@']) || WITH_VALUE.contains(&before);
        if !is_option {
            let why =
                format!("`{}` is no option of Java, which would take it as the class to start", word.escape_debug());
            findings.refuse(Problem::new(name, why, "begin each option with `-`, such as `-Xmx1g`"));
        }
        before = word;
    }
    words.into_iter().map(|word| JvmOption::new(word, name)).collect()
}

/// A text of options without its secrets.
fn hide(text: &str) -> String {
    let words = text.split(' ').map(|word| JvmOption::new(word.trim_start_matches(['"', '\'']), "").shown());
    words.collect::<Vec<_>>().join(" ")
}

const LOGIN: &str = "-Djava.security.auth.login.config=";

/// Options that name a file, and whether Java, or the broker, does not start without it.
const FILES: [(&str, bool); 9] = [
    (LOGIN, true),
    ("-javaagent:", true),
    ("-agentpath:", true),
    ("-Dcom.sun.management.jmxremote.password.file=", true),
    ("-Dlog4j.configuration=", false),
    ("-Dlog4j.configurationFile=", false),
    ("-Dlog4j2.configurationFile=", false),
    ("-Djava.security.krb5.conf=", false),
    ("-Djavax.net.ssl.trustStore=", false),
];

/// The file that an option names by an absolute path, with the option's prefix and whether the file is needed.
fn file_of(option: &str) -> Option<(&'static str, &str, bool)> {
    let (prefix, is_needed) = FILES.iter().find(|(prefix, _)| option.starts_with(prefix))?;
    let value = &option[prefix.len()..];
    let value = if prefix.starts_with("-D") { value } else { value.split('=').next().unwrap_or_default() };
    // `==` means this file alone, and log4j takes URLs.
    let path = value.trim_start_matches('=').trim_start_matches("file://").trim_start_matches("file:");
    path.starts_with('/').then_some((prefix, path, *is_needed))
}

/// Whether an option names a file of log4j's that is not there. Java would say next to nothing, and log nothing.
pub fn names_absent_log(container: &Container, option: &JvmOption) -> bool {
    file_of(&option.text)
        .is_some_and(|(prefix, path, _)| prefix.starts_with("-Dlog4j") && !container.path(path).exists())
}

/// Names the files that options point to and that are not there. Java names them late, in a trace, or (log4j's) hardly at
/// all.
pub fn check_files(container: &Container, options: &[JvmOption], properties: &Properties, findings: &mut Findings) {
    let logs_in = logs_in(properties);
    for option in options {
        let Some((prefix, path, is_needed)) = file_of(&option.text) else { continue };
        let name = prefix.trim_end_matches(['=', ':']);
        let absent = |path: &str, end: &str| {
            let why = format!("{name} names {path}, and there is no such file{end}");
            Problem::new(option.origin.clone(), why, hint(container, path))
        };
        // `-javaagent:JAR=7071:/FILE`, as of Prometheus' exporter.
        let second =
            option.text.split_once('=').and_then(|(_, rest)| rest.split_once(":/")).map(|(_, rest)| format!("/{rest}"));
        if let Some(second) = second.filter(|path| prefix == "-javaagent:" && !container.path(path).exists()) {
            findings.warn(absent(&second, ""));
        }
        if container.path(path).exists() {
            continue;
        }
        let is_needed = is_needed && (prefix != LOGIN || logs_in);
        // Seen from the host, the file may come with a mount.
        match is_needed && container.is_live() {
            true => findings.refuse(absent(path, "")),
            false if prefix.starts_with("-Dlog4j") => findings.warn(absent(path, ": that of the image is used")),
            false => findings.warn(absent(path, "")),
        }
    }
}

/// Whether the broker reads the file of logins at all: in ZooKeeper mode it always does (JaasUtils.isZkSaslEnabled), else
/// for listeners with SASL.
fn logs_in(properties: &Properties) -> bool {
    let parts = |name: &str| properties.get(name).unwrap_or_default().split(',').map(str::trim).collect::<Vec<_>>();
    let map = parts("listener.security.protocol.map");
    let mut protocols =
        parts("listeners").into_iter().filter_map(|listener| Some(listener.split_once("://")?.0)).map(|name| {
            map.iter()
                .filter_map(|pair| pair.split_once(':'))
                .find(|(own, _)| *own == name)
                .map_or(name, |(_, protocol)| protocol)
        });
    properties.get("zookeeper.connect").is_some() || protocols.any(|protocol| protocol.starts_with("SASL_"))
}

fn hint(container: &Container, path: &str) -> String {
    let folder = Path::new(path).parent().unwrap_or(Path::new("/"));
    match container.path(folder).is_dir() {
        true => format!("mount it there, or correct the path; {} exists, without it", folder.display()),
        false => "mount it there, or correct the path: this image makes none of the files of others".to_owned(),
    }
}
