//! What the tests of listeners share.

#![allow(dead_code, reason = "not each test needs all of it")]

use std::path::PathBuf;

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::kafka::dialect::Dialect;
use kimg_entrypoint::kafka::{Mode, listeners};
use kimg_entrypoint::problem::{Findings, Problem};
use kimg_entrypoint::properties::Properties;

/// Names and values.
pub type Pairs<'a> = &'a [(&'a str, &'a str)];

/// What came of variables.
pub struct Outcome {
    pub properties: Properties,
    pub findings: Findings,
}

impl Outcome {
    pub fn get(&self, name: &str) -> &str {
        self.properties.get(name).unwrap_or_default()
    }

    /// What is wrong, a line each.
    pub fn problems(&self) -> String {
        lines(&self.findings.problems)
    }

    pub fn warnings(&self) -> String {
        lines(&self.findings.warnings)
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// A container of that name with these variables.
pub fn container(variables: Pairs<'_>, host: &str) -> Container {
    Container {
        root: PathBuf::from("/nonexistent"),
        environment: Environment::of(variables.iter().copied()),
        host: host.to_owned(),
        ..Container::default()
    }
}

/// The listeners of a container whose variables with `KAFKA_` are properties.
pub fn complete_in(container: &Container, mode: Mode) -> Outcome {
    let (mut properties, mut findings) = (Properties::default(), Findings::default());
    properties.set(mode.id_property(), "1", "default");
    for (name, value) in container.environment.with_prefix("KAFKA_") {
        let property = name.strip_prefix("CFG_").unwrap_or(name).replace('_', ".").to_lowercase();
        properties.set(property, value, format!("KAFKA_{name}"));
    }
    listeners::complete(&mut properties, container, mode, Dialect::Kimg.rules(), &mut findings);
    Outcome { properties, findings }
}

pub fn complete(variables: Pairs<'_>, host: &str, mode: Mode) -> Outcome {
    complete_in(&container(variables, host), mode)
}

/// Numbers that look like chance and are the same each time (xorshift).
pub struct Chance(u64);

impl Chance {
    pub fn new() -> Chance {
        Chance(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}
