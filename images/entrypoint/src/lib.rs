//! PID 1 of kimg's images: turns the environment into a configuration, and becomes Java.
//!
//! One static program under several names. As `kimg-entrypoint kafka` or `kimg-entrypoint zookeeper` it configures and
//! starts a server; under the name of a launcher (`kafka-topics.sh`) it starts what the table in the image says. It
//! depends on nothing but the standard library and forks nothing: what it starts replaces it.

pub mod command;
pub mod container;
pub mod environment;
pub mod healthcheck;
pub mod java;
pub mod kafka;
pub mod launchers;
pub mod ordinal;
pub mod places;
pub mod pod;
pub mod problem;
pub mod properties;
pub mod seccomp;
pub mod zookeeper;

pub use command::main;
