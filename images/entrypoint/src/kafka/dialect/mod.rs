//! Dialects: the images whose variables this one understands, one a process.
//!
//! A dialect decides what its [`Rules`] say and nothing else; all the rest is the same whoever is imitated.

mod apache;
mod bitnami;
mod choose;
mod confluent;
mod own;
mod wurstmeister;

pub use choose::{Choice, Level, choose};

/// The image that is imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// None: a union of what the others agree on.
    Kimg,
    /// apache/kafka.
    Apache,
    /// confluentinc/cp-kafka.
    Confluent,
    /// bitnami/kafka.
    Bitnami,
    /// wurstmeister/kafka.
    Wurstmeister,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Dialect; 5] =
        [Dialect::Kimg, Dialect::Apache, Dialect::Confluent, Dialect::Bitnami, Dialect::Wurstmeister];

    /// The name in `KIMG_DIALECT`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Kimg => "kimg",
            Dialect::Apache => "apache",
            Dialect::Confluent => "confluent",
            Dialect::Bitnami => "bitnami",
            Dialect::Wurstmeister => "wurstmeister",
        }
    }

    /// The dialect of that name.
    pub fn of_name(name: &str) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// What it decides.
    pub fn rules(self) -> &'static Rules {
        match self {
            Dialect::Kimg => &own::RULES,
            Dialect::Apache => &apache::RULES,
            Dialect::Confluent => &confluent::RULES,
            Dialect::Bitnami => &bitnami::RULES,
            Dialect::Wurstmeister => &wurstmeister::RULES,
        }
    }
}

/// All that a dialect decides. Paths are those inside the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The image and version whose scripts these rules were drawn from.
    pub follows: &'static str,
    /// The prefixes of variables that are properties, the one that wins last.
    pub prefixes: &'static [&'static str],
    /// How the rest of a variable's name becomes the property's.
    pub names: Names,
    /// Variables that have a meaning of their own there: they are read by the dialect, or by this program, and are no
    /// properties although they have the prefix. A `*` stands for any text.
    pub own_variables: &'static [&'static str],
    /// Other names of properties: a variable and the property that it sets. They win over the names by a prefix.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Variables of the family that have no effect here, and what there is instead. A `*` stands for any text.
    pub without_effect: &'static [(&'static str, &'static str)],
    /// Variables whose value may be that of the file which the same name with `_FILE` tells.
    pub from_files: &'static [&'static str],
    /// The folder of the keys and credentials that `*_FILENAME` and `*_CREDENTIALS` name.
    pub secrets: Option<&'static str>,
    /// What the configuration file that the image ships sets; it lies underneath everything.
    pub shipped: &'static [(&'static str, &'static str)],
    /// The place of that file: what is mounted there instead lies underneath the environment.
    pub base: Option<&'static str>,
    /// Where a file of the user's is mounted, the first that exists counts, and what it does to the environment.
    pub mounted: Mounted,
    /// Files that the family writes over, so that one of the user's own has no effect there.
    pub unread: &'static [&'static str],
    /// `log.dirs`, where nothing says otherwise; `$HOSTNAME` in it stands for the host name: [`Rules::data_folder`].
    pub data: &'static str,
    /// `listeners`, where neither they nor the advertised ones are set; `None`: Kafka's or the mode's own default.
    pub listeners: Option<&'static str>,
    /// The mode, where no variable tells one.
    pub mode: DefaultMode,
    /// What the id is, where neither a variable nor the host name tells it.
    pub id: AutomaticId,
    /// What an empty value means.
    pub empty: Empty,
    /// `-Xms` and `-Xmx`, where no variable and no memory limit of the container tells them.
    pub heap: &'static str,
    /// The folders into which the configuration may be written, the best first; `/tmp/kimg` and `/dev/shm/kimg` follow.
    pub configuration: &'static [&'static str],
}

impl Rules {
    /// `log.dirs`, where nothing says otherwise, on this host.
    pub fn data_folder(&self, host: &str) -> String {
        self.data.replace("$HOSTNAME", host)
    }

    /// Whether a variable has a meaning of its own.
    pub fn is_own(&self, variable: &str) -> bool {
        self.own_variables.iter().any(|pattern| matches(pattern, variable))
    }
}

/// Whether a variable's name is one of a pattern, in which at most one `*` stands for any text.
pub(in crate::kafka) fn matches(pattern: &str, variable: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == variable,
        Some((first, last)) => {
            variable.len() >= first.len() + last.len() && variable.starts_with(first) && variable.ends_with(last)
        }
    }
}

/// How underscores become the letters of a property's name. All is in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `_` is `.`, `__` is `_`, `___` is `-`.
    Doubled,
    /// `_` is `.` always.
    Dots,
    /// The same, except in `sasl_ssl` and `sasl_plaintext`.
    DotsButSasl,
}

impl Names {
    /// The property of a variable's name without its prefix.
    pub fn property(self, variable: &str) -> String {
        let name = variable.to_lowercase();
        let name = match self {
            Names::Doubled => {
                let marked = name.replace("___", "\u{1}").replace("__", "\u{2}");
                marked.replace('_', ".").replace('\u{1}', "-").replace('\u{2}', "_")
            }
            Names::Dots => name.replace('_', "."),
            Names::DotsButSasl => {
                let dots = name.replace('_', ".");
                dots.replace("sasl.ssl", "sasl_ssl").replace("sasl.plaintext", "sasl_plaintext")
            }
        };
        // The only name with a capital letter (bitnami's libkafka.sh knows it too).
        if name == "zookeeper.clientcnxnsocket" { "zookeeper.clientCnxnSocket".to_owned() } else { name }
    }
}

/// A configuration file of the user's own, beside the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mounted {
    /// Where it may be.
    pub files: &'static [&'static str],
    /// Whether it is used alone; else it lies underneath the environment.
    pub alone: bool,
}

/// The mode of an environment that tells none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultMode {
    /// A single node that is broker and controller.
    Kraft,
    /// ZooKeeper: without `zookeeper.connect` it is an error.
    ZooKeeper,
    /// The image refuses to start, and so do we.
    Refused,
}

/// The id of a broker that nobody named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutomaticId {
    /// In ZooKeeper mode `-1`, so that Kafka makes one up; in KRaft `1`.
    Made,
    /// It is an error.
    Refused,
}

/// A variable without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// The property is set, and empty.
    Set,
    /// As if it were not there.
    Unset,
}
