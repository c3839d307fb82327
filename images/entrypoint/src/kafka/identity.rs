//! Which broker this is.

use super::data::Data;
use super::dialect::{AutomaticId, Rules};
use super::mode::Mode;
use super::quorum::{self, Roles, Voter};
use crate::container::Container;
use crate::ordinal;
use crate::pod::Pod;
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

/// What is added to the pod's ordinal.
const OFFSET: &str = "KIMG_BROKER_ID_OFFSET";

/// The largest id: Kafka keeps it in a signed number of 32 bits.
const LARGEST: u32 = i32::MAX as u32;

impl Id {
    fn derived(value: impl ToString, origin: impl Into<String>) -> Id {
        Id { value: value.to_string(), origin: origin.into(), explicit: false }
    }

    /// What a message names: the variable that set it, or the one to set.
    fn subject(&self, mode: Mode) -> String {
        match self.origin.as_str() {
            "default" => format!("KAFKA_{}", mode.id_property().replace('.', "_").to_uppercase()),
            origin => origin.to_owned(),
        }
    }
}

/// Decides on the id: an explicit one, else the ordinal of the pod's name plus `KIMG_BROKER_ID_OFFSET`, else what the
/// dialect makes up; existing data wins over a derived id, and an explicit one that differs from it is a problem.
pub fn decide(
    container: &Container,
    properties: &Properties,
    mode: Mode,
    data: &Data,
    rules: &Rules,
    findings: &mut Findings,
) -> Id {
    let bound = Bound::of(properties, mode);
    let id = given(container, properties, mode, rules, findings)
        .unwrap_or_else(|| derive(container, properties, mode, &bound, rules, findings));
    let id = reconcile(id, mode, data, &bound, findings);
    bound.check(&id, mode, findings);
    check_quorum(&id, properties, mode, &Pod::of(container), findings);
    id
}

/// Sets the id in the property that this mode has for it, and removes the other: Kafka refuses two that differ.
pub fn write(properties: &mut Properties, mode: Mode, id: &Id) {
    properties.remove(other_property(mode));
    properties.set(mode.id_property(), &id.value, &id.origin);
}

fn other_property(mode: Mode) -> &'static str {
    match mode {
        Mode::ZooKeeper => "node.id",
        Mode::KraftSingle | Mode::Kraft => "broker.id",
    }
}

/// The id of `node.id` or `broker.id`: both are one to Kafka (KafkaConfig), and people set either of them, or both.
fn given(
    container: &Container,
    properties: &Properties,
    mode: Mode,
    rules: &Rules,
    findings: &mut Findings,
) -> Option<Id> {
    let of_user = |name: &'static str| {
        let value = properties.get(name).map(str::trim).filter(|value| !value.is_empty())?;
        let origin = properties.origin(name).unwrap_or(name);
        // A file that the image ships has an id as an example, and every pod would get the same.
        let is_shipped = rules.base.is_some_and(|base| origin.contains(base));
        (!is_shipped).then_some((value, origin))
    };
    let (own, other) = (of_user(mode.id_property()), of_user(other_property(mode)));
    let (value, origin) = own.or(other)?;
    match (own, other) {
        (Some((one, _)), Some((two, of_other))) if one != two && ![one, two].contains(&"-1") => {
            let why = format!("{origin} is `{one}`, and both name the same id");
            findings.refuse(Problem::new(of_other, why, format!("leave it out, or set it to {one}")).with_value(two));
        }
        (_, Some((_, of_other))) => {
            let hint = match own {
                Some(_) => "leave it out".to_owned(),
                // In the words of the user: `KAFKA_CFG_BROKER_ID` becomes `KAFKA_CFG_NODE_ID`.
                None if of_other.starts_with("KAFKA_") => {
                    let names =
                        [other_property(mode), mode.id_property()].map(|name| name.replace('.', "_").to_uppercase());
                    format!("set {} instead", of_other.replace(&names[0], &names[1]))
                }
                None => format!("set {} instead", mode.id_property()),
            };
            let why = format!("the id is `{}` in this mode", mode.id_property());
            findings.warn(Problem::new(of_other, why, hint));
        }
        _ => {}
    }
    let (value, origin) = match (value, other) {
        ("-1", Some((two, of_other))) if two != "-1" => (two, of_other),
        _ => (value, origin),
    };
    asked(container, value, origin, mode, findings)
}

/// What a value of the user's asks for: a number, the ordinal in the name of a pod, or (`-1`) one that Kafka makes up.
fn asked(container: &Container, value: &str, origin: &str, mode: Mode, findings: &mut Findings) -> Option<Id> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse::<u32>() {
        // What a command printed is derived: data that has another id wins over it.
        Ok(number) if is_number && number <= LARGEST => {
            return Some(Id { explicit: !origin.ends_with("_COMMAND"), ..Id::derived(number, origin) });
        }
        _ if value == "-1" && mode == Mode::ZooKeeper => return Some(Id::derived(value, origin)),
        _ if value == "-1" => {
            let hint = "leave it out: the ordinal of the pod is used then, or 1";
            findings.warn(Problem::new(origin, "KRaft makes no ids up, so it is not used", hint).with_value(value));
            return None;
        }
        _ => {}
    }
    if let Some(ordinal) = ordinal::of_host(value) {
        let why = format!("it is the name of a pod; its ordinal {ordinal} is meant");
        findings.warn(Problem::new(origin, why, "leave it out: the pod's ordinal is the id").with_value(value));
        let id = ordinal.saturating_add(offset(container, findings));
        return Some(Id::derived(id, format!("{origin}: {value}")));
    }
    let why = match is_number {
        true => format!("it is above {LARGEST}, the largest id"),
        false => "it is no broker id".to_owned(),
    };
    let hint = match value.contains(['$', '`']) {
        true => "no shell reads it; leave it out: the ordinal of the pod is used then",
        false => "give a number, or leave it out: the ordinal of the pod is used then",
    };
    findings.refuse(Problem::new(origin, why, hint).with_value(value));
    Some(Id { explicit: true, ..Id::derived(value, origin) })
}

fn offset(container: &Container, findings: &mut Findings) -> u32 {
    let offset = container.environment.get(OFFSET).unwrap_or("0");
    offset.trim().parse().unwrap_or_else(|_| {
        let hint = "give the number that is added to the pod's ordinal";
        findings.refuse(Problem::new(OFFSET, "it is no number", hint).with_value(offset));
        0
    })
}

/// The ordinal of the pod, else the voter that this node is, else what the dialect makes up.
fn derive(
    container: &Container,
    properties: &Properties,
    mode: Mode,
    bound: &Bound,
    rules: &Rules,
    findings: &mut Findings,
) -> Id {
    let pod = Pod::of(container);
    let added = offset(container, findings);
    let is_asked = container.environment.get(OFFSET).is_some() || pod.origin != "host name";
    if let Some(ordinal) = pod.ordinal {
        let id = u64::from(ordinal) + u64::from(added);
        let origin = format!("{} {}", pod.origin, pod.name);
        match u32::try_from(id).ok().filter(|id| *id <= LARGEST) {
            // A host of a compose file may end in a number that was never meant as an id: a year, a port.
            Some(id) if bound.is_above(id) && !is_asked => {
                let why = format!("its number {ordinal} is above {}", bound.text());
                let hint = "set KAFKA_BROKER_ID, or leave it: Kafka makes an id up";
                findings.warn(Problem::new(origin, why, hint));
            }
            Some(id) => return Id::derived(id, origin),
            None => {
                let why = format!("with the ordinal {ordinal} it is above {LARGEST}, the largest id");
                findings.refuse(Problem::new(OFFSET, why, "set a smaller one"));
                return Id::derived(ordinal, origin);
            }
        }
    } else if container.environment.get(OFFSET).is_some() {
        let why = format!("{} `{}` has no ordinal that it could be added to", pod.origin, pod.name);
        let hint = "run it in a StatefulSet, set POD_NAME by the downward API, or set the id itself";
        findings.refuse(Problem::new(OFFSET, why, hint));
    }
    if let Some(voter) = own_voter(properties, mode, &pod) {
        return Id::derived(voter.id, format!("controller.quorum.voters, host {}", voter.host));
    }
    if rules.id == AutomaticId::Refused {
        let subject = Id::derived("", "default").subject(mode);
        let why =
            format!("it is not set, {} `{}` has no ordinal, and {} makes none up", pod.origin, pod.name, rules.follows);
        findings.refuse(Problem::new(subject, why, "set it to a number of this node's own"));
    }
    Id::derived(if mode == Mode::ZooKeeper { "-1" } else { "1" }, "default")
}

/// The voter that has this node's name, or the only one there is.
fn own_voter(properties: &Properties, mode: Mode, pod: &Pod) -> Option<Voter> {
    if !Roles::of(properties, mode).controller {
        return None;
    }
    let voters = quorum::voters(properties);
    let named = voters.iter().find(|voter| is_host(&voter.host, pod));
    named.or(Some(voters.first()?).filter(|_| voters.len() == 1)).cloned()
}

fn is_host(host: &str, pod: &Pod) -> bool {
    host.split('.').next() == Some(pod.name.as_str()) && !pod.name.is_empty()
}

/// Compares the id with what the data has: a derived id gives way, an explicit one that differs is a problem.
fn reconcile(id: Id, mode: Mode, data: &Data, bound: &Bound, findings: &mut Findings) -> Id {
    let Some(found) = &data.found else { return id };
    let Some(stored) = found.id.clone().filter(|stored| *stored != id.value) else { return id };
    let folder = found.folder.display();
    if !id.explicit {
        if id.value != "-1" && id.origin != "default" {
            let name = mode.id_property();
            findings.note(format!("{name}: the data in {folder} belongs to {stored}, which wins over {}", id.origin));
        }
        // An id that Kafka made up is above the bound, and as a setting it would be refused: with -1 it takes that of
        // the data (KafkaServer.getOrGenerateBrokerId).
        return match stored.parse().is_ok_and(|stored| bound.is_above(stored)) {
            true => Id::derived("-1", format!("Kafka takes {stored} from the data in {folder}")),
            false => Id::derived(stored, format!("data in {folder}")),
        };
    }
    findings.refuse(Problem::new(
        id.origin.clone(),
        format!("{} is {}, and the data in {folder} belongs to {stored}", mode.id_property(), id.value),
        format!("set it to {stored}, or mount the volume of {}", id.value),
    ));
    id
}

/// `reserved.broker.max.id`: with ids that are made up, those that are set are bounded.
struct Bound {
    /// `None`: there is none.
    largest: Option<u32>,
    /// Whether an id may be made up.
    generated: bool,
}

impl Bound {
    fn of(properties: &Properties, mode: Mode) -> Bound {
        let generated = !properties
            .get("broker.id.generation.enable")
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("false"));
        let largest = properties.get("reserved.broker.max.id").and_then(|text| text.trim().parse().ok());
        let largest = (mode == Mode::ZooKeeper && generated).then(|| largest.unwrap_or(1000));
        Bound { largest, generated }
    }

    fn is_above(&self, id: u32) -> bool {
        self.largest.is_some_and(|largest| id > largest)
    }

    fn text(&self) -> String {
        format!("reserved.broker.max.id, {}", self.largest.unwrap_or(LARGEST))
    }

    /// Kafka itself says so late and by an exception.
    fn check(&self, id: &Id, mode: Mode, findings: &mut Findings) {
        if id.value.parse().is_ok_and(|number: u32| number <= LARGEST && self.is_above(number)) {
            findings.refuse(Problem::new(
                id.subject(mode),
                format!("{} is above {}", id.value, self.text()),
                "set KAFKA_RESERVED_BROKER_MAX_ID higher, or KAFKA_BROKER_ID_GENERATION_ENABLE to false",
            ));
        }
        if mode == Mode::ZooKeeper && !self.generated && id.value == "-1" {
            let why = "the broker has no id, and broker.id.generation.enable is false";
            findings.refuse(Problem::new(id.subject(mode), why, "set it to a number of this broker's own"));
        }
    }
}

/// Controllers are voters, and nodes that are brokers only are not (KafkaConfig.validateValues). A quorum without a
/// list of voters knows them from its own log.
fn check_quorum(id: &Id, properties: &Properties, mode: Mode, pod: &Pod, findings: &mut Findings) {
    let (roles, voters) = (Roles::of(properties, mode), quorum::voters(properties));
    let Ok(number) = id.value.parse::<u32>() else { return };
    if mode != Mode::Kraft || voters.is_empty() {
        return;
    }
    let ids: Vec<String> = voters.iter().map(|voter| voter.id.to_string()).collect();
    let (ids, is_voter) = (ids.join(", "), voters.iter().any(|voter| voter.id == number));
    if roles.controller && !is_voter {
        let hint = match voters.iter().find(|voter| is_host(&voter.host, pod)) {
            Some(voter) if voter.id > number && !id.explicit => {
                format!("set {OFFSET} to {}: the voter with this name is {}", voter.id - number, voter.id)
            }
            Some(voter) => format!("the voter with this name is {}: set that", voter.id),
            None => "a quorum does not grow by replicas: run further nodes with KAFKA_PROCESS_ROLES=broker, or name it among the voters of all nodes".to_owned(),
        };
        let why = format!("{number} is a controller, and none of the voters {ids} of controller.quorum.voters");
        findings.refuse(Problem::new(id.subject(mode), why, hint));
    }
    if roles.broker && !roles.controller && is_voter {
        let why = format!("{number} is a broker only, and one of the voters {ids} has that id");
        let hint = format!("set {OFFSET} so that brokers and controllers have ids of their own, such as 100");
        findings.refuse(Problem::new(id.subject(mode), why, hint));
    }
}
