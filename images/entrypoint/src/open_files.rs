//! How many files the server may have open.

use std::fs;

use crate::container::Container;
use crate::kafka::Data;
use crate::problem::{Findings, Problem};

/// What a broker without partitions has open: jars, sockets of some hundred clients, its own files.
const BESIDE: u64 = 1000;
/// A partition has at least an active segment, one that is being deleted or compacted now and then, and an index.
const OF_PARTITION: u64 = 3;

/// Warns where the partitions that are there need more than the limit. It is the hard one that counts: Java raises the
/// soft one to it by itself (`-XX:+MaxFDLimit`).
pub fn check(container: &Container, data: &Data, findings: &mut Findings) {
    let limits = container.read("/proc/self/limits").unwrap_or_default();
    let Some(hard) = hard_limit(&limits) else { return };
    let partitions = partitions(container, data);
    let needed = partitions * OF_PARTITION + BESIDE;
    if hard < needed {
        let why = format!("{partitions} partitions and their clients need about {needed}");
        let hint = format!(
            "raise it: `docker run --ulimit nofile={}`, or `LimitNOFILE` of the service that runs containers",
            needed.next_power_of_two().max(65536)
        );
        findings.warn(Problem::new("open files (ulimit -n)", why, hint).with_value(hard.to_string()));
    }
}

/// `Max open files            1024                 524288               files`; `None` where it is unlimited.
fn hard_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Folders `TOPIC-N` in the log folders.
#[allow(clippy::disallowed_methods, reason = "they are counted")]
fn partitions(container: &Container, data: &Data) -> u64 {
    let entries = data.folders.iter().filter_map(|folder| fs::read_dir(container.path(folder)).ok()).flatten();
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let names = folders.filter_map(|folder| folder.file_name().into_string().ok());
    let of_partitions =
        names.filter(|name| name.rsplit_once('-').is_some_and(|(_, number)| number.parse::<u32>().is_ok()));
    of_partitions.map(|_| 1).sum()
}
