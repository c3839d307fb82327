//! Which Kafka the image has.

use super::Layout;
use crate::container::Container;

/// Major and minor version, by the name of its jar; without one, the oldest that the layout allows.
#[allow(clippy::disallowed_methods, reason = "there is one jar of that name")]
pub fn of(container: &Container, layout: &Layout) -> (u32, u32) {
    let jars = std::fs::read_dir(container.path(layout.home.join("libs"))).into_iter().flatten();
    let mut names = jars.filter_map(|jar| jar.ok()?.file_name().into_string().ok());
    let found = names.find_map(|name| {
        let mut parts = name.strip_prefix("kafka-clients-")?.split('.').map(str::parse::<u32>);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    });
    found.unwrap_or(if layout.kraft { (4, 0) } else { (3, 5) })
}
