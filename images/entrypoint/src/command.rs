//! What this program does by the name it was called and its first argument.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::container::Container;
use crate::entries::{self, Entry};
use crate::environment::Environment;
use crate::flags::{self, Flags};
use crate::healthcheck;
use crate::java::Java;
use crate::kafka::{self, own_listener::OwnListener, ready::Question, wait::Waited};
use crate::launchers::{self, Launcher};
use crate::life;
use crate::probes::Probe;
use crate::problem::{Findings, Problem};
use crate::seccomp;
use crate::zookeeper;

/// A configuration that is wrong.
const WRONG: u8 = 2;

const HELP: &str = "\
PID 1 of kimg's images: turns the environment into a configuration, and becomes Java.

  kafka | zookeeper     configure and start the server
  ... --explain         print each property and where it came from, and end
  ... --check           check the configuration and end: 0 where it is good, 2 where it is not
  kafka ... --json      with --explain: as JSON
  kafka ... --root DIR  with --explain or --check: DIR stands for `/`; nothing is run, and nothing is written
  healthcheck kafka | zookeeper
                        0 where the server answers
  ready kafka [--live | --in-sync]
                        0 where the broker serves clients; `kimg-ready kafka` is the same
  NAME ARGUMENT...      a launcher (kafka-topics.sh), or any other program of the image
";

/// Runs the program.
pub fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let called = if arguments.is_empty() { OsString::new() } else { arguments.remove(0) };
    let container = Container::here(Environment::of_process(), Path::new(&called));
    if let Some(launcher) = launchers::find(&container.table, &container.called_name()) {
        return launch(&launcher, &container.called_name(), &container, arguments);
    }
    if container.called_name() == "kimg-ready" {
        return check_ready(&container, &arguments);
    }
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(probe) = Probe::of(&container.called_name(), &words) {
        return match probe.and_then(|probe| probe.ask(&container)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                say(&format!("{}: {why}", container.called_name()));
                ExitCode::FAILURE
            }
        };
    }
    if entries::find(&container.called.to_string_lossy()).is_some() {
        return enter(container, arguments);
    }
    run(container, arguments)
}

/// An entry of another image, under whose path the container was called.
fn enter(container: Container, mut arguments: Vec<OsString>) -> ExitCode {
    match entries::find(&container.called.to_string_lossy()) {
        Some(Entry::Step) => ExitCode::SUCCESS,
        Some(Entry::Configure) => write_configuration(&container),
        Some(Entry::Wrapper) if !arguments.is_empty() && !arguments[0].to_string_lossy().starts_with('-') => {
            // `/entrypoint.sh /run.sh`: the second is what starts.
            run(container, arguments)
        }
        _ => {
            arguments.insert(0, "kafka".into());
            run(container, arguments)
        }
    }
}

/// What the first argument says.
fn run(mut container: Container, mut arguments: Vec<OsString>) -> ExitCode {
    let first = if arguments.is_empty() { String::new() } else { arguments.remove(0).to_string_lossy().into_owned() };
    if entries::find(&first).is_some() {
        container.called = PathBuf::from(first);
        return enter(container, arguments);
    }
    match first.as_str() {
        "kafka" => with_flags(&arguments, &flags::OF_KAFKA, |flags| serve_kafka(&container, flags)),
        "zookeeper" => with_flags(&arguments, &flags::OF_ZOOKEEPER, |flags| serve_zookeeper(&container, flags)),
        "healthcheck" => check_health(&container, &arguments.first().map_or_else(String::new, file_name)),
        "ready" => check_ready(&container, &arguments),
        "" | "--help" | "-h" => {
            tell(HELP);
            ExitCode::SUCCESS
        }
        name => match launchers::find(&container.table, &file_name(&OsString::from(name))) {
            Some(launcher) => launch(&launcher, name, &container, arguments),
            None => become_program(name, &arguments),
        },
    }
}

fn file_name(path: &OsString) -> String {
    Path::new(path).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn with_flags(arguments: &[OsString], known: &[&str], serve: impl FnOnce(&Flags) -> ExitCode) -> ExitCode {
    match flags::parse(arguments, known) {
        Ok(flags) if flags.help => {
            tell(HELP);
            ExitCode::SUCCESS
        }
        Ok(flags) => serve(&flags),
        Err(problem) => refuse(&[problem]),
    }
}

/// Configures a broker, and becomes it.
fn serve_kafka(container: &Container, flags: &Flags) -> ExitCode {
    let other =
        flags.root.as_ref().map(|root| Container::below(root, container.environment.clone(), &container.called));
    let container = other.as_ref().unwrap_or(container);
    let layout = kafka::Layout::of_image(&container.table);
    let configuration = kafka::configure(container, &layout);
    let problems = &configuration.findings.problems;
    let is_good = problems.is_empty();
    if flags.explain {
        tell(&match flags.json {
            true => format!("{}\n", kafka::report::to_json(&configuration)),
            false => kafka::report::to_text(&configuration),
        });
        return if is_good { ExitCode::SUCCESS } else { ExitCode::from(WRONG) };
    }
    for line in kafka::report::story(&configuration) {
        say(&line);
    }
    if !is_good {
        return refuse(problems);
    }
    if flags.check {
        return ExitCode::SUCCESS;
    }
    let mut tell = |text: &str| say(&format!("kimg: {text}"));
    let rules = configuration.dialect.dialect.rules();
    let prepared = kafka::start::prepare(&configuration, container, &layout).and_then(|java| {
        kafka::init_scripts::run(&configuration.scripts, container, rules, &mut tell)?;
        Ok(java)
    });
    match prepared.map(|java| (java, kafka::wait::for_zookeeper(&configuration, container, &mut tell))) {
        Ok((_, Waited::Stopped(signal))) => ExitCode::from(signal.exit_code()),
        Ok((_, Waited::Refused(problem))) | Err(problem) => refuse(&[problem]),
        Ok((java, Waited::GoOn)) if configuration.topics.is_empty() => become_java(&java),
        Ok((java, Waited::GoOn)) => supervise_kafka(&java, &configuration, container, &layout),
    }
}

/// Writes the configuration where the family's own step writes it, and ends.
fn write_configuration(container: &Container) -> ExitCode {
    let layout = kafka::Layout::of_image(&container.table);
    let configuration = kafka::configure(container, &layout);
    let problems = &configuration.findings.problems;
    if !problems.is_empty() {
        return refuse(problems);
    }
    match kafka::start::write_for_scripts(&configuration, container) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => refuse(&[problem]),
    }
}

/// Java is a child where something is left to do after its start.
fn supervise_kafka(
    java: &Java,
    configuration: &kafka::Configuration,
    container: &Container,
    layout: &kafka::Layout,
) -> ExitCode {
    allow_threads();
    let after_start = || {
        let listener = OwnListener::of(&configuration.properties);
        let mut tell = |text: &str| say(&format!("kimg: {text}"));
        kafka::topics::create(&configuration.topics, &listener, container, layout, &mut tell);
    };
    life::supervise(java, after_start).unwrap_or_else(|problem| refuse(&[problem]))
}

/// Configures a server of ZooKeeper, and becomes it.
fn serve_zookeeper(container: &Container, flags: &Flags) -> ExitCode {
    let layout = zookeeper::Layout::of_image();
    let server = match zookeeper::Server::of(&container.environment, &container.host, &layout) {
        Ok(server) => server,
        Err(problems) => return refuse(&problems),
    };
    if flags.explain {
        tell(&server.properties.explain());
    }
    if flags.explain || flags.check {
        return ExitCode::SUCCESS;
    }
    say(&format!("kimg: myid: {} ({})", server.id.0, server.id.1));
    match zookeeper::prepare(&server, &container.environment, &layout) {
        Ok(java) => become_java(&java),
        Err(problem) => refuse(&[problem]),
    }
}

/// The last step of every start: threads must be possible, then Java takes over.
fn become_java(java: &Java) -> ExitCode {
    allow_threads();
    match java.json_log {
        true => life::supervise(java, || ()).unwrap_or_else(|problem| refuse(&[problem])),
        false => refuse(&[java.exec()]),
    }
}

/// A current glibc cannot start threads under an old runtime's seccomp profile.
fn allow_threads() {
    match seccomp::allow_threads() {
        Ok(None) => {}
        Ok(Some(done)) => say(&format!("kimg: {done}")),
        Err(error) => say(&format!("kimg: the runtime denies clone3, and no filter can be set: {error}")),
    }
}

fn launch(launcher: &Launcher, name: &str, container: &Container, arguments: Vec<OsString>) -> ExitCode {
    let environment = &container.environment;
    let of_kafka = kafka::Layout::of_image(&container.table);
    let java = match launcher {
        Launcher::Absent { why } => Err(Problem::new(name, why.clone(), "use upstream's own release for it")),
        Launcher::Server { product, .. } if product == "kafka" => return kafka_server(container, &of_kafka, arguments),
        Launcher::Server { .. } => zookeeper_server(environment, &arguments),
        Launcher::Class { heap } => match kafka::jvm::without_script_flags(&arguments).split_first() {
            Some((main, rest)) => {
                let main = main.to_string_lossy();
                kafka::jvm::tool(container, &of_kafka, heap, &main, rest.to_vec())
            }
            None => Err(Problem::new(name, "it needs a class", "name a main class and its arguments")),
        },
        Launcher::Tool { heap, main, arguments: first } => {
            let mut all: Vec<OsString> = first.iter().map(OsString::from).collect();
            all.extend(arguments);
            match main.starts_with("org.apache.zookeeper.") && zookeeper::Layout::of_image().home.is_dir() {
                true => zookeeper::tool(environment, &zookeeper::Layout::of_image(), heap, main, all),
                false => kafka::jvm::tool(container, &of_kafka, heap, main, all),
            }
        }
    };
    match java {
        Ok(java) => become_java(&java),
        Err(problem) => refuse(&[problem]),
    }
}

/// `kafka-server-start.sh [-daemon] FILE [--override K=V]…`: the user's own file, as upstream's script takes it.
fn kafka_server(container: &Container, layout: &kafka::Layout, mut arguments: Vec<OsString>) -> ExitCode {
    arguments.retain(|argument| argument != "-daemon");
    if arguments.is_empty() {
        return refuse(&[Problem::new(
            "kafka-server-start.sh",
            "it needs a properties file",
            "name one, or run `kimg-entrypoint kafka` to configure by the environment",
        )]);
    }
    let file = PathBuf::from(arguments.remove(0));
    let mut findings = Findings::default();
    let dialect = kafka::dialect::choose(container, &mut findings).dialect;
    let properties = kafka::start::properties(container, &file, &arguments).unwrap_or_default();
    let jvm = kafka::jvm::decide(container, layout, dialect, &properties, &mut findings);
    findings.warnings.extend(kafka::start::warnings(container, layout, &file, &arguments));
    if !findings.problems.is_empty() {
        return refuse(&findings.problems);
    }
    for line in findings.lines() {
        say(&line);
    }
    match jvm.broker(layout, &layout.configuration, &file, &arguments) {
        Ok(java) => become_java(&java),
        Err(problem) => refuse(&[problem]),
    }
}

/// `zkServer.sh start-foreground [FILE]`; in a container there is no other start.
fn zookeeper_server(environment: &Environment, arguments: &[OsString]) -> Result<Java, Problem> {
    let layout = zookeeper::Layout::of_image();
    let word = arguments.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    match word.as_str() {
        "start" | "start-foreground" | "" => {
            let file = arguments.get(1).map_or_else(|| layout.home.join("conf/zoo.cfg"), PathBuf::from);
            zookeeper::start(environment, &layout, &file)
        }
        "version" => {
            let main = "org.apache.zookeeper.version.VersionInfoMain";
            zookeeper::tool(environment, &layout, "64m", main, Vec::new())
        }
        other => Err(Problem::new(
            "zkServer.sh",
            format!("`{other}` makes no sense in a container"),
            "use `start-foreground`, or stop the container",
        )),
    }
}

fn become_program(name: &str, arguments: &[OsString]) -> ExitCode {
    use std::os::unix::process::CommandExt;
    let error = Command::new(name).args(arguments).exec();
    let hint = "`kafka` or `zookeeper` starts the server; `--help` tells more";
    refuse(&[Problem::new(name, format!("it cannot be started: {error}"), hint)])
}

/// Docker's HEALTHCHECK.
fn check_health(container: &Container, product: &str) -> ExitCode {
    let result = match product {
        "kafka" => {
            kafka::ready::ask(container, &kafka::Layout::of_image(&container.table), Question::Ready).map(|_| ())
        }
        "zookeeper" => {
            healthcheck::zookeeper(SocketAddr::from(([127, 0, 0, 1], 2181))).map_err(|error| error.to_string())
        }
        other => Err(format!("`{other}` is neither kafka nor zookeeper")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("unhealthy: {why}"));
            ExitCode::FAILURE
        }
    }
}

/// `kimg-ready kafka [--live | --in-sync]`: 0 yes, 1 no, 2 a question that there is not.
fn check_ready(container: &Container, arguments: &[OsString]) -> ExitCode {
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let question = match words.split_first() {
        Some((product, flags)) if product == "kafka" => Question::of(flags),
        _ => Err(words.first().cloned().unwrap_or_default()),
    };
    let question = match question {
        Ok(question) => question,
        Err(word) => {
            let why = format!("`{word}` is no question");
            return refuse(&[Problem::new("kimg-ready", why, "ask `kimg-ready kafka [--live | --in-sync]`")]);
        }
    };
    match kafka::ready::ask(container, &kafka::Layout::of_image(&container.table), question) {
        Ok(found) => {
            tell(&format!("{found}\n"));
            ExitCode::SUCCESS
        }
        Err(why) => {
            say(&format!("not ready: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn refuse(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        say(&problem.to_string());
    }
    ExitCode::from(WRONG)
}

/// To stdout; whoever closed it does not want to know.
fn tell(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// To stderr.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
