//! A configuration as text, for `--explain`.

use super::Configuration;

/// Each property and where it came from, a line each.
pub fn to_text(configuration: &Configuration) -> String {
    configuration.properties.explain()
}
