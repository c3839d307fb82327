//! apt's sources, in the one-line format and in deb822 (sources.list(5)).

use super::{Machine, parse_base};
use crate::lock::Upstream;
use crate::net::Base;

/// The archives that this machine installs Debian itself from.
pub(super) fn bases(machine: &Machine, upstream: Upstream) -> Vec<Base> {
    let apt = machine.root.join("etc/apt");
    let mut found = Vec::new();
    let single = std::iter::once(apt.join("sources.list"));
    for path in single.chain(machine.files(&apt.join("sources.list.d"), &[".list", ".sources"])) {
        let Some(text) = machine.text(&path) else { continue };
        let is_deb822 = path.extension().is_some_and(|ending| ending == "sources");
        let sources = if is_deb822 { deb822(&text) } else { one_line(&text) };
        for source in sources.into_iter().filter(|source| source.serves(upstream)) {
            match parse_base(&source.uri, "apt's sources") {
                Some(base) => found.push(base),
                None => machine.pass_over(&path, "a source that is neither http nor https"),
            }
        }
    }
    found
}

struct Source {
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
}

/// The releases of Debian by the names that their suites may have.
const RELEASES: [&str; 10] =
    ["bullseye", "bookworm", "trixie", "forky", "sid", "oldoldstable", "oldstable", "stable", "testing", "unstable"];

impl Source {
    /// A third party's archive has suites of other names, or Debian's name in another tree; what it serves is checked by
    /// digest anyway, so one too many costs a request.
    fn serves(&self, upstream: Upstream) -> bool {
        let kind = |suite: &String| {
            let at = suite.find(['-', '/']).unwrap_or(suite.len());
            let (release, rest) = suite.split_at(at);
            match (RELEASES.contains(&release), rest) {
                (true, "" | "-updates") => Some(Upstream::Debian),
                // The second is how the security archive wrote it up to Debian 10.
                (true, "-security" | "/updates") => Some(Upstream::DebianSecurity),
                _ => None,
            }
        };
        self.components.iter().any(|component| component == "main")
            && self.suites.iter().any(|suite| kind(suite) == Some(upstream))
    }
}

fn one_line(text: &str) -> Vec<Source> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter_map(|line| parse_line(line.strip_prefix("deb")?)).collect()
}

/// ` [OPTIONS] URI SUITE COMPONENT…`.
fn parse_line(line: &str) -> Option<Source> {
    let line = line.strip_prefix([' ', '\t'])?.trim_start();
    let line = match line.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => line,
    };
    let mut words = line.split_whitespace().map(str::to_owned);
    Some(Source { uri: words.next()?, suites: vec![words.next()?], components: words.collect() })
}

fn deb822(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for stanza in lines.split(|line| line.trim().is_empty()) {
        let words = |name: &str| -> Vec<String> { field(stanza, name).split_whitespace().map(str::to_owned).collect() };
        let enabled =
            !matches!(field(stanza, "Enabled").trim().to_ascii_lowercase().as_str(), "no" | "false" | "0" | "off");
        if !enabled || !words("Types").iter().any(|kind| kind == "deb") {
            continue;
        }
        for uri in words("URIs") {
            sources.push(Source { uri, suites: words("Suites"), components: words("Components") });
        }
    }
    sources
}

/// A field with its continuation lines.
fn field(stanza: &[&str], name: &str) -> String {
    let mut value = String::new();
    let mut inside = false;
    for line in stanza {
        if line.starts_with([' ', '\t']) {
            if inside {
                value.push_str(line);
            }
            continue;
        }
        inside = false;
        if let Some((own, rest)) = line.split_once(':')
            && own.eq_ignore_ascii_case(name)
        {
            inside = true;
            value.push_str(rest);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_read(text in "[ -~\n\t]{0,200}") {
            one_line(&text);
            deb822(&text);
        }
    }
}
