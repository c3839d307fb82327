//! Options of the JVM that the user gave, each with the variable that has it.

use std::path::Path;

use crate::container::Container;
use crate::java;
use crate::problem::{Findings, Problem};
use crate::properties::is_secret;

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

/// Options that name a file, and whether Java, or the broker, does not start without it.
const FILES: [(&str, bool); 8] = [
    ("-Djava.security.auth.login.config=", true),
    ("-javaagent:", true),
    ("-agentpath:", true),
    ("-Dcom.sun.management.jmxremote.password.file=", true),
    ("-Dlog4j.configuration=", false),
    ("-Dlog4j2.configurationFile=", false),
    ("-Djava.security.krb5.conf=", false),
    ("-Djavax.net.ssl.trustStore=", false),
];

/// Names the files that options point to and that are not there. Java names them late, in a trace, or (log4j's) hardly at
/// all.
pub fn check_files(container: &Container, options: &[JvmOption], findings: &mut Findings) {
    for option in options {
        let Some((prefix, is_needed)) = FILES.iter().find(|(prefix, _)| option.text.starts_with(prefix)) else {
            continue;
        };
        let value = &option.text[prefix.len()..];
        let value = if prefix.starts_with("-D") { value } else { value.split('=').next().unwrap_or_default() };
        // `==` means this file alone, and log4j takes URLs.
        let path = value.trim_start_matches('=').trim_start_matches("file://").trim_start_matches("file:");
        if !path.starts_with('/') || container.path(path).exists() {
            continue;
        }
        let problem = Problem::new(
            option.origin.clone(),
            format!("{} names {path}, and there is no such file", prefix.trim_end_matches(['=', ':'])),
            hint(container, path),
        );
        // Seen from the host, the file may come with a mount.
        match *is_needed && container.is_live() {
            true => findings.refuse(problem),
            false => findings.warn(problem),
        }
    }
}

fn hint(container: &Container, path: &str) -> String {
    let folder = Path::new(path).parent().unwrap_or(Path::new("/"));
    match container.path(folder).is_dir() {
        true => format!("mount it there, or correct the path; {} exists, without it", folder.display()),
        false => "mount it there, or correct the path: this image makes none of the files of others".to_owned(),
    }
}
