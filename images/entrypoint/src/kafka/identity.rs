//! Which broker this is.

use super::data::Data;
use super::dialect::Rules;
use super::mode::Mode;
use crate::container::Container;
use crate::ordinal;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

/// A broker's id, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    /// The number, as text: `-1` lets Kafka make one up.
    pub value: String,
    /// The variable, `host name`, or the data that has it.
    pub origin: String,
    /// Whether the user asked for it by a number; else data that has another wins.
    pub explicit: bool,
}

/// Decides on the id: an explicit one, else the ordinal of the host name plus `KIMG_BROKER_ID_OFFSET`, else what the
/// dialect makes up; existing data wins over a derived id, and an explicit one that differs from it is a problem.
pub fn decide(
    container: &Container,
    properties: &Properties,
    mode: Mode,
    data: &Data,
    rules: &Rules,
    findings: &mut Findings,
) -> Id {
    let id = asked(container, mode, rules, findings);
    check_bound(properties, mode, &id, findings);
    reconcile(id, mode, data, findings)
}

fn asked(container: &Container, mode: Mode, _rules: &Rules, findings: &mut Findings) -> Id {
    let environment = &container.environment;
    let explicit = environment.first(&["KAFKA_NODE_ID", "KAFKA_BROKER_ID"]);
    if let Some((name, value)) = explicit {
        if value != "-1" && value.parse::<u32>().is_err() {
            let hint = "give a number, or leave it out: the ordinal of the pod is used then";
            findings.refuse(Problem::new(name, "it is no broker id", hint).with_value(value));
        }
        return Id { value: value.to_owned(), origin: name.to_owned(), explicit: value != "-1" };
    }
    let offset = environment.get("KIMG_BROKER_ID_OFFSET").unwrap_or("0");
    let offset: u32 = offset.parse().unwrap_or_else(|_| {
        let hint = "give the number that is added to the pod's ordinal";
        findings.refuse(Problem::new("KIMG_BROKER_ID_OFFSET", "it is no number", hint).with_value(offset));
        0
    });
    match ordinal::of_host(&container.host) {
        // The ordinal has six digits at most, and Kafka refuses what is beyond its own bound by name.
        Some(ordinal) => Id {
            value: ordinal.saturating_add(offset).to_string(),
            origin: format!("host name {}", container.host),
            explicit: false,
        },
        None => {
            let made = if mode == Mode::ZooKeeper { "-1" } else { "1" };
            Id { value: made.to_owned(), origin: "default".to_owned(), explicit: false }
        }
    }
}

/// Compares the id with what the data has: a derived id gives way, an explicit one that differs is a problem.
fn reconcile(id: Id, mode: Mode, data: &Data, findings: &mut Findings) -> Id {
    let Some(found) = &data.found else { return id };
    let Some(stored) = found.id.clone().filter(|stored| *stored != id.value) else { return id };
    let folder = found.folder.display();
    if !id.explicit {
        return Id { value: stored, origin: format!("data in {folder}"), explicit: false };
    }
    findings.refuse(Problem::new(
        id.origin.clone(),
        format!("{} is {}, and the data in {folder} belongs to {stored}", mode.id_property(), id.value),
        format!("set it to {stored}, or mount the volume of {}", id.value),
    ));
    id
}

/// Kafka itself says so late and by an exception: with ids that are generated, explicit ones are bounded.
fn check_bound(properties: &Properties, mode: Mode, id: &Id, findings: &mut Findings) {
    let generated = properties.get("broker.id.generation.enable") != Some("false");
    let bound: u32 = properties.get("reserved.broker.max.id").and_then(|text| text.parse().ok()).unwrap_or(1000);
    let number: Option<u32> = id.value.parse().ok();
    let is_above = number.is_some_and(|number| number > bound);
    if mode == Mode::ZooKeeper && generated && id.explicit && is_above {
        findings.refuse(Problem::new(
            id.origin.clone(),
            format!("{} is above reserved.broker.max.id, {bound}", id.value),
            "set KAFKA_RESERVED_BROKER_MAX_ID higher, or KAFKA_BROKER_ID_GENERATION_ENABLE to false",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::kafka::dialect::Dialect;

    fn decide_for(variables: &[(&str, &str)], host: &str) -> (String, usize) {
        let environment = Environment::of(variables.iter().copied());
        let container = Container { environment, host: host.to_owned(), ..Container::default() };
        let mut findings = Findings::default();
        let id = asked(&container, Mode::Kraft, Dialect::Kimg.rules(), &mut findings);
        (id.value, findings.problems.len())
    }

    #[test]
    fn explicit_then_ordinal_then_default() {
        assert_eq!(decide_for(&[("KAFKA_BROKER_ID", "7")], "kafka-2"), ("7".to_owned(), 0));
        assert_eq!(decide_for(&[("KAFKA_BROKER_ID", "kafka-0")], "kafka-2").1, 1);
        assert_eq!(decide_for(&[("KIMG_BROKER_ID_OFFSET", "100")], "kafka-2"), ("102".to_owned(), 0));
        assert_eq!(decide_for(&[("KIMG_BROKER_ID_OFFSET", "x")], "kafka-2").1, 1);
        assert_eq!(decide_for(&[], "3f9a1b2c7712"), ("1".to_owned(), 0));
    }
}
