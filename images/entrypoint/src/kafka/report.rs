//! What a configuration comes to, for people and for programs.

use std::path::Path;

use super::dialect::Level;
use super::jvm::Logging;
use super::{Configuration, Mode};
use crate::json::Json;
use crate::problem::{Problem, one_line};
use crate::properties::is_secret;

/// What is said at the start, a line each: the dialect, what was decided, warnings.
pub fn story(configuration: &Configuration) -> Vec<String> {
    let mut lines = vec![one_line(&format!("kimg: {}", dialect(configuration)))];
    lines.extend(configuration.findings.lines());
    lines
}

/// For `--explain`: the dialect and what was decided, each property and each option of Java with where it came from, then
/// what is wrong. All but the properties stands in comments of a properties file.
pub fn to_text(configuration: &Configuration) -> String {
    let findings = &configuration.findings;
    let mut lines = vec![format!("# {}", dialect(configuration))];
    lines.extend(findings.notes.iter().map(|note| format!("# {note}")));
    if let Some(file) = &configuration.file {
        lines.push(format!("# the file {} is used as it is", file.display()));
    }
    for (name, value, origin) in configuration.properties.iter() {
        lines.push(format!("{name}={}    # {origin}", shown(name, value)));
    }
    lines.push(format!("# Java: {}", configuration.jvm.program.display()));
    for option in configuration.jvm.options(folder(configuration)) {
        lines.push(format!("#   {}    # {}", option.shown(), option.origin));
    }
    lines.push(match configuration.jvm.class_path.len() {
        0 => "# class path: the jars of the image are not there".to_owned(),
        count => format!("# class path: {count} entries"),
    });
    for warning in &findings.warnings {
        lines.extend([
            format!("# warning: {}: {}", warning.subject, warning.reason()),
            format!("# hint: {}", warning.hint),
        ]);
    }
    for problem in &findings.problems {
        lines.extend([
            format!("# error: {}: {}", problem.subject, problem.reason()),
            format!("# hint: {}", problem.hint),
        ]);
    }
    lines.iter().map(|line| one_line(line) + "\n").collect()
}

/// For `--explain --json`: one line. Members may be added, and are not removed or given another meaning.
pub fn to_json(configuration: &Configuration) -> Json {
    let (properties, findings) = (&configuration.properties, &configuration.findings);
    let choice = &configuration.dialect;
    let list = |problems: &[Problem]| Json::List(problems.iter().map(problem).collect());
    Json::object([
        ("properties", Json::object(properties.iter().map(|(name, value, _)| (name, Json::text(shown(name, value)))))),
        ("origins", Json::object(properties.iter().map(|(name, _, origin)| (name, Json::text(origin))))),
        (
            "dialect",
            Json::object([
                ("name", Json::text(choice.dialect.name())),
                ("follows", Json::text(choice.dialect.rules().follows)),
                ("level", Json::text(level(choice.level))),
                ("evidence", Json::text(choice.evidence.clone())),
            ]),
        ),
        ("mode", Json::text(mode(configuration.mode))),
        (
            "id",
            Json::object([
                ("value", Json::text(configuration.id.value.clone())),
                ("origin", Json::text(configuration.id.origin.clone())),
                ("explicit", Json::Bool(configuration.id.explicit)),
            ]),
        ),
        ("file", Json::optional(configuration.file.as_ref().map(|file| file.display().to_string()))),
        ("jvm", jvm(configuration)),
        ("notes", Json::List(findings.notes.iter().map(Json::text).collect())),
        ("warnings", list(&findings.warnings)),
        ("errors", list(&findings.problems)),
    ])
}

fn jvm(configuration: &Configuration) -> Json {
    let jvm = &configuration.jvm;
    let options = jvm
        .options(folder(configuration))
        .into_iter()
        .map(|option| Json::object([("option", Json::text(option.shown())), ("origin", Json::text(option.origin))]));
    let class_path = jvm.class_path.iter().map(|path| Json::text(path.display().to_string()));
    let log4j = match &jvm.logging {
        Logging::Options(_) => None,
        Logging::Written(written) => Some(written.text.clone()),
    };
    Json::object([
        ("program", Json::text(jvm.program.display().to_string())),
        ("options", Json::List(options.collect())),
        ("class_path", Json::List(class_path.collect())),
        ("log4j", Json::optional(log4j)),
    ])
}

fn problem(problem: &Problem) -> Json {
    Json::object([
        ("subject", Json::text(problem.subject.clone())),
        ("value", Json::optional(problem.value.clone())),
        ("reason", Json::text(problem.why.clone())),
        ("hint", Json::text(problem.hint.clone())),
    ])
}

fn dialect(configuration: &Configuration) -> String {
    let choice = &configuration.dialect;
    let name = choice.dialect.name();
    match choice.level {
        Level::Nothing => format!("dialect: {name}, for nothing tells another"),
        _ => format!(
            "dialect: {name}, as {}, by {} ({})",
            choice.dialect.rules().follows,
            level(choice.level),
            choice.evidence
        ),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Asked => "request",
        Level::Entry => "entry",
        Level::Variable => "variable",
        Level::Mount => "mount",
        Level::Nothing => "nothing",
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::ZooKeeper => "zookeeper",
        Mode::KraftSingle => "kraft-single",
        Mode::Kraft => "kraft",
    }
}

fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if is_secret(name) { "***" } else { value }
}

/// Where a file of log4j's is written, where the first folder can be written to.
fn folder(configuration: &Configuration) -> &'static Path {
    let folders = configuration.dialect.dialect.rules().configuration;
    Path::new(folders.first().unwrap_or(&"/tmp/kimg"))
}
