//! The properties that Kafka knows, and those that it lost.

use super::Layout;
use crate::problem::Findings;
use crate::properties::Properties;

/// Warns of names that no broker knows (with the nearest that it does), and refuses what this version lost: classes,
/// properties that were translated into others.
pub fn check(_properties: &Properties, _layout: &Layout, _findings: &mut Findings) {}
