//! What the broker logs, by variables and by files that are mounted.

#[path = "support/java.rs"]
mod support;

use std::fs;
use std::path::Path;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::json_log;
use kimg_entrypoint::kafka::jvm::{self, Jvm, Logging, Written};
use kimg_entrypoint::kafka::{Dialect, Layout};
use kimg_entrypoint::problem::Findings;
use kimg_entrypoint::properties::Properties;
use support::{container, folder, subjects, write};

const OLD: &str = "s server kafka\n";
const NEW: &str = "s server kafka kraft log4j2\n";

/// The image's own file, as it ships.
const IMAGE: (&str, &str) = ("opt/kafka/config/log4j.properties", include_str!("../../kafka/config/log4j.properties"));

fn decide(table: &str, container: &Container, dialect: Dialect) -> (Jvm, Findings) {
    let mut findings = Findings::default();
    let jvm = jvm::decide(container, &Layout::of_image(table), dialect, &Properties::default(), &mut findings);
    (jvm, findings)
}

fn written(jvm: &Jvm) -> &Written {
    match &jvm.logging {
        Logging::Written(written) => written,
        Logging::Options(options) => panic!("nothing is written: {options:?}"),
    }
}

#[test]
fn options_name_the_file_of_the_image_or_the_users() {
    let logs = "-Dkafka.logs.dir=/tmp/kimg/logs";
    let own = [("KAFKA_LOG4J_OPTS", "-Dlog4j.configuration=file:/mine -Da=b")];
    let mine = ("mine", "");
    for (table, files, variables, options) in [
        (OLD, &[IMAGE][..], &[][..], &["-Dlog4j.configuration=file:/opt/kafka/config/log4j.properties"][..]),
        (NEW, &[], &[], &["-Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml"]),
        (OLD, &[mine], &own, &[logs, "-Dlog4j.configuration=file:/mine", "-Da=b"]),
        (NEW, &[mine], &own, &[logs, "-Dlog4j.configuration=file:/mine", "-Da=b", "-Dlog4j1.compatibility=true"]),
        // A file that KAFKA_OPTS names: that option comes later, and the image's is not in its way.
        (
            OLD,
            &[mine],
            &[("KAFKA_OPTS", "-Dlog4j.configuration=file:/mine"), ("LOG_DIR", "/l")],
            &["-Dkafka.logs.dir=/l"],
        ),
        (
            OLD,
            &[IMAGE],
            &[("KAFKA_LOG4J_OPTS", "-Dlog4j2.formatMsgNoLookups=true")],
            &["-Dlog4j2.formatMsgNoLookups=true", "-Dlog4j.configuration=file:/opt/kafka/config/log4j.properties"],
        ),
        (
            OLD,
            &[IMAGE, ("etc/kafka/log4j.properties", ""), ("opt/bitnami/kafka/config/log4j.properties", "")],
            &[],
            &[logs, "-Dlog4j.configuration=file:/opt/bitnami/kafka/config/log4j.properties"],
        ),
        (
            OLD,
            &[IMAGE],
            &[("KAFKA_OPTS", "-Dlog4j2.configurationFile=relative.yaml")],
            &["-Dlog4j.configuration=file:/opt/kafka/config/log4j.properties"],
        ),
        (NEW, &[("etc/kafka/log4j2.yaml", "")], &[], &[logs, "-Dlog4j2.configurationFile=/etc/kafka/log4j2.yaml"]),
        (
            NEW,
            &[("etc/kafka/log4j.properties", "")],
            &[],
            &[logs, "-Dlog4j.configuration=file:/etc/kafka/log4j.properties", "-Dlog4j1.compatibility=true"],
        ),
    ] {
        let (jvm, findings) = decide(table, &container("log-options", files, variables), Dialect::Kimg);
        let Logging::Options(found) = &jvm.logging else { panic!("{variables:?}: {jvm:?}") };
        assert_eq!(found.iter().map(|option| option.text.as_str()).collect::<Vec<_>>(), options, "{files:?}");
        assert_eq!((findings.warnings, findings.problems), (vec![], vec![]));
    }
}

#[test]
fn a_file_that_is_not_there_gives_way_to_the_images() {
    let absent = "-Dlog4j.configuration=file:/etc/kafka/log4j.properties";
    for (table, name, other) in
        [(OLD, "KAFKA_LOG4J_OPTS", "-Da=b"), (NEW, "KAFKA_LOG4J_OPTS", ""), (OLD, "KAFKA_OPTS", "")]
    {
        let value = format!("{absent} {other}");
        let container = container("absent-log", &[IMAGE], &[(name, &value)]);
        let (jvm, findings) = decide(table, &container, Dialect::Confluent);
        let options: Vec<String> = jvm.options(Path::new("/c")).into_iter().map(|option| option.text).collect();
        assert!(!options.iter().any(|option| option == absent), "{options:?}");
        assert!(other.is_empty() || options.iter().any(|option| option == other), "{options:?}");
        let own = if table == OLD { "opt/kafka/config/log4j.properties" } else { "opt/kafka/config/log4j2.yaml" };
        assert!(options.iter().any(|option| option.ends_with(own)), "{options:?}");
        assert_eq!(subjects(&findings.warnings), [name]);
        assert!(findings.warnings[0].why.ends_with("no such file: that of the image is used"), "{findings:?}");
    }
}

#[test]
fn a_link_to_the_images_own_file_is_no_file_of_the_users() {
    let container = container("log-link", &[IMAGE, ("opt/bitnami/x", "")], &[]);
    std::os::unix::fs::symlink("../kafka", container.path("/opt/bitnami/kafka")).unwrap();
    let (jvm, _) = decide(OLD, &container, Dialect::Kimg);
    let Logging::Options(options) = &jvm.logging else { panic!() };
    assert_eq!(options[0].text, "-Dlog4j.configuration=file:/opt/kafka/config/log4j.properties");
}

#[test]
fn levels_are_laid_over_the_file() {
    let variables = [
        ("KAFKA_LOG4J_ROOT_LOGLEVEL", "warn"),
        ("KAFKA_LOG4J_LOGGERS", "kafka.controller=TRACE, state.change.logger=ERROR,kafka.network.RequestChannel$=OFF,"),
    ];
    let (jvm, findings) = decide(OLD, &container("levels", &[IMAGE], &variables), Dialect::Confluent);
    let file = Properties::parse(&written(&jvm).text, "written");
    for (name, value) in [
        ("log4j.rootLogger", "WARN, stdout"),
        ("log4j.logger.kafka.controller", "TRACE"),
        ("log4j.logger.state.change.logger", "ERROR"),
        ("log4j.logger.kafka.network.RequestChannel$", "OFF"),
        ("log4j.logger.org.apache.zookeeper", "INFO"),
        ("log4j.appender.stdout.layout.ConversionPattern", "[%d] %p %m (%c)%n"),
    ] {
        assert_eq!(file.get(name), Some(value), "{name}");
    }
    assert_eq!(written(&jvm).origin, "KAFKA_LOG4J_ROOT_LOGLEVEL, KAFKA_LOG4J_LOGGERS");
    assert_eq!((findings.warnings, findings.problems), (vec![], vec![]));
}

#[test]
fn a_mounted_file_lies_underneath_and_keeps_its_appenders() {
    let mounted = "log4j.rootLogger=INFO, a, b\nlog4j.logger.kafka=INFO, a\nlog4j.appender.a=x\n";
    let files = [IMAGE, ("etc/kafka/log4j.properties", mounted)];
    let variables = [("KAFKA_LOG4J_ROOT_LOGLEVEL", "DEBUG"), ("KAFKA_LOG4J_LOGGERS", "kafka=WARN")];
    let (jvm, _) = decide(OLD, &container("underneath", &files, &variables), Dialect::Apache);
    let expected = "log4j.appender.a=x\nlog4j.logger.kafka=WARN, a\nlog4j.rootLogger=DEBUG, a, b\n";
    assert_eq!(written(&jvm).text, expected);
}

#[test]
fn without_any_file_the_log_goes_to_stdout() {
    let (jvm, _) =
        decide(OLD, &container("no-log-file", &[], &[("KAFKA_LOG4J_ROOT_LOGLEVEL", "ERROR")]), Dialect::Kimg);
    let file = Properties::parse(&written(&jvm).text, "written");
    assert_eq!(file.get("log4j.rootLogger"), Some("ERROR, stdout"));
    assert_eq!(file.get("log4j.appender.stdout"), Some("org.apache.log4j.ConsoleAppender"));
}

#[test]
fn wurstmeisters_variables_count_in_its_dialect_only() {
    let variables = [
        ("LOG4J_LOGGER_KAFKA_AUTHORIZER_LOGGER", "DEBUG, stdout"),
        ("LOG4J_ROOTLOGGER", "ERROR"),
        ("LOG4J_APPENDER_STDOUT_THRESHOLD", "WARN"),
        ("LOG4J_FORMAT_MSG_NO_LOOKUPS", "true"),
    ];
    let container = container("wurstmeister", &[IMAGE], &variables);
    let (jvm, _) = decide(OLD, &container, Dialect::Wurstmeister);
    let file = Properties::parse(&written(&jvm).text, "written");
    for (name, value) in [
        ("log4j.logger.kafka.authorizer.logger", Some("DEBUG, stdout")),
        ("log4j.rootLogger", Some("ERROR, stdout")),
        ("log4j.appender.stdout.threshold", Some("WARN")),
        ("log4j.format.msg.no.lookups", None),
    ] {
        assert_eq!(file.get(name), value, "{name}");
    }
    let (other, _) = decide(OLD, &container, Dialect::Bitnami);
    assert!(matches!(other.logging, Logging::Options(_)));
}

#[test]
fn kafka_4_gets_a_whole_file() {
    let variables = [("KAFKA_LOG4J_LOGGERS", "kafka=DEBUG,state.change.logger=OFF")];
    let (jvm, _) = decide(NEW, &container("log4j2", &[], &variables), Dialect::Kimg);
    assert_eq!(written(&jvm).name, "kimg-log4j2.properties");
    let file = Properties::parse(&written(&jvm).text, "written");
    let pairs: Vec<(&str, &str)> = file.iter().map(|(name, value, _)| (name, value)).collect();
    let loggers: Vec<(&str, &str)> = pairs
        .iter()
        .filter(|(name, _)| name.ends_with(".name") && name.starts_with("logger."))
        .map(|(name, value)| (*value, file.get(&name.replace(".name", ".level")).unwrap()))
        .collect();
    assert!(loggers.contains(&("kafka", "DEBUG")) && loggers.contains(&("state.change.logger", "OFF")), "{loggers:?}");
    assert!(loggers.contains(&("kafka.request.logger", "WARN")), "those of the image stay: {loggers:?}");
    assert_eq!(file.get("rootLogger.level"), Some("INFO"));
}

#[test]
fn json_is_written_by_log4j_2_and_made_of_what_log4j_1_writes() {
    let json = [("KIMG_LOG_FORMAT", "json")];
    let (jvm, findings) = decide(NEW, &container("json", &[], &json), Dialect::Kimg);
    let file = Properties::parse(&written(&jvm).text, "written");
    let pattern = file.get("appender.stdout.layout.pattern").unwrap();
    for part in ["\"message\":\"%enc{%m}{JSON}\"", "\"logger\":\"%enc{%c}{JSON}\"", "\"exception\":\"%enc{%ex}{JSON}\""]
    {
        assert!(pattern.contains(part), "{pattern}");
    }
    assert!(findings.problems.is_empty());
    assert!(!written(&jvm).json_log, "Java writes it itself");

    // log4j 1 cannot: its events are parted by control characters, and become JSON outside.
    let mounted = "log4j.rootLogger=INFO, a, b\nlog4j.appender.a=org.apache.log4j.ConsoleAppender\n\
                   log4j.appender.a.layout=x\nlog4j.appender.b=org.apache.log4j.FileAppender\nlog4j.appender.b.layout=y\n";
    for (files, appender) in
        [(&[IMAGE][..], "stdout"), (&[IMAGE, ("etc/kafka/log4j.properties", mounted)], "a"), (&[], "stdout")]
    {
        let (jvm, findings) = decide(OLD, &container("json", files, &json), Dialect::Kimg);
        let file = Properties::parse(&written(&jvm).text, "written");
        let layout = format!("log4j.appender.{appender}.layout");
        assert_eq!(file.get(&layout), Some("org.apache.log4j.EnhancedPatternLayout"));
        assert_eq!(file.get(&format!("{layout}.ConversionPattern")), Some(json_log::PATTERN));
        assert!(file.get("log4j.appender.b.layout").is_none_or(|layout| layout == "y"), "a file is no console");
        assert!(written(&jvm).json_log && findings.problems.is_empty());
    }
    let (_, findings) = decide(NEW, &container("json", &[], &[("KIMG_LOG_FORMAT", "xml")]), Dialect::Kimg);
    assert_eq!(subjects(&findings.problems), ["KIMG_LOG_FORMAT"]);
    let (jvm, findings) = decide(OLD, &container("json", &[IMAGE], &[("KIMG_LOG_FORMAT", "text")]), Dialect::Kimg);
    assert!(findings.problems.is_empty() && matches!(jvm.logging, Logging::Options(_)));
}

#[test]
fn levels_that_log4j_does_not_know_and_those_that_do_not_count() {
    for (variables, warnings, problems) in [
        (&[("KAFKA_LOG4J_ROOT_LOGLEVEL", "VERBOSE")][..], &[][..], &["KAFKA_LOG4J_ROOT_LOGLEVEL"][..]),
        (&[("KAFKA_TOOLS_LOG4J_LOGLEVEL", "LOUD")], &[], &["KAFKA_TOOLS_LOG4J_LOGLEVEL"]),
        (&[("KAFKA_LOG4J_LOGGERS", "kafka,=INFO,a=LOUD")], &[], &["KAFKA_LOG4J_LOGGERS"; 3]),
        (
            &[("KAFKA_LOG4J_ROOT_LOGLEVEL", "DEBUG"), ("KAFKA_LOG4J_OPTS", "-Dlog4j.configuration=file:/mine")],
            &["KAFKA_LOG4J_ROOT_LOGLEVEL"],
            &[],
        ),
    ] {
        let (_, findings) = decide(OLD, &container("wrong-levels", &[IMAGE, ("mine", "")], variables), Dialect::Kimg);
        assert_eq!(
            (subjects(&findings.warnings), subjects(&findings.problems)),
            (warnings.to_vec(), problems.to_vec())
        );
    }
}

#[test]
fn a_mounted_file_of_log4j_2_gives_way_to_levels_and_that_is_said() {
    let files = [("etc/kafka/log4j2.yaml", "")];
    let (jvm, findings) =
        decide(NEW, &container("gives-way", &files, &[("KAFKA_LOG4J_ROOT_LOGLEVEL", "WARN")]), Dialect::Kimg);
    assert_eq!(subjects(&findings.warnings), ["/etc/kafka/log4j2.yaml"]);
    assert!(written(&jvm).text.contains("rootLogger.level=WARN\n"));
}

#[test]
fn the_file_is_written_into_the_first_folder_that_can_be_written_to() {
    let root = folder("written");
    write(&root, &[IMAGE, ("opt/kafka/libs/a.jar", ""), ("no-folder", ""), ("yes/log4j.properties", "the user's")]);
    let container = Container {
        root: root.clone(),
        environment: kimg_entrypoint::environment::Environment::of([("KAFKA_LOG4J_ROOT_LOGLEVEL", "WARN")]),
        ..Container::default()
    };
    let (jvm, _) = decide(OLD, &container, Dialect::Kimg);
    let folders = [root.join("no-folder/x"), root.join("yes")];
    let java = jvm
        .broker(&Layout::of_image(OLD), &folders, Path::new("/c/server.properties"), &["--override".into()])
        .unwrap();
    assert_eq!(fs::read_to_string(root.join("yes/log4j.properties")).unwrap(), "the user's");
    let file = root.join("yes/kimg-log4j.properties");
    assert_eq!(fs::read_to_string(&file).unwrap(), written(&jvm).text);
    assert!(java.options.contains(&format!("-Dlog4j.configuration=file:{}", file.display())));
    assert_eq!(java.arguments, ["/c/server.properties", "--override"]);
}
