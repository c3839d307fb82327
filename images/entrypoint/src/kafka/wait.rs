//! What a broker waits for before Java starts, so that it does not end and start over again.

use std::io;
use std::time::Duration;

use super::zookeeper_connect::{Ensemble, Server};
use super::zookeeper_protocol::{Node, Session};
use super::{Configuration, Mode};
use crate::container::Container;
use crate::deadline::{Deadline, TimedStream};
use crate::problem::{Findings, Problem};
use crate::properties::Properties;
use crate::resolver::Resolver;
use crate::signals::{Held, Signal};

/// How long ZooKeeper is waited for; 0 is not at all.
const VARIABLE: &str = "KIMG_WAIT_SECONDS";

const DEFAULT: u64 = 60;

/// How long one server may take to accept, and to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// What came of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// Java may start: all is there, or the time is over.
    GoOn,
    /// The container is asked to stop.
    Stopped(Signal),
    /// Kafka could not start.
    Refused(Problem),
}

/// Checks what will be waited for.
pub fn check(container: &Container, properties: &Properties, findings: &mut Findings) {
    if let Err(problem) = seconds(container) {
        findings.refuse(problem);
    }
    // An empty one is how some say that there is no ZooKeeper: the mode's business.
    let Some(text) = properties.get("zookeeper.connect").filter(|text| !text.trim().is_empty()) else { return };
    let subject = properties.origin("zookeeper.connect").unwrap_or("zookeeper.connect");
    let problem = |why: String, hint: &str| Problem::new(subject, why, hint).with_value(text);
    match Ensemble::parse(text) {
        _ if text.contains("://") => {
            findings.refuse(problem("its servers have no scheme".to_owned(), "write HOST:PORT,HOST:PORT/CHROOT"));
        }
        Err(part) => {
            let hint = "write HOST:PORT,HOST:PORT/CHROOT, IPv6 addresses in brackets";
            findings.refuse(problem(format!("`{part}` is no server"), hint));
        }
        Ok(ensemble) if ensemble.servers.is_empty() => {
            findings.refuse(problem("it names no server".to_owned(), "write HOST:PORT,HOST:PORT/CHROOT"));
        }
        Ok(ensemble) if ensemble.chroot.contains(',') => {
            let why = format!("all after the first slash is one path, `{}`", ensemble.chroot);
            findings.warn(problem(why, "write the chroot once, at the end: HOST:PORT,HOST:PORT/CHROOT"));
        }
        Ok(ensemble) if ensemble.has_mapped_ports() => {
            let why = "its ports count up, as those that are published on a host: between containers every server has \
                       its own, mostly 2181, and only one of these answers";
            findings.warn(problem(why.to_owned(), "write the port inside the container, HOST:2181, for each"));
        }
        Ok(_) => {}
    }
}

fn seconds(container: &Container) -> Result<u64, Problem> {
    let Some(text) = container.environment.get(VARIABLE) else { return Ok(DEFAULT) };
    let wrong =
        |_| Problem::new(VARIABLE, "it is no number", "give seconds, or 0 to wait for nothing").with_value(text);
    text.trim().parse().map_err(wrong)
}

/// In ZooKeeper mode: for one address of `zookeeper.connect` to answer, and for the session of a killed predecessor to
/// end, which still holds this broker's id. Each for a bounded time and told in one line; when the time is over without
/// an answer, the broker starts all the same, and has its own patience and message.
pub fn for_zookeeper(configuration: &Configuration, container: &Container, tell: &mut dyn FnMut(&str)) -> Waited {
    let properties = &configuration.properties;
    let patience = Duration::from_secs(seconds(container).unwrap_or(DEFAULT));
    let ensemble = properties.get("zookeeper.connect").and_then(|text| Ensemble::parse(text).ok());
    let is_wanted = configuration.mode == Mode::ZooKeeper && !patience.is_zero();
    let Some(ensemble) = ensemble.filter(|ensemble| is_wanted && !ensemble.servers.is_empty()) else {
        return Waited::GoOn;
    };
    // PID 1 has no handlers, so a signal would be lost that comes while it waits.
    let held = Held::new(&Signal::ENDING);
    let resolver = Resolver::of(container);
    let waited = match answer(&ensemble, wants_tls(properties, container), &resolver, patience, &held, tell) {
        Err(signal) => return Waited::Stopped(signal),
        Ok(Some(session)) => predecessor(session, &ensemble, configuration, &held, tell),
        Ok(None) => Waited::GoOn,
    };
    match held.next(Duration::ZERO) {
        Some(signal) => Waited::Stopped(signal),
        None => waited,
    }
}

/// With TLS nothing is asked but a connection.
fn wants_tls(properties: &Properties, container: &Container) -> bool {
    let options = container.environment.get("KAFKA_OPTS").unwrap_or_default();
    properties.get("zookeeper.ssl.client.enable").is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
        || options.contains("-Dzookeeper.client.secure=true")
}

/// Waits for one server to answer: with a session, or with a connection where it wants TLS.
fn answer(
    ensemble: &Ensemble,
    tls: bool,
    resolver: &Resolver,
    patience: Duration,
    held: &Held,
    tell: &mut dyn FnMut(&str),
) -> Result<Option<Session>, Signal> {
    let deadline = Deadline::after(patience);
    let mut is_told = false;
    loop {
        let mut failures = Vec::new();
        for server in &ensemble.servers {
            match ask(server, tls, resolver, deadline.left_of(ANSWER).unwrap_or(PAUSE)) {
                Ok(session) => {
                    if is_told {
                        tell(&format!("ZooKeeper answers at {server} after {} s", deadline.passed().as_secs()));
                    }
                    return Ok(session);
                }
                Err(error) => failures.push(format!("{server}: {error}")),
            }
            if let Some(signal) = held.next(Duration::ZERO) {
                return Err(signal);
            }
        }
        let failures = failures.join("; ");
        let Some(pause) = deadline.left_of(PAUSE) else {
            tell(&format!(
                "ZooKeeper did not answer in {} s ({failures}); Kafka starts all the same",
                patience.as_secs()
            ));
            return Ok(None);
        };
        if !is_told {
            tell(&format!("waiting for ZooKeeper, {} s at most ({failures})", patience.as_secs()));
            is_told = true;
        }
        if let Some(signal) = held.next(pause) {
            return Err(signal);
        }
    }
}

fn ask(server: &Server, tls: bool, resolver: &Resolver, patience: Duration) -> io::Result<Option<Session>> {
    let deadline = Deadline::after(patience);
    let addresses = resolver.addresses(&server.host, server.port, deadline)?;
    match tls {
        true => TimedStream::connect(&addresses, deadline).map(|_| None),
        false => Session::open(&addresses, patience).map(Some),
    }
}

/// Waits for a node of this broker's id to go away. A killed broker's goes when its session's time is over; one that is
/// there after twice that time belongs to a broker that lives.
fn predecessor(
    mut session: Session,
    ensemble: &Ensemble,
    configuration: &Configuration,
    held: &Held,
    tell: &mut dyn FnMut(&str),
) -> Waited {
    let properties = &configuration.properties;
    let id = &configuration.id;
    if id.value.parse::<u32>().is_err() {
        session.close();
        return Waited::GoOn;
    }
    let timeout = properties.get("zookeeper.session.timeout.ms").and_then(|text| text.trim().parse().ok());
    let deadline = Deadline::after(Duration::from_millis(timeout.unwrap_or(18_000)).saturating_mul(2));
    let path = format!("{}/brokers/ids/{}", ensemble.chroot, id.value);
    let mut is_told = false;
    loop {
        let place = match session.data(&path) {
            Ok(Node::Present(data)) => place(&String::from_utf8_lossy(&data)),
            Ok(Node::Absent) => {
                if is_told {
                    tell(&format!("the session of broker {} ended after {} s", id.value, deadline.passed().as_secs()));
                }
                session.close();
                return Waited::GoOn;
            }
            // What cannot be asked is not waited for: Kafka has the credentials.
            Ok(Node::Closed(_)) | Err(_) => return Waited::GoOn,
        };
        let most = deadline.left().map(|left| left.as_secs() + 1);
        match (is_told, most) {
            (_, None) => {
                session.close();
                let why = format!("another broker has the id {} at {place}, and ZooKeeper keeps its session", id.value);
                let hint = "give each broker an id of its own, or stop the other one";
                return Waited::Refused(Problem::new(id.origin.clone(), why, hint));
            }
            (false, Some(most)) => {
                let whose = match is_own(&place, properties) {
                    true => "of the one before this",
                    false => "perhaps of the one before this, or another broker has the same id",
                };
                tell(&format!(
                    "waiting for a session of broker {} at {place} to end ({whose}), {most} s at most",
                    id.value
                ));
                is_told = true;
            }
            (true, Some(_)) => {}
        }
        if let Some(signal) = held.next(deadline.left_of(PAUSE).unwrap_or(PAUSE)) {
            session.close();
            return Waited::Stopped(signal);
        }
    }
}

/// Where a broker says that it is: the endpoints of its node's JSON (kafka.zk.BrokerIdZNode).
fn place(json: &str) -> String {
    let (_, mut rest) = json.split_once("\"endpoints\":[").unwrap_or_default();
    let mut endpoints = Vec::new();
    while let Some((endpoint, after)) =
        rest.trim_start_matches(',').strip_prefix('"').and_then(|text| text.split_once('"'))
    {
        endpoints.push(endpoint);
        rest = after;
    }
    match endpoints.is_empty() {
        true => "an unknown place".to_owned(),
        false => endpoints.join(",").escape_debug().to_string(),
    }
}

fn is_own(place: &str, properties: &Properties) -> bool {
    let advertised = properties.get("advertised.listeners").or_else(|| properties.get("listeners")).unwrap_or_default();
    let mut own = advertised.split(',').map(str::trim).filter(|listener| !listener.is_empty());
    own.any(|listener| place.split(',').any(|other| other == listener))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places_of_brokers_whatever_their_nodes_hold() {
        let node = r#"{"a":["x"],"endpoints":["IN://[fd00::1]:9092","OUT://b:1"],"jmx_port":-1}"#;
        assert_eq!(place(node), "IN://[fd00::1]:9092,OUT://b:1");
        assert_eq!(place(r#"{"endpoints":[],"host":"b"}"#), "an unknown place");
        assert_eq!(place("{\"endpoints\":[\"\u{1b}[0m\"]"), "\\u{1b}[0m");
        for (at, _) in node.char_indices() {
            assert!(!place(&node[..at]).is_empty());
        }
    }
}
