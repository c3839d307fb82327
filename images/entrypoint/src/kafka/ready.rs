//! Whether the broker of this container serves its clients, asked without a JVM.

use std::io;
use std::net::SocketAddr;

use super::{Layout, listeners};
use crate::healthcheck;
use crate::properties::Properties;

/// Asks the listener of the configuration that was written last.
pub fn check(layout: &Layout) -> io::Result<()> {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let properties = written(layout);
    let text = properties.as_ref().and_then(|properties| properties.get("listeners")).unwrap_or_default();
    let all = listeners::parse(text).unwrap_or_default();
    match all.iter().find(|listener| listener.name != "CONTROLLER") {
        Some(listener) if listener.name == "PLAINTEXT" => healthcheck::kafka(local(listener.port)),
        Some(listener) => healthcheck::listens(local(listener.port)),
        None => healthcheck::kafka(local(9092)),
    }
}

/// The configuration that was written last.
fn written(layout: &Layout) -> Option<Properties> {
    let paths = layout.configuration.iter().map(|folder| folder.join("server.properties"));
    let text = paths.into_iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    Some(Properties::parse(&text, "server.properties"))
}
