//! The document for people.

use std::collections::BTreeMap;

use super::document::{Document, Entry, Image, Layer};
use crate::cli::table::table;
use crate::ui::{ascii_json, escape, size};

/// Of what made a layer, so many characters are shown.
const CREATED_BY: usize = 60;

/// Values by their keys, on lines of their own.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Adds a line, where there is something to tell.
    fn add(&mut self, key: &str, value: impl Into<String>) {
        let value: String = value.into();
        if !value.is_empty() {
            self.0.push((key.to_owned(), escape(&value).into_owned()));
        }
    }

    /// Adds a line for each value.
    fn all(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        values.into_iter().enumerate().for_each(|(place, value)| self.add(if place == 0 { key } else { "" }, value));
    }

    fn map(&mut self, key: &str, map: &BTreeMap<String, String>) {
        self.all(key, map.iter().map(|(key, value)| format!("{key}={value}")));
    }

    fn text(&self) -> String {
        let width = self.0.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
        self.0.iter().map(|(key, value)| format!("{key:width$}  {value}\n")).collect()
    }
}

/// The image as text: tables and lists, escaped.
pub(super) fn text(document: &Document) -> String {
    let Document { location, part, artifact_type, subject, annotations, manifests, image, .. } = document;
    let mut head = Pairs::default();
    head.add("location", location);
    let is_index = manifests.is_some();
    if is_index {
        head.add("digest", &part.digest);
        head.add("media type", &part.media_type);
    }
    head.add("artifact", artifact_type.clone().unwrap_or_default());
    head.add("subject", subject.clone().unwrap_or_default());
    if is_index {
        head.map("annotation", annotations);
    }
    let mut text = String::new();
    if let Some(entries) = manifests {
        text.push_str(&head.text());
        text.push_str(&format!("\n{}", entries_table(entries)));
        head = Pairs::default();
        text.push_str(if image.is_some() { "\n" } else { "" });
    }
    let Some(image) = image else { return text };
    about(image, &mut head);
    text.push_str(&head.text());
    if !image.layers.is_empty() {
        text.push_str(&format!("\n{}", layers_table(&image.layers)));
    }
    text
}

fn about(image: &Image, pairs: &mut Pairs) {
    let run = &image.run;
    let command = |words: &[String]| match words {
        [] => String::new(),
        words => serde_json::to_string(words).map(|json| ascii_json(&json)).unwrap_or_default(),
    };
    pairs.add("platform", image.platform.clone().unwrap_or_default());
    pairs.add("digest", &image.part.digest);
    pairs.add("media type", &image.part.media_type);
    pairs.add("config", &image.config.digest);
    pairs.add("created", image.created.clone().unwrap_or_default());
    pairs.add("size", format!("{} in {}", size(image.total), plural(image.layers.len(), "layer")));
    pairs.add("user", run.user.clone().unwrap_or_default());
    pairs.add("folder", run.working_dir.clone().unwrap_or_default());
    pairs.add("entrypoint", command(&run.entrypoint));
    pairs.add("cmd", command(&run.cmd));
    pairs.add("stop signal", run.stop_signal.clone().unwrap_or_default());
    pairs.add("ports", run.ports.join(" "));
    pairs.add("volumes", run.volumes.join(" "));
    pairs.all("env", run.env.iter().cloned());
    pairs.map("label", &run.labels);
    pairs.map("annotation", &image.annotations);
}

fn entries_table(entries: &[Entry]) -> String {
    let row = |entry: &Entry| {
        let platform = entry.platform.clone().or_else(|| entry.artifact_type.clone()).unwrap_or_default();
        [escape(&platform).into_owned(), entry.part.digest.clone(), escape(&entry.part.media_type).into_owned()]
    };
    let rows: Vec<[String; 3]> = entries.iter().map(row).collect();
    table(["PLATFORM", "DIGEST", "MEDIA TYPE"], &rows)
}

fn layers_table(layers: &[Layer]) -> String {
    let row = |layer: &Layer| {
        let created_by = layer.created_by.as_deref().unwrap_or_default();
        let words: String = created_by.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut short: String = words.chars().take(CREATED_BY).collect();
        short.push_str(if words.chars().count() > CREATED_BY { "…" } else { "" });
        let kind = escape(short_type(&layer.part.media_type)).into_owned();
        [layer.part.digest.clone(), size(layer.part.size), kind, escape(&short).into_owned()]
    };
    let rows: Vec<[String; 4]> = layers.iter().map(row).collect();
    table(["LAYER", "SIZE", "TYPE", "CREATED BY"], &rows)
}

/// What of a layer's media type is not the same for all.
fn short_type(media_type: &str) -> &str {
    let prefixes = ["application/vnd.oci.image.layer.v1.", "application/vnd.docker.image.rootfs.diff."];
    prefixes.into_iter().find_map(|prefix| media_type.strip_prefix(prefix)).unwrap_or(media_type)
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
