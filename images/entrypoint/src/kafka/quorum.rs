//! KRaft's quorum: which roles a node has, and which nodes vote.

use super::mode::Mode;
use crate::properties::Properties;

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// It serves clients.
    pub broker: bool,
    /// It votes on metadata.
    pub controller: bool,
}

impl Roles {
    /// Those of a node: with ZooKeeper every node is a broker, and a single node is both.
    pub fn of(properties: &Properties, mode: Mode) -> Roles {
        let text = properties.get("process.roles").unwrap_or_default();
        let has = |role: &str| text.split(',').any(|part| part.trim() == role);
        match mode {
            Mode::ZooKeeper => Roles { broker: true, controller: false },
            Mode::KraftSingle => Roles { broker: true, controller: true },
            Mode::Kraft => Roles { broker: has("broker") || !has("controller"), controller: has("controller") },
        }
    }
}

/// A member of `controller.quorum.voters`: `ID@HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    /// Its id.
    pub id: u32,
    /// Its host.
    pub host: String,
    /// The port of its controllers' listener.
    pub port: u16,
}

/// The voters, where they are set; members of another shape are left out.
pub fn voters(properties: &Properties) -> Vec<Voter> {
    let members = properties.get("controller.quorum.voters").unwrap_or_default().split(',');
    let voter = |member: &str| {
        let (id, address) = member.trim().split_once('@')?;
        let (host, port) = address.rsplit_once(':')?;
        Some(Voter { id: id.parse().ok()?, host: host.to_owned(), port: port.parse().ok()? })
    };
    members.filter_map(voter).collect()
}
