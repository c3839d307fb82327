//! PID 1 of kimg's images: turns the environment into a configuration, and becomes Java.
//!
//! One static program under several names. As `kimg-entrypoint kafka` or `kimg-entrypoint zookeeper` it configures and
//! starts a server; under the name of a launcher (`kafka-topics.sh`) it starts what the table in the image says. It
//! depends on nothing but the standard library, and what it starts replaces it; only where something is left to do before
//! or after the start (`life`) it stays PID 1.

pub mod command;
pub mod container;
pub mod deadline;
pub mod entries;
pub mod environment;
pub mod flags;
pub mod healthcheck;
pub mod java;
pub mod json;
pub mod json_log;
pub mod kafka;
pub mod launchers;
pub mod life;
pub mod memory;
pub mod nearest;
pub mod open_files;
pub mod ordinal;
pub mod places;
pub mod pod;
pub mod probes;
pub mod problem;
pub mod properties;
pub mod resolver;
pub mod seccomp;
pub mod signals;
pub mod time_zone;
pub mod zookeeper;

pub use command::main;
