//! The paths under which other images start their server, so that a command written for them starts ours.
//!
//! Each is a file in the image whose first line names this program, or a link to it. The kernel then calls
//! `kimg-entrypoint PATH ARGUMENT…`; a shell that is told to read the file comes to the same by its last line. So the files
//! may be changed by a `sed` of the user's without harm: what stands in them does not matter.

/// What a path does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It starts the server.
    Start,
    /// It runs the program that its arguments name; without any, the server.
    Wrapper,
    /// It writes the configuration, for what a script of the user's does with it before the start.
    Configure,
    /// A step before the start, which is part of the start here: it does nothing, and succeeds.
    Step,
}

/// Paths, and the names by which a shell finds them.
const ENTRIES: [(&str, Entry); 17] = [
    // confluentinc/kafka-images, kafka/include/etc/confluent/docker
    ("/etc/confluent/docker/run", Entry::Start),
    ("/etc/confluent/docker/launch", Entry::Start),
    ("/etc/confluent/docker/configure", Entry::Configure),
    ("/etc/confluent/docker/ensure", Entry::Step),
    // bitnami/containers, bitnami/kafka
    ("/opt/bitnami/scripts/kafka/entrypoint.sh", Entry::Wrapper),
    ("/opt/bitnami/scripts/kafka/run.sh", Entry::Start),
    ("/opt/bitnami/scripts/kafka/setup.sh", Entry::Step),
    ("/entrypoint.sh", Entry::Wrapper),
    ("/run.sh", Entry::Start),
    // apache/kafka, docker/jvm/Dockerfile
    ("/etc/kafka/docker/run", Entry::Start),
    ("/etc/kafka/docker/launch", Entry::Start),
    ("/etc/kafka/docker/configure", Entry::Step),
    // wurstmeister/kafka-docker, Dockerfile
    ("/usr/bin/start-kafka.sh", Entry::Start),
    ("start-kafka.sh", Entry::Start),
    ("/usr/bin/create-topics.sh", Entry::Step),
    ("create-topics.sh", Entry::Step),
    ("/start-kafka.sh", Entry::Start),
];

/// What a path does; `None` where it is no entry of another image.
pub fn find(path: &str) -> Option<Entry> {
    ENTRIES.iter().find(|(name, _)| *name == path).map(|(_, entry)| *entry)
}

/// All paths, for the test that the image has each.
pub fn paths() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|(path, _)| *path).filter(|path| path.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_other_images() {
        assert_eq!(find("/etc/confluent/docker/run"), Some(Entry::Start));
        assert_eq!(find("/entrypoint.sh"), Some(Entry::Wrapper));
        assert_eq!(find("start-kafka.sh"), Some(Entry::Start));
        assert_eq!((find("/usr/bin/kimg-entrypoint"), find("run")), (None, None));
    }
}
