//! The Java programs: the broker, and Kafka's tools.

mod agent;
mod class_path;
mod given;
mod heap;
mod jmx;
mod levels;
mod logging;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use agent::Agent;
pub use given::JvmOption;
pub use logging::{Logging, Written};

use super::{Dialect, Layout};
use crate::container::Container;
use crate::java::Java;
use crate::places;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// How the broker's Java is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jvm {
    /// The java program.
    pub program: PathBuf,
    /// The heap, collector, log of it, JMX and the like, in this order; of an option that comes twice, Java takes the last.
    pub options: Vec<JvmOption>,
    /// What sets up the log; it comes next.
    pub logging: Logging,
    /// What tells `kimg-ready` the broker's state, where no listener would.
    pub agent: Option<Agent>,
    /// The user's own options, which come last.
    pub last: Vec<JvmOption>,
    /// The jars; empty where the image's are not there, as seen from the host.
    pub class_path: Vec<PathBuf>,
}

const GC_LOG: &str = "KIMG_GC_LOG";

/// Decides by the variables of upstream's kafka-run-class.sh and kafka-server-start.sh, which mean the same in all images.
pub fn decide(
    container: &Container,
    layout: &Layout,
    dialect: Dialect,
    properties: &Properties,
    findings: &mut Findings,
) -> Jvm {
    let rules = dialect.rules();
    let mut of = |name| given::read(container, name, findings);
    let (of_heap, of_performance, of_gc) =
        (of("KAFKA_HEAP_OPTS"), of("KAFKA_JVM_PERFORMANCE_OPTS"), of("KAFKA_GC_LOG_OPTS"));
    let (of_jmx, mut of_log) = (of("KAFKA_JMX_OPTS"), of("KAFKA_LOG4J_OPTS"));
    let mut last = debugger(container);
    last.extend(of("KAFKA_OPTS"));
    last.extend(extra(of("EXTRA_ARGS")));
    // Java reads these two by itself, before all others.
    let by_java = [of("JAVA_TOOL_OPTIONS"), of("JDK_JAVA_OPTIONS")].concat();
    let all = [&by_java, &of_heap, &of_performance, &of_gc, &of_jmx, &of_log, &last].map(Vec::as_slice).concat();
    given::check_files(container, &all, properties, findings);
    of_log.retain(|option| !given::names_absent_log(container, option));
    last.retain(|option| !given::names_absent_log(container, option));

    let mut options = heap::decide(container, rules, &all, findings);
    options.extend(of_heap);
    options.push(JvmOption::new("-XX:+ExitOnOutOfMemoryError", "default"));
    options.extend(if of_performance.is_empty() { performance() } else { of_performance });
    options.extend(gc_log(container, of_gc, findings));
    options.extend(jmx::decide(container, &of_jmx, properties, findings));
    options.push(security(layout));
    let logging = logging::decide(container, layout, dialect, &of_log, &last, findings);
    let agent = agent::decide(container, layout, properties, &[&all[..], &options].concat(), findings);
    let program = Java::program(&container.environment);
    Jvm { program, options, logging, agent, last, class_path: class_path::decide(container, layout) }
}

impl Jvm {
    /// All options in their order, with the file of log4j's in that folder, where one is written.
    pub fn options(&self, folder: &Path) -> Vec<JvmOption> {
        let mut all = self.options.clone();
        match &self.logging {
            Logging::Options(options) => all.extend(options.iter().cloned()),
            Logging::Written(written) => {
                all.extend(written.options.iter().cloned());
                all.push(written.option(folder));
            }
        }
        all.extend(self.agent.iter().map(Agent::option));
        all.extend(self.last.iter().cloned());
        all
    }

    /// The broker that reads this file. Where a file of log4j's is written, it goes into the first of the folders that can
    /// be written to.
    pub fn broker(
        &self,
        layout: &Layout,
        folders: &[PathBuf],
        file: &Path,
        arguments: &[OsString],
    ) -> Result<Java, Problem> {
        if self.class_path.is_empty() {
            return Err(no_jars(layout));
        }
        let agent = self.agent.as_ref().map(Agent::at_free_port).transpose()?;
        let folder = match &self.logging {
            Logging::Options(_) => PathBuf::new(),
            Logging::Written(written) => {
                let folder = places::first_writable(folders)?;
                places::write_whole(&folder.join(written.name), written.text.as_bytes())?;
                folder
            }
        };
        let mut all = vec![file.as_os_str().to_owned()];
        all.extend(arguments.iter().cloned());
        Ok(Java {
            program: self.program.clone(),
            options: texts(Jvm { agent, ..self.clone() }.options(&folder)),
            class_path: self.class_path.clone(),
            main: "kafka.Kafka".to_owned(),
            arguments: all,
            without: Vec::new(),
            json_log: matches!(&self.logging, Logging::Written(written) if written.json_log),
        })
    }
}

/// One of Kafka's tools. Connect is started as a tool is, and is a server: it alone opens the JMX port, and has agents,
/// whose ports a tool beside the broker must not fight for.
pub fn tool(
    container: &Container,
    layout: &Layout,
    default_heap: &str,
    main: &str,
    arguments: Vec<OsString>,
) -> Result<Java, Problem> {
    let is_server = main.starts_with("org.apache.kafka.connect.");
    let mut findings = Findings::default();
    let mut of = |name| given::read(container, name, &mut findings);
    let (mut options, mut of_log, of_jmx) = (of("KAFKA_HEAP_OPTS"), of("KAFKA_LOG4J_OPTS"), of("KAFKA_JMX_OPTS"));
    let mut last = of("KAFKA_OPTS");
    if options.is_empty() {
        options.extend(["-Xmx", "-Xms"].map(|name| JvmOption::new(format!("{name}{default_heap}"), "default")));
    }
    if is_server {
        options.push(JvmOption::new("-XX:+ExitOnOutOfMemoryError", "default"));
        options.extend(jmx::decide(container, &of_jmx, &Properties::default(), &mut findings));
    } else {
        last.retain(|option| !is_agent(&option.text));
    }
    options.push(security(layout));
    of_log.retain(|option| !given::names_absent_log(container, option));
    last.retain(|option| !given::names_absent_log(container, option));
    options.extend(logging::of_tool(container, layout, &of_log));
    options.extend(last);
    if let Some(problem) = findings.problems.into_iter().next() {
        return Err(problem);
    }
    let class_path = class_path::decide(container, layout);
    if class_path.is_empty() {
        return Err(no_jars(layout));
    }
    let without = if is_server { Vec::new() } else { vec!["JMX_PORT", "KAFKA_JMX_PORT", "KAFKA_JMX_OPTS"] };
    let program = Java::program(&container.environment);
    Ok(Java {
        program,
        options: texts(options),
        class_path,
        main: main.to_owned(),
        arguments,
        without,
        json_log: false,
    })
}

/// An agent, or a port of JMX: each opens a port.
fn is_agent(option: &str) -> bool {
    let opens = ["-javaagent:", "-agentlib:jdwp", "-agentpath:", "-Dcom.sun.management.jmxremote"];
    opens.iter().any(|prefix| option.starts_with(prefix))
}

fn texts(options: Vec<JvmOption>) -> Vec<String> {
    options.into_iter().map(|option| option.text).collect()
}

fn no_jars(layout: &Layout) -> Problem {
    let libs = layout.home.join("libs");
    Problem::new(libs.display().to_string(), "it holds no jar", "do not mount a volume over the program's folder")
}

/// What kafka-run-class.sh sets for a server.
fn performance() -> Vec<JvmOption> {
    let defaults = [
        "-server",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:InitiatingHeapOccupancyPercent=35",
        "-XX:+ExplicitGCInvokesConcurrent",
        "-XX:MaxInlineLevel=15",
        "-Djava.awt.headless=true",
    ];
    defaults.map(|text| JvmOption::new(text, "default")).to_vec()
}

/// Upstream writes the collector's log into a file below the program; here there is none unless it is asked for.
fn gc_log(container: &Container, own: Vec<JvmOption>, findings: &mut Findings) -> Vec<JvmOption> {
    match container.environment.get(GC_LOG) {
        _ if !own.is_empty() => own,
        None | Some("off") => Vec::new(),
        Some("stdout") => vec![JvmOption::new("-Xlog:gc*:stdout:time,level,tags", GC_LOG)],
        Some(other) => {
            let hint = "set `stdout` or `off`; KAFKA_GC_LOG_OPTS takes options of Java";
            findings.refuse(Problem::new(GC_LOG, "there is no such place", hint).with_value(other));
            Vec::new()
        }
    }
}

/// How long look-ups of host names are kept: addresses 5 s, failures 1 s. The name of a peer may come about a second
/// later, and its address changes with its pod. Java's own options do not win over its file, this one does.
fn security(layout: &Layout) -> JvmOption {
    let file = layout.home.join("config/java.security");
    JvmOption::new(format!("-Djava.security.properties={}", file.display()), "default")
}

/// `KAFKA_DEBUG`, as in kafka-run-class.sh.
fn debugger(container: &Container) -> Vec<JvmOption> {
    let environment = &container.environment;
    if environment.get("KAFKA_DEBUG").is_none() {
        return Vec::new();
    }
    if let Some(own) = environment.get("JAVA_DEBUG_OPTS") {
        return crate::java::split(own).0.into_iter().map(|word| JvmOption::new(word, "JAVA_DEBUG_OPTS")).collect();
    }
    let suspend = environment.get("DEBUG_SUSPEND_FLAG").unwrap_or("n");
    let address = environment.get("JAVA_DEBUG_PORT").unwrap_or("5005");
    let text = format!("-agentlib:jdwp=transport=dt_socket,server=y,suspend={suspend},address={address}");
    vec![JvmOption::new(text, "KAFKA_DEBUG")]
}

/// `EXTRA_ARGS` of kafka-server-start.sh goes through kafka-run-class.sh.
fn extra(words: Vec<JvmOption>) -> Vec<JvmOption> {
    let rest = without_script_flags(&words.iter().map(|word| OsString::from(&word.text)).collect::<Vec<_>>()).len();
    words[words.len() - rest..].to_vec()
}

/// What kafka-run-class.sh takes off the beginning of its arguments: a name for its log's file, and whether the collector
/// has a log.
pub fn without_script_flags(mut arguments: &[OsString]) -> &[OsString] {
    loop {
        arguments = match arguments {
            [flag, _, rest @ ..] if flag == "-name" => rest,
            [flag, rest @ ..] if flag == "-name" || flag == "-loggc" || flag == "-daemon" => rest,
            _ => return arguments,
        }
    }
}
