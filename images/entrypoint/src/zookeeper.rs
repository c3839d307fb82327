//! ZooKeeper: its configuration out of the environment (the variables of the official image), and the server.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::java::{self, Java};
use crate::ordinal;
use crate::places;
use crate::problem::Problem;
use crate::properties::Properties;

/// Where ZooKeeper lies in the image; another place in tests.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The program: `lib`, `conf`.
    pub home: PathBuf,
    /// Snapshots and `myid`.
    pub data: PathBuf,
    /// Transaction logs.
    pub log: PathBuf,
    /// Where the configuration may be written, the best first.
    pub configuration: Vec<PathBuf>,
}

impl Layout {
    /// That of the image.
    pub fn of_image() -> Layout {
        Layout {
            home: PathBuf::from("/opt/zookeeper"),
            data: PathBuf::from("/var/lib/zookeeper/data"),
            log: PathBuf::from("/var/lib/zookeeper/log"),
            configuration: ["/tmp/kimg", "/dev/shm/kimg", "/var/lib/zookeeper/kimg"].map(PathBuf::from).to_vec(),
        }
    }
}

/// A server's configuration.
#[derive(Debug, Clone)]
pub struct Server {
    /// The properties of zoo.cfg.
    pub properties: Properties,
    /// `server.1=…` and the like, in their order.
    pub servers: Vec<String>,
    /// The number in `myid`, and where it came from.
    pub id: (u32, String),
}

/// Variables and the properties that they set, with the defaults of the official image.
const SETTINGS: [(&str, &str, &str); 11] = [
    ("ZOO_TICK_TIME", "tickTime", "2000"),
    ("ZOO_INIT_LIMIT", "initLimit", "10"),
    ("ZOO_SYNC_LIMIT", "syncLimit", "5"),
    ("ZOO_MAX_CLIENT_CNXNS", "maxClientCnxns", "60"),
    ("ZOO_AUTOPURGE_PURGEINTERVAL", "autopurge.purgeInterval", "1"),
    ("ZOO_AUTOPURGE_SNAPRETAINCOUNT", "autopurge.snapRetainCount", "3"),
    ("ZOO_STANDALONE_ENABLED", "standaloneEnabled", "true"),
    ("ZOO_ADMINSERVER_ENABLED", "admin.enableServer", "false"),
    ("ZOO_4LW_COMMANDS_WHITELIST", "4lw.commands.whitelist", "ruok,srvr,mntr"),
    ("ZOO_DATA_DIR", "dataDir", ""),
    ("ZOO_DATA_LOG_DIR", "dataLogDir", ""),
];

impl Server {
    /// The configuration of the environment, or all that is wrong with it.
    pub fn of(environment: &Environment, host: &str, layout: &Layout) -> Result<Server, Vec<Problem>> {
        let (mut properties, mut problems) = (Properties::default(), Vec::new());
        for (variable, name, default) in SETTINGS {
            match environment.get(variable) {
                Some(value) => properties.set(name, value, variable),
                None if default.is_empty() => {}
                None => properties.set(name, default, "default"),
            }
        }
        properties.set_default("dataDir", layout.data.display().to_string(), "default");
        properties.set_default("dataLogDir", layout.log.display().to_string(), "default");
        for pair in environment.get("ZOO_CFG_EXTRA").unwrap_or_default().split_whitespace() {
            match pair.split_once('=') {
                Some((name, value)) => properties.set(name, value, "ZOO_CFG_EXTRA"),
                None => {
                    let why = format!("`{pair}` is no NAME=VALUE");
                    problems.push(Problem::new("ZOO_CFG_EXTRA", why, "part settings by blanks"));
                }
            }
        }
        let servers: Vec<String> =
            environment.get("ZOO_SERVERS").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        // Since 3.5 a server line may say the client port; where none does, no client could connect.
        if !servers.iter().any(|server| server.contains(';')) {
            properties.set_default("clientPort", environment.get("ZOO_CLIENT_PORT").unwrap_or("2181"), "default");
        }
        let id = decide_id(environment, host, &properties, &mut problems);
        let own = format!("server.{}=", id.0);
        if !servers.is_empty() && !servers.iter().any(|server| server.starts_with(&own)) {
            let why = format!("it has no line for this server, `{own}…`");
            problems.push(Problem::new("ZOO_SERVERS", why, format!("add it; this server's number is from {}", id.1)));
        }
        match problems.is_empty() {
            true => Ok(Server { properties, servers, id }),
            false => Err(problems),
        }
    }

    /// The text of zoo.cfg.
    pub fn to_text(&self) -> String {
        let servers: String = self.servers.iter().map(|server| format!("{server}\n")).collect();
        self.properties.to_text() + &servers
    }

    fn folder(&self, name: &str) -> PathBuf {
        PathBuf::from(self.properties.get(name).unwrap_or_default())
    }
}

/// `ZOO_MY_ID`, else what the data has, else the ordinal plus one, else 1.
fn decide_id(
    environment: &Environment,
    host: &str,
    properties: &Properties,
    problems: &mut Vec<Problem>,
) -> (u32, String) {
    let file = Path::new(properties.get("dataDir").unwrap_or_default()).join("myid");
    let stored: Option<u32> = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
    let derived = match ordinal::of_host(host) {
        Some(ordinal) => (ordinal + 1, format!("host name {host}")),
        None => (1, "default".to_owned()),
    };
    let Some(text) = environment.get("ZOO_MY_ID") else {
        return stored.map_or(derived, |id| (id, file.display().to_string()));
    };
    match (text.parse::<u32>(), stored) {
        (Ok(id), Some(stored)) if id != stored => {
            let why = format!("it is {id}, and {} has {stored}", file.display());
            problems.push(Problem::new("ZOO_MY_ID", why, format!("set it to {stored}, or mount the volume of {id}")));
        }
        (Ok(id), _) if (1..=255).contains(&id) => return (id, "ZOO_MY_ID".to_owned()),
        _ => {
            let why = format!("`{text}` is no number from 1 to 255");
            problems.push(Problem::new(
                "ZOO_MY_ID",
                why,
                "or leave it out: the ordinal of the pod plus one is used then",
            ));
        }
    }
    derived
}

/// Writes the configuration and `myid`, and returns the server to become.
pub fn prepare(server: &Server, environment: &Environment, layout: &Layout) -> Result<Java, Problem> {
    for name in ["dataDir", "dataLogDir"] {
        places::make_writable(&server.folder(name))?;
    }
    places::write_whole(&server.folder("dataDir").join("myid"), format!("{}\n", server.id.0).as_bytes())?;
    let folder = places::first_writable(&layout.configuration)?;
    let file = folder.join("zoo.cfg");
    places::write_whole(&file, server.to_text().as_bytes())?;
    start(environment, layout, &file)
}

/// The server that reads this file.
pub fn start(environment: &Environment, layout: &Layout, file: &Path) -> Result<Java, Problem> {
    let heap = environment.get("ZK_SERVER_HEAP").unwrap_or("1000");
    let options = vec![format!("-Xmx{heap}m"), "-Djava.awt.headless=true".to_owned()];
    let main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
    program(environment, layout, options, &["SERVER_JVMFLAGS"], main, vec![file.as_os_str().to_owned()])
}

/// One of ZooKeeper's tools.
pub fn tool(
    environment: &Environment,
    layout: &Layout,
    heap: &str,
    main: &str,
    arguments: Vec<OsString>,
) -> Result<Java, Problem> {
    program(environment, layout, vec![format!("-Xmx{heap}")], &["CLIENT_JVMFLAGS"], main, arguments)
}

fn program(
    environment: &Environment,
    layout: &Layout,
    mut options: Vec<String>,
    flags: &[&str],
    main: &str,
    arguments: Vec<OsString>,
) -> Result<Java, Problem> {
    let conf = layout.home.join("conf");
    options.push(format!("-Dlogback.configurationFile={}", conf.join("logback.xml").display()));
    options.push(format!("-Djava.security.properties={}", conf.join("java.security").display()));
    for name in flags.iter().copied().chain(["JVMFLAGS"]) {
        options.extend(java::words(environment, name));
    }
    let own = environment.get("CLASSPATH").unwrap_or_default().split(':').filter(|path| !path.is_empty());
    let mut class_path: Vec<PathBuf> = std::iter::once(conf).chain(own.map(PathBuf::from)).collect();
    class_path.extend(java::jars(&layout.home.join("lib"))?);
    Ok(Java {
        program: Java::program(environment),
        options,
        class_path,
        main: main.to_owned(),
        arguments,
        without: vec!["JMXPORT"],
        json_log: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(variables: &[(&str, &str)], host: &str) -> Result<Server, Vec<Problem>> {
        let layout = Layout { data: PathBuf::from("/nonexistent/data"), ..Layout::of_image() };
        Server::of(&Environment::of(variables.iter().copied()), host, &layout)
    }

    #[test]
    fn nothing_set_is_one_server_that_answers() {
        let server = server(&[], "3f9a1b2c7712").unwrap();
        let text = server.to_text();
        assert_eq!(server.id.0, 1);
        for line in ["clientPort=2181\n", "4lw.commands.whitelist=ruok,srvr,mntr\n", "dataDir=/nonexistent/data\n"] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn an_ensemble_by_ordinal() {
        let servers = "server.1=zk-0:2888:3888 server.2=zk-1:2888:3888";
        let server = server(&[("ZOO_SERVERS", servers), ("ZOO_CFG_EXTRA", "a=b c=d")], "zk-1").unwrap();
        assert_eq!(
            (server.id.0, server.properties.get("clientPort"), server.properties.get("c")),
            (2, Some("2181"), Some("d"))
        );
        assert!(server.to_text().ends_with("server.1=zk-0:2888:3888\nserver.2=zk-1:2888:3888\n"));
    }

    #[test]
    fn a_server_that_is_not_among_the_servers() {
        let problems =
            server(&[("ZOO_SERVERS", "server.1=zk-0:2888:3888;2181"), ("ZOO_MY_ID", "300")], "zk-1").unwrap_err();
        let subjects: Vec<&str> = problems.iter().map(|problem| problem.subject.as_str()).collect();
        assert_eq!(subjects, ["ZOO_MY_ID", "ZOO_SERVERS"]);
    }
}
