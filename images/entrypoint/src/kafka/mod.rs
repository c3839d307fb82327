//! Kafka: its configuration out of what the container is given, and the broker as a Java program.

pub mod cluster_id;
pub mod commands;
pub mod data;
pub mod dialect;
pub mod identity;
pub mod init_scripts;
pub mod jvm;
pub mod known;
pub mod listeners;
pub mod metrics;
pub mod mode;
pub mod own_listener;
pub mod own_variables;
pub mod protocol;
pub mod quorum;
pub mod ready;
pub mod release;
pub mod report;
pub mod running;
pub mod start;
pub mod storage;
pub mod topics;
pub mod variables;
pub mod wait;
pub mod zookeeper_connect;
pub mod zookeeper_protocol;

use std::path::PathBuf;

use crate::container::Container;
use crate::launchers;
use crate::problem::Findings;
use crate::properties::Properties;
use crate::{open_files, time_zone};

pub use data::Data;
pub use dialect::{Choice, Dialect};
pub use identity::Id;
pub use jvm::Jvm;
pub use mode::Mode;

/// Where Kafka lies in the image, and what sets its version apart. Paths are those inside the container.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The program: `libs`, `config`.
    pub home: PathBuf,
    /// Where messages are kept unless something else says where.
    pub data: PathBuf,
    /// Where the configuration may be written, the best first.
    pub configuration: Vec<PathBuf>,
    /// Whether this Kafka has no ZooKeeper mode: from 4.0.
    pub kraft: bool,
    /// Whether it logs by log4j 2: from 4.0.
    pub log4j2: bool,
}

impl Layout {
    /// That of the image with this table of launchers, which says what sets the version apart.
    pub fn of_image(table: &str) -> Layout {
        Layout {
            home: PathBuf::from("/opt/kafka"),
            data: PathBuf::from("/var/lib/kafka/data"),
            configuration: ["/tmp/kimg", "/dev/shm/kimg", "/var/lib/kafka/kimg"].map(PathBuf::from).to_vec(),
            kraft: launchers::has_trait(table, "kafka", "kraft"),
            log4j2: launchers::has_trait(table, "kafka", "log4j2"),
        }
    }
}

/// What a container's environment comes to: all that `--explain` shows. It is only as good as its findings: with
/// problems, nothing of it is used.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Whose variables these are.
    pub dialect: Choice,
    /// The mode.
    pub mode: Mode,
    /// All properties, with their origins.
    pub properties: Properties,
    /// The user's own file, where it is used as it is.
    pub file: Option<PathBuf>,
    /// The broker's id.
    pub id: Id,
    /// Where the messages are.
    pub data: Data,
    /// KRaft's cluster id, with which storage is formatted.
    pub cluster_id: Option<String>,
    /// How Java is started.
    pub jvm: Jvm,
    /// What runs before the broker starts.
    pub scripts: Vec<init_scripts::Script>,
    /// What is created when it has started.
    pub topics: Vec<protocol::NewTopic>,
    /// What came to light.
    pub findings: Findings,
}

/// Makes the configuration of a container. Nothing is written, and nothing is run but the user's own `*_COMMAND`s, in the
/// container itself only.
pub fn configure(container: &Container, layout: &Layout) -> Configuration {
    let mut findings = Findings::default();
    let mut commands = commands::Commands::default();
    let container = &commands.expand(container, &mut findings);
    let dialect = dialect::choose(container, &mut findings);
    let rules = dialect.dialect.rules();
    let given = variables::read(container, rules, &mut findings);
    let mut properties = given.properties;
    commands.complete(&mut properties, container, &mut findings);
    let mode = mode::decide(&mut properties, layout, rules, &mut findings);
    let data = data::decide(container, &mut properties, layout, rules, &mut findings);
    data::check(&data, &properties, mode, layout, &mut findings);
    let id = identity::decide(container, &properties, mode, &data, rules, &mut findings);
    identity::write(&mut properties, mode, &id);
    listeners::complete(&mut properties, container, mode, rules, &mut findings);
    if mode == Mode::KraftSingle {
        mode::complete_single_node(&mut properties, &id.value);
    }
    let cluster_id = cluster_id::decide(container, &properties, mode, &data, layout, dialect.dialect, &mut findings);
    wait::check(container, &properties, &mut findings);
    known::check(&properties, layout, &mut findings);
    own_variables::check(container, &properties, &mut findings);
    let scripts = init_scripts::wanted(container, rules, &mut findings);
    let topics = topics::wanted(container, rules, &mut findings);
    let jvm = jvm::decide(container, layout, dialect.dialect, &properties, &mut findings);
    open_files::check(container, &data, &mut findings);
    time_zone::check(container, &mut findings);
    let notes = [
        format!("mode: {}", mode::explain(mode, &properties)),
        format!("{}: {} ({})", mode.id_property(), id.value, id.origin),
    ];
    findings.notes.splice(0..0, notes);
    let file = given.file;
    Configuration { dialect, mode, properties, file, id, data, cluster_id, jvm, scripts, topics, findings }
}
