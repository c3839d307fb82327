//! What a copy did or would do: `--dry-run` and `--json` (docs/output.md).

use serde::Serialize;

use crate::cli::table;
use crate::cli::values::Location;
use crate::copy::{Have, Moved, Plan, PlannedBlob, Root};
use crate::ui::{escape, size};

/// The answer of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: u32,
    dry_run: bool,
    source: String,
    target: String,
    /// That of the target.
    pub(super) digest: String,
    names: Vec<String>,
    /// Bytes of blobs that move.
    bytes: u64,
    blobs: Vec<Item>,
    manifests: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<Sums>,
}

/// A blob or manifest.
#[derive(Debug, Serialize)]
struct Item {
    digest: String,
    media_type: String,
    size: u64,
    /// For blobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Action>,
    /// Bytes that are there from an earlier run.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<u64>,
}

/// What is done with a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Send,
    Resume,
    Mount,
    None,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Sums {
    sent: usize,
    bytes: u64,
    resumed: u64,
    mounted: usize,
    present: usize,
}

impl Report {
    /// Adds what was done.
    pub(super) fn done(&mut self, root: &Root, moved: Moved) {
        self.digest = root.descriptor.digest.to_string();
        let Moved { blobs: sent, bytes, resumed, mounted, present } = moved;
        self.dry_run = false;
        self.moved = Some(Sums { sent, bytes, resumed, mounted, present });
    }
}

/// The plan as a report, of nothing that was done yet.
pub(super) fn report(plan: &Plan, (source, target): (&Location, &Location)) -> Report {
    let roots = || plan.roots.iter().chain(&plan.there);
    let manifest = |(descriptor, _): &(crate::oci::Descriptor, Vec<u8>)| Item {
        digest: descriptor.digest.to_string(),
        media_type: descriptor.media_type.clone(),
        size: descriptor.size,
        action: None,
        resumed: None,
    };
    Report {
        version: 1,
        dry_run: true,
        source: source.to_string(),
        target: target.to_string(),
        digest: roots().next().map(|root| root.descriptor.digest.to_string()).unwrap_or_default(),
        names: roots().flat_map(|root| root.names.clone()).collect(),
        bytes: plan.bytes(),
        blobs: plan.blobs.iter().map(blob).collect(),
        manifests: plan.manifests.iter().map(manifest).collect(),
        moved: None,
    }
}

fn blob(planned: &PlannedBlob) -> Item {
    let (action, resumed) = match planned.have {
        Have::Absent => (Action::Send, None),
        Have::PartAt(from) => (Action::Resume, Some(from)),
        Have::Mountable => (Action::Mount, None),
        Have::Present => (Action::None, None),
    };
    let descriptor = &planned.descriptor;
    Item {
        digest: descriptor.digest.to_string(),
        media_type: descriptor.media_type.clone(),
        size: descriptor.size,
        action: Some(action),
        resumed,
    }
}

/// The report for people: a line a blob, and the sums.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::new();
    if !report.blobs.is_empty() {
        let row = |item: &Item| [item.digest.clone(), size(item.size), words(item)];
        let rows: Vec<[String; 3]> = report.blobs.iter().map(row).collect();
        text.push_str(&table::table(["BLOB", "SIZE", "ACTION"], &rows));
        text.push('\n');
    }
    text.push_str(&format!("{}\n", escape(&summary(report))));
    text
}

fn words(item: &Item) -> String {
    match (item.action, item.resumed) {
        (Some(Action::Resume), Some(from)) => format!("resume at {}", size(from)),
        (Some(Action::Send), _) => "send".to_owned(),
        (Some(Action::Mount), _) => "mount".to_owned(),
        _ => "there".to_owned(),
    }
}

/// `docker://b.example/x:1: sha256:…: 2 of 6 blobs to send (40 MB), 1 to mount, 3 there; 2 manifests`.
pub(super) fn summary(report: &Report) -> String {
    let begin = format!("{}: {}", report.target, report.digest);
    if report.blobs.is_empty() && report.manifests.is_empty() {
        return format!("{begin}: there already");
    }
    let count = |actions: &[Action]| {
        report.blobs.iter().filter(|item| item.action.is_some_and(|action| actions.contains(&action))).count()
    };
    let (send, mount) = (count(&[Action::Send, Action::Resume]), count(&[Action::Mount]));
    let mut parts = vec![format!("{send} of {} to send ({})", plural(report.blobs.len(), "blob"), size(report.bytes))];
    parts.extend((mount > 0).then(|| format!("{mount} to mount")));
    let there = report.blobs.len() - send - mount;
    parts.extend((there > 0).then(|| format!("{there} there")));
    let manifests = match report.manifests.len() {
        0 => String::new(),
        count => format!("; {}", plural(count, "manifest")),
    };
    format!("{begin}: {}{manifests}", parts.join(", "))
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
