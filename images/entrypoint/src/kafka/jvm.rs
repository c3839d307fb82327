//! The Java programs: the broker, and Kafka's tools.

use std::path::{Path, PathBuf};

use super::Layout;
use crate::environment::Environment;
use crate::java::{self, Java};
use crate::problem::Problem;

/// The broker that reads this file.
pub fn broker(
    environment: &Environment,
    layout: &Layout,
    file: &Path,
    arguments: &[std::ffi::OsString],
) -> Result<Java, Problem> {
    let mut options = heap(environment, "1G");
    options.extend(performance(environment));
    options.extend(logging(environment, layout, "log4j"));
    options.extend(common(environment, layout));
    if let Some((name, port)) = environment.first(&["KAFKA_JMX_PORT", "JMX_PORT"]) {
        let number: Option<u16> = port.parse().ok();
        let port =
            number.ok_or_else(|| Problem::new(name, format!("`{port}` is no port"), "give a number up to 65535"))?;
        options.extend(jmx(environment, port));
    }
    let mut all = vec![file.as_os_str().to_owned()];
    all.extend(arguments.iter().cloned());
    Ok(Java {
        program: Java::program(environment),
        options,
        class_path: class_path(environment, layout)?,
        main: "kafka.Kafka".to_owned(),
        arguments: all,
        without: Vec::new(),
    })
}

/// One of Kafka's tools.
pub fn tool(
    environment: &Environment,
    layout: &Layout,
    default_heap: &str,
    main: &str,
    arguments: Vec<std::ffi::OsString>,
) -> Result<Java, Problem> {
    let mut options = heap(environment, default_heap);
    options.extend(logging(environment, layout, "tools-log4j"));
    options.extend(common(environment, layout));
    Ok(Java {
        program: Java::program(environment),
        options,
        class_path: class_path(environment, layout)?,
        main: main.to_owned(),
        arguments,
        without: vec!["JMX_PORT", "KAFKA_JMX_PORT", "KAFKA_JMX_OPTS"],
    })
}

/// `KAFKA_HEAP_OPTS` is often set for the broker of a container; a tool beside it takes it too, as upstream's scripts do.
fn heap(environment: &Environment, default: &str) -> Vec<String> {
    match java::words(environment, "KAFKA_HEAP_OPTS") {
        words if words.is_empty() => vec![format!("-Xmx{default}"), format!("-Xms{default}")],
        words => words,
    }
}

/// What kafka-run-class.sh sets for a server.
fn performance(environment: &Environment) -> Vec<String> {
    let words = java::words(environment, "KAFKA_JVM_PERFORMANCE_OPTS");
    if !words.is_empty() {
        return words;
    }
    let defaults = [
        "-server",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:InitiatingHeapOccupancyPercent=35",
        "-XX:+ExplicitGCInvokesConcurrent",
        "-XX:MaxInlineLevel=15",
        "-Djava.awt.headless=true",
    ];
    defaults.map(str::to_owned).to_vec()
}

fn logging(environment: &Environment, layout: &Layout, name: &str) -> Vec<String> {
    let config = layout.home.join("config");
    let mut words = java::words(environment, "KAFKA_LOG4J_OPTS");
    match (words.is_empty(), layout.log4j2) {
        (true, true) => vec![format!("-Dlog4j2.configurationFile={}", config.join(format!("{name}2.yaml")).display())],
        (true, false) => {
            vec![format!("-Dlog4j.configuration=file:{}", config.join(format!("{name}.properties")).display())]
        }
        (false, log4j2) => {
            // A file of log4j 1 is read by log4j 2 when asked to, as upstream's script does.
            if log4j2 && words.iter().any(|word| word.starts_with("-Dlog4j.configuration=")) {
                words.push("-Dlog4j1.compatibility=true".to_owned());
            }
            words
        }
    }
}

/// Failed look-ups of host names are forgotten at once: a peer's name may come about a second later.
fn common(environment: &Environment, layout: &Layout) -> Vec<String> {
    let security = layout.home.join("config/java.security");
    let mut options = vec![format!("-Djava.security.properties={}", security.display())];
    options.extend(java::words(environment, "KAFKA_OPTS"));
    options
}

fn jmx(environment: &Environment, port: u16) -> Vec<String> {
    let mut options = match java::words(environment, "KAFKA_JMX_OPTS") {
        words if words.is_empty() => vec![
            "-Dcom.sun.management.jmxremote".to_owned(),
            "-Dcom.sun.management.jmxremote.authenticate=false".to_owned(),
            "-Dcom.sun.management.jmxremote.ssl=false".to_owned(),
        ],
        words => words,
    };
    options.push(format!("-Dcom.sun.management.jmxremote.port={port}"));
    options
}

/// The user's own jars first, as in upstream's scripts.
fn class_path(environment: &Environment, layout: &Layout) -> Result<Vec<PathBuf>, Problem> {
    let own = environment.get("CLASSPATH").unwrap_or_default().split(':').filter(|path| !path.is_empty());
    let mut all: Vec<PathBuf> = own.map(PathBuf::from).collect();
    all.extend(java::jars(&layout.home.join("libs"))?);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(table: &str, variables: &[(&str, &str)]) -> Vec<String> {
        logging(&Environment::of(variables.iter().copied()), &Layout::of_image(table), "log4j")
    }

    #[test]
    fn logging_is_that_of_the_version() {
        let (old, new) = ("s server kafka", "s server kafka kraft log4j2");
        assert_eq!(options(old, &[]), ["-Dlog4j.configuration=file:/opt/kafka/config/log4j.properties"]);
        assert_eq!(options(new, &[]), ["-Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml"]);
        let own = [("KAFKA_LOG4J_OPTS", "-Dlog4j.configuration=file:/mine -Da=b")];
        assert_eq!(options(old, &own), ["-Dlog4j.configuration=file:/mine", "-Da=b"]);
        assert_eq!(options(new, &own)[2..], ["-Dlog4j1.compatibility=true"]);
    }
}
