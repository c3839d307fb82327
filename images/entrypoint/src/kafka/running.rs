//! The broker that runs in this container: what it was started with, and which start that was.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Layout, metrics};
use crate::container::Container;
use crate::properties::Properties;

/// The main class of a broker.
const MAIN: &str = "kafka.Kafka";

/// A broker that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// Its properties.
    pub properties: Properties,
    /// The file that they are in, as inside the container.
    pub file: Option<PathBuf>,
    /// The port at which its agent tells its metrics, where it has one.
    pub metrics: Option<u16>,
    /// What tells this start from any other.
    pub start: String,
}

impl Running {
    /// The broker whose Java is PID 1, or a child of it: its command line names its file, and whatever overrides it.
    /// Where that cannot be seen, the file that this program wrote last.
    pub fn find(container: &Container, layout: &Layout) -> Running {
        let command = command_line(container, layout);
        let Command { file, overrides, metrics } =
            command.unwrap_or_else(|| Command { file: written(container, layout), ..Command::default() });
        let text = file.as_ref().and_then(|file| container.read(file)).unwrap_or_default();
        let mut properties = Properties::parse(&text, "server.properties");
        for (name, value) in overrides {
            properties.set(name, value, "--override");
        }
        let start = start(container, file.as_deref());
        Running { properties, file, metrics, start }
    }

    /// The broker's id: that of its properties, else the one that it made up and keeps with its data.
    pub fn id(&self, container: &Container) -> Option<i32> {
        let number = |text: &str| text.trim().parse::<i32>().ok().filter(|id| *id >= 0);
        let own = ["node.id", "broker.id"].iter().find_map(|name| number(self.properties.get(name)?));
        own.or_else(|| {
            let folders = self.properties.get("log.dirs").or_else(|| self.properties.get("log.dir"))?;
            folders.split(',').find_map(|folder| {
                let text = container.read(Path::new(folder.trim()).join("meta.properties"))?;
                let meta = Properties::parse(&text, "meta.properties");
                ["node.id", "broker.id"].iter().find_map(|name| number(meta.get(name)?))
            })
        })
    }
}

/// What the command line of a broker has.
#[derive(Default)]
struct Command {
    file: Option<PathBuf>,
    overrides: Vec<(String, String)>,
    metrics: Option<u16>,
}

fn command_line(container: &Container, layout: &Layout) -> Option<Command> {
    let children = container.read("/proc/1/task/1/children").unwrap_or_default();
    let processes = std::iter::once("1").chain(children.split_whitespace());
    processes.into_iter().find_map(|process| {
        let line = fs::read(container.path(format!("/proc/{process}/cmdline"))).ok()?;
        let words: Vec<String> =
            line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into()).collect();
        let main = words.iter().position(|word| word == MAIN)?;
        let (options, words) = (&words[..main], &words[main + 1..]);
        let file = words.first().filter(|word| !word.is_empty())?;
        let metrics = options.iter().find_map(|word| metrics::port_of(&layout.home, word));
        Some(Command { file: Some(PathBuf::from(file)), overrides: overrides(words), metrics })
    })
}

/// `--override K=V`, or `--override=K=V`.
fn overrides(words: &[String]) -> Vec<(String, String)> {
    let apart = words.windows(2).filter(|pair| pair[0] == "--override").map(|pair| pair[1].as_str());
    let joined = words.iter().filter_map(|word| word.strip_prefix("--override="));
    let pairs = apart.chain(joined).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The configuration that this program wrote last.
fn written(container: &Container, layout: &Layout) -> Option<PathBuf> {
    let mut files = layout.configuration.iter().map(|folder| folder.join("server.properties"));
    files.find(|file| container.path(file).is_file())
}

/// When PID 1 started, in ticks since the machine did (field 22 of proc_pid_stat(5)), and when the file was written:
/// where containers of a pod share their processes, PID 1 is another's.
fn start(container: &Container, file: Option<&Path>) -> String {
    let stat = container.read("/proc/1/stat").unwrap_or_default();
    // The second field is a name in parentheses, which may hold anything.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_whitespace().nth(19).unwrap_or("0");
    let written = file.and_then(|file| fs::metadata(container.path(file)).ok()?.modified().ok());
    let written = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{ticks} {}.{:09}", written.as_secs(), written.subsec_nanos())
}
