//! Which dialect an environment speaks.

use super::Dialect;
use crate::container::Container;
use crate::problem::{Findings, Problem};

/// What told the dialect; the first level that has evidence decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `KIMG_DIALECT`.
    Asked,
    /// The path under which this program was called.
    Entry,
    /// A variable that only one family has.
    Variable,
    /// A mount at a folder that only one family has.
    Mount,
    /// Nothing.
    Nothing,
}

/// A dialect, and why it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The dialect.
    pub dialect: Dialect,
    /// What told it.
    pub level: Level,
    /// The variable, the path or the mount.
    pub evidence: String,
}

/// Chooses the dialect. Evidence for two families on one level is a problem that names both and `KIMG_DIALECT`.
pub fn choose(container: &Container, findings: &mut Findings) -> Choice {
    if let Some(name) = container.environment.get("KIMG_DIALECT") {
        let evidence = "KIMG_DIALECT".to_owned();
        match Dialect::of_name(name) {
            Some(dialect) => return Choice { dialect, level: Level::Asked, evidence },
            None => {
                let names = Dialect::ALL.map(Dialect::name).join(", ");
                let problem = Problem::new("KIMG_DIALECT", "there is no such dialect", format!("set one of: {names}"));
                findings.refuse(problem.with_value(name));
            }
        }
    }
    Choice { dialect: Dialect::Kimg, level: Level::Nothing, evidence: "nothing".to_owned() }
}
