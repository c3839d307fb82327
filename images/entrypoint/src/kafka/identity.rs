//! Which broker this is.

use std::path::PathBuf;

use super::storage;
use crate::environment::Environment;
use crate::ordinal;
use crate::problem::Problem;

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

/// Decides on the id: an explicit one, else the ordinal of the host name plus `KIMG_BROKER_ID_OFFSET`, else `otherwise`.
pub fn decide(environment: &Environment, host: &str, otherwise: &str, problems: &mut Vec<Problem>) -> Id {
    let explicit = environment.first(&["KAFKA_NODE_ID", "KAFKA_BROKER_ID"]);
    if let Some((name, value)) = explicit {
        if value != "-1" && value.parse::<u32>().is_err() {
            let hint = "give a number, or leave it out: the ordinal of the pod is used then";
            problems.push(Problem::new(name, format!("`{value}` is no broker id"), hint));
        }
        return Id { value: value.to_owned(), origin: name.to_owned(), explicit: value != "-1" };
    }
    let offset = environment.get("KIMG_BROKER_ID_OFFSET").unwrap_or("0");
    let offset: u32 = offset.parse().unwrap_or_else(|_| {
        let why = format!("`{offset}` is no number");
        problems.push(Problem::new("KIMG_BROKER_ID_OFFSET", why, "give the number that is added to the pod's ordinal"));
        0
    });
    match ordinal::of_host(host) {
        Some(ordinal) => {
            // The ordinal has six digits at most, and Kafka refuses what is beyond its own bound by name.
            Id {
                value: ordinal.saturating_add(offset).to_string(),
                origin: format!("host name {host}"),
                explicit: false,
            }
        }
        None => Id { value: otherwise.to_owned(), origin: "default".to_owned(), explicit: false },
    }
}

/// Compares the id with what the data has: a derived id gives way, an explicit one that differs is a problem.
pub fn reconcile(id: Id, folders: &[PathBuf], key: &str, problems: &mut Vec<Problem>) -> Id {
    for folder in folders {
        let Some(found) = storage::read(folder) else { continue };
        let stored = found.get("node.id").or(found.get("broker.id"));
        let Some(stored) = stored.filter(|stored| *stored != id.value) else { continue };
        if id.explicit {
            problems.push(Problem::new(
                id.origin.clone(),
                format!("{key} is {}, and the data in {} belongs to {stored}", id.value, folder.display()),
                format!("set it to {stored}, or mount the volume of {}", id.value),
            ));
        } else {
            return Id { value: stored.to_owned(), origin: format!("data in {}", folder.display()), explicit: false };
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide_for(variables: &[(&str, &str)], host: &str) -> (String, usize) {
        let mut problems = Vec::new();
        let id = decide(&Environment::of(variables.iter().copied()), host, "1", &mut problems);
        (id.value, problems.len())
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
