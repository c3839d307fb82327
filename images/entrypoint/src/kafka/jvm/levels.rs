//! Levels of the log, by variables.

use std::collections::BTreeMap;

use crate::container::Container;
use crate::json_log;
use crate::kafka::Dialect;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

const LEVELS: [&str; 8] = ["ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"];
const ROOT: &str = "KAFKA_LOG4J_ROOT_LOGLEVEL";
const LOGGERS: &str = "KAFKA_LOG4J_LOGGERS";
const TOOLS: &str = "KAFKA_TOOLS_LOG4J_LOGLEVEL";

/// What variables say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels {
    /// The level of all that is not named.
    root: Option<String>,
    /// Levels by the name of the logger.
    loggers: BTreeMap<String, String>,
    /// Other properties of log4j 1, of wurstmeister's `LOG4J_*`.
    others: Properties,
    /// The variables.
    origins: Vec<String>,
}

/// Whether log4j knows such a level, in any case.
pub fn is_level(text: &str) -> bool {
    LEVELS.contains(&text.to_uppercase().as_str())
}

/// `KAFKA_LOG4J_ROOT_LOGLEVEL` and `KAFKA_LOG4J_LOGGERS` (`a=INFO,b=WARN`) of Apache's and Confluent's images, and
/// `LOG4J_*` of wurstmeister's (start-kafka.sh).
pub fn read(container: &Container, dialect: Dialect, findings: &mut Findings) -> Levels {
    let mut levels = Levels::default();
    let environment = &container.environment;
    if let Some(level) = environment.get(ROOT)
        && let Some(level) = checked(ROOT, level, findings)
    {
        levels.root = Some(level);
        levels.origins.push(ROOT.to_owned());
    }
    if let Some(level) = environment.get(TOOLS) {
        checked(TOOLS, level, findings);
    }
    let loggers = environment.get(LOGGERS).unwrap_or_default().split(',').map(str::trim);
    for pair in loggers.filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((name, level)) if !name.trim().is_empty() => {
                if let Some(level) = checked(LOGGERS, level, findings) {
                    levels.loggers.insert(name.trim().to_owned(), level);
                }
            }
            _ => {
                let why = format!("`{}` is no NAME=LEVEL", pair.escape_debug());
                findings.refuse(Problem::new(LOGGERS, why, "write it like `kafka.controller=INFO,kafka=WARN`"));
            }
        }
    }
    if !levels.loggers.is_empty() {
        levels.origins.push(LOGGERS.to_owned());
    }
    if dialect == Dialect::Wurstmeister {
        read_wurstmeister(container, &mut levels);
    }
    levels
}

fn read_wurstmeister(container: &Container, levels: &mut Levels) {
    for (name, value) in container.environment.with_prefix("LOG4J_") {
        let property = format!("log4j.{}", name.to_lowercase().replace('_', "."));
        // There, `log4j.rootlogger` was written, which log4j does not know.
        if property == "log4j.rootlogger" {
            levels.root = Some(value.to_owned());
        } else if let Some(logger) = property.strip_prefix("log4j.logger.") {
            levels.loggers.insert(logger.to_owned(), value.to_owned());
        } else if property.starts_with("log4j.appender.") {
            levels.others.set(property, value, format!("LOG4J_{name}"));
        } else {
            continue;
        }
        levels.origins.push(format!("LOG4J_{name}"));
    }
}

fn checked(name: &str, level: &str, findings: &mut Findings) -> Option<String> {
    let level = level.trim();
    if is_level(level) {
        return Some(level.to_uppercase());
    }
    let hint = format!("use one of {}", LEVELS.join(", "));
    findings.refuse(Problem::new(name, format!("`{}` is no level of log4j", level.escape_debug()), hint));
    None
}

impl Levels {
    /// Whether no variable says anything.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The variables, with one more.
    pub fn origins(&self, more: Option<&str>) -> String {
        let all = self.origins.iter().map(String::as_str).chain(more);
        all.collect::<Vec<_>>().join(", ")
    }

    /// A file of log4j 1 with these levels. Where a logger has appenders there, it keeps them. For JSON, all that goes to
    /// the console is in the pattern that becomes it outside of Java.
    pub fn over_log4j1(&self, mut base: Properties, json: bool) -> Properties {
        if base.get("log4j.rootLogger").is_none() {
            for (name, value) in STDOUT {
                base.set_default(name, value, "default");
            }
        }
        let of_loggers = self.loggers.iter().map(|(name, value)| (format!("log4j.logger.{name}"), value));
        let of_root = self.root.iter().map(|value| ("log4j.rootLogger".to_owned(), value));
        for (name, value) in of_root.chain(of_loggers) {
            let appenders = base.get(&name).and_then(|old| Some(old.split_once(',')?.1.trim().to_owned()));
            let value = match appenders {
                Some(appenders) if !value.contains(',') => format!("{value}, {appenders}"),
                _ => value.clone(),
            };
            base.set(name, value, "levels");
        }
        for (name, value, origin) in self.others.iter() {
            base.set(name, value, origin);
        }
        if json {
            set_json(&mut base);
        }
        base
    }

    /// A whole file of log4j 2: to stdout, with the levels of the image's own file underneath. A pattern of log4j 2 can
    /// escape for JSON, so that no further jar is needed.
    pub fn to_log4j2(&self, json: bool) -> String {
        let root = self.root.as_deref().map_or("INFO", first);
        let pattern = if json { JSON } else { "[%d] %p %m (%c)%n" };
        let mut file = Properties::default();
        let mut set = |name: &str, value: &str| file.set(name, value, "levels");
        set("appender.stdout.type", "Console");
        set("appender.stdout.name", "stdout");
        set("appender.stdout.layout.type", "PatternLayout");
        set("appender.stdout.layout.pattern", pattern);
        set("rootLogger.level", root);
        set("rootLogger.appenderRef.stdout.ref", "stdout");
        let mut loggers: BTreeMap<&str, &str> = OF_IMAGE.into_iter().collect();
        loggers.extend(self.loggers.iter().map(|(name, level)| (name.as_str(), first(level))));
        for (index, (name, level)) in loggers.into_iter().enumerate() {
            file.set(format!("logger.{index}.name"), name, "levels");
            file.set(format!("logger.{index}.level"), level, "levels");
        }
        file.to_text()
    }
}

/// Gives all appenders to the console the layout that [`json_log`] reads.
fn set_json(file: &mut Properties) {
    let is_console = |(name, value, _): &(&str, &str, &str)| {
        let appender = name.strip_prefix("log4j.appender.").is_some_and(|rest| !rest.contains('.'));
        appender && value.trim() == "org.apache.log4j.ConsoleAppender"
    };
    let consoles: Vec<String> = file.iter().filter(is_console).map(|(name, ..)| name.to_owned()).collect();
    for name in consoles {
        file.set(format!("{name}.layout"), "org.apache.log4j.EnhancedPatternLayout", "KIMG_LOG_FORMAT");
        file.set(format!("{name}.layout.ConversionPattern"), json_log::PATTERN, "KIMG_LOG_FORMAT");
    }
}

/// The level of `LEVEL, APPENDER…`.
fn first(value: &str) -> &str {
    value.split(',').next().unwrap_or_default().trim()
}

const STDOUT: [(&str, &str); 4] = [
    ("log4j.rootLogger", "INFO, stdout"),
    ("log4j.appender.stdout", "org.apache.log4j.ConsoleAppender"),
    ("log4j.appender.stdout.layout", "org.apache.log4j.PatternLayout"),
    ("log4j.appender.stdout.layout.ConversionPattern", "[%d] %p %m (%c)%n"),
];

/// Those of config/log4j2.yaml in the image.
const OF_IMAGE: [(&str, &str); 6] = [
    ("kafka.request.logger", "WARN"),
    ("kafka.network.RequestChannel$", "WARN"),
    ("kafka.authorizer.logger", "INFO"),
    ("org.apache.kafka.controller", "INFO"),
    ("org.apache.kafka.storage.internals.log.LogCleaner", "INFO"),
    ("state.change.logger", "INFO"),
];

const JSON: &str = concat!(
    r#"{"time":"%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}","level":"%p","logger":"%enc{%c}{JSON}","#,
    r#""thread":"%enc{%t}{JSON}","message":"%enc{%m}{JSON}","exception":"%enc{%ex}{JSON}"}%n"#
);
